"""Every member of `config.json` on Linux that runtime-spec 1.3.0 knows: config.md and config-linux.md as one table."""

from __future__ import annotations

from tutor import rlimits
from tutor.configfile.rules import Rule, array, integer, mapping, obj, one_of, string

_LINUX = "config-linux.md#"

ANY = Rule("any")
BOOL = Rule("boolean")
INT32 = integer(-(2**31), 2**31 - 1)
INT64 = integer(-(2**63), 2**63 - 1)
UINT16 = integer(0, 2**16 - 1)
UINT32 = integer(0, 2**32 - 1)
UINT64 = integer(0, 2**64 - 1)
# 4294967295 means "no change" to setresuid(2) and is nobody's.
ID = integer(0, 2**32 - 2)
# A size; -1 is no limit.
BYTES = integer(-1, 2**63 - 1)
TEXT = string()
# Text that the kernel does not get: it may have NUL characters.
ANY_TEXT = string(nul=True)
NUMBERS = string(check="numbers")
STRINGS = array(TEXT)
ABSOLUTE = string(check="absolute")
ENVIRONMENT = array(string(check="environment"))

CAPABILITIES = array(
    one_of(
        "CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID "
        "CAP_SETPCAP CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW "
        "CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT "
        "CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD "
        "CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG "
        "CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE",
        # "Any value which cannot be mapped to a relevant kernel interface ... MUST be logged as a warning" (config.md).
        lenient=True,
    )
)

CAPABILITY_NAMES = frozenset(CAPABILITIES.items.choices if CAPABILITIES.items else ())

ID_MAPPINGS = array(
    obj(
        f"{_LINUX}user-namespace-mappings",
        "containerID hostID size",
        containerID=UINT32,
        hostID=UINT32,
        size=integer(1, 2**32 - 1),
    )
)

PROCESS = obj(
    "config.md#process",
    "cwd args",
    terminal=BOOL,
    consoleSize=obj("", "height width", height=UINT64, width=UINT64),
    cwd=ABSOLUTE,
    env=ENVIRONMENT,
    args=array(TEXT, least=1),
    commandLine=TEXT,
    user=obj(
        "config.md#posix-platform-user", "", "uid gid",
        uid=ID, gid=ID, umask=integer(0, 0o777), additionalGids=array(ID), username=TEXT,
    ),
    rlimits=array(
        obj(
            "config.md#posix-process", "type soft hard",
            type=one_of(" ".join(sorted(rlimits.NAMES))),
            soft=UINT64, hard=UINT64,
        ),
        "config.md#posix-process", unique="type",
    ),
    apparmorProfile=TEXT,
    capabilities=obj(
        "config.md#linux-process",
        effective=CAPABILITIES, bounding=CAPABILITIES, inheritable=CAPABILITIES, permitted=CAPABILITIES,
        ambient=CAPABILITIES,
    ),
    noNewPrivileges=BOOL,
    oomScoreAdj=integer(-1000, 1000, "config.md#linux-process"),
    scheduler=obj(
        "config.md#linux-process", "policy",
        policy=one_of("SCHED_OTHER SCHED_FIFO SCHED_RR SCHED_BATCH SCHED_ISO SCHED_IDLE SCHED_DEADLINE"),
        nice=integer(-20, 19), priority=INT32,
        flags=array(one_of(
            "SCHED_FLAG_RESET_ON_FORK SCHED_FLAG_RECLAIM SCHED_FLAG_DL_OVERRUN SCHED_FLAG_KEEP_POLICY "
            "SCHED_FLAG_KEEP_PARAMS SCHED_FLAG_UTIL_CLAMP_MIN SCHED_FLAG_UTIL_CLAMP_MAX"
        )),
        runtime=UINT64, deadline=UINT64, period=UINT64,
    ),
    selinuxLabel=TEXT,
    ioPriority=obj(
        "config.md#linux-process", "class", "priority",
        **{"class": one_of("IOPRIO_CLASS_RT IOPRIO_CLASS_BE IOPRIO_CLASS_IDLE"), "priority": integer(0, 7)},
    ),
    execCPUAffinity=obj("config.md#linux-process", initial=NUMBERS, final=NUMBERS),
)  # fmt: skip

HOOKS = array(
    obj("", "path", path=ABSOLUTE, args=STRINGS, env=ENVIRONMENT, timeout=integer(1, 2**31 - 1)), "config.md#posix-platform-hooks"
)  # fmt: skip

MOUNT = obj(
    "config.md#mounts", "destination",
    destination=string(check="absolute_destination"), source=TEXT, type=TEXT, options=STRINGS,
    uidMappings=ID_MAPPINGS, gidMappings=ID_MAPPINGS,
)  # fmt: skip

_RATES = array(obj("", "major minor rate", major=UINT32, minor=UINT32, rate=UINT64))

RESOURCES = obj(
    f"{_LINUX}control-groups",
    unified=mapping(TEXT, f"{_LINUX}unified"),
    devices=array(
        obj(
            "", "allow access",
            allow=BOOL, type=one_of("a b c"), major=integer(-1, 2**32 - 1), minor=integer(-1, 2**32 - 1),
            access=string(check="access"),
        ),
        f"{_LINUX}allowed-device-list",
    ),
    pids=obj(f"{_LINUX}pids", limit=INT64),
    blockIO=obj(
        f"{_LINUX}block-io", weight=UINT16, leafWeight=UINT16,
        weightDevice=array(
            obj("", "major minor", major=UINT32, minor=UINT32, weight=UINT16, leafWeight=UINT16)
        ),
        throttleReadBpsDevice=_RATES, throttleWriteBpsDevice=_RATES,
        throttleReadIOPSDevice=_RATES, throttleWriteIOPSDevice=_RATES,
    ),
    cpu=obj(
        f"{_LINUX}cpu", cpus=NUMBERS, mems=NUMBERS, period=UINT64, quota=INT64, burst=UINT64, realtimePeriod=UINT64,
        realtimeRuntime=INT64, shares=UINT64, idle=integer(0, 1),
    ),
    hugepageLimits=array(
        obj("", "pageSize limit", pageSize=string(check="page_size"), limit=UINT64), f"{_LINUX}huge-page-limits"
    ),
    memory=obj(
        f"{_LINUX}memory", kernel=BYTES, kernelTCP=BYTES, limit=BYTES, reservation=BYTES, swap=BYTES,
        swappiness=integer(0, 100), disableOOMKiller=BOOL, useHierarchy=BOOL, checkBeforeUpdate=BOOL,
    ),
    network=obj(
        f"{_LINUX}network", classID=UINT32,
        priorities=array(obj("", "name priority", name=TEXT, priority=UINT32)),
    ),
    rdma=mapping(obj("", hcaHandles=UINT32, hcaObjects=UINT32), f"{_LINUX}rdma"),
)  # fmt: skip

SECCOMP_ACTION = one_of(
    "SCMP_ACT_KILL SCMP_ACT_KILL_PROCESS SCMP_ACT_KILL_THREAD SCMP_ACT_TRAP SCMP_ACT_ERRNO SCMP_ACT_TRACE "
    "SCMP_ACT_ALLOW SCMP_ACT_LOG SCMP_ACT_NOTIFY"
)
SECCOMP = obj(
    f"{_LINUX}seccomp", "defaultAction",
    defaultAction=SECCOMP_ACTION, defaultErrnoRet=UINT16,
    flags=array(one_of(
        "SECCOMP_FILTER_FLAG_TSYNC SECCOMP_FILTER_FLAG_LOG SECCOMP_FILTER_FLAG_SPEC_ALLOW "
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
    )),
    listenerPath=TEXT, listenerMetadata=ANY_TEXT,
    architectures=array(one_of(
        "SCMP_ARCH_X86 SCMP_ARCH_X86_64 SCMP_ARCH_X32 SCMP_ARCH_ARM SCMP_ARCH_AARCH64 SCMP_ARCH_LOONGARCH64 "
        "SCMP_ARCH_M68K SCMP_ARCH_MIPS SCMP_ARCH_MIPS64 SCMP_ARCH_MIPS64N32 SCMP_ARCH_MIPSEL SCMP_ARCH_MIPSEL64 "
        "SCMP_ARCH_MIPSEL64N32 SCMP_ARCH_PPC SCMP_ARCH_PPC64 SCMP_ARCH_PPC64LE SCMP_ARCH_S390 SCMP_ARCH_S390X "
        "SCMP_ARCH_SH SCMP_ARCH_SHEB SCMP_ARCH_PARISC SCMP_ARCH_PARISC64 SCMP_ARCH_RISCV64"
    )),
    syscalls=array(obj(
        "", "names action",
        names=array(TEXT, least=1), action=SECCOMP_ACTION, errnoRet=UINT16,
        args=array(obj(
            "", "index value op",
            index=integer(0, 5), value=UINT64, valueTwo=UINT64,
            op=one_of(
                "SCMP_CMP_NE SCMP_CMP_LT SCMP_CMP_LE SCMP_CMP_EQ SCMP_CMP_GE SCMP_CMP_GT SCMP_CMP_MASKED_EQ"
            ),
        )),
    )),
)  # fmt: skip

_OFFSET = obj("", secs=INT64, nanosecs=integer(0, 999_999_999))

LINUX = obj(
    f"{_LINUX}linux-container-configuration",
    namespaces=array(
        obj(
            "", "type",
            type=one_of("pid network mount ipc uts user cgroup time"), path=ABSOLUTE,
        ),
        f"{_LINUX}namespaces", unique="type",
    ),
    uidMappings=ID_MAPPINGS, gidMappings=ID_MAPPINGS,
    timeOffsets=mapping(_OFFSET, f"{_LINUX}offset-for-time-namespace", names="monotonic boottime"),
    devices=array(
        obj(
            "", "type path",
            type=one_of("c b u p"), path=ABSOLUTE, major=INT64, minor=INT64, fileMode=UINT32, uid=ID, gid=ID,
        ),
        f"{_LINUX}devices",
    ),
    netDevices=mapping(obj("", name=TEXT), f"{_LINUX}network-devices"),
    cgroupsPath=string(f"{_LINUX}cgroups-path"),
    resources=RESOURCES,
    intelRdt=obj(
        f"{_LINUX}intelrdt", closID=TEXT, schemata=STRINGS, l3CacheSchema=TEXT, memBwSchema=TEXT, enableMonitoring=BOOL
    ),
    memoryPolicy=obj(
        f"{_LINUX}memory-policy", "mode",
        mode=one_of("MPOL_DEFAULT MPOL_BIND MPOL_INTERLEAVE MPOL_WEIGHTED_INTERLEAVE MPOL_PREFERRED "
                    "MPOL_PREFERRED_MANY MPOL_LOCAL"),
        nodes=NUMBERS,
        flags=array(one_of("MPOL_F_NUMA_BALANCING MPOL_F_RELATIVE_NODES MPOL_F_STATIC_NODES")),
    ),
    sysctl=mapping(TEXT, f"{_LINUX}sysctl"),
    seccomp=SECCOMP,
    # The specification has only the first four; Docker and podman write the others, and every engine takes them.
    rootfsPropagation=one_of(
        "shared slave private unbindable rshared rslave rprivate runbindable", f"{_LINUX}rootfs-mount-propagation"
    ),
    maskedPaths=array(ABSOLUTE, f"{_LINUX}masked-paths"),
    readonlyPaths=array(ABSOLUTE, f"{_LINUX}readonly-paths"),
    mountLabel=string(f"{_LINUX}mount-label"),
    personality=obj(f"{_LINUX}personality", "domain", domain=one_of("LINUX LINUX32"), flags=STRINGS),
)  # fmt: skip

CONFIG = obj(
    "config.md#configuration",
    # `process` is only "REQUIRED when start is called": runt creates a container without it; runc and crun refuse to.
    "ociVersion root",
    "process",
    ociVersion=string("config.md#specification-version", check="version"),
    root=obj("config.md#root", "path", path=TEXT, readonly=BOOL),
    mounts=array(MOUNT, "config.md#mounts"),
    process=PROCESS,
    hostname=string("config.md#hostname"),
    domainname=string("config.md#domainname"),
    hooks=obj(
        "config.md#posix-platform-hooks",
        prestart=HOOKS, createRuntime=HOOKS, createContainer=HOOKS, startContainer=HOOKS, poststart=HOOKS,
        poststop=HOOKS,
    ),
    annotations=mapping(ANY_TEXT, "config.md#annotations"),
    linux=LINUX,
    freebsd=ANY, solaris=ANY, vm=ANY, windows=ANY, zos=ANY,
)  # fmt: skip

# Objects whose members are often written one level too high or too low, with the pointer of the right place.
HOMES: tuple[tuple[str, Rule], ...] = (
    ("", CONFIG),
    ("/process", PROCESS),
    ("/linux", LINUX),
    ("/root", CONFIG.members["root"]),
)
