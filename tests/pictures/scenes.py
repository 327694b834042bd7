"""Every screen of the TUI as a scene: its name, the way to it, and the sizes at which it is drawn. Add a row for a new screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support import staged_values as values

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.stage import Size, Stage

NARROW, MEDIUM, WIDE = (80, 24), (120, 40), (200, 60)
SIZES = (NARROW, MEDIUM, WIDE)
"""One pane at a time, two columns, three columns."""
TOO_SMALL = (79, 23)


@dataclass(frozen=True, slots=True)
class Scene:
    """A screen: the name of its picture, the way to it from any other scene, its sizes and its colours."""

    name: str
    reach: Callable[[Stage], Awaitable[None]]
    sizes: tuple[Size, ...] = SIZES
    light: bool = False
    no_color: bool = False


# -- the list of lessons -------------------------------------------------------------------------------------------


async def home(stage: Stage) -> None:
    await stage.go_home()


async def home_engines(stage: Stage) -> None:
    await stage.go_home()
    await stage.press("e")


async def home_play(stage: Stage) -> None:
    await stage.go_home()
    await stage.press("p")


async def home_help(stage: Stage) -> None:
    await stage.go_home()
    await stage.press("question_mark")


async def home_palette(stage: Stage) -> None:
    await stage.go_home()
    await stage.press("ctrl+p")


async def home_refused(stage: Stage) -> None:
    await stage.go_home()
    await stage.refused("session.error.in_use", pid=4242)


async def opening(stage: Stage) -> None:
    await stage.go_home()
    await stage.hold_opening()


# -- the guide -----------------------------------------------------------------------------------------------------


async def read(stage: Stage) -> None:
    await stage.stand_at("operations")


async def shell(stage: Stage) -> None:
    await stage.stand_at("bundle")


async def terminal(stage: Stage) -> None:
    """The shell is a real one, outside of a lab; it is given the little that looks the same on every machine."""
    await stage.stand_at("bundle")
    await stage.press("f9")
    await stage.until("lab $")
    await stage.press(*"echo $((6 * 7))", "enter")
    await stage.until("42", "lab $")


async def observe(stage: Stage) -> None:
    await stage.stand_at("generated-config")


async def edit(stage: Stage) -> None:
    await stage.stand_at("echo-config")


async def check_failed(stage: Stage) -> None:
    await stage.stand_at("echo-config")
    stage.session.config(values.ECHO.replace('"echo",\n      "alpine"', '"echo alpine"'))
    see = f"cat {stage.session.config_path}"
    found = ("config.json /process/args", '["echo", "alpine"]', '["echo alpine"]', see)
    stage.session.judge(found, None, None, None)
    stage.session.hint("one-word")
    stage.session.offer_hint()


async def hints(stage: Stage) -> None:
    await stage.stand_at("echo-config")
    stage.session.hint("where", 1, 3)
    stage.session.hint("comma", 2, 3)


def _echo_is_found(stage: Stage) -> None:
    """The checks of the step in which `config.json` is to run `echo alpine` have passed."""
    see = f"cat {stage.session.config_path}"
    proc = '{"destination": "/proc", "type": "proc"}'
    mounted = stage.m("course.check.json.contains", value=proc)
    stage.session.pass_all(
        ("config.json /process/args", '["echo", "alpine"]', '["echo", "alpine"]', see),
        ("config.json /process/terminal", "false", "false", see),
        ("config.json /linux", "{}", "{}", see),
        ("config.json /mounts", mounted, f'[{proc[:-1]}, "source": "proc"}}]', see),
    )


async def edit_passed(stage: Stage) -> None:
    await stage.stand_at("echo-config")
    stage.session.config(values.ECHO)
    _echo_is_found(stage)
    stage.session.pass_step()


async def solved(stage: Stage) -> None:
    await stage.stand_at("echo-config")
    stage.session.config(values.ECHO, "solution")
    stage.session.notice(
        "information", "session.notice.kept", path=f"{stage.session.bundle}/config.json.bak-1"
    )
    _echo_is_found(stage)
    stage.session.solve()


async def quiz(stage: Stage) -> None:
    await stage.stand_at("predict-create")
    await stage.press("down")


async def quiz_predicted(stage: Stage) -> None:
    await quiz(stage)
    stage.session.answer("b", correct=True)
    stage.session.pass_step()


async def quiz_wrong(stage: Stage) -> None:
    await stage.stand_at("review")
    stage.session.answer("a", correct=False)


async def quiz_right(stage: Stage) -> None:
    await stage.stand_at("review")
    stage.session.answer("d", correct=True)
    stage.session.pass_step()


async def typed_answer(stage: Stage) -> None:
    await stage.stand_at("image-id", "docker-archive")
    await stage.press("a", *"sha256:4d1")


async def typed_answer_wrong(stage: Stage) -> None:
    await typed_answer(stage)
    stage.session.answer("sha256:4d1", correct=False)


async def task(stage: Stage) -> None:
    await stage.stand_at("unpack", "bundle")


async def finished(stage: Stage) -> None:
    await stage.stand_at("finish")
    stage.session.pass_step()
    stage.session.finish(solved=2)


async def glossary(stage: Stage) -> None:
    await stage.stand_at("echo-config")
    await stage.press("g")


# -- commands and what comes of them -------------------------------------------------------------------------------


async def created(stage: Stage) -> None:
    await stage.stand_at("create")
    stage.session.config(values.ECHO)
    stage.session.create()
    state = stage.m("course.check.state.looked_at", command="runt state alpine-test")
    program = stage.m("course.check.process.not_yet", program="echo alpine")
    cmdline = f"/proc/{values.PID}/cmdline"
    stage.session.pass_all(
        (state, "status = created", "status = created", "runt state alpine-test"),
        (cmdline, program, " ".join(values.CREATED.cmdline), rf"tr '\0' ' ' < {cmdline}"),
    )
    stage.session.pass_step()


async def created_config(stage: Stage) -> None:
    await created(stage)
    await stage.press("2", "escape")


async def created_processes(stage: Stage) -> None:
    await created(stage)
    await stage.press("6")


async def config(stage: Stage) -> None:
    await stage.stand_at("echo-config")
    await stage.press("2")


async def config_mistake(stage: Stage) -> None:
    await stage.stand_at("echo-config")
    await stage.press("2", *["down"] * 3, "end", "left", "x")


async def output(stage: Stage) -> None:
    await stage.stand_at("state")
    stage.session.config(values.ECHO)
    stage.session.created_before()
    blank = " " * (len(stage.session.bundle) - len("BUNDLE"))
    listed = values.LISTED.format(pid=values.PID, bundle=stage.session.bundle, blank=blank)
    stage.session.run("runt list", listed, seconds=0.02)
    stage.session.run(
        "runt state alpine-test",
        values.STATE.format(pid=values.PID, bundle=stage.session.bundle),
        seconds=0.02,
    )
    await stage.press("3")


async def explained(stage: Stage) -> None:
    await stage.stand_at("start")
    stage.session.config(values.ECHO.replace('"echo"', '"ehco"'))
    stage.session.created_before()
    said = 'exec: "ehco": executable file not found in $PATH: no such file or directory'
    logged = 'time="2026-04-01T09:30:00Z" level=error msg="{}"\n'.format(said.replace('"', r"\""))
    call = stage.session.run("runt start alpine-test", logged, code=1, seconds=0.03)
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    where = {"at": "10:7", "pointer": "/process/args/0", "clause": "config.md#process"}
    stage.session.explain(call, "program.not_in_path", name="ehco", path=path, **where)
    await stage.press("3")


async def failure_wanted(stage: Stage) -> None:
    await stage.stand_at("delete-running")
    stage.session.config(values.ECHO)
    sleeping = values.process(values.PID, values.PID, "sleep 1000", ("clock_nanosleep(…)", "sleep"))
    stage.session.container("running", "kill", shows=values.seen(sleeping))
    said = "cannot delete container alpine-test that is not stopped: running"
    logged = f'time="2026-04-01T09:30:00Z" level=error msg="{said}"\n'
    call = stage.session.run("runt delete alpine-test", logged, code=1, seconds=0.03)
    stage.session.explain(
        call, "state.delete_alive", status="running", expected=True, clause="runtime.md#delete"
    )
    await stage.press("3")


async def running(stage: Stage) -> None:
    await stage.stand_at("create")
    stage.session.hold.clear()
    await stage.press("f5")
    await stage.until("$ runt create alpine-test")
    await stage.press("n")


async def recorded(stage: Stage) -> None:
    await stage.stand_at("pid", "docker-runtime", recorded=True)
    stage.session.run("docker inspect --format '{{.State.Pid}}' web", f"{values.PID}\n", recorded=True)


async def not_yet(stage: Stage) -> None:
    await stage.stand_at("echo-config")
    missing = "\n".join(f"✗ {text}" for text in stage.session.check_texts)
    stage.session.notice("warning", "session.notice.not_yet", missing=missing)


async def lab_ended(stage: Stage) -> None:
    await stage.stand_at("create")
    stage.session.notice("error", "session.error.lab_ended")


async def quit_how(stage: Stage) -> None:
    await stage.stand_at("create")
    await stage.press("ctrl+c")


async def command_line(stage: Stage) -> None:
    await stage.stand_at("create")
    await stage.press("colon")


async def command_line_completing(stage: Stage) -> None:
    await stage.stand_at("create")
    await stage.press("colon", *"kill ")


# -- what the kernel shows -----------------------------------------------------------------------------------------


async def namespaces(stage: Stage) -> None:
    await stage.stand_at("network-namespace", "namespaces")
    sleeping = values.process(values.PID, 1, "sleep 1000", ("clock_nanosleep(…)", "sleep"))
    own = ("mnt", "pid", "ipc", "uts", "user")
    stage.session.created_before(values.seen(sleeping, own=own, uids=values.UIDS))
    stage.session.container(
        "running", "kill", shows=values.seen(sleeping, own=(*own, "net"), uids=values.UIDS)
    )
    await stage.press("4")


async def mounts(stage: Stage) -> None:
    await stage.stand_at("bind", "mounts")
    own = ("mnt", "pid")
    stage.session.created_before(values.seen(own=own, mounts=values.MOUNTS_BEFORE))
    stage.session.container(
        "created", "start", "kill", shows=values.seen(own=own, mounts=values.MOUNTS_AFTER)
    )
    await stage.press("5")


async def processes(stage: Stage) -> None:
    await stage.stand_at("pid-namespace", "namespaces")
    first = values.process(values.PID, 1, "sh -c 'sleep 1000 & cat /pipe & wait'", ("wait4(-1)", "child"))
    stage.session.created_before(values.seen(values.CREATED, own=("mnt", "pid")))
    shows = values.seen(
        first,
        values.process(values.PID + 3, 4, "sleep 1000", ("clock_nanosleep(…)", "sleep"), depth=1),
        values.process(values.PID + 4, 5, "cat /pipe", ("read(0)", "read_pipe"), depth=1),
        values.process(values.PID + 6, 7, "yes", state="R", depth=1),
        values.process(values.PID + 7, 8, "true", state="Z", depth=1),
        own=("mnt", "pid"),
    )
    stage.session.container("running", "kill", shows=shows)
    await stage.press("6")


async def cgroup(stage: Stage) -> None:
    await stage.stand_at("oom", "cgroups")
    sleep = values.process(values.PID, 1, "sleep 1000", ("clock_nanosleep(1000 s)", "sleep"))
    stage.session.container("running", "kill", shows=values.seen(sleep, own=("mnt", "pid"), oom_kills=0))
    stage.session.enter(stage.session.index)
    stage.session.container("running", "kill", shows=values.seen(sleep, own=("mnt", "pid"), oom_kills=1))
    await stage.press("9")


async def paused(stage: Stage) -> None:
    await stage.stand_at("pid-namespace", "namespaces")
    stage.session.config(values.ECHO)
    stage.session.container("paused", "kill", "resume", shows=values.seen(own=("mnt", "pid")))


async def stopped(stage: Stage) -> None:
    await stage.stand_at("stopped")
    stage.session.config(values.ECHO)
    stage.session.container("stopped", "delete", shows=values.ENDED)
    await stage.press("4")


# -- dialogs -------------------------------------------------------------------------------------------------------


async def changed_outside(stage: Stage) -> None:
    await config_mistake(stage)
    stage.session.config(values.ECHO)


async def unsaved(stage: Stage) -> None:
    await config_mistake(stage)
    await stage.press("ctrl+q")


async def interrupting(stage: Stage) -> None:
    await running(stage)
    await stage.press("q")


def asked_for(line: str) -> Callable[[Stage], Awaitable[None]]:
    """A line of the command language that asks something first."""

    async def reach(stage: Stage) -> None:
        await stage.stand_at("create")
        await stage.press("colon", *line, "enter")

    return reach


async def keys(stage: Stage) -> None:
    await stage.stand_at("create")
    await stage.press("question_mark")


async def palette(stage: Stage) -> None:
    await stage.stand_at("create")
    await stage.press("ctrl+p")


async def palette_search(stage: Stage) -> None:
    await palette(stage)
    await stage.press(*"del")


# -- free play -----------------------------------------------------------------------------------------------------


async def free_play(stage: Stage) -> None:
    await stage.play()


SCENES = (
    Scene("home", home),
    Scene("home-engines", home_engines),
    Scene("home-play", home_play),
    Scene("home-help", home_help),
    Scene("home-palette", home_palette),
    Scene("home-refused", home_refused),
    Scene("opening", opening),
    Scene("too-small", home, (TOO_SMALL,)),
    # The guide, by kinds of steps and what has come of them.
    Scene("read", read),
    Scene("shell", shell),
    Scene("observe", observe),
    Scene("edit", edit),
    Scene("check-failed", check_failed),
    Scene("hints", hints),
    Scene("edit-passed", edit_passed),
    Scene("solved", solved),
    Scene("quiz", quiz),
    Scene("quiz-predicted", quiz_predicted),
    Scene("quiz-wrong", quiz_wrong),
    Scene("quiz-right", quiz_right),
    Scene("typed-answer", typed_answer),
    Scene("typed-answer-wrong", typed_answer_wrong),
    Scene("task", task),
    Scene("finished", finished),
    Scene("glossary", glossary, (NARROW,)),
    # Commands, and what comes of them.
    Scene("created", created),
    Scene("created-config", created_config, (MEDIUM,)),
    Scene("created-processes", created_processes, (NARROW,)),
    Scene("config", config),
    Scene("config-mistake", config_mistake),
    Scene("output", output),
    Scene("explained", explained),
    Scene("failure-wanted", failure_wanted),
    Scene("running", running),
    Scene("recorded", recorded),
    Scene("not-yet", not_yet),
    Scene("lab-ended", lab_ended),
    Scene("quit-how", quit_how, (NARROW,)),
    Scene("command-line", command_line),
    Scene("command-line-completing", command_line_completing, (NARROW,)),
    # What the kernel shows.
    Scene("namespaces", namespaces),
    Scene("mounts", mounts),
    Scene("processes", processes),
    Scene("paused", paused, (NARROW, MEDIUM)),
    Scene("stopped", stopped),
    # Over the lesson. What asks has one look: one of them is drawn at every size.
    Scene("changed-outside", changed_outside),
    Scene("unsaved", unsaved, (NARROW,)),
    Scene("interrupting", interrupting, (NARROW,)),
    Scene("ask-reset", asked_for("reset"), (NARROW,)),
    Scene("ask-solve", asked_for("solve"), (NARROW,)),
    Scene("ask-engine", asked_for("engine runc"), (NARROW,)),
    Scene("engines", asked_for("engine")),
    Scene("keys", keys),
    Scene("palette", palette),
    Scene("palette-search", palette_search),
    # Those that leave something in the panes come last.
    Scene("cgroup", cgroup),
    Scene("terminal", terminal),
    Scene("free-play", free_play),
    # In other colours than those that the TUI begins with.
    Scene("light-home", home, (NARROW,), light=True),
    Scene("light-created", created, (MEDIUM,), light=True),
    Scene("light-config-mistake", config_mistake, (MEDIUM,), light=True),
    Scene("light-keys", keys, (NARROW,), light=True),
    Scene("no-color-home", home, (NARROW,), no_color=True),
    Scene("no-color-created", created, (MEDIUM,), no_color=True),
)
