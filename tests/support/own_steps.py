"""Right and wrong ways to write each function of a runtime: ours, changed. For tests of the judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tutor.own_steps import source
from tutor.own_steps.exercises import exercise

if TYPE_CHECKING:
    from collections.abc import Iterator

IMPORTS = (
    "import os, signal, sys, time\nfrom syscalls import *\nfrom container import Container, ContainerError\n"
)


class Way(NamedTuple):
    """A way to write an exercise: `old` of ours is replaced by `new`. `word`: what a hint for it would name; empty if it is right."""

    exercise: str
    name: str
    old: str
    new: str
    word: str = ""

    @property
    def text(self) -> str:
        """Return the learner's file."""
        ours = source.reference_definition(exercise(self.exercise).functions)
        assert self.old in ours, self
        return ours.replace(self.old, self.new)


_CLAIM = """        os.mkdir(c.directory, 0o711)
    except FileExistsError:
        raise ContainerError(f"container with given ID already exists: {c.id}") from None
"""
_CLONE = "    pid = clone(flags)\n"
_RIGHT = (
    Way("ids", "asks-first", _CLAIM, "        if os.path.isdir(c.directory):\n            raise ContainerError('it is there')\n        os.makedirs(c.directory)\n    finally:\n        pass\n"),
    Way("ids", "not-atomic", 'os.rename(path + ".new", path)', 'import shutil\n    shutil.copyfile(path + ".new", path)'),
    Way("ids", "writes-more", "for name in names}, file)", "for name in (*names, 'id')}, file, indent=4, sort_keys=True)"),
    Way("bundle", "reads-bytes", "with open(path, encoding=\"utf-8\") as file:\n            c.config = json.load(file)", "with open(path, 'rb') as file:\n            c.config = json.loads(file.read())"),
    Way("bundle", "joins-by-hand", 'os.path.realpath(os.path.join(c.bundle, c.config["root"]["path"]))', 'os.path.abspath(c.config["root"]["path"] if c.config["root"]["path"].startswith("/") else c.bundle + "/" + c.config["root"]["path"])'),
    Way("bundle", "own-words", "must be an absolute path", "is relative"),
    Way("namespaces", "unshare-and-fork", _CLONE, "    host = os.open('/proc/self/ns/mnt', os.O_RDONLY)\n    pid = clone(flags & CLONE_NEWPID)\n    if pid == 0:\n        unshare(flags & ~CLONE_NEWPID)\n"),
    Way("namespaces", "ipc-later", _CLONE, "    pid = clone(flags & ~CLONE_NEWIPC)\n    if pid == 0 and flags & CLONE_NEWIPC:\n        unshare(CLONE_NEWIPC)\n"),
    Way("namespaces", "twice", _CLONE, "    pid = clone(flags)\n    if pid == 0 and flags & CLONE_NEWNS:\n        unshare(CLONE_NEWNS)\n"),
    Way("hostname", "domain-first", '(("hostname", sethostname), ("domainname", setdomainname))', '(("domainname", setdomainname), ("hostname", sethostname))'),
    Way("hostname", "proc", "call(c.config[member])", "open(f'/proc/sys/kernel/{member}', 'w').write(c.config[member])"),
    Way("hostname", "twice", "call(c.config[member])", "call('x'); call(c.config[member])"),
    Way("root", "private", "MS_SLAVE", "MS_PRIVATE"),
    Way("root", "put-old", 'pivot_root(".", ".")\n    umount(".", MNT_DETACH)', 'os.mkdir(".old")\n    pivot_root(".", ".old")\n    os.chdir("/")\n    umount("/.old", MNT_DETACH)\n    os.rmdir("/.old")'),
    Way("root", "binds-twice", "mount(c.rootfs, c.rootfs, None, MS_BIND | MS_REC)", "mount(c.rootfs, c.rootfs, None, MS_BIND | MS_REC); mount(c.rootfs, c.rootfs, None, MS_BIND)"),
    Way("mounts", "remount-in-two", "    mount(None, target, None, MS_REMOUNT | MS_BIND | flags & ~MS_REC)", "    mount(None, target, None, MS_REMOUNT | MS_BIND | flags & ~MS_REC & ~MS_RDONLY)\n    mount(None, target, None, MS_REMOUNT | MS_BIND | flags & ~MS_REC)"),
    Way("mounts", "masks-by-another-file", 'mount("/dev/null", path, None, MS_BIND)', 'mount("/dev/zero", path, None, MS_BIND); mount("/dev/null", path, None, MS_BIND)'),
    Way("mounts", "masked-first", 'for path in filter(os.path.exists, c.linux.get("maskedPaths", [])):', 'for path in reversed(list(filter(os.path.exists, c.linux.get("maskedPaths", [])))):'),
    Way("devices", "binds", "            os.mknod(path, kind, number)\n", '            if os.path.exists(device["path"]):\n                raise PermissionError\n            os.mknod(path, kind, number)\n'),
    Way("devices", "umask", "    for device in devices", "    os.umask(0)\n    for device in devices"),
    Way("devices", "links-first", "    for name, target in links.items():", "    for name, target in sorted(links.items(), reverse=True):"),
    Way("user", "setres", 'os.setgid(user.get("gid", 0))\n    os.setuid(user.get("uid", 0))', 'os.setresgid(*[user.get("gid", 0)] * 3)\n    os.setresuid(*[user.get("uid", 0)] * 3)'),
    Way("user", "umask-first", "    prctl(PR_SET_KEEPCAPS, 1)\n", "    prctl(PR_SET_KEEPCAPS, 1)\n    os.umask(user.get('umask', 0o022))\n"),
    Way("user", "groups-in-another-order", 'os.setgroups(user.get("additionalGids", []))', 'os.setgroups(sorted(user.get("additionalGids", []), reverse=True))'),
    Way("fifo", "another-mode", "0o622", "0o600"),
    Way("fifo", "keeps-o-path", "    os.close(c.fifo_fd)\n", ""),
    Way("fifo", "reads-and-writes-nothing", "os.O_PATH | os.O_CLOEXEC", "os.O_PATH"),
    Way("start", "unlinks-first", "    said = b\"\"\n", "    said = bytes()\n"),
    Way("start", "reads-a-byte", "os.read(gate, 4096)", "os.read(gate, 1)"),
    Way("start", "own-words", "cannot start a container that is {status}", "it is {status} already"),
    Way("state", "pidfd", '    except (FileNotFoundError, ProcessLookupError):\n        return "stopped"', '    except OSError:\n        return "stopped"'),
    Way("state", "another-order", "sorted(os.listdir(root))", "sorted(set(os.listdir(root)))"),
    Way("state", "lists-more", '"bundle": c.bundle}', '"bundle": c.bundle, }'),
    Way("kill", "os-kill", "signal.pidfd_send_signal(process, signum)", "os.kill(c.pid, signum)"),
    Way("kill", "own-words", "container not running", "it has ended"),
    Way("kill", "no-pidfd", "process = os.pidfd_open(\n            c.pid\n        )", "process = os.open(f'/proc/{c.pid}', os.O_RDONLY) if os.path.exists(f'/proc/{c.pid}') else None; process and os.close(process); process = os.pidfd_open(c.pid)"),
    Way("delete", "directory-first", "    remove_cgroup(c)\n    shutil.rmtree(c.directory)\n", "    shutil.rmtree(c.directory)\n    remove_cgroup(c)\n"),
    Way("delete", "slower", "time.sleep(0.01)", "time.sleep(0.05)"),
    Way("delete", "by-hand", "shutil.rmtree(c.directory)", "[os.unlink(os.path.join(c.directory, each)) for each in os.listdir(c.directory)]; os.rmdir(c.directory)"),
    Way("hooks", "popen", "text, timeout = hook[\"path\"], json.dumps(state).encode()", "text, timeout = hook[\"path\"], json.dumps(state, indent=4).encode()"),
    Way("hooks", "more-in-the-state", 'json.dumps(state)', 'json.dumps({**state, "annotations": {}})'),
    Way("hooks", "own-words", 'raise ContainerError(f"{name} hook', 'raise ContainerError(f"my {name} hook'),
    Way("cgroups", "fewer-hierarchies", '_CONTROLLERS = ("memory", "pids", "cpu", "cpuset", "freezer")', '_CONTROLLERS = ("cpu", "pids", "memory")'),
    Way("cgroups", "process-first", "c.cgroups.append(directory)\n", "c.cgroups.append(directory)\n            write_file(f\"{directory}/cgroup.procs\", c.pid)\n"),
    Way("cgroups", "removes-the-parent", "    for directory in filter(os.path.isdir, c.cgroups):\n", "    import atexit\n    for directory in filter(os.path.isdir, c.cgroups):\n        parent = os.path.dirname(directory)\n        if parent.endswith('course'):\n            atexit.register(lambda parent=parent: os.path.isdir(parent) and os.rmdir(parent))\n"),
    Way("console", "master-later", "    c.console.close()\n", ""),
    Way("console", "size-on-master", "fcntl.ioctl(slave, termios.TIOCSWINSZ", "fcntl.ioctl(master, termios.TIOCSWINSZ"),
    Way("console", "sendmsg", 'socket.send_fds(c.console, [b"console"], [master])', 'c.console.sendmsg([b"tty"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [master]))])'),
)  # fmt: skip
_WRONG = (
    Way("ids", "takes-it-over", _CLAIM, "        os.makedirs(c.directory, exist_ok=True)\n    finally:\n        pass\n", "exit"),
    Way("ids", "a-path", 'if not re.fullmatch(r"[\\w+.-]+", c.id, re.ASCII) or c.id in (".", ".."):', "if False:", "exit"),
    Way("ids", "forgets-the-pid", '"pid", ', "", "state:pid"),
    Way("bundle", "any-cwd", 'if not c.process["cwd"].startswith("/"):', "if False:", "exit"),
    Way("bundle", "any-args", ' or not c.process["args"]', "", "exit"),
    Way("bundle", "root-of-the-caller", 'os.path.join(c.bundle, c.config["root"]["path"])', 'c.config["root"]["path"]', "exit"),
    Way("namespaces", "all-of-them", _CLONE, "    pid = clone(flags | CLONE_NEWPID | CLONE_NEWUTS)\n", "namespaces:uts"),
    Way("namespaces", "no-ipc", '"ipc": CLONE_NEWIPC', '"ipc": 0', "namespaces:ipc"),
    Way("namespaces", "paths-ignored", 'if "path" not in entry:', 'entry.pop("path", None)\n        if True:', "namespaces:net"),
    Way("hostname", "the-id", "call(c.config[member])", "call(c.id)", "hostname"),
    Way("hostname", "no-domain", ', ("domainname", setdomainname)', ",", "domainname"),
    Way("hostname", "of-the-host", 'if c.namespace("uts") is None:', "if False:", "exit"),
    Way("root", "chroot", '    pivot_root(".", ".")\n    umount(".", MNT_DETACH)\n', '    os.chroot(".")\n', "old_root"),
    Way("root", "old-root-stays", '    umount(".", MNT_DETACH)\n', "", "old_root"),
    Way("root", "shared", '    mount(None, "/", None, MS_REC | MS_SLAVE)\n', "", "pivot_root"),
    Way("mounts", "bind-flags-at-once", "            _remount(target, flags)\n", "", "mounts:/srv/data"),
    Way("mounts", "no-data", "mount(source, target, kind, flags, data)", "mount(source, target, kind, flags)", "mounts:/mnt"),
    Way("mounts", "nothing-masked", 'c.linux.get("maskedPaths", [])', "[]", "files:/proc/keys"),
    Way("devices", "umask", '        os.chmod(path, device.get("fileMode", 0o666))  # mknod\'s mode would lose what the umask forbids\n', "", "files:/dev/null"),
    Way("devices", "no-links", "for name, target in links.items():", "for name, target in ():", "files:/dev/fd"),
    Way("devices", "owner", '        os.chown(path, device.get("uid", 0), device.get("gid", 0))\n', "", "files:/dev/fuse"),
    Way("user", "uid-first", 'os.setgid(user.get("gid", 0))\n    os.setuid(user.get("uid", 0))', 'os.setuid(user.get("uid", 0))\n    os.setgid(user.get("gid", 0))', "EPERM"),
    Way("user", "no-groups", '    os.setgroups(user.get("additionalGids", []))\n', "", "user:groups"),
    Way("user", "bounding-stays", "prctl(PR_CAPBSET_DROP, number)", "pass", "capabilities:bounding"),
    Way("fifo", "does-not-wait", 'c.gate = os.open(f"/proc/self/fd/{c.fifo_fd}", os.O_WRONLY | os.O_CLOEXEC)', 'c.gate = os.open("/dev/null", os.O_WRONLY)', "printed"),
    Way("fifo", "no-cloexec", "os.O_WRONLY | os.O_CLOEXEC", "os.O_WRONLY); os.set_inheritable(c.gate, True", "hang"),
    Way("fifo", "by-its-name", 'os.open(f"/proc/self/fd/{c.fifo_fd}"', "os.open(c.fifo", "ENOENT"),
    Way("start", "again-and-again", 'if status != "created":', 'if status == "running":\n        return\n    if status != "created":', "exit"),
    Way("start", "says-nothing", "    if said:\n        raise ContainerError(said.decode())\n", "", "exit"),
    Way("start", "pipe-stays", "    os.unlink(c.fifo)\n", "", "hang"),
    Way("state", "always-running", 'return "created" if os.path.exists(c.fifo) else "running"', 'return "running"', "state:status"),
    Way("state", "pid-of-the-dead", 'c.pid if status != "stopped" else 0', "c.pid", "state:box pid"),
    Way("state", "never-stopped", '    except (FileNotFoundError, ProcessLookupError):\n        return "stopped"', '    except (FileNotFoundError, ProcessLookupError):\n        return "running"', "state:status"),
    Way("kill", "always-kill", "signal.pidfd_send_signal(process, signum)", "signal.pidfd_send_signal(process, 9)", "process"),
    Way("kill", "no-error", '    raise ContainerError("container not running")\n', "", "exit"),
    Way("kill", "another-signal", "signal.pidfd_send_signal(process, signum)", "os.kill(c.pid, signum + 1)", "process"),
    Way("delete", "whatever-it-is", 'if status != "stopped" and not force:', "if False:", "exit"),
    Way("delete", "cgroup-stays", "    remove_cgroup(c)\n", "", "left:cgroups"),
    Way("delete", "state-stays", "    shutil.rmtree(c.directory)\n", "", "left:/run/oci-tutor/state"),
    Way("hooks", "no-state", "input=text,", "stdin=subprocess.DEVNULL,", "hooks"),
    Way("hooks", "failure-ignored", "check=True", "check=False", "exit"),
    Way("hooks", "no-timeout", "timeout=timeout,", "", "hang"),
    Way("cgroups", "no-limits", '                    write_file(f"{directory}/{file}", value)\n            write_file(f"{directory}/cgroup.procs"', '                    pass\n            write_file(f"{directory}/cgroup.procs"', "cgroup:pids.max"),
    Way("cgroups", "not-moved", '            write_file(f"{directory}/cgroup.procs", c.pid)\n', "", "cgroup"),
    Way("cgroups", "not-removed", "os.rmdir(directory)", "pass", "left:cgroups"),
    Way("console", "no-size", "    if size:\n", "    if False:\n", "terminal"),
    Way("console", "not-controlling", "    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)\n", "", "terminal:controlling"),
    Way("console", "no-dev-console", "    mount(os.ttyname(slave), \"/dev/console\", None, MS_BIND)\n", "", "mounts:/dev/console"),
)  # fmt: skip


def right() -> Iterator[Way]:
    """Yield right ways, three for each exercise."""
    yield from _RIGHT


def wrong() -> Iterator[Way]:
    """Yield wrong ways, three for each exercise."""
    yield from (way for way in _WRONG if way.word)
