"""The table of `runt`'s commands and options, which are runc's: `usage` parses them and helps with them."""

from __future__ import annotations

from runtime.usage import HELP, Command, Option

GLOBAL_OPTIONS = (
    Option("debug", "also log what only someone who looks for a fault wants to know", default=False),
    Option("log", "append the log to this file instead of standard error", default=""),
    Option("log-format", 'form of the log: "text" or "json"', default="text"),
    Option("root", "directory for the state of the containers; should be on a tmpfs", default=""),
    Option("criu", "path or name of the program criu, for checkpoint and restore", default="criu"),
    Option(
        "systemd-cgroup",
        'have systemd make the cgroup (v2): cgroupsPath is then "slice:prefix:name"',
        default=False,
    ),
    Option("rootless", 'ignore cgroup permission errors: "true", "false" or "auto"', default="auto"),
    HELP,
    Option("version v", "print the version", default=False),
)

_ID = (
    "Where <container-id> is the name of the container, unique on this host: 1 to 255\n"
    "letters, digits, and characters out of _ + - . and the comma."
)
_BUNDLE = (
    "The bundle is a directory with a configuration, config.json, and a root\n"
    "filesystem. What the container runs is process.args in its config.json."
)
_CONSOLE_SOCKET = "path of a unix socket that is sent the master of the container's terminal"
_PIDFD_SOCKET = "path of a unix socket that is sent a pidfd of the process"
_PRESERVE_FDS = "pass this many descriptors to the program, from 3 on (after $LISTEN_FDS)"
_CREATE_OPTIONS = (
    Option("bundle b", "path of the bundle directory (default: the current directory)", default=""),
    Option("console-socket", _CONSOLE_SOCKET, default=""),
    Option("pid-file", "file to write the process id of the container's init process to", default=""),
    Option("pidfd-socket", _PIDFD_SOCKET, default=""),
    Option("no-pivot", "use chroot instead of pivot_root, for a root filesystem on a ramdisk", default=False),
    Option("no-new-keyring", "keep the caller's session keyring", default=False),
    Option("preserve-fds", _PRESERVE_FDS, default=0),
)

_UPDATE_OPTIONS = (
    Option(
        "resources r",
        'file with the limits as JSON, as in linux.resources of config.json; "-" is standard input',
        default="",
    ),
    Option("blkio-weight", "weight for block I/O, 10 to 1000", default=""),
    Option("cpu-period", "period of --cpu-quota in microseconds", default=""),
    Option("cpu-quota", "processor time in each period in microseconds, -1 for no limit", default=""),
    Option("cpu-burst", "unused time that may be saved up for a period, in microseconds", default=""),
    Option("cpu-rt-period", "period of --cpu-rt-runtime in microseconds", default=""),
    Option("cpu-rt-runtime", "realtime in each period in microseconds", default=""),
    Option("cpu-share", "weight for processor time, 2 to 262144", default=""),
    Option("cpuset-cpus", "processors to use, such as 0-3,7", default=""),
    Option("cpuset-mems", "memory nodes to use", default=""),
    Option("cpu-idle", "1: run only what no one else wants to (SCHED_IDLE), 0: do not", default=""),
    Option("kernel-memory", "ignored, as by the kernel", default=""),
    Option("kernel-memory-tcp", "memory for TCP buffers", default=""),
    Option("memory", "memory", default=""),
    Option("memory-reservation", "memory that is spared when it runs short", default=""),
    Option("memory-swap", "memory and swap together, -1 for no limit", default=""),
    Option("pids-limit", "number of tasks, -1 for no limit", default=""),
    Option("l3-cache-schema", "schema of Intel RDT's L3 cache allocation", default=""),
    Option("mem-bw-schema", "schema of Intel RDT's memory bandwidth allocation", default=""),
)

_CRIU_OPTIONS = (
    Option("image-path", "directory of criu's images (default: checkpoint)", default=""),
    Option("work-path", "directory of criu's log (default: that of the images)", default=""),
    Option("tcp-established", "also with open TCP connections", default=False),
    Option("ext-unix-sk", "also with unix sockets whose other end is outside", default=False),
    Option("shell-job", "also in a session that began outside, with its terminal", default=False),
    Option("file-locks", "also with file locks", default=False),
    Option("manage-cgroups-mode", 'cgroups: "soft" (default), "full", "strict" or "ignore"', default=""),
    Option("empty-ns", "a namespace to leave empty: network, which always is", default=[]),
    Option("auto-dedup", "let criu store no page of memory twice", default=False),
    Option("lazy-pages", "not supported: refused", default=False),
)

COMMANDS = (
    Command(
        "checkpoint",
        "save a running container to files, by criu",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nThe container ends with it, unless it is told to go on.",
        options=[
            *_CRIU_OPTIONS,
            Option("parent-path", "images of a pre-dump, relative to --image-path", default=""),
            Option("leave-running", "let the container go on", default=False),
            Option("tcp-skip-in-flight", "leave out TCP connections that are being made", default=False),
            Option("link-remap", "also with open files that have lost their name", default=False),
            Option("page-server", "send memory to criu's page server: ADDRESS:PORT", default=""),
            Option("pre-dump", "save memory only, and let the container go on", default=False),
            Option("status-fd", "ignored: it is for --lazy-pages", default=-1),
        ],
    ),
    Command(
        "create",
        "create a container",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nMakes the container of a bundle; its program waits for start.\n{_BUNDLE}",
        options=_CREATE_OPTIONS,
    ),
    Command(
        "delete",
        "delete a stopped container and all that was made for it",
        arguments="<container-id>",
        count=(1, 1),
        description=_ID,
        options=[
            Option("force f", "delete the container in any state, killing it first (SIGKILL)", default=False)
        ],
    ),
    Command(
        "events",
        "show what a container uses, and when its memory runs out, as JSON",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nOne object a line, until the container stops.",
        options=[
            Option("interval", "time between statistics, such as 500ms or 1m", default="5s"),
            Option("stats", "show the statistics of this moment, and nothing more", default=False),
        ],
    ),
    Command(
        "exec",
        "run a further program in a container",
        arguments="<container-id> <command> [argument...]  |  -p <process.json> <container-id>",
        count=(1, 2**31),
        description=(
            f"{_ID}\n\nThe program gets what the container's own process gets, but for what the options change,\n"
            "or all of it from a file: an object such as process in config.json."
        ),
        options=[
            Option("process p", "path of a file that says all about the process", default=""),
            Option("tty t", "give the process a terminal", default=False),
            Option("console-socket", _CONSOLE_SOCKET, default=""),
            Option("cwd", "working directory in the container", default=""),
            Option("env e", "set an environment variable: NAME=VALUE; may be given again", default=[]),
            Option("user u", "user, and group, in the container: UID[:GID]", default=""),
            Option("additional-gids g", "an additional group; may be given again", default=[]),
            Option("cap c", "add a capability, such as CAP_NET_ADMIN; may be given again", default=[]),
            Option("no-new-privs", "let no program gain rights by being executed", default=False),
            Option("apparmor", "AppArmor profile of the program", default=""),
            Option("process-label", "SELinux label of the program", default=""),
            Option("detach d", "do not wait for the end of the program", default=False),
            Option("pid-file", "file to write the process id to", default=""),
            Option("pidfd-socket", _PIDFD_SOCKET, default=""),
            Option("preserve-fds", _PRESERVE_FDS, default=0),
            Option(
                "cgroup", "a cgroup below the container's: [controller:]path; may be given again", default=[]
            ),
            Option(
                "ignore-paused", "also in a paused container, where the program has to wait", default=False
            ),
        ],
        options_first=True,
    ),
    Command(
        "features",
        "show what this runtime can do, as JSON",
        arguments="",
        count=(0, 0),
        description="The form is that of features.md in the runtime specification.",
    ),
    Command(
        "kill",
        "send a signal (default: SIGTERM) to the container's init process",
        arguments="<container-id> [signal]",
        count=(1, 2),
        description=f"{_ID}\n[signal] is a name or a number: TERM, SIGTERM or 15.",
        options=[Option("all a", "send the signal to all processes of the container", default=False)],
    ),
    Command(
        "list",
        "list the containers of a state directory",
        arguments="",
        count=(0, 0),
        description="The state directory is that of the global option --root.",
        options=[
            Option("format f", 'form of the list: "table" or "json"', default="table"),
            Option("quiet q", "display only container IDs", default=False),
        ],
    ),
    Command(
        "pause",
        "stop all processes of a container at once",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nresume lets them go on.",
    ),
    Command(
        "ps",
        "list the processes of a container",
        arguments="<container-id> [ps options]",
        count=(1, 1 << 16),
        description=f"{_ID}\n[ps options] are those of ps(1); without them, -ef.",
        options=[Option("format f", 'form of the list: "table" or "json"', default="table")],
        options_first=True,
    ),
    Command(
        "restore",
        "bring a container back from the files of checkpoint, by criu",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nThe bundle is the one that the container was made of.",
        options=[
            *_CRIU_OPTIONS,
            Option("bundle b", "path of the bundle directory (default: the current directory)", default=""),
            Option("pid-file", "file to write the process id of the container's init process to", default=""),
            Option("detach d", "do not wait for the container's end", default=False),
            Option("console-socket", "not supported: a terminal cannot be restored", default=""),
            Option("lsm-profile", "security profile of the processes: TYPE:NAME", default=""),
            Option("lsm-mount-context", "SELinux context of the mounts", default=""),
            Option("no-subreaper", "accepted for runc's sake: runt is never a subreaper", default=False),
            Option("no-pivot", "accepted for runc's sake: criu makes the root", default=False),
        ],
    ),
    Command(
        "resume",
        "let the processes of a paused container go on",
        arguments="<container-id>",
        count=(1, 1),
        description=_ID,
    ),
    Command(
        "run",
        "create and start a container",
        arguments="<container-id>",
        count=(1, 1),
        description=(
            f"{_ID}\n\nCreates the container of a bundle, starts it, waits for its end, deletes it,\n"
            f"and exits with its exit status.\n{_BUNDLE}"
        ),
        options=[
            *_CREATE_OPTIONS,
            Option("detach d", "do not wait for the container's end", default=False),
            Option("keep", "do not delete the container after its end", default=False),
            Option("no-subreaper", "accepted for runc's sake: runt is never a subreaper", default=False),
        ],
    ),
    Command(
        "spec",
        "write a config.json to begin with",
        arguments="",
        count=(0, 0),
        description="Its program is sh, in a root filesystem called rootfs beside it.",
        options=[
            Option("bundle b", "path of the bundle directory (default: the current directory)", default=""),
            Option("rootless", "write one for a container that needs no privileges", default=False),
        ],
    ),
    Command(
        "start",
        "run the program of a created container",
        arguments="<container-id>",
        count=(1, 1),
        description=_ID,
    ),
    Command(
        "state",
        "output the state of a container, as JSON",
        arguments="<container-id>",
        count=(1, 1),
        description=_ID,
    ),
    Command(
        "update",
        "change the limits of a container",
        arguments="<container-id>",
        count=(1, 1),
        description=(
            f"{_ID}\n\nWhat is not given stays as it is. Sizes are in bytes, or with a unit: 64M. With\n"
            "--resources the other options are ignored."
        ),
        options=_UPDATE_OPTIONS,
    ),
)


def find_command(name: str) -> Command | None:
    """Return the command called `name`, or None."""
    for command in COMMANDS:
        if command.name == name:
            return command
    return None
