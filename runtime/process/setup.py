"""The program: its session, terminal, user, limits, directory and environment, and its execution (config.md, Process)."""

from __future__ import annotations

import os
import stat

from runtime.filesystem.paths import NULL_DEVICE, is_device, make_directory, make_file
from runtime.kernel import mount as mount_calls
from runtime.kernel import process as kernel
from runtime.kernel import procfs
from runtime.process import console
from runtime.process.descriptors import close_others
from runtime.support import signals
from runtime.support.errors import RuntError, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.state.container import Container

_KEYRING_PERMISSIONS = 0x3F1B0000
"""keyctl_setperm(3): those of a new keyring, and in addition its user may search it, so that `exec` can join it."""


def set_oom_score(c: Container) -> None:
    """Set how likely the kernel kills the program when memory runs out (config.md, `oomScoreAdj`; proc(5))."""
    if "oomScoreAdj" not in c.process:
        return
    score = c.process["oomScoreAdj"]
    try:
        procfs.write_own("oom_score_adj", str(score))
    except PermissionError:
        # Not "permission denied", which callers take for a program that may not be executed.
        raise RuntError(f"oomScoreAdj {score} can't be set: lowering it takes CAP_SYS_RESOURCE") from None


def clear_environment(_c: Container) -> None:
    """Clear the caller's environment where the kernel shows it, before there is a process that is seen from inside.

    proc(5), /proc/PID/environ. Hooks in the runtime's namespaces still get it: Python has a copy.
    """
    procfs.clear_environment()


def new_session(c: Container) -> None:
    """Leave the caller's session and terminal (setsid(2)); with a terminal of the container's, `open_terminal` does."""
    if not c.process.get("terminal"):
        os.setsid()


def new_session_keyring(c: Container) -> None:
    """Leave the caller's session keyring, which may hold secrets of the host (session-keyring(7))."""
    if not c.new_keyring:
        return
    try:
        keyring = kernel.join_session_keyring(f"_ses.{c.entry.record['id']}")
        kernel.set_key_permissions(keyring, _KEYRING_PERMISSIONS)
    except OSError:
        # A kernel without keyrings has none to share; where a limit is reached, the caller's is shared.
        c.warnings.append("cannot make a session keyring: the container shares the caller's")


def make_working_directory(c: Container) -> None:
    """Make the program's working directory if the image has none, as runc does (config.md, `cwd`)."""
    cwd = c.process["cwd"]
    try:
        os.close(make_directory(c.root_fd, cwd))
    except OSError as error:
        raise RuntError(f'mkdir of cwd ("{cwd}") set in config.json failed: {_reason(error)}') from None


def open_terminal(c: Container) -> None:
    """Open a terminal of the container's own devpts, send its master to the caller, and attach to it, also as /dev/console.

    config.md, `terminal`; config-linux.md, Default Devices: "/dev/console is set up if `terminal` is enabled in the
    config by bind mounting the pseudoterminal pty to /dev/console."
    """
    if c.console_connection is None:
        return
    master, slave = console.open_console(c.process.get("consoleSize"))
    if not c.options.console_socket:
        console.keep_newlines(slave)
    console.send_master(c.console_connection, master)
    try:
        # Not by a link: the image could have the terminal mounted over a file of its choice (CVE-2025-52565).
        place = make_file(c.root_fd, "/dev/console", follow=False)
    except OSError as error:
        raise RuntError(f"cannot mount the terminal at /dev/console: {_reason(error)}") from None
    tree = mount_calls.open_tree(slave, "")
    mount_calls.move_mount(tree, place)
    console.attach(slave, c.process["user"]["uid"])
    for fd in (master, slave, place, tree):
        os.close(fd)


def reopen_null_device(_c: Container) -> None:
    """Replace the host's /dev/null of a standard stream by the container's: no open file leads out of the container."""
    streams = [stream for stream in (0, 1, 2) if is_device(stream, NULL_DEVICE)]
    try:
        place = os.open("/dev/null", os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        # An image without it.
        return
    if streams and is_device(place, NULL_DEVICE):
        fd = os.open("/dev/null", os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        # A process inside may have replaced it since the check.
        if is_device(fd, NULL_DEVICE):
            os.set_blocking(fd, True)
            for stream in streams:
                os.dup2(fd, stream)
        os.close(fd)
    os.close(place)


def own_standard_streams(c: Container) -> None:
    """Give the program's user the pipes and terminals that it is connected to, so that /dev/stdout can be opened."""
    uid = c.process["user"]["uid"]
    for stream in (0, 1, 2):
        status = os.fstat(stream)
        is_terminal = stat.S_ISCHR(status.st_mode) and os.isatty(stream)
        if status.st_uid != uid and (is_terminal or stat.S_ISFIFO(status.st_mode)):
            try:
                os.fchown(stream, uid, -1)
            except OSError:
                # An owner without an ID in the user namespace, or a read-only filesystem: most programs work without.
                pass


def make_environment(c: Container) -> None:
    """Make the program's environment (config.md, `env`), with HOME where it is missing, as runc does."""
    for entry in c.process.get("env", ()):
        name, _, value = entry.partition("=")
        c.environment[name] = value
    if not c.environment.get("HOME"):
        c.environment["HOME"] = _home(c.process["user"]["uid"])
    if c.listen_fds:
        c.environment["LISTEN_FDS"] = str(c.listen_fds)
        c.environment["LISTEN_PID"] = str(os.getpid())


def set_limits(c: Container) -> None:
    """Set the resource limits (config.md, `rlimits`; getrlimit(2))."""
    for limit in c.process.get("rlimits", ()):
        try:
            kernel.set_limit(kernel.LIMITS[limit["type"]], limit["soft"], limit["hard"])
        except OSError as error:
            raise RuntError(f"error setting rlimit type {limit['type']}: {describe(error)}") from None


def close_descriptors(c: Container) -> None:
    """Close what the program must not have: everything but the standard streams and what the caller preserves.

    runtime-linux.md, File descriptors. What a later step still needs is in `Container.kept_descriptors`.
    """
    close_others(c)


def set_umask(c: Container) -> None:
    """Set the file mode creation mask (config.md, `umask`): "If unspecified, the umask should not be changed"."""
    os.umask(c.process["user"].get("umask", c.caller_umask))


def change_directory(c: Container) -> None:
    """Change to the working directory (config.md, `cwd`), which must be one of the container."""
    cwd = c.process["cwd"]
    try:
        os.chdir(cwd)
    except OSError as error:
        raise RuntError(f'chdir to cwd ("{cwd}") set in config.json failed: {_reason(error)}') from None
    try:
        os.getcwd()
    except FileNotFoundError:
        # The kernel has no path for a directory outside the root, such as one reached by /proc/self/fd.
        raise RuntError(f'cwd ("{cwd}") set in config.json is outside of the container\'s root') from None


def set_user(c: Container) -> None:
    """Become the program's user and group, with its additional groups (config.md, User; credentials(7))."""
    user = c.process["user"]
    uid, gid, groups = user["uid"], user["gid"], user.get("additionalGids", [])
    try:
        if not c.keeps_groups:
            os.setgroups(groups)
    except PermissionError:
        if groups:
            raise RuntError("additionalGids cannot be set: the user namespace forbids setgroups(2)") from None
    kernel.set_keep_capabilities(True)
    was_dumpable = kernel.is_dumpable()
    try:
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    except OSError as error:
        raise RuntError(f"cannot become user {uid} and group {gid}: {describe(error)}") from None
    kernel.set_keep_capabilities(False)
    if was_dumpable:
        # See `become_root_of_user_namespace`.
        kernel.set_dumpable(True)


def set_no_new_privileges(c: Container) -> None:
    """Set no_new_privs: execve grants no privileges from now on (config.md, `noNewPrivileges`; prctl(2))."""
    if c.process.get("noNewPrivileges"):
        kernel.set_no_new_privileges()


def find_program(c: Container) -> None:
    """Find the program now, so that `create` and not only `start` fails for one that does not exist.

    config.md, `args`: the first "is used with the same semantics as `execvp`'s file". Looked up with the privileges of the
    program's user.
    """
    if not c.process["args"]:
        # Without `process` there is nothing to find, and nothing that `start` could run.
        return
    name = c.process["args"][0]
    if "/" in name:
        c.program = name
        problem = _why_not_executable(name)
        if problem:
            raise RuntError(f'exec: "{name}": {problem}')
        return
    problem = f"executable file not found in $PATH: {os.strerror(2).lower()}"
    for directory in c.environment.get("PATH", os.defpath).split(":"):
        path = os.path.join(directory or ".", name)
        why_not = _why_not_executable(path) if name else problem
        if not why_not:
            c.program = path
            return
        if why_not.endswith("permission denied"):
            problem = why_not
    raise RuntError(f'exec: "{name}": {problem}')


def execute_program(c: Container) -> None:
    """Execute the program (config.md, `args`; execve(2)). That closes what `start` or `exec` reads from."""
    # Python ignores these two, and what is ignored stays ignored across execve.
    signals.signal(signals.SIGPIPE, signals.SIG_DFL)
    signals.signal(signals.SIGXFSZ, signals.SIG_DFL)
    # What has been opened since `close_descriptors` is close-on-exec, as everything that Python opens (PEP 446).
    for fd in range(3, 3 + c.inherited_fds):
        os.set_inheritable(fd, True)
    if c.fifo is not None:
        os.write(c.fifo, b".")
    try:
        os.execve(c.program, c.process["args"], c.environment)
    except OSError as error:
        raise RuntError(f'exec: "{c.program}": {_reason(error)}') from None


def _why_not_executable(path: str) -> str:
    """Return why this process can't execute `path`, or an empty string."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return f"stat {path}: {_reason(error)}"
    # The first way is faccessat2(2), which a seccomp profile may be too old to allow; the IDs are the same by now.
    may_execute = os.access(path, os.X_OK, effective_ids=True) or os.access(path, os.X_OK)
    return "" if stat.S_ISREG(mode) and may_execute else "permission denied"


def _reason(error: OSError) -> str:
    """Return what an error says, without the path that the file had."""
    return os.strerror(error.errno or 0).lower()


def _home(uid: int) -> str:
    """Return the home directory that the container's /etc/passwd has for a user, else the root directory."""
    try:
        # Whatever an image has there, opening it must not block, nor follow a descriptor of the host (CVE-2024-21626).
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
        resolve = mount_calls.RESOLVE_NO_MAGICLINKS
        fd = mount_calls.openat2(mount_calls.AT_FDCWD, "/etc/passwd", flags, resolve)
    except OSError:
        return "/"
    with open(fd, encoding="utf-8", errors="surrogateescape") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return "/"
        for line in file:
            fields = line.rstrip("\n").split(":")
            if len(fields) == 7 and fields[2] == str(uid):
                return fields[5] or "/"
    return "/"
