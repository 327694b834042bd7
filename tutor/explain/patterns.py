"""What runt, runc and crun print, and what it means: a table of patterns, of which the first that fits counts.

- A pattern is searched for in each sentence; case is ignored.
- Its named groups fill the placeholders of the explanation.
- `where` names the member of `config.json`: a JSON pointer, or a function of `places`. If the function finds no member, the
  pattern does not fit. Without a bundle it does, unless its words are sure only together with the member (`doubtful`).
- `refine` replaces an id by a more precise one, after a look at the files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way in which an engine says something; `operation`: only when this one failed."""

    id: str
    regex: re.Pattern[str]
    where: str = ""
    operation: str = ""
    doubtful: bool = False


def _p(id_: str, regex: str, where: str = "", operation: str = "", *, doubtful: bool = False) -> Pattern:
    return Pattern(id_, re.compile(regex, re.IGNORECASE), where, operation, doubtful)


_GONE = r"no such file or directory"

_CONFIG = (
    _p("hostname.no_uts", r"unable to set hostname without|hostname requires the UTS", "/hostname"),
    _p("domainname.no_uts", r"unable to set domainname without|domainname requires the UTS", "/domainname"),
    _p("mask.no_mount", r"unable to restrict sys entries without a private MNT", "masked"),
    _p("sysctl.host_namespace", r'sysctl "(?P<name>[^"]+)" (?:is )?not allowed in (?:the )?host', "sysctl"),
    _p("sysctl.host_namespace", r"the sysctl `(?P<name>[^`]+)` requires a new \w+ namespace", "sysctl"),
    _p("sysctl.not_namespaced", r'sysctl "(?P<name>[^"]+)" is not in a separate kernel', "sysctl"),
    _p("sysctl.not_namespaced", r"the sysctl `(?P<name>[^`]+)` is not namespaced", "sysctl"),
    _p("user.mapping_without_namespace", r"mappings specified, but USER namespace isn't enabled", "mapping"),
    _p("user.root_not_mapped", r"but no mapping found for [ug]id 0\b", "root_mapping"),
    _p("user.id_not_mapped", r"but no mapping found for (?P<what>[ug]id) (?P<number>\d+)", "user_id"),
    _p("user.no_mapping", r"User namespaces? enabled, but no (?:uid |gid )?mappings? found", "user_namespace"),
    _p("user.root_not_mapped", r"but no (?:user|group) mapping found|is ID 0 mapped", "root_mapping"),
    _p("user.root_not_mapped", r"setres[ug]id to `?0\b", "root_mapping"),
    _p("user.no_mapping", r"user namespaces enabled, but no namespace path", "user_namespace"),
    _p("user.id_not_mapped", r"no mapping found for (?P<what>[ug]id) (?P<number>\d+)", "user_id"),
    _p("time.no_namespace", r"time (?:namespace )?offsets (?:need|specified)|/proc/self/timens_offsets`: Permission", "/linux/timeOffsets"),
    _p("rlimit.soft_over_hard", r"the soft limit (?P<soft>\d+) is above the hard limit (?P<hard>\d+)", "line"),
    _p("cgroup.swap_below", r"memory\+swap limit should be >= memory limit", "/linux/resources/memory/swap"),
    _p("label.apparmor", r"apparmor", "/process/apparmorProfile"),
    _p("label.selinux", r"selinux|attr/keycreate|attr/exec", "/process/selinuxLabel"),
    _p("intel_rdt.missing", r"intel ?rdt", "/linux/intelRdt"),
    _p("version.unsupported", r"unknown version specified|expected version 1\.x of", "/ociVersion"),
    _p("process.none", r"process property must not be empty|block `process` not found", "/process"),
    _p("process.none", r"config\.json has no process|max number of capabilities not init", "/process"),
    _p("id.invalid", r"invalid character `.` in the (?:container )?ID"),
    _p("config.missing", r"JSON specification file (?P<path>\S+) not found"),
    _p("config.load", r"not valid JSON|not UTF-8|nested too deeply|invalid character .* (?:looking|after|in) "),
    _p("config.load", r"unexpected EOF|^EOF$|error loading config\.json|^load `[^`]*config\.json"),
    _p("config.field", r"cannot unmarshal (?P<found>\w+)(?: \S+)? into Go struct field \w+\.(?P<field>[\w.]+) of", "field"),
    _p("config.load", r"json: cannot unmarshal|cannot parse the data|required field .* not present"),
    _p("config.value", r"args must not be empty|exec args cannot be empty|executable path not specified", "/process/args"),
    _p("config.value", r"Cwd (?:property )?must|chdir ``", "/process/cwd"),
    _p("config.value", r"root must be specified|no .root. block specified|Root must be specified", "/root"),
    _p("config.value", r"no .mounts. block specified", "/mounts"),
    _p("config.value", r"no .linux. block specified", "/linux"),
    _p("config.value", r"invalid environment variable", "/process/env"),
    _p("config.value", r"invalid namespace type|^namespace \{.*\} does not exist|duplicated ns|duplicate namespace type", "/linux/namespaces"),
    _p("config.value", r"wrong rlimit value|invalid rlimit `", "/process/rlimits"),
    _p("config.value", r"rootfsPropagation=\S* is not supported", "/linux/rootfsPropagation"),
    _p("config.value", r"is not a valid (?:action|arch|operator) for seccomp|get_seccomp_operator", "/linux/seccomp"),
    _p("config.value", r"invalid seccomp action|seccomp unknown arch", "/linux/seccomp"),
    _p("config.value", r"invalid cgroup device type|devices\.allow", "/linux/resources/devices"),
    _p("config.value", r"invalid device type|invalid device node", "/linux/devices"),
    _p("config.value", r"oom_score_adj`?: invalid argument", "/process/oomScoreAdj"),
    _p("config.value", r"swappiness", "/linux/resources/memory/swappiness"),
    _p("config.refused", r"config\.json:(?P<line>\d+):(?P<column>\d+): (?P<what>.+)", "line"),
)  # fmt: skip

_PROCESS = (
    _p("program.cannot_run", r'exec: "(?P<name>[^"]*)"', "program"),
    _p("program.cannot_run", r"executable file `(?P<name>[^`]*)` not found", "program"),
    _p("program.cannot_run", r"cannot find `(?P<name>[^`]*)` in \$PATH", "program"),
    _p("program.cannot_run", r"the path `(?P<name>[^`]*)` (?:exists but it is not executable|is not a regular file)", "program"),
    _p("program.cannot_run", r"exec container process(?: \([^)]*\))? `(?P<name>[^`]*)`", "program"),
    _p("program.cannot_run", r"^exec (?P<name>/\S+|`[^`]+`): (?P<why>.+)", "program"),
    _p("program.cannot_run", r"open executable|eaccess (?P<name>/\S+): ", "program"),
    _p("cwd.unusable", r'mkdir of cwd \("(?P<path>[^"]*)"\)', "/process/cwd"),
    _p("cwd.unusable", r'chdir to cwd \("(?P<path>[^"]*)"\)', "/process/cwd"),
    _p("cwd.unusable", r"chdir (?:to )?`(?P<path>/[^`]+)`", "/process/cwd"),
    _p("cwd.unusable", r"^mkdir (?P<path>/\S*): (?:not a directory|permission denied|read-only)", "cwd", doubtful=True),
    _p("capability.not_permitted", r"unable to apply caps|capset: |step set_capabilities", "capabilities"),
    _p("capability.unknown", r"(?:unknown|ignoring)\b.* capabilit(?:y|ies)\b[^:]*: (?P<name>.+)|unknown capability \"(?P<one>[^\"]*)", "capability"),
    _p("rlimit.not_permitted", r"setrlimit `(?P<type>\w+)`: operation not permitted", "rlimit"),
    _p("rlimit.not_permitted", r"setting rlimit type (?P<type>\w+): operation not permitted", "rlimit"),
    _p("rlimit.soft_over_hard", r"setrlimit `(?P<type>\w+)`: invalid argument", "rlimit"),
    _p("rlimit.soft_over_hard", r"setting rlimit type (?P<type>\w+): invalid argument", "rlimit"),
    _p("oom_score.not_permitted", r"oom_?score_?adj", "/process/oomScoreAdj"),
    _p("user.id_not_mapped", r"cannot become user (?P<number>\d+)|setresuid to `?(?P<uid>\d+)", "user_id"),
    _p("user.id_not_mapped", r"unmapped (?:user|group) in user namespace", "user_id"),
    _p("user.id_not_mapped", r"setresgid to `?(?P<number>\d+)|setuid: invalid|setgid: invalid", "user_id"),
    _p("user.mapping_refused", r"(?P<what>uid|gid)_map(?: of the user namespace)?`?: (?P<why>.+)", "mapping"),
    _p("terminal.no_socket", r"without setting console socket|use --console-socket with", "/process/terminal"),
    _p("seccomp.load", r"error loading seccomp filter|seccomp_load", "/linux/seccomp"),
    _p("sysctl.unknown", rf"cannot write sysctl (?P<name>\S+) = .*: {_GONE}", "sysctl"),
    _p("sysctl.value", r"cannot write sysctl (?P<name>\S+) = (?P<value>.*): (?P<why>[^:]+)", "sysctl"),
    _p("sysctl.unknown", rf"open `?/proc/sys/(?P<name>[^\s`]+)`?: {_GONE}", "sysctl"),
    _p("sysctl.unknown", rf"open sysctl (?P<name>\S+) file: .*{_GONE}", "sysctl"),
    _p("sysctl.value", r"(?:write|write to|open) `?/proc/sys/(?P<name>[^\s`]+)`?: (?P<why>.+)", "sysctl"),
    _p("sysctl.value", r'failed to write sysctl (?P<name>\S+) = "(?P<value>.*)": (?:.*: )?(?P<why>[^:]+)', "sysctl"),
)  # fmt: skip

_SURROUNDINGS = (
    _p("dev.links", r"setting up /dev symlinks", "/mounts"),
    _p("dev.unopened", r"reopening /dev/null|^/dev/null: permission denied", "/root/path"),
    _p("mount.no_proc", rf"open /proc/self/fd: {_GONE}", "/mounts"),
    _p("mount.inside_proc", r"cannot be mounted because it is inside /proc", "proc_mount"),
    _p("root.unusable", r"root\.path of config\.json: (?P<path>\S+) is not a directory", "/root/path"),
    _p("root.unusable", r"invalid rootfs: |the rootfs path `(?P<path>[^`]*)` does not exist", "/root/path"),
    _p("root.unusable", r"^make `(?P<path>[^`]*)` private|/proc/self/(?:exe|fd/\d+): not a directory", "/root/path"),
    _p("root.unusable", rf"^open `(?P<path>[^`]*)`: (?:{_GONE}|not a directory)", "root", doubtful=True),
    _p("user.root_unreachable", r"preparing rootfs: .*permission denied", "user_root", doubtful=True),
    _p("namespace.unusable", r"cannot join the (?P<kind>\w+) namespace: (?P<path>[^ :]+)(?: is|: )", "namespace"),
    _p("namespace.unusable", rf"namespace path: lstat (?P<path>[^ :]+): {_GONE}", "namespace"),
    _p("namespace.unusable", r"failed to setns into (?P<kind>\w+) namespace", "namespace"),
    _p("namespace.unusable", r"setns `(?P<path>/[^`]+)`", "namespace"),
    _p("namespace.unusable", rf"^open `(?P<path>[^`]+)`: {_GONE}", "namespace", doubtful=True),
    _p("hook.failed", r'error running (?P<kind>\w+) hook #(?P<index>\d+) "(?P<path>[^"]*)": (?P<why>.+)', "hook"),
    _p("hook.failed", r"error running (?P<kind>\w+) hook #(?P<index>\d+): (?P<why>.+)", "hook"),
    _p("hook.failed", r"error running hook #(?P<index>\d+): (?P<why>.+)", "hook"),
    _p("hook.failed", r"error executing hook `(?P<path>[^`]*)` \(exit code: (?P<code>-?\d+)\)", "hook"),
    _p("mount.failed", r'error mounting "(?P<source>[^"]*)" to rootfs at "(?P<destination>[^"]*)".*: (?P<why>[^:]+?)(?: \(step.*)?$', "mount"),
    _p("mount.failed", r'"(?P<source>[^"]*)" is a (?P<why>file) and can.t be mounted on the directory (?P<destination>\S+)', "mount"),
    _p("mount.failed", r"mount `(?P<source>[^`]*)` to `(?P<destination>[^`]*)`: (?P<why>.+)", "mount"),
    _p("mount.failed", r"(?:error stat'ing file|cannot stat) `(?P<source>[^`]*)`: (?P<why>.+)", "mount"),
    _p("mount.failed", r"failed to fulfil mount request: open (?P<source>.+): (?P<why>[^:]+)", "mount"),
    _p("mount.failed", r"openat2 `(?P<destination>[^`]*)`: (?P<why>.+)", "mount"),
    _p("mount.failed", r"(?P<step>mkdir) `(?P<destination>[^`]*)`: (?P<why>.+)", "mount", doubtful=True),
    _p("root.unusable", r"the target `[^`]*` is invalid: not a directory", "/root/path"),
)  # fmt: skip

_CGROUPS = (
    _p("rlimit.too_small", r"too many open files", "open_files", doubtful=True),
    _p("cgroup.pids_too_small", r"resource temporarily unavailable", "pids_limit", doubtful=True),
    _p("cgroup.hybrid", r"hybrid mode not supported"),
    _p("cgroup.memory_too_small", r"unable to set memory limit|memory limit could be too low", "memory_limit"),
    _p("cgroup.memory_too_small", r"init process was killed by signal 9", "memory_limit", doubtful=True),
    _p("seccomp.init_killed", r"init process was killed by signal (?:11|31)|read from the init process", "seccomp", doubtful=True),
    _p("cgroup.unified_on_v1", r"cannot use unified on cgroup v1", "/linux/resources/unified"),
    _p("cgroup.shares", r"(?:minimum|maximum) allowed cpu-shares is (?P<bound>\d+)", "/linux/resources/cpu/shares"),
    _p("cgroup.value", r"(?P<file>(?:cpuset|cpu|memory|pids|blkio|io|hugetlb|net_cls|net_prio)\.[\w.]+)`?(?: for writing)?: (?P<why>[^(]+)", "cgroup_file"),
    _p("cgroup.no_controller", r"cannot set (?P<controller>\w+) limit", "controller"),
    _p("cgroup.no_controller", rf"open `/sys/fs/cgroup/(?P<controller>\w+)/[^`]*`: {_GONE}", "controller"),
    _p("cgroup.not_empty", r"cgroup is not empty|cgroup unexpectedly frozen", "cgroups_path"),
    _p("cgroup.path", r"creating cgroup directory `(?P<path>[^`]*)`|cgroup(?:s)?Path.*(?:invalid|not)", "/linux/cgroupsPath"),
    _p("cgroup.not_permitted", r"(?:mkdir|open|write|writing file|cgroup:?) [`\"]?/sys/fs/cgroup\S*: (?P<why>.+)"),
    _p("cgroup.not_permitted", r"cannot make the container's cgroup: \S+: (?P<why>.+)"),
)  # fmt: skip

_STATES = (
    _p("id.exists", r"container with given ID already exists|container `(?P<id>[^`]+)` already exists"),
    _p("id.invalid", r"invalid container ID|container id cannot be empty"),
    _p("id.invalid", r"cannot create state directory for `(?P<id>[^`]+)`"),
    _p("container.none", r"container does not exist|container \S+ has been deleted"),
    _p("container.none", rf"crun/(?P<id>[^/`']+)(?:/status`|[`']): {_GONE}"),
    _p("container.none", r"container `(?P<id>[^`]+)` does not exist"),
    _p("state.start_again", r"cannot start an already running|a container in the paused state|exec\.fifo`: no such"),
    _p("state.start_stopped", r"cannot start a container that has stopped"),
    _p("state.start_stopped", r"container `(?P<id>[^`]+)` is not running$", operation="start"),
    _p("state.delete_alive", r"cannot delete container (?P<id>\S+) that is not stopped: (?P<status>\w+)"),
    _p("state.delete_alive", r"container `(?P<id>[^`]+)` is not in `created` or `stopped`"),
    _p("state.exec_stopped", r"cannot exec in a stopped container"),
    _p("state.exec_stopped", r"container `(?P<id>[^`]+)` is not running$", operation="exec"),
    _p("state.exec_paused", r"cannot exec in a paused|container `(?P<id>[^`]+)` is paused"),
    _p("state.not_paused", r"container not paused"),
    _p("state.not_running", r"container not running|process not running|open pidfd: no such process|is not running"),
    _p("signal.unknown", r"unknown signal [\"`](?P<signal>[^\"`]*)"),
    _p("init.died", r"init process (?:has died|was killed|\S+ before)|can't get final child's PID|sync socket"),
    _p("bundle.missing", rf"the bundle (?P<path>\S+) is not a directory|chdir (?P<folder>\S+): {_GONE}"),
    _p("bundle.missing", r"realpath `(?P<path>[^`]*)` failed"),
    _p("command.unknown", r"No help topic for '(?P<name>[^']*)'|unknown command (?P<word>\S+)"),
    _p("flag.unknown", r"flag provided but not defined: (?P<flag>\S+)|(?:unrecognized|invalid) option '?(?:-- )?'?(?P<option>[^']+)"),
    _p("engine.missing", r"(?P<name>runt|runc|crun): (?:command )?not found"),
    _p("engine.missing", r"command not found: (?P<name>runt|runc|crun)"),
)  # fmt: skip

_HOST = (
    _p("host.no_space", r"no space left on device|disk quota exceeded|%!w\(<nil>\)"),
    _p("host.not_root", r"rootless containers? requires?|newuidmap|newgidmap|XDG_RUNTIME_DIR"),
    _p("host.no_memory", r"cannot allocate memory|out of memory"),
    _p("host.too_many", r"resource temporarily unavailable|too many open files|too many open"),
    _p("host.read_only", r"read-only file system"),
    _p("host.not_permitted", r"operation not permitted|permission denied"),
)  # fmt: skip

# no_space comes first: it is the reason, whatever was being written.
PATTERNS: tuple[Pattern, ...] = (
    _HOST[0],
    *_STATES[:5],
    *_CONFIG,
    *_SURROUNDINGS,
    *_PROCESS,
    *_CGROUPS,
    *_STATES[5:],
    *_HOST[1:],
)
