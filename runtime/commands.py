"""The tables of `runt`'s commands and options, which are runc's: `usage` parses them and helps with them."""

from __future__ import annotations

from runtime.usage import HELP, Command, Option

_OPTIONS: tuple[tuple[str, str, str, bool | int | str | tuple[str, ...], str], ...] = (
    # For the commands ..., its names, the field that it fills, its default, its help. In the order of the help.
    # Global options, which stand before the command
    ("", "debug", "debug", False, "also log debug messages"),
    ("", "log", "log", "", "append the log to this file instead of standard error"),
    ("", "log-format", "log_format", "text", 'format of the log: "text" or "json"'),
    ("", "root", "root", "", "directory for the state of the containers; should be on a tmpfs"),
    ("", "criu", "criu", "criu", "path or name of the program criu, for checkpoint and restore"),
    ("", "systemd-cgroup", "systemd_cgroup", False,
     'make the cgroup by systemd (v2): cgroupsPath is then "slice:prefix:name"'),
    ("", "observe", "observe", "",
     "tell each step to the process at this unix socket, or fd:N"),
    ("", "rootless", "rootless", "auto", 'ignore cgroup permission errors: "true", "false" or "auto"'),
    ("", "version v", "version", False, "print the version"),
    # Images of checkpoint and restore; criu(8) has a flag of the name after "flags."
    ("checkpoint restore", "image-path", "images", "", "directory of criu's images (default: checkpoint)"),
    ("checkpoint restore", "work-path", "work", "", "directory of criu's log (default: that of the images)"),
    ("checkpoint restore", "tcp-established", "flags.tcp-established", False, "allow open TCP connections"),
    ("checkpoint restore", "ext-unix-sk", "flags.ext-unix-sk", False,
     "allow unix sockets whose other end is outside"),
    ("checkpoint restore", "shell-job", "flags.shell-job", False,
     "allow a session and a terminal from outside"),
    ("checkpoint restore", "file-locks", "flags.file-locks", False, "allow file locks"),
    ("checkpoint restore", "manage-cgroups-mode", "cgroup_mode", "",
     'cgroups: "soft" (default), "full", "strict" or "ignore"'),
    ("checkpoint restore", "empty-ns", "empty_namespaces", (), "namespace to leave empty: only network, which always is"),
    ("checkpoint restore", "auto-dedup", "flags.auto-dedup", False,
     "remove memory pages that two images have from the older one"),
    ("checkpoint restore", "lazy-pages", "lazy_pages", False, "not supported"),
    ("checkpoint", "parent-path", "parent", "", "images of a pre-dump, relative to --image-path"),
    ("checkpoint", "leave-running", "flags.leave-running", False, "leave the container running"),
    ("checkpoint", "tcp-skip-in-flight", "flags.skip-in-flight", False,
     "skip TCP connections that are not established yet"),
    ("checkpoint", "link-remap", "flags.link-remap", False, "allow open files that have been unlinked"),
    ("checkpoint", "page-server", "page_server", "", "send the memory to the criu page server at ADDRESS:PORT"),
    ("checkpoint", "pre-dump", "pre_dump", False, "save only the memory, and leave the container running"),
    ("checkpoint", "status-fd", "", -1, "ignored: it is for --lazy-pages"),
    # Processes: what to run, and where to report it
    ("create restore run spec", "bundle b", "bundle", "",
     "path of the bundle directory (default: the current directory)"),
    ("exec", "process p", "process", "", "path of a JSON file with the whole process, as in config.json"),
    ("exec", "tty t", "tty", False, "allocate a terminal for the process"),
    ("create exec restore run", "console-socket", "console_socket", "",
     "path of a unix socket that receives the master of the container's terminal"),
    ("exec", "cwd", "cwd", "", "working directory in the container"),
    ("exec", "env e", "env", (), "set an environment variable: NAME=VALUE; may be given again"),
    ("exec", "user u", "user", "", "user, and group, in the container: UID[:GID]"),
    ("exec", "additional-gids g", "additional_gids", (), "additional group; may be given again"),
    ("exec", "cap c", "caps", (), "add a capability, such as CAP_NET_ADMIN; may be given again"),
    ("exec", "no-new-privs", "no_new_privs", False, "set no_new_privs (prctl(2)): execve grants no privileges"),
    ("exec", "apparmor", "apparmor", "", "AppArmor profile of the program"),
    ("exec", "process-label", "process_label", "", "SELinux label of the program"),
    ("exec restore run", "detach d", "detach", False, "do not wait for the end of the program"),
    ("create exec restore run", "pid-file", "pid_file", "", "file to write the process id of the program to"),
    ("create exec run", "pidfd-socket", "pidfd_socket", "", "path of a unix socket that receives a pidfd of the process"),
    ("create run", "no-pivot", "no_pivot", False,
     "use chroot instead of pivot_root, for a root filesystem on a ramdisk"),
    ("create run", "no-new-keyring", "no_new_keyring", False, "keep the caller's session keyring"),
    ("create exec run", "preserve-fds", "preserve_fds", 0,
     "pass this many descriptors to the program, from 3 on (after $LISTEN_FDS)"),
    ("exec", "cgroup", "cgroups", (), "cgroup below the container's to join: [controller:]path; may be given again"),
    ("exec", "ignore-paused", "ignore_paused", False, "allow a paused container, where the program waits for resume"),
    ("run", "keep", "keep", False, "do not delete the container after its end"),
    ("restore", "lsm-profile", "named.lsm-profile", "", "security profile of the processes: TYPE:NAME"),
    ("restore", "lsm-mount-context", "named.lsm-mount-context", "", "SELinux context of the mounts"),
    ("restore run", "no-subreaper", "", False, "accepted for compatibility with runc: runt is never a subreaper"),
    ("restore", "no-pivot", "", False, "accepted for compatibility with runc: criu makes the root"),
    # The other commands
    ("delete", "force f", "force", False, "delete the container in any state, killing it first (SIGKILL)"),
    ("delete", "regex r", "regex", False, "delete every container whose ID has a match for a regular expression"),
    ("events", "interval", "interval", "5s", "time between statistics, such as 500ms or 1m"),
    ("events", "stats", "once", False, "show the current statistics once, and exit"),
    ("kill", "all a", "everything", False, "send the signal to all processes of the container"),
    ("list ps steps", "format f", "format", "table", 'format of the list: "table" or "json"'),
    ("list", "quiet q", "quiet", False, "show only container IDs"),
    ("spec", "rootless", "rootless", False, "write a config.json for a rootless container"),
    # Limits: the field is the member of linux.resources
    ("update", "resources r", "file", "",
     'file with the limits as JSON, as in linux.resources of config.json; "-" is standard input'),
    ("update", "blkio-weight", "limits.blockIO.weight", "", "weight for block I/O, 10 to 1000"),
    ("update", "cpu-period", "limits.cpu.period", "", "period of --cpu-quota in microseconds"),
    ("update", "cpu-quota", "limits.cpu.quota", "",
     "processor time in each period in microseconds, -1 for no limit"),
    ("update", "cpu-burst", "limits.cpu.burst", "", "unused time that can accumulate for a period, in microseconds"),
    ("update", "cpu-rt-period", "limits.cpu.realtimePeriod", "", "period of --cpu-rt-runtime in microseconds"),
    ("update", "cpu-rt-runtime", "limits.cpu.realtimeRuntime", "", "realtime in each period in microseconds"),
    ("update", "cpu-share", "limits.cpu.shares", "", "weight for processor time, 2 to 262144"),
    ("update", "cpuset-cpus", "limits.cpu.cpus", "", "processors to use, such as 0-3,7"),
    ("update", "cpuset-mems", "limits.cpu.mems", "", "memory nodes to use"),
    ("update", "cpu-idle", "limits.cpu.idle", "", "1 for SCHED_IDLE, to run only on idle processors; 0 for the default"),
    ("update", "kernel-memory", "limits.memory.kernel", "", "ignored, as by the kernel"),
    ("update", "kernel-memory-tcp", "limits.memory.kernelTCP", "", "limit of memory for TCP buffers"),
    ("update", "memory", "limits.memory.limit", "", "limit of memory"),
    ("update", "memory-reservation", "limits.memory.reservation", "", "soft limit of memory, for when memory runs short"),
    ("update", "memory-swap", "limits.memory.swap", "", "limit of memory and swap together, -1 for none"),
    ("update", "pids-limit", "limits.pids.limit", "", "limit of tasks, -1 for none"),
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
        "save a running container to files with criu",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nThe container is deleted, unless --leave-running or --pre-dump is given.",
    ),
    Command(
        "create",
        "create a container",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nCreates the container of a bundle; its program waits for start.\n{_BUNDLE}",
    ),
    Command(
        "delete",
        "delete a stopped container and its resources",
        arguments="<container-id>  |  --regex <regular-expression>",
        count=(1, 1),
        description=(
            f"{_ID}\n\nWith --regex the argument is a regular expression, as of Python, which need not match the\n"
            "whole ID: ^web-[0-9]+$ does. One that matches no container is no error."
        ),
    ),
    Command(
        "events",
        "show statistics and out-of-memory events of a container, as JSON",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nOne object a line, until the container stops.",
    ),
    Command(
        "exec",
        "run another program in a container",
        arguments="<container-id> <command> [argument...]  |  -p <process.json> <container-id>",
        count=(1, 2**31),
        description=(
            f"{_ID}\n\nThe program gets the settings of the container's own process, changed by the options.\n"
            "With --process it gets all of them from a file: an object such as process in config.json."
        ),
        options_first=True,
    ),
    Command(
        "features",
        "show the features of this runtime, as JSON",
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
        "suspend all processes of a container",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nresume continues them.",
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
        "restore a container from the files of checkpoint with criu",
        arguments="<container-id>",
        count=(1, 1),
        description=f"{_ID}\n\nThe bundle is the one that the container was created from.",
    ),
    Command(
        "resume",
        "continue the processes of a paused container",
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
            f"{_ID}\n\nCreates the container of a bundle, starts it, waits for its end, deletes it, and\n"
            f"exits with its exit status.\n{_BUNDLE}"
        ),
    ),
    Command(
        "spec",
        "write a sample config.json",
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
        "steps",
        "show the steps of this runtime, and where they are in its source",
        arguments="",
        count=(0, 0),
        description=(
            "Each operation walks a table of steps. For each step: its place in the table, file and line, and the\n"
            "clauses and the manual pages that ask for it. runc has no such command."
        ),
    ),
    Command(
        "update",
        "change the limits of a container",
        arguments="<container-id>",
        count=(1, 1),
        description=(
            f"{_ID}\n\nA limit that is not given does not change. Sizes are in bytes, or with a unit: 64M. With\n"
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
    # Looked for as a part first: this is done at every start.
    rows = [row for row in _OPTIONS if (command in row[0] if command else not row[0])]
    return (*(Option(*row[1:]) for row in rows if command in row[0].split(" ")), HELP)
