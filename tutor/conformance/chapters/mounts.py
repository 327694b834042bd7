"""The root and the mounts: config.md#root, config.md#mounts, config-linux.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tutor.conformance.model import FailedError, InapplicableError
from tutor.conformance.registry import add, check
from tutor.conformance.subject import NOT_0

if TYPE_CHECKING:
    from tutor.conformance.subject import Subject
    from tutor.engines.trial import Bundle

_ROOT, _MOUNTS, _OPTIONS = "config.md#root", "config.md#mounts", "config.md#linux-mount-options"
# The fields of a line of mountinfo, proc_pid_mountinfo(5).
_TARGET, _FLAGS, _OPTIONAL = 4, 5, 6
_TMPFS: dict[str, Any] = {"destination": "/x", "type": "tmpfs", "source": "tmpfs"}
_BIND: dict[str, Any] = {"destination": "/x", "type": "bind", "source": "{bundle}/shared"}
_TABLE = "1.1.0"  # the first version of the specification that lists the options
_SHARED = {"shared/file": "content"}


def _line(box: Bundle, target: str) -> list[str]:
    """Return the last line of the container's mountinfo for a target.

    Raises:
        FailedError: there is none.
    """
    lines = [line for line in box.mounts() if line[_TARGET] == target]
    if not lines:
        raise FailedError
    return lines[-1]


def _flags(line: list[str]) -> set[str]:
    """Return the flags of a mount, and those of its filesystem, which has its own."""
    filesystem = line[line.index("-") + 3]
    return set(line[_FLAGS].split(",")) | {each for each in filesystem.split(",") if each not in ("ro", "rw")}


def _flag(option: str, flag: str, *, there: bool = True, before: tuple[str, ...] = ()) -> None:
    """Add a check that an option sets a flag, or clears one that an option before it has set."""

    def run(t: Subject) -> None:
        mount = {**_TMPFS, "options": [*before, option]}
        with t.created(mounts=[mount]) as box:
            found = flag in _flags(_line(box, "/x"))
            t.same(f"/proc/PID/mountinfo: /x {flag}", there, found)

    text = "mounts.option" if there else "mounts.option-clears"
    add(f"mounts.option-{option}", _OPTIONS, run, text=text, since=_TABLE, option=option, flag=flag)


for _name in (
    "ro",
    "rw",
    "nosuid",
    "nodev",
    "noexec",
    "noatime",
    "nodiratime",
    "relatime",
    "sync",
    "dirsync",
    "lazytime",
):
    _flag(_name, _name)
for _name, _other in (("suid", "nosuid"), ("dev", "nodev"), ("exec", "noexec"), ("atime", "noatime"), ("diratime", "nodiratime"),
    ("async", "sync"), ("nolazytime", "lazytime")):  # fmt: skip
    _flag(_name, _other, there=False, before=(_other,))
_flag("strictatime", "relatime", there=False)
_flag("nosymfollow", "nosymfollow")
_flag("symfollow", "nosymfollow", there=False, before=("nosymfollow",))


def _taken(option: str) -> None:
    """Add a check that an option is taken which shows nowhere."""

    def run(t: Subject) -> None:
        with t.created(mounts=[{**_TMPFS, "options": [option]}]) as box:
            t.same("/proc/PID/mountinfo: /x", "tmpfs", _line(box, "/x")[-3])

    add(f"mounts.option-{option}", _OPTIONS, run, text="mounts.option-taken", since=_TABLE, option=option)


for _name in ("defaults", "silent", "loud", "iversion", "noiversion", "norelatime", "nostrictatime"):
    _taken(_name)


def _recursive(option: str, flag: str) -> None:
    """Add a check that an option of a recursive bind mount reaches the mounts below it."""

    def run(t: Subject) -> None:
        mount = {**_BIND, "options": ["rbind", option]}
        with _submount(t, mount) as box:
            t.same(f"/proc/PID/mountinfo: /x/below {flag}", True, flag in _flags(_line(box, "/x/below")))

    add(
        f"mounts.option-{option}",
        _OPTIONS,
        run,
        text="mounts.option-recursive",
        since=_TABLE,
        option=option,
        flag=flag,
    )


class _submount:  # noqa: N801 - used as a function
    """A created container with a bind mount of a directory that has a mount below it."""

    def __init__(self, t: Subject, mount: dict[str, Any]) -> None:
        self._t, self._mount = t, mount
        self._bundle = t.bundle("exec sleep 60", files={"shared/below/.keep": ""}, mounts=[mount])
        self._box: Bundle | None = None

    def __enter__(self) -> Bundle:
        self._box = box = self._bundle.__enter__()
        self._t.shell(
            f"mount -t tmpfs below {box.path}/shared/below && echo inner >{box.path}/shared/below/file"
        )
        try:
            self._t.ok(box.engine("create"), "create")
        except FailedError:
            self.__exit__()
            raise
        return box

    def __exit__(self, *_: object) -> None:
        if self._box is not None:
            self._bundle.__exit__(None, None, None)
            self._t.shell(f"umount {self._box.path}/shared/below")
            self._box = None


for _name, _other in (
    ("rro", "ro"),
    ("rnosuid", "nosuid"),
    ("rnodev", "nodev"),
    ("rnoexec", "noexec"),
    ("rnoatime", "noatime"),
):
    _recursive(_name, _other)


@check("mounts.bind", _MOUNTS)
def bind(t: Subject) -> None:
    """`bind` shows the directory, without the mounts below it."""
    with _submount(t, {**_BIND, "options": ["bind"]}) as box:
        below = [line for line in box.mounts() if line[_TARGET] == "/x/below"]
        t.same("/proc/PID/mountinfo: /x", "/x", _line(box, "/x")[_TARGET])
        t.same("/proc/PID/mountinfo: /x/below", 0, len(below))


@check("mounts.rbind", _MOUNTS)
def rbind(t: Subject) -> None:
    """`rbind` shows the directory and the mounts below it."""
    with _submount(t, {**_BIND, "options": ["rbind"]}) as box:
        t.same("/proc/PID/mountinfo: /x/below", "/x/below", _line(box, "/x/below")[_TARGET])


@check("mounts.bind-without-type", _MOUNTS)
def bind_without_type(t: Subject) -> None:
    """A mount is a bind mount by its option, whatever its type says."""
    mount = {**_BIND, "type": "none", "options": ["rbind"]}
    t.prints("cat /x/file", "content", files=_SHARED, mounts=[mount])


@check("mounts.bind-relative", _MOUNTS)
def bind_relative(t: Subject) -> None:
    """A relative source of a bind mount is relative to the bundle."""
    mount = {**_BIND, "source": "shared", "options": ["rbind"]}
    t.prints("cat /x/file", "content", files=_SHARED, mounts=[mount])


@check("mounts.bind-file", _MOUNTS)
def bind_file(t: Subject) -> None:
    """A file is bound onto a file, which is made if it is not there."""
    mount = {**_BIND, "destination": "/made/file", "source": "{bundle}/shared/file", "options": ["bind"]}
    t.prints("cat /made/file", "content", files=_SHARED, mounts=[mount])


@check("mounts.bind-readonly", _OPTIONS)
def bind_readonly(t: Subject) -> None:
    """`ro` makes a bind mount read-only, and leaves its source writable."""
    mount = {**_BIND, "options": ["rbind", "ro"]}
    with t.bundle("touch /x/new 2>/dev/null; echo $?", files=_SHARED, mounts=[mount]) as box:
        done = box.engine("run")
        t.ok(done, "run")
        t.same("touch /x/new; echo $?", NOT_0, "0" if done.stdout.strip() == "0" else NOT_0)
        (box.inside / "shared/new").write_text("")


@check("mounts.destination-made", _MOUNTS)
def destination_made(t: Subject) -> None:
    """A destination that does not exist is made, with its parents."""
    t.prints("test -d /a/b/c && echo there", "there", mounts=[{**_TMPFS, "destination": "/a/b/c"}])


@check("mounts.destination-relative", _MOUNTS, since="1.2.0")
def destination_relative(t: Subject) -> None:
    """A relative destination is relative to the root of the container."""
    with t.created(mounts=[{**_TMPFS, "destination": "x"}]) as box:
        t.same("/proc/PID/mountinfo: /x", "/x", _line(box, "/x")[_TARGET])


@check("mounts.destination-link", _MOUNTS)
def destination_link(t: Subject) -> None:
    """A destination that is a symbolic link is resolved inside the root of the container."""
    with t.bundle("test -d /inner && echo there", mounts=[{**_TMPFS, "destination": "/link"}]) as box:
        (box.inside / "rootfs/inner").mkdir()
        (box.inside / "rootfs/link").symlink_to("/inner")
        t.ok(box.engine("create"), "create")
        t.same("/proc/PID/mountinfo: /inner", "/inner", _line(box, "/inner")[_TARGET])


@check("mounts.order", _MOUNTS)
def order(t: Subject) -> None:
    """Mounts are made in their order: a later one is in, or on top of, an earlier one."""
    mounts = [
        {**_TMPFS, "options": ["size=64k"]},
        {**_TMPFS, "destination": "/x/inner"},
        {**_TMPFS, "destination": "/x/inner", "options": ["size=128k"]},
    ]
    with t.created(mounts=mounts) as box:
        targets = [line[_TARGET] for line in box.mounts() if line[_TARGET].startswith("/x")]
        t.same("/proc/PID/mountinfo", "/x /x/inner /x/inner", " ".join(targets))
        t.same("/proc/PID/mountinfo: /x/inner size=128k", True, "size=128k" in _flags(_line(box, "/x/inner")))


@check("mounts.tmpfs-size", _OPTIONS)
def tmpfs_size(t: Subject) -> None:
    """Options that are not of mount(8) are given to the filesystem: the size of a tmpfs."""
    with t.created(mounts=[{**_TMPFS, "options": ["nosuid", "size=128k"]}]) as box:
        t.same("/proc/PID/mountinfo: /x size=128k", True, "size=128k" in _flags(_line(box, "/x")))


@check("mounts.tmpfs-mode", _OPTIONS)
def tmpfs_mode(t: Subject) -> None:
    """The mode of a tmpfs is that of its option."""
    t.prints("stat -c %a /x", "1770", mounts=[{**_TMPFS, "options": ["mode=1770"]}])


def _filesystem(kind: str, destination: str, source: str, options: tuple[str, ...] = ()) -> None:
    def run(t: Subject) -> None:
        mount = {"destination": destination, "type": kind, "source": source, "options": list(options)}
        namespaces = [{"type": each} for each in ("mount", "pid", "ipc", "uts", "network")]
        with t.created(mounts=[mount], patch={"linux": {"namespaces": namespaces}}) as box:
            line = _line(box, destination)
            t.same(f"/proc/PID/mountinfo: {destination}", kind, line[line.index("-") + 1])

    add(f"mounts.type-{kind}", _MOUNTS, run, text="mounts.type", type=kind)


_filesystem("sysfs", "/sys", "sysfs", ("nosuid", "noexec", "nodev", "ro"))
_filesystem("mqueue", "/dev/mqueue", "mqueue", ("nosuid", "noexec", "nodev"))
_filesystem("devpts", "/dev/pts", "devpts", ("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"))
_filesystem("tmpfs", "/dev/shm", "shm", ("nosuid", "noexec", "nodev", "mode=1777", "size=64k"))  # noqa: S108


@check("mounts.proc", "config-linux.md#default-filesystems")
def proc(t: Subject) -> None:
    """A mount of `proc` shows the container's own processes."""
    t.prints("cat /proc/1/comm | head -c 2", "sh")


@check("mounts.idmap", _OPTIONS, since="1.2.0")
def idmap(t: Subject) -> None:
    """`idmap` shows the files of a bind mount with the ids of its mappings."""
    maps = [{"containerID": 0, "hostID": 4000, "size": 1000}]
    mount = {**_BIND, "options": ["bind", "idmap"], "uidMappings": maps, "gidMappings": maps}
    patch = {"ociVersion": "1.2.0"}
    with t.bundle("stat -c %u:%g /x/file", patch=patch, files=_SHARED, mounts=[mount]) as box:
        done = box.engine("run")
        if not done.ok and "unsupported" in done.stderr + done.stdout:
            raise InapplicableError("runtime", "idmap")
        t.ok(done, "run")
        t.same("stat -c %u:%g /x/file", "4000:4000", done.stdout.strip())


def _propagation(option: str, expected: str) -> None:
    def run(t: Subject) -> None:
        with t.created(files=_SHARED, mounts=[{**_BIND, "options": ["rbind", option]}]) as box:
            line = _line(box, "/x")
            t.same("/proc/PID/mountinfo: /x", expected, _propagation_of(line))

    add(f"mounts.propagation-{option}", _OPTIONS, run, text="mounts.propagation", option=option)


def _propagation_of(line: list[str]) -> str:
    words = [each.partition(":")[0] for each in line[_OPTIONAL : line.index("-")]]
    return " ".join(each for each in words if each != "propagate_from") or "private"


for _name, _expected in (("private", "private"), ("rprivate", "private"), ("shared", "shared"), ("rshared", "shared"),
    ("unbindable", "unbindable"), ("runbindable", "unbindable")):  # fmt: skip
    _propagation(_name, _expected)


def _slave(option: str) -> None:
    def run(t: Subject) -> None:
        mount = {**_BIND, "options": ["rbind", option]}
        with t.bundle("exec sleep 60", files={"shared/.keep": ""}, mounts=[mount]) as box:
            place = f"{box.path}/shared"
            t.shell(f"mount -t tmpfs shared {place} && mount --make-shared {place}")
            try:
                t.ok(box.engine("create"), "create")
                t.same("/proc/PID/mountinfo: /x", "master", _propagation_of(_line(box, "/x")))
            finally:
                box.engine("delete", "--force")
                t.shell(f"umount {place}")

    add(f"mounts.propagation-{option}", _OPTIONS, run, text="mounts.propagation", option=option)


_slave("slave")
_slave("rslave")


def _rootfs_propagation(value: str, expected: str) -> None:
    def run(t: Subject) -> None:
        # No bind mount: nothing can be bound from an unbindable one. A file is enough, as the program does not run.
        mounts = [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
        ]
        patch = {"linux": {"rootfsPropagation": value}, "mounts": mounts, "process": {"args": ["/program"]}}
        with t.created(patch=patch, files={"rootfs/program": "#!/program\n"}) as box:
            t.same("/proc/PID/mountinfo: /", expected, _propagation_of(_line(box, "/")))

    clause = "config-linux.md#rootfs-mount-propagation"
    add(f"mounts.root-{value}", clause, run, text="mounts.root-propagation", value=value)


_rootfs_propagation("private", "private")
_rootfs_propagation("shared", "shared")
_rootfs_propagation("unbindable", "unbindable")


@check("mounts.root-path-absolute", _ROOT)
def root_path_absolute(t: Subject) -> None:
    """`root.path` may be absolute."""
    t.prints(
        "cat /file", "content", patch={"root": {"path": "{bundle}/rootfs"}}, files={"rootfs/file": "content"}
    )


@check("mounts.root-readonly", _ROOT)
def root_readonly(t: Subject) -> None:
    """With `readonly` nothing can be written to the root."""
    t.prints(
        "touch /new 2>/dev/null && echo written || echo refused",
        "refused",
        patch={"root": {"readonly": True}},
    )


@check("mounts.root-writable", _ROOT)
def root_writable(t: Subject) -> None:
    """Without `readonly` the root is writable."""
    t.prints("touch /new && echo written", "written")


@check("mounts.root-is-the-bundles", _ROOT)
def root_is_the_bundles(t: Subject) -> None:
    """The root is that of the bundle, and nothing of the host's is above it."""
    t.prints("cat /../../../file", "content", files={"rootfs/file": "content"})


@check("mounts.root-unreachable", "config.md#root")
def old_root(t: Subject) -> None:
    """The mounts of the host are not among the container's."""
    with t.created() as box:
        outside = [line[_TARGET] for line in box.mounts() if line[_TARGET].startswith(box.path)]
        t.same("/proc/PID/mountinfo", [], outside)


@check("mounts.masked-file", "config-linux.md#masked-paths")
def masked_file(t: Subject) -> None:
    """A masked file can be read, and is empty."""
    t.prints(
        "wc -c </secret",
        "0",
        patch={"linux": {"maskedPaths": ["/secret"]}},
        files={"rootfs/secret": "secret"},
    )


@check("mounts.masked-directory", "config-linux.md#masked-paths")
def masked_directory(t: Subject) -> None:
    """A masked directory is empty."""
    t.prints(
        "ls -A /secret | wc -l",
        "0",
        patch={"linux": {"maskedPaths": ["/secret"]}},
        files={"rootfs/secret/file": "x"},
    )


@check("mounts.masked-missing", "config-linux.md#masked-paths")
def masked_missing(t: Subject) -> None:
    """A masked path that does not exist is no error."""
    t.prints("echo ran", "ran", patch={"linux": {"maskedPaths": ["/no/such/path"]}})


@check("mounts.readonly-paths", "config-linux.md#readonly-paths")
def readonly_paths(t: Subject) -> None:
    """A read-only path can be read, and not be written."""
    script = "cat /kept/file; touch /kept/new 2>/dev/null && echo written || echo refused"
    t.prints(
        script,
        "content refused",
        patch={"linux": {"readonlyPaths": ["/kept"]}},
        files={"rootfs/kept/file": "content\n"},
    )


@check("mounts.readonly-missing", "config-linux.md#readonly-paths")
def readonly_missing(t: Subject) -> None:
    """A read-only path that does not exist is no error."""
    t.prints("echo ran", "ran", patch={"linux": {"readonlyPaths": ["/no/such/path"]}})
