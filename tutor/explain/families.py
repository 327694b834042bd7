"""Families of messages in the sources of runc (1.5.0-rc.1+dev), crun (1.29.1) and runt: what was being done, where no closer pattern fits.

`python -m tests.recording.messages TREE` counts the messages of any version, and those that are known.
"""

from __future__ import annotations

from tutor.explain.pattern import pattern as _p

# Faults, and what is not about config.json at all.
_APART = (
    _p("engine.internal", r"\[internal(?: error)?\]|internal error|\[bug\]|should never be|^panic|invalid internal state|must not be nil|struct$"),
    _p("command.usage", r"cannot use console socket if|invalid value \S+ for (?:flag|--)|invalid value for --|preserve file descriptor|preserved-fd|socket path too long|Invalid port number|^bad \w+: expected"),
    _p("checkpoint.missing", r"need criu|CRIU (?:version|memory tracking not|does not|feature)|criu (?:is missing|lacks)|requires at least CRIU|CRIU >="),
    _p("checkpoint.missing", r"libcriu|checkpoint/restore support|checkpointing requires root"),
    _p("checkpoint.failed", r"CRIU|checkpoint|restor(?:e|ed|ing)\b|page.server|parent-path|LSM (?:profile|mount)|image path|external (?:bind|descr)"),
    _p("checkpoint.failed", r"manage-cgroups-mode|network lock|status-fd|end of excerpt"),
    _p("handler.missing", r"krun|wasm|wasi\b|wamr|libiwasm|mono-native|spin cli|enclave|/dev/kvm|start passt|virtiofs|gpu requested|virtio gpu"),
    _p("handler.missing", r"run_oci_handler|HANDLER_CONFIGURE|\bhandler (?:requested|as|does not)|global handler|nested virtualization|root disk"),
    _p("handler.missing", r"could not (?:load|unload|find symbol)|cannot load `|(?:compile|link|instantiat\w+|load\w*) (?:wasi|module|WASI)|default export"),
    _p("handler.missing", r"instance exports|loading entrypoint|accessing export|execution environment|dlopen not available|WASM"),
    _p("systemd.path", r"slice:prefix:name|invalid slice name", "cgroups_path"),
    _p("systemd.absent", r"systemd not (?:running|supported)|systemd does not run|systemd of user \d+ cannot be reached|cannot open sd-bus|dbus connection|connect to dbus|DBUS_SESSION|busctl|OwnerUID"),
    _p("systemd.absent", r"rootless systemd cgroups manager|authenticating connection|while dialing|Hello message"),
    _p("cgroup.devices", r"DeviceAllow|DevicePolicy|BPFProgram|BPF_CGROUP_DEVICE|eBPF|^bpf |devices\.list|devices cgroup|restrict the container's devices|devices ruleset"),
    _p("systemd.refused", r"\bsystemd\b|cannot set property|sd[-_]bus|dbus message|\bsystemd unit|start unit|unit properties"),
    _p("terminal.failed", r"console|\bterminal\b|TIOC\w+|ptmx|ptsname|unlockpt|\bpty\b|tc[gs]etattr"),
    _p("keyring.failed", r"keyring|keyctl|session key|key description"),
    _p("hook.failed", r"poststop hook failed with exit code: (?P<code>\d+)", "/hooks/poststop"),
    _p("hook.failed", r"(?P<why>hook ran past specified timeout|timeout expired for `(?P<path>[^`]*)`)", "/hooks"),
)  # fmt: skip

# The chapters of config.json.
_CONFIGURED = (
    _p("cpu_affinity.value", r"CPU ?affinity|sched_setaffinity|cannot run on the processors", "/process/execCPUAffinity"),
    _p("mount.id_mapped", r"id-mapp(?:ed|ing)|MOUNT_ATTR_IDMAP|relative mapping|(?:invalid )?mappings? specified (?:for the mount|`)|map mounts?\b", "/mounts"),
    _p("user.mapping_invalid", r"larger than native integer|parsing id map|both namespace path and non-matching mapping|mapping tool", "mapping"),
    _p("user.mapping_refused", r"use new(?P<what>uid|gid) ?map\b.*?: (?P<why>.+)", "mapping"),
    _p("time.offsets", r"both namespace path and time offsets|timens_offsets|TIMEOFFSETS", "/linux/timeOffsets"),
    _p("memory_policy.value", r"memory policy|mempolicy|NUMA", "/linux/memoryPolicy"),
    _p("scheduler.value", r"scheduler|sched_setattr", "/process/scheduler"),
    _p("io_priority.value", r"io ?priority", "/process/ioPriority"),
    _p("personality.value", r"\bpersona", "/linux/personality"),
    _p("intel_rdt.failed", r"resctr?l\b|intelrdt|\bclos dir", "/linux/intelRdt"),
    _p("label.selinux", r"label option|\bMCS\b|Invalid Label|process label|create label|mount context type|seusers|user context|failsafe", "/process/selinuxLabel"),
    _p("seccomp.notify", r"SCMP_ACT_NOTIFY|seccomp (?:notify|agent|plugin|receiver|listener|fd|socket|state)|listenerPath|LISTENER", "/linux/seccomp"),
    _p("seccomp.notify", r"NOTIF_SIZES|by the plugin|plugin `|notify context|listener fd", "/linux/seccomp"),
    _p("seccomp.unsupported", r"seccomp not supported|config provided but seccomp", "/linux/seccomp"),
    _p("seccomp.load", r"seccomp \(SECCOMP_SET_MODE_FILTER\)", "/linux/seccomp"),
    _p("seccomp.rule", r"seccomp|BPF filter|ENOSYS stub|(?:unknown|native|overlapping)\b.*\barch|architecture overlap|AUDIT_ARCH|\bsyscall (?:condition|to block)", "/linux/seccomp"),
    _p("seccomp.rule", r"(?:modified|original|creating|patching|patch for) filter|no_new_privs filter|valid syscall|errno value specified for action|cannot use in rule|nil syscall", "/linux/seccomp"),
    _p("network.device", r"network devices?\b|netDevice|set up (?:address|interface)|link not found|set link down", "/linux/netDevices"),
    _p("network.failed", r"netlink|network (?:settings|interfaces|namespace|stats)|netns path|unknown strategy type|ip addresses|Invalid (?:gateway|source) for route|SIOC", "/linux/namespaces"),
    _p("cgroup.devices", r"device (?:access|rules|filter|type)|device list|access string|non-cgroup type|group prefix|access mode", "/linux/resources/devices"),
    _p("device.failed", r"device (?:inode|nodes|path)|cannot make device|is not the (?:null )?device|^mknod|mkdev|could not find device|find device '|/proc/devices|invalid (?:major|minor)|configuring container /dev\b", "/linux/devices"),
    _p("device.failed", r"invalid permission mode|/dev/null is invalid", "/linux/devices"),
    _p("cwd.outside", r"possible container breakout|^cwd .* is outside|working directory is (?:not accessible|not an? absolute|safe)|current working directory is", "/process/cwd"),
    _p("config.value", r"invalid environment|^putenv|^setenv", "/process/env"),
    _p("config.value", r"set(?:ting)? ?rlimit", "/process/rlimits"),
    # crun takes properties of the systemd unit from annotations.
    _p("config.value", r"^annotation|get annotation|^invalid (?:variant|value for) `", "/annotations"),
    _p("config.value", r"rootfsPropagation|root propagation|set propagation|mount propagation", "/linux/rootfsPropagation"),
    _p("config.value", r"mount destination \S+ is not absolute|field contains null byte|invalid mount (?:type|\S+$)|destination path is", "/mounts"),
    _p("config.value", r"unknown namespace type|namespace \S+ (?:does not exist|is not supported)|handle namespace|invalid namespace path", "/linux/namespaces"),
    _p("config.value", r"ucounts without a user namespace|^open sysctl \S+ file", "/linux/sysctl"),
    _p("cgroup.failed", r"(?:parse|read from) `?(?:memory|cpuset)\.|as a uint from file|not in \"key value\" format|inconsistent paths", "/linux/resources"),
    _p("cgroup.value", r"(?:pressure|swappiness|memory|PSI) (?:value|level)|cpu-idle|resources\.CPU|from > to|device weight|psi data|RDMA entry", "/linux/resources"),
)  # fmt: skip

# What the runtime was doing.
_STEPS = (
    _p("command.usage", r"--cgroup argument|unknown cgroup (?:manager|mode)|invalid cgroup mode|USERSPEC|bad [ug]id|console socket if runc"),
    _p("command.usage", r"requires (?:exactly|a (?:maximum|minimum))|please specify|(?<![-\w])--[a-z]|log[ -](?:format|type)|verbosity|format option"),
    _p("command.usage", r"invalid (?:option|regular|format|log)|mutually exclusive|too many paths|specify both|not specified|empty container ID"),
    _p("command.usage", r"^invalid value for \S+: |^invalid \w+ specified"),
    _p("command.usage", r"duration interval|find PID field|config file not|invalid string|should not be set|additional-gids"),
    _p("command.file", r"cannot parse (?:process|resources|`|input|mount)|must be an array|JSON payload"),
    _p("rootless.unsupported", r"rootless"),
    _p("host.kernel", r"namespaces aren't enabled|kernel versions?\b|freezer not supported|invalid file system type on `|using statfs on `|memfd_create non supported|io priority not|API level"),
    _p("cgroup.none", r"container (?:is not using|without a) cgroups?|cgroups not configured|cgroup not exist|cgroup path not found|without cgroups"),
    _p("cgroup.no_controller", r"subsystem does not exist|no subsystem for mount|no such directory for|enable controllers `(?P<controller>\w+)`"),
    _p("cgroup.path", r"invalid cgroup path|bad sub cgroup path|either Path or Name|no cgroup path|delegate-cgroup `", "/linux/cgroupsPath"),
    _p("cgroup.v1_only", r"is not possible with cgroup v2|dirfd supported only on cgroup v2|not supported on cgroup v1|unified hierarchy"),
    _p("state.damaged", r"config\.json is damaged|create did not finish|its record cannot be|status file|state (?:file|dir)|init state|`[\w-]+` (?:missing|is not a \w+(?: value)?) in `|containers list|run ?dir"),
    _p("state.damaged", r"getting current state|copy config file|process start time|process state|generate JSON|json_gen|invalid stat data"),
    _p("init.creation", r"CLONE_NEW(?!NS)|unshare \("),
    _p("cgroup.failed", r"cgroup|freez(?:e|er|ing)\b|migrating pid|get (?:all )?(?:container|cgroup) pids|memory\.(?:swap\.)?current"),
    _p("engine.copy", r"/proc/self/exe|(?:cloned?|copied|copy) binary|current binary|memfd|O_TMPFILE|tmpfile|could not seal|copy_file_range"),
    _p("root.entering", r"pivot_root|chroot|MS_MOVE|oldroot|newroot|jailing process|rootfs (?:state|as readonly|handle|after)|(?:real|get) root"),
    _p("root.entering", r"(?:open|to|remount) `/`|root not set|container root directory|preparing rootfs|(?:clone|duplicate) root fd|root path (?:moved|prov)"),
    _p("mount.step", r"\w*mount|tmpcopyup|open_tree|fsopen|fsconfig|\bmask(?:ed)? |directory mask|can't mask|make \S+ read-only|under rootfs|overlayfs|notify socket"),
    _p("mount.step", r"^symlink|symlink `|^target `|new mount api|vfs flags|locked (?:atime )?flags|recAttr|copy-symlink|fs_move|tmpfs|^the target `/"),
    _p("privilege.failed", r"\bcaps\b|apply (?:bounding|capabilities)|^capset|^prctl|ambient|dumpable|no[_ ]new[_ ]priv\w*|pdeath|cap_last_cap|subreaper"),
    _p("user.refused", r"set(?:res)?[ug]ids?\b|setgroups|become root|setup user|std stream|unmapped"),
    _p("init.creation", r"\bclone\b|unshare|setns|\bv?fork\b|userns|stage-\d|new parent process|join .*namespaces|start init|namespaces to join"),
    _p("init.creation", r"enter the container's namespaces|make the namespaces|join the \w+ namespace|namespace path|namespace array|ns paths are empty|dummy process for map"),
    _p("state.not_running", r"container process not found|kill (?:container|process|all)|signal init|pid was reused|terminate the container|cannot send signal"),
    _p("state.delete_alive", r"still running|do not end although|already has init process|exists\. Remove it first|destroy container"),
    _p("init.protocol", r"\bsync\b|sync_|(?<!broken )\bpipe\b|fifo|procError|procReady|bootstrap|socket ?pair|log source|runc init error|init type|mkfifo"),
    _p("init.protocol", r"_LIBCONTAINER_|recvfd|sendfd|recvfile|waitpid|first child|container to be ready|fail startup|from parent|proxy process"),
    _p("init.protocol", r"out of step|synchroni[sz]ation|detach process|error creating container|nl_payload|sending config|packet length|packet read too short|unexpected msg type|response channel closed|last_cmd_status|send pidfd on socket|during container init"),
)  # fmt: skip

FAMILIES = (*_APART, *_CONFIGURED, *_STEPS)

_FILE = (
    "f?access|chdir|fchdir|chmod|fchmod(?:at2?)?|f?chown(?:at)?|creat(?:e|ing)|delete|destroy subsystem|fdopendir|fstat(?:fs)?|flistxattr"
    "|fsetxattr|get(?: x?attr| file owner for)?|getcwd|link(?:at)?|l?seek|l?stat(?:fs)?|mkdir(?:at)?|open(?:at2?|dir|ing)?|putting|read(?:link)?"
    "|realpath|rename|reopen|re-opening handle to|resolve|rm|rmdir|unlink(?:at)?|writ(?:e|ing)(?: to)?|walking(?: into| into directory)?"
)
_CALL = (
    "access|bind|clearenv|close(?:_range)?|connect|dup[23]?|epoll_\\w+|execv?|fcntl|fprintf|fstat|ioctl|kill|listen|lseek|mkdir|mmap|munmap"
    "|pidfd_open|poll|readv?|recv(?:msg)?|select|send(?:msg|to)?|setdomainname|sethostname|setsid|sigaction|signalfd|sigprocmask|sigtimedwait"
    "|sd_notify|socket|uname|umask|waitid|writev?"
)
# The last resort: what kind of thing failed, in the forms of crun (a verb, and a name in backticks) and Go (`open /x: reason`).
GENERAL = (
    _p("file.failed", rf"^(?:error |cannot |failed to |unable to )?(?:{_FILE})(?: from| to| of| for)?(?: (?:file|directory|path|log file|parent(?: directory| of)?|fd|procfd|absolute path to file)){{0,2}}(?: for)? ?[`\"]"),
    _p("file.failed", r"(?:^|: )(?:open(?:at)?|l?stat|mkdir(?:at)?|chmod|chown|readlink|remove|rename|unlinkat|write|read) /\S+: "),
    _p("file.failed", r"cannot (?:read|write) (?:the (?:pid file|configuration)|to standard output)|(?:install|remove) the launcher|has been deleted"),
    _p("file.failed", r"^failed to (?:open|write|parse|read) \S+: |^(?:error reading|reopen|cannot create subdirectories in) \S+: "),
    _p("file.failed", r"split path \"|get (?:full path|path of handle|relative path)|dead inode|wandered into|stack entry|existing subpath"),
    _p("file.failed", r"^the path `|handle to /proc|/proc/\S+ handle|create(?:ing)? directory `|hallucinated target path|absolute path to file `|^getcwd(?: failed)?: |^unable to (?:open|stat)\(\): `|bad trailing component|(?:^|: )(?:open subpath|reopen fd \d|stat component \")|walking into root|dir FD for|real name of fd|deleted inode|expected path \"|fchmodat2? (?:AT_|/proc)|^get safe \S+ handle|push symlink"),
    _p("host.call", rf"^(?:{_CALL})(?:\(\w+\))?(?: failed| fd| pidfd| fd for| add| from)?(?: [`(][^`)]*[`)])*: "),
    _p("host.call", r"^(?:(?:unable|failed) to (?:init inotify|add inotify watch|setup pidfd|pidfd_open|execv|dup socket)|open pidfd|send signal to pidfd|setup pidfd|listen on socket|read from signalfd|bind socket to `|create UNIX socket|connect socket to `|unable to mark non-stdio fds|cannot set CLOEXEC for fd)"),
)  # fmt: skip
