"""The types of `config.json` and of runt's own files, with the names that they have in JSON.

For type checkers only: no module imports this one at run time, so it does not slow the start of the runtime.
A `NotRequired` member may be absent; `config.load` has removed members whose value was `null`.
Source: config.md and config-linux.md of runtime-spec 1.3.0.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

NamespaceType = Literal["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"]
HookKind = Literal["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
Status = Literal["creating", "created", "running", "paused", "stopped"]


class Root(TypedDict):
    """`root`: where the container's root filesystem is."""

    path: str
    readonly: NotRequired[bool]


class Mount(TypedDict):
    """One entry of `mounts`."""

    destination: str
    type: NotRequired[str]
    source: NotRequired[str]
    options: NotRequired[list[str]]
    uidMappings: NotRequired[list[IdMapping]]
    gidMappings: NotRequired[list[IdMapping]]


class ConsoleSize(TypedDict):
    """`process.consoleSize`, in characters."""

    height: int
    width: int


class User(TypedDict):
    """`process.user`: numbers as seen in the container. `uid` and `gid` are 0 where the file left them out."""

    uid: int
    gid: int
    umask: NotRequired[int]
    additionalGids: NotRequired[list[int]]


class Rlimit(TypedDict):
    """One entry of `process.rlimits`; `type` is a name such as `RLIMIT_NOFILE`."""

    type: str
    soft: int
    hard: int


class Capabilities(TypedDict):
    """`process.capabilities`: names such as `CAP_KILL`, known to the kernel or not."""

    bounding: NotRequired[list[str]]
    effective: NotRequired[list[str]]
    inheritable: NotRequired[list[str]]
    permitted: NotRequired[list[str]]
    ambient: NotRequired[list[str]]


class Scheduler(TypedDict):
    """`process.scheduler`, with the names of sched_setattr(2)."""

    policy: str
    nice: NotRequired[int]
    priority: NotRequired[int]
    flags: NotRequired[list[str]]
    runtime: NotRequired[int]
    deadline: NotRequired[int]
    period: NotRequired[int]


IoPriority = TypedDict("IoPriority", {"class": str, "priority": NotRequired[int]})
"""`process.ioPriority`."""


class CpuAffinity(TypedDict, total=False):
    """`process.execCPUAffinity`: lists of processors such as `0-3,7`."""

    initial: str
    final: str


class ProcessConfig(TypedDict):
    """`process`. `user` is always there after validation."""

    terminal: NotRequired[bool]
    consoleSize: NotRequired[ConsoleSize]
    user: User
    args: list[str]
    env: NotRequired[list[str]]
    cwd: str
    rlimits: NotRequired[list[Rlimit]]
    capabilities: NotRequired[Capabilities]
    noNewPrivileges: NotRequired[bool]
    oomScoreAdj: NotRequired[int]
    apparmorProfile: NotRequired[str]
    selinuxLabel: NotRequired[str]
    scheduler: NotRequired[Scheduler]
    ioPriority: NotRequired[IoPriority]
    execCPUAffinity: NotRequired[CpuAffinity]


class Hook(TypedDict):
    """One hook; `timeout` is in seconds."""

    path: str
    args: NotRequired[list[str]]
    env: NotRequired[list[str]]
    timeout: NotRequired[int]


class Hooks(TypedDict, total=False):
    """`hooks`: the six kinds, each a list that runs in its order."""

    prestart: list[Hook]
    createRuntime: list[Hook]
    createContainer: list[Hook]
    startContainer: list[Hook]
    poststart: list[Hook]
    poststop: list[Hook]


class Namespace(TypedDict):
    """One entry of `linux.namespaces`: new, or joined where `path` is given."""

    type: NamespaceType
    path: NotRequired[str]


class IdMapping(TypedDict):
    """One entry of `linux.uidMappings` or `linux.gidMappings`."""

    containerID: int
    hostID: int
    size: int


class Device(TypedDict):
    """One entry of `linux.devices`. `major` and `minor` are there unless `type` is `p`."""

    type: Literal["c", "b", "u", "p"]
    path: str
    major: NotRequired[int]
    minor: NotRequired[int]
    fileMode: NotRequired[int]
    uid: NotRequired[int]
    gid: NotRequired[int]


class TimeOffset(TypedDict):
    """One entry of `linux.timeOffsets`."""

    secs: NotRequired[int]
    nanosecs: NotRequired[int]


class NetDevice(TypedDict):
    """One entry of `linux.netDevices`; `name` is the one in the container."""

    name: NotRequired[str]


class MemoryPolicy(TypedDict):
    """`linux.memoryPolicy`, with the names of set_mempolicy(2)."""

    mode: str
    nodes: NotRequired[str]
    flags: NotRequired[list[str]]


class Personality(TypedDict):
    """`linux.personality`."""

    domain: str
    flags: NotRequired[list[str]]


class DeviceRule(TypedDict):
    """One entry of `linux.resources.devices`; a number that is absent or -1 means all."""

    allow: bool
    type: NotRequired[Literal["a", "c", "b"]]
    major: NotRequired[int]
    minor: NotRequired[int]
    access: str


class Memory(TypedDict):
    """`linux.resources.memory`, in bytes."""

    limit: NotRequired[int]
    reservation: NotRequired[int]
    swap: NotRequired[int]
    kernel: NotRequired[int]
    kernelTCP: NotRequired[int]
    swappiness: NotRequired[int]
    disableOOMKiller: NotRequired[bool]
    useHierarchy: NotRequired[bool]
    checkBeforeUpdate: NotRequired[bool]


class Cpu(TypedDict):
    """`linux.resources.cpu`; times are in microseconds."""

    shares: NotRequired[int]
    quota: NotRequired[int]
    burst: NotRequired[int]
    period: NotRequired[int]
    realtimeRuntime: NotRequired[int]
    realtimePeriod: NotRequired[int]
    cpus: NotRequired[str]
    mems: NotRequired[str]
    idle: NotRequired[int]


class Pids(TypedDict):
    """`linux.resources.pids`."""

    limit: NotRequired[int]


class WeightDevice(TypedDict):
    """One entry of `linux.resources.blockIO.weightDevice`."""

    major: int
    minor: int
    weight: NotRequired[int]
    leafWeight: NotRequired[int]


class ThrottleDevice(TypedDict):
    """One entry of the four `throttle...Device` of `linux.resources.blockIO`."""

    major: int
    minor: int
    rate: int


class BlockIo(TypedDict):
    """`linux.resources.blockIO`."""

    weight: NotRequired[int]
    leafWeight: NotRequired[int]
    weightDevice: NotRequired[list[WeightDevice]]
    throttleReadBpsDevice: NotRequired[list[ThrottleDevice]]
    throttleWriteBpsDevice: NotRequired[list[ThrottleDevice]]
    throttleReadIOPSDevice: NotRequired[list[ThrottleDevice]]
    throttleWriteIOPSDevice: NotRequired[list[ThrottleDevice]]


class HugepageLimit(TypedDict):
    """One entry of `linux.resources.hugepageLimits`."""

    pageSize: str
    limit: int


class InterfacePriority(TypedDict):
    """One entry of `linux.resources.network.priorities`."""

    name: str
    priority: int


class NetworkResources(TypedDict):
    """`linux.resources.network`."""

    classID: NotRequired[int]
    priorities: NotRequired[list[InterfacePriority]]


class RdmaLimits(TypedDict):
    """One value of `linux.resources.rdma`."""

    hcaHandles: NotRequired[int]
    hcaObjects: NotRequired[int]


class Resources(TypedDict):
    """`linux.resources`; see `config.resources`."""

    devices: NotRequired[list[DeviceRule]]
    memory: NotRequired[Memory]
    cpu: NotRequired[Cpu]
    pids: NotRequired[Pids]
    blockIO: NotRequired[BlockIo]
    hugepageLimits: NotRequired[list[HugepageLimit]]
    network: NotRequired[NetworkResources]
    rdma: NotRequired[dict[str, RdmaLimits]]
    unified: NotRequired[dict[str, str]]


class SeccompArgument(TypedDict):
    """One entry of `linux.seccomp.syscalls[].args`; `op` is an operator such as `SCMP_CMP_EQ`."""

    index: int
    value: int
    valueTwo: NotRequired[int]
    op: str


class SeccompRule(TypedDict):
    """One entry of `linux.seccomp.syscalls`; `action` is a name such as `SCMP_ACT_ERRNO`."""

    names: list[str]
    action: str
    errnoRet: NotRequired[int]
    args: NotRequired[list[SeccompArgument]]


class Seccomp(TypedDict):
    """`linux.seccomp`: the actions for system calls. It is absent if the file has neither a default nor a rule."""

    defaultAction: str
    defaultErrnoRet: NotRequired[int]
    architectures: NotRequired[list[str]]
    flags: NotRequired[list[str]]
    listenerPath: NotRequired[str]
    listenerMetadata: NotRequired[str]
    syscalls: NotRequired[list[SeccompRule]]


class Linux(TypedDict):
    """`linux`, with the members that this version of runt supports: `config.load` refuses others."""

    namespaces: NotRequired[list[Namespace]]
    uidMappings: NotRequired[list[IdMapping]]
    gidMappings: NotRequired[list[IdMapping]]
    timeOffsets: NotRequired[dict[str, TimeOffset]]
    devices: NotRequired[list[Device]]
    cgroupsPath: NotRequired[str]
    resources: NotRequired[Resources]
    sysctl: NotRequired[dict[str, str]]
    seccomp: NotRequired[Seccomp]
    rootfsPropagation: NotRequired[str]
    maskedPaths: NotRequired[list[str]]
    readonlyPaths: NotRequired[list[str]]
    memoryPolicy: NotRequired[MemoryPolicy]
    personality: NotRequired[Personality]
    netDevices: NotRequired[dict[str, NetDevice]]
    mountLabel: NotRequired[str]


class Config(TypedDict):
    """A whole `config.json` after validation. `root`, `process` and `linux` are always there."""

    ociVersion: str
    root: Root
    process: ProcessConfig
    hostname: NotRequired[str]
    domainname: NotRequired[str]
    mounts: NotRequired[list[Mount]]
    hooks: NotRequired[Hooks]
    annotations: NotRequired[dict[str, str]]
    linux: Linux


class Process(TypedDict):
    """A process, with its start time to tell it from a later one with the same pid; see `liveness`."""

    pid: int
    start_time: int


class Record(TypedDict):
    """What `state.json` in the container's state directory holds; see `store`."""

    id: str
    ociVersion: str
    bundle: str
    rootfs: str
    created: str
    owner: int
    annotations: dict[str, str]
    creator: Process
    init: Process | None
    cgroups: list[str]
    cgroups_made: list[str]
    unit: str
    users_systemd: str
    mounts: list[str]
    hook: Process | None
    new_keyring: bool
    runnable: bool
    ready: bool
    started: bool


class State(TypedDict):
    """The state of a container as hooks receive it on their standard input (runtime.md, State)."""

    ociVersion: str
    id: str
    status: Status
    pid: NotRequired[int]
    bundle: str
    annotations: NotRequired[dict[str, str]]
