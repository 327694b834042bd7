"""The tables of `runt`'s commands and options, which are runc's: `usage` parses them and helps with them."""

from __future__ import annotations

from runtime.usage import HELP, Command, Option

_OPTIONS: tuple[tuple[str, str, str, bool | int | str | tuple[str, ...], str], ...] = (
    # For the commands ..., its names, the field that it fills, its default, its help. In the order of the help.
    # Global options, which stand before the command
    ("", "debug", "debug", False, "also log what helps to find a fault"),
    ("", "log", "log", "", "append the log to this file instead of standard error"),
    ("", "log-format", "log_format", "text", 'form of the log: "text" or "json"'),
    ("", "root", "root", "", "directory for the state of the containers; should be on a tmpfs"),
    ("", "criu", "criu", "criu", "path or name of the program criu, for checkpoint and restore"),
    ("", "systemd-cgroup", "systemd_cgroup", False,
     'have systemd make the cgroup (v2): cgroupsPath is then "slice:prefix:name"'),
    ("", "rootless", "rootless", "auto", 'ignore cgroup permission errors: "true", "false" or "auto"'),
    ("", "version v", "version", False, "print the version"),
    # Images of checkpoint and restore; criu(8) has a flag of the name after "flags."
    ("checkpoint restore", "image-path", "images", "", "directory of criu's images (default: checkpoint)"),
    ("checkpoint restore", "work-path", "work", "", "directory of criu's log (default: that of the images)"),
    ("checkpoint restore", "tcp-established", "flags.tcp-established", False, "also with open TCP connections"),
    ("checkpoint restore", "ext-unix-sk", "flags.ext-unix-sk", False,
     "also with unix sockets whose other end is outside"),
    ("checkpoint restore", "shell-job", "flags.shell-job", False,
     "also in a session that began outside, with its terminal"),
    ("checkpoint restore", "file-locks", "flags.file-locks", False, "also with file locks"),
    ("checkpoint restore", "manage-cgroups-mode", "cgroup_mode", "",
     'cgroups: "soft" (default), "full", "strict" or "ignore"'),
    ("checkpoint restore", "empty-ns", "empty_namespaces", (), "a namespace to leave empty: network, which always is"),
    ("checkpoint restore", "auto-dedup", "flags.auto-dedup", False, "let criu store no page of memory twice"),
    ("checkpoint restore", "lazy-pages", "lazy_pages", False, "not supported: refused"),
    ("checkpoint", "parent-path", "parent", "", "images of a pre-dump, relative to --image-path"),
    ("checkpoint", "leave-running", "flags.leave-running", False, "let the container go on"),
    ("checkpoint", "tcp-skip-in-flight", "flags.skip-in-flight", False,
     "leave out TCP connections that are being made"),
    ("checkpoint", "link-remap", "flags.link-remap", False, "also with open files that have lost their name"),
    ("checkpoint", "page-server", "page_server", "", "send memory to criu's page server: ADDRESS:PORT"),
    ("checkpoint", "pre-dump", "pre_dump", False, "save memory only, and let the container go on"),
    ("checkpoint", "status-fd", "", -1, "ignored: it is for --lazy-pages"),
    # What a process is and where it is told about
    ("create restore run spec", "bundle b", "bundle", "",
     "path of the bundle directory (default: the current directory)"),
    ("exec", "process p", "process", "", "path of a file that says all about the process"),
    ("exec", "tty t", "tty", False, "give the process a terminal"),
    ("create exec run", "console-socket", "console_socket", "",
     "path of a unix socket that is sent the master of the container's terminal"),
    ("exec", "cwd", "cwd", "", "working directory in the container"),
    ("exec", "env e", "env", (), "set an environment variable: NAME=VALUE; may be given again"),
    ("exec", "user u", "user", "", "user, and group, in the container: UID[:GID]"),
    ("exec", "additional-gids g", "additional_gids", (), "an additional group; may be given again"),
    ("exec", "cap c", "caps", (), "add a capability, such as CAP_NET_ADMIN; may be given again"),
    ("exec", "no-new-privs", "no_new_privs", False, "let no program gain rights by being executed"),
    ("exec", "apparmor", "apparmor", "", "AppArmor profile of the program"),
    ("exec", "process-label", "process_label", "", "SELinux label of the program"),
    ("exec restore run", "detach d", "detach", False, "do not wait for the end of the program"),
    ("create exec restore run", "pid-file", "pid_file", "", "file to write the process id of the program to"),
    ("create exec run", "pidfd-socket", "pidfd_socket", "", "path of a unix socket that is sent a pidfd of the process"),
    ("create run", "no-pivot", "no_pivot", False,
     "use chroot instead of pivot_root, for a root filesystem on a ramdisk"),
    ("create run", "no-new-keyring", "no_new_keyring", False, "keep the caller's session keyring"),
    ("create exec run", "preserve-fds", "preserve_fds", 0,
     "pass this many descriptors to the program, from 3 on (after $LISTEN_FDS)"),
    ("exec", "cgroup", "cgroups", (), "a cgroup below the container's: [controller:]path; may be given again"),
    ("exec", "ignore-paused", "ignore_paused", False, "also in a paused container, where the program has to wait"),
    ("run", "keep", "keep", False, "do not delete the container after its end"),
    ("restore", "console-socket", "console_socket", "", "not supported: a terminal cannot be restored"),
    ("restore", "lsm-profile", "named.lsm-profile", "", "security profile of the processes: TYPE:NAME"),
    ("restore", "lsm-mount-context", "named.lsm-mount-context", "", "SELinux context of the mounts"),
    ("restore run", "no-subreaper", "", False, "accepted for compatibility with runc: runt is never a subreaper"),
    ("restore", "no-pivot", "", False, "accepted for compatibility with runc: criu makes the root"),
    # The other commands
    ("delete", "force f", "force", False, "delete the container in any state, killing it first (SIGKILL)"),
    ("events", "interval", "interval", "5s", "time between statistics, such as 500ms or 1m"),
    ("events", "stats", "once", False, "show the statistics of this moment, and nothing more"),
    ("kill", "all a", "everything", False, "send the signal to all processes of the container"),
    ("list ps", "format f", "format", "table", 'form of the list: "table" or "json"'),
    ("list", "quiet q", "quiet", False, "display only container IDs"),
    ("spec", "rootless", "rootless", False, "write one for a container that needs no privileges"),
    # Limits: the field is the member of linux.resources
    ("update", "resources r", "file", "",
     'file with the limits as JSON, as in linux.resources of config.json; "-" is standard input'),
    ("update", "blkio-weight", "limits.blockIO.weight", "", "weight for block I/O, 10 to 1000"),
    ("update", "cpu-period", "limits.cpu.period", "", "period of --cpu-quota in microseconds"),
    ("update", "cpu-quota", "limits.cpu.quota", "",
     "processor time in each period in microseconds, -1 for no limit"),
    ("update", "cpu-burst", "limits.cpu.burst", "", "unused time that may be saved up for a period, in microseconds"),
    ("update", "cpu-rt-period", "limits.cpu.realtimePeriod", "", "period of --cpu-rt-runtime in microseconds"),
    ("update", "cpu-rt-runtime", "limits.cpu.realtimeRuntime", "", "realtime in each period in microseconds"),
    ("update", "cpu-share", "limits.cpu.shares", "", "weight for processor time, 2 to 262144"),
    ("update", "cpuset-cpus", "limits.cpu.cpus", "", "processors to use, such as 0-3,7"),
    ("update", "cpuset-mems", "limits.cpu.mems", "", "memory nodes to use"),
    ("update", "cpu-idle", "limits.cpu.idle", "", "1: run only when nothing else wants to (SCHED_IDLE), 0: as usual"),
    ("update", "kernel-memory", "limits.memory.kernel", "", "ignored, as by the kernel"),
    ("update", "kernel-memory-tcp", "limits.memory.kernelTCP", "", "memory for TCP buffers"),
    ("update", "memory", "limits.memory.limit", "", "memory"),
    ("update", "memory-reservation", "limits.memory.reservation", "", "memory that is spared when it runs short"),
    ("update", "memory-swap", "limits.memory.swap", "", "memory and swap together, -1 for no limit"),
    ("update", "pids-limit", "limits.pids.limit", "", "number of tasks, -1 for no limit"),
    ("update", "l3-cache-schema", "l3_cache_schema", "", "schema of Intel RDT's L3 cache allocation"),
    ("update", "mem-bw-schema", "mem_bw_schema", "", "schema of Intel RDT's memory bandwidth allocation"),
)  # fmt: skip
"""Every option, in one row that says which commands have it and what it fills.

Constants only: made when the module is compiled, whatever their number.
"""

_ID = (
    "Where <container-id> is the name of the container, unique on this host: 1 to 255\n"
    "letters, digits, and characters out of _ + - . and the comma."
)
_BUNDLE = (
    "The bundle is a directory with a configuration, config.json, and a root\n"
    "filesystem. What the container runs is process.args in its config.json."
)

COMMANDS = (
    Command(
        "checkpoint",
        "save a running container to files, by criu",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nThe container ends with it, unless it is told to go on.",
    ),
    Command(
        "create",
        "create a container",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nMakes the container of a bundle; its program waits for start.\n{_BUNDLE}",
    ),
    Command(
        "delete",
        "delete a stopped container and all that was made for it",
        arguments="<container-id>",
        count=(1, 1),
        description=_ID,
    ),
    Command(
        "events",
        "show what a container uses, and when its memory runs out, as JSON",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nOne object a line, until the container stops.",
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
    ),
    Command(
        "list",
        "list the containers of a state directory",
        arguments="",
        count=(0, 0),
        description="The state directory is that of the global option --root.",
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
        options_first=True,
    ),
    Command(
        "restore",
        "bring a container back from the files of checkpoint, by criu",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nThe bundle is the one that the container was made of.",
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
    ),
    Command(
        "spec",
        "write a config.json to begin with",
        arguments="",
        count=(0, 0),
        description="Its program is sh, in a root filesystem called rootfs beside it.",
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
    ),
)


def find_command(name: str) -> Command | None:
    """Return the command called `name`, or None."""
    for command in COMMANDS:
        if command.name == name:
            return command
    return None


def options_of(command: str) -> tuple[Option, ...]:
    """Return the options of a command, the global ones for an empty name."""
    own = [
        Option(names, field, default, text)
        for commands, names, field, default, text in _OPTIONS
        if command in commands.split(" ")
    ]
    return (*own, HELP)
