"""The program: its arguments, environment, user, limits and privileges: config.md#process."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from tutor.conformance.model import InapplicableError
from tutor.conformance.registry import add, check
from tutor.engines.trial import PATH

if TYPE_CHECKING:
    from tutor.conformance.subject import Subject

_PROCESS, _POSIX, _LINUX = "config.md#process", "config.md#posix-process", "config.md#linux-process"
_USER = "config.md#posix-platform-user"
_CHOWN, _KILL = 1 << 0, 1 << 5  # capabilities(7)
_STATUS = "grep {name} /proc/self/status"


def _prints(name: str, clause: str, script: str, expected: str, **process: Any) -> None:
    def run(t: Subject) -> None:
        t.prints(script, expected, patch={"process": process})

    add(f"process.{name}", clause, run)


_prints("cwd", _PROCESS, "pwd", "/usr", cwd="/usr")
_prints(
    "env", _PROCESS, 'echo "$ONE|$TWO|$THREE"', "1|two words|", env=[PATH, "ONE=1", "TWO=two words", "THREE="]
)
_prints("env-order", _PROCESS, "echo $LAST", "b=c", env=[PATH, "LAST=b=c"])
_prints("args-path", _PROCESS, "true", "", args=["true"])
_prints("uid", _USER, "id -u", "1234", user={"uid": 1234, "gid": 0})
_prints("gid", _USER, "id -g", "5678", user={"uid": 0, "gid": 5678})
_prints(
    "uid-all", _USER, _STATUS.format(name="Uid"), "Uid: 1234 1234 1234 1234", user={"uid": 1234, "gid": 0}
)
_prints(
    "gid-all", _USER, _STATUS.format(name="Gid"), "Gid: 5678 5678 5678 5678", user={"uid": 0, "gid": 5678}
)
_prints(
    "groups",
    _USER,
    _STATUS.format(name="Groups"),
    "Groups: 11 22",
    user={"uid": 1, "gid": 1, "additionalGids": [11, 22]},
)
_prints("no-groups", _USER, _STATUS.format(name="Groups"), "Groups:", user={"uid": 1, "gid": 1})
_prints("umask", _USER, "umask", "0027", user={"uid": 0, "gid": 0, "umask": 0o027})
_prints("no-new-privileges", _LINUX, _STATUS.format(name="NoNewPrivs"), "NoNewPrivs: 1", noNewPrivileges=True)
_prints("new-privileges", _LINUX, _STATUS.format(name="NoNewPrivs"), "NoNewPrivs: 0", noNewPrivileges=False)
_prints("oom-score", _LINUX, "cat /proc/self/oom_score_adj", "321", oomScoreAdj=321)
_prints("args-name", _PROCESS, "echo $0", "name", args=["/bin/sh", "-c", "echo $0", "name"])


@check("process.env-only", _PROCESS)
def env_only(t: Subject) -> None:
    """What the caller has in its environment is not in the program's."""
    with t.bundle("env | grep -c CONFORMANCE_OUTSIDE || true") as box:
        argv = t.runtime.argv("run", box.id, (f"--bundle={box.path}",))
        done = t.command(argv, env={"CONFORMANCE_OUTSIDE": "1"})
        t.ok(done, "run")
        t.same("env | grep -c CONFORMANCE_OUTSIDE", "0", done.stdout.strip())


@check("process.oom-score-absent", _LINUX)
def oom_score_absent(t: Subject) -> None:
    """Without `oomScoreAdj` the value of the caller is left as it is."""
    with t.bundle("cat /proc/self/oom_score_adj") as box:
        run = shlex.join(t.runtime.argv("run", box.id, (f"--bundle={box.path}",)))
        done = t.command(["/bin/sh", "-c", f"echo 111 >/proc/self/oom_score_adj && exec {run}"])
        t.ok(done, "run")
        t.same("/proc/self/oom_score_adj", "111", done.stdout.strip())


@check("process.program-missing", _PROCESS)
def program_missing(t: Subject) -> None:
    """A program that does not exist is an error, of `create` or of `start`."""
    t.refuses({"process": {"args": ["/no/such/program"]}})


@check("process.program-not-executable", _PROCESS)
def program_not_executable(t: Subject) -> None:
    """A file that is not executable is an error, of `create` or of `start`."""
    with t.bundle(patch={"process": {"args": ["/program"]}}, files={"rootfs/program": "x"}) as box:
        (box.inside / "rootfs/program").chmod(0o644)
        done = box.engine("create")
        if done.ok:
            t.refused(box.engine("start"), "create; start")
        else:
            t.refused(done, "create")


@check("process.cwd-created", _PROCESS)
def cwd_missing(t: Subject) -> None:
    """A `cwd` that does not exist is made, or is an error: the program does not run elsewhere."""
    with t.bundle("pwd", patch={"process": {"cwd": "/made/for/it"}}) as box:
        done = box.engine("run")
        t.same("pwd", "/made/for/it", done.stdout.strip() if done.ok else "/made/for/it")


@check("process.exit-status", "runtime.md#lifecycle")
def exit_status(t: Subject) -> None:
    """The end of the program, with whatever status, stops the container."""
    with t.running("exit 7") as box:
        box.until("stopped")
        t.same(".status", "stopped", box.state().get("status"))


def _rlimit(kind: str, label: str, soft: int, hard: int, unit: str) -> None:
    def run(t: Subject) -> None:
        limit = {"type": f"RLIMIT_{kind}", "soft": soft, "hard": hard}
        t.prints(
            f"grep '{label}' /proc/self/limits",
            f"{label} {soft} {hard}{unit}",
            patch={"process": {"rlimits": [limit]}},
        )

    add(f"process.rlimit-{kind.lower()}", _POSIX, run, text="process.rlimit", kind=f"RLIMIT_{kind}")


_rlimit("NOFILE", "Max open files", 100, 200, " files")
_rlimit("CORE", "Max core file size", 1024, 2048, " bytes")
_rlimit("CPU", "Max cpu time", 100, 200, " seconds")
_rlimit("STACK", "Max stack size", 1 << 20, 2 << 20, " bytes")
_rlimit("NPROC", "Max processes", 1000, 2000, " processes")
_rlimit("MEMLOCK", "Max locked memory", 65536, 65536, " bytes")


@check("process.rlimit-unknown", _POSIX)
def rlimit_unknown(t: Subject) -> None:
    """A type of limit that the kernel lacks is an error."""
    t.refuses({"process": {"rlimits": [{"type": "RLIMIT_NONSENSE", "soft": 1, "hard": 1}]}})


@check("process.rlimit-twice", _POSIX)
def rlimit_twice(t: Subject) -> None:
    """One type of limit twice is an error."""
    limit = {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 100}
    t.refuses({"process": {"rlimits": [limit, {**limit, "soft": 50}]}})


def _capabilities(kind: str, field: str, sets: tuple[str, ...]) -> None:
    def run(t: Subject) -> None:
        named = {each: ["CAP_CHOWN", "CAP_KILL"] for each in sets}
        t.prints(
            _STATUS.format(name=field),
            f"{field}: {_CHOWN | _KILL:016x}",
            patch={"process": {"capabilities": named}},
        )

    add(f"process.capabilities-{kind}", _LINUX, run, text="process.capabilities", set=kind)


_PROPER = ("bounding", "permitted", "effective")
_capabilities("bounding", "CapBnd", _PROPER)
_capabilities("permitted", "CapPrm", _PROPER)
_capabilities("effective", "CapEff", _PROPER)
_capabilities("inheritable", "CapInh", (*_PROPER, "inheritable"))
_capabilities("ambient", "CapAmb", (*_PROPER, "inheritable", "ambient"))


@check("process.capabilities-empty", _LINUX)
def capabilities_empty(t: Subject) -> None:
    """Empty sets leave no capability."""
    sets: dict[str, list[str]] = {each: [] for each in (*_PROPER, "inheritable", "ambient")}
    t.prints(_STATUS.format(name="CapEff"), f"CapEff: {0:016x}", patch={"process": {"capabilities": sets}})


@check("process.capabilities-of-user", _LINUX)
def capabilities_of_user(t: Subject) -> None:
    """A user other than root has the ambient capabilities, and only those."""
    sets = {each: ["CAP_CHOWN", "CAP_KILL"] for each in (*_PROPER, "inheritable")}
    process = {"user": {"uid": 1000, "gid": 1000}, "capabilities": {**sets, "ambient": ["CAP_KILL"]}}
    t.prints(_STATUS.format(name="CapEff"), f"CapEff: {_KILL:016x}", patch={"process": process})


@check("process.capabilities-unknown", _LINUX)
def capabilities_unknown(t: Subject) -> None:
    """A capability that the kernel lacks is warned of, and the container runs."""
    sets = {each: ["CAP_CHOWN", "CAP_NONSENSE"] for each in _PROPER}
    t.prints(
        _STATUS.format(name="CapPrm"), f"CapPrm: {_CHOWN:016x}", patch={"process": {"capabilities": sets}}
    )


@check("process.terminal", _PROCESS)
def terminal(t: Subject) -> None:
    """With `terminal` the standard streams are one terminal, and it is the controlling one."""
    script = "test -t 0 && test -t 1 && test -t 2 && test -c /dev/tty && echo terminal >/told; exec sleep 60"
    _with_terminal(t, script, {}, "terminal")


@check("process.console-size", _PROCESS)
def console_size(t: Subject) -> None:
    """`consoleSize` is the size of the terminal."""
    _with_terminal(
        t, "stty size >/told; exec sleep 60", {"consoleSize": {"height": 33, "width": 77}}, "33 77"
    )


def _with_terminal(t: Subject, script: str, process: dict[str, Any], expected: str) -> None:
    """Run a script with a terminal, whose master a receiver takes at a console socket, as containerd does."""
    patch = {"process": {"terminal": True, **process}}
    receiver = (
        "import os,socket,sys,array,time\n"
        "s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(1)\n"
        "c,_=s.accept(); c.recvmsg(4096, socket.CMSG_SPACE(64)); time.sleep(60)\n"
    )
    if not t.command(["/bin/sh", "-c", "command -v python3"]).ok:
        raise InapplicableError("program", "python3")
    mount = {
        "destination": "/dev/pts",
        "type": "devpts",
        "source": "devpts",
        "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
    }
    with t.bundle(script, patch=patch, files={"receiver.py": receiver}, mounts=[mount]) as box:
        socket = f"{box.path}/console"
        receives = t.shell(f"python3 {box.path}/receiver.py {socket} >/dev/null 2>&1 </dev/null & echo $!")
        box.until_true(lambda: (box.inside / "console").exists())
        t.ok(box.engine("create", f"--console-socket={socket}"), "create")
        t.ok(box.engine("start"), "start")
        box.until_true(lambda: bool(box.read("rootfs/told").strip()))
        t.same(script.partition(";")[0], expected, " ".join(box.read("rootfs/told").split()))
        box.engine("kill", "KILL")
        box.until("stopped")
        t.shell(f"kill {receives.stdout}")


@check("process.no-terminal", _PROCESS)
def no_terminal(t: Subject) -> None:
    """Without `terminal` the streams of the caller are those of the program, and `consoleSize` is ignored."""
    process = {"consoleSize": {"height": 33, "width": 77}}
    t.prints("test -t 1 && echo terminal || echo pipe", "pipe", patch={"process": process})


@check("process.descriptors", "runtime-linux.md#file-descriptors")
def descriptors(t: Subject) -> None:
    """The program has the three standard streams, and no other open file."""
    t.prints("ls /proc/$$/fd", "0 1 2")


def _scheduler(policy: str, number: int, **members: Any) -> None:
    def run(t: Subject) -> None:
        if not t.command(["/bin/sh", "-c", "command -v chrt"]).ok:
            raise InapplicableError("program", "chrt")
        patch = {"ociVersion": "1.1.0", "process": {"scheduler": {"policy": policy, **members}}}
        # Field 41 of proc_pid_stat(5) is the policy.
        t.prints("cut -d' ' -f41 /proc/self/stat", str(number), patch=patch)

    add(
        f"process.scheduler-{policy.lower()[6:]}",
        _LINUX,
        run,
        text="process.scheduler",
        since="1.1.0",
        policy=policy,
    )


_scheduler("SCHED_BATCH", 3, nice=5)
_scheduler("SCHED_IDLE", 5)


@check("process.io-priority", _LINUX, since="1.1.0")
def io_priority(t: Subject) -> None:
    """`ioPriority` is set."""
    if not t.command(["/bin/sh", "-c", "command -v ionice"]).ok:
        raise InapplicableError("program", "ionice")
    patch = {"ociVersion": "1.1.0", "process": {"ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 3}}}
    t.prints("ionice", "best-effort: prio 3", patch=patch)


@check("process.signals", "runtime.md#start")
def signals(t: Subject) -> None:
    """The program begins with no signal blocked."""
    t.prints(_STATUS.format(name="SigBlk"), f"SigBlk: {0:016x}")
