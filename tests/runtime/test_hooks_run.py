"""Hooks: their input, their timeout, and the report of their failures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from runtime.lifecycle.hooks import run_hooks, run_poststop
from runtime.state import liveness
from runtime.state.store import Store
from runtime.support.errors import RuntError
from tutor import patience

if TYPE_CHECKING:
    from runtime.config.types import Config, Hook, State

STATE: State = {"ociVersion": "1.3.0", "id": "c", "status": "creating", "pid": 7, "bundle": "/b"}


def sh(script: str, **members: Any) -> Hook:
    return cast("Hook", {"path": "/bin/sh", "args": ["sh", "-c", script], **members})


def test_a_hook_gets_the_state_on_its_standard_input(tmp_path: Path) -> None:
    run_hooks("prestart", [sh(f"cat > {tmp_path}/state")], STATE, directory="/")
    assert json.loads((tmp_path / "state").read_text()) == STATE


def test_hooks_run_in_their_order_and_stop_at_the_first_failure(tmp_path: Path) -> None:
    log = tmp_path / "log"
    hooks = [sh(f"echo {number} >> {log}; exit {int(number == 2)}") for number in (1, 2, 3)]
    with pytest.raises(RuntError):
        run_hooks("createRuntime", hooks, STATE, directory="/")
    assert log.read_text() == "1\n2\n"


def test_an_error_names_kind_path_status_and_what_the_hook_said() -> None:
    with pytest.raises(RuntError) as caught:
        run_hooks("prestart", [sh("true"), sh("echo out; echo oops >&2; exit 3")], STATE, directory="/")
    assert caught.value.message == 'error running prestart hook #1: "/bin/sh": exit status 3: out oops'


def test_what_a_hook_says_cannot_control_the_terminal() -> None:
    with pytest.raises(RuntError) as caught:
        run_hooks("prestart", [sh("printf '\\033[2Jgone\\a'; exit 1")], STATE, directory="/")
    assert caught.value.message.endswith("exit status 1: ?[2Jgone?")


def test_a_hook_that_a_signal_ends_says_so() -> None:
    with pytest.raises(RuntError, match=r"signal: killed \(9\)"):
        run_hooks("prestart", [sh("kill -9 $$")], STATE, directory="/")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/no/such/hook", "no such file or directory"),
        ("/etc/passwd", "permission denied"),
        ("/", "permission denied"),
    ],
)
def test_a_hook_that_cannot_be_executed_says_why(path: str, reason: str) -> None:
    with pytest.raises(RuntError, match=f'prestart hook #0: "{path}": {reason}'):
        run_hooks("prestart", [{"path": path}], STATE, directory="/")


def test_args_are_the_whole_argv_and_default_to_the_path(tmp_path: Path) -> None:
    script = tmp_path / "hook"
    script.write_text(f"#!/bin/sh\ntr '\\0' '|' < /proc/$$/cmdline > {tmp_path}/out\n")
    script.chmod(0o755)
    run_hooks("poststart", [{"path": str(script)}], STATE, directory="/")
    assert (tmp_path / "out").read_text() == f"/bin/sh|{script}|"
    run_hooks("poststart", [{"path": "/bin/sh", "args": ["name", str(script), "x y"]}], STATE, directory="/")
    assert (tmp_path / "out").read_text() == f"name|{script}|x y|"


def test_env_is_exactly_what_is_configured(tmp_path: Path) -> None:
    hook: Hook = {"path": "/usr/bin/env", "args": ["env"], "env": ["A=1", "B=x=y"]}
    catch: Hook = {
        "path": "/bin/sh",
        "args": ["sh", "-c", f"/usr/bin/env > {tmp_path}/env"],
        "env": ["A=1", "B=x=y"],
    }
    run_hooks("prestart", [hook, catch], STATE, directory="/")
    assert {"A=1", "B=x=y"} <= set((tmp_path / "env").read_text().split()) <= {"A=1", "B=x=y", "PWD=/"}


def test_without_env_the_environment_is_inherited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_TEST", "inherited")
    run_hooks("prestart", [sh(f'printf %s "$HOOK_TEST" > {tmp_path}/env')], STATE, directory="/")
    assert (tmp_path / "env").read_text() == "inherited"


def test_a_hook_over_its_time_is_killed_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(RuntError, match=r"not finished after 1 second \(timeout\), killed"):
        run_hooks(
            "prestart", [sh(f"sleep 1000 & echo $! > {tmp_path}/pid; wait", timeout=1)], STATE, directory="/"
        )
    child = int((tmp_path / "pid").read_text())
    pidfd = liveness.open_pidfd(liveness.identify(child))
    if pidfd is not None:
        assert liveness.wait_for_exit(pidfd, 10)
        os.close(pidfd)


def test_a_hook_may_leave_something_in_the_background_that_holds_its_output(tmp_path: Path) -> None:
    run_hooks("poststart", [sh(f"sleep 1000 & echo $! > {tmp_path}/pid")], STATE, directory="/")
    background = liveness.identify(int((tmp_path / "pid").read_text()))
    assert liveness.send_signal(background, signal.SIGKILL)


@pytest.mark.parametrize("timeout", [None, 20])
def test_a_hook_need_not_read_its_input_however_long_that_is(timeout: int | None, tmp_path: Path) -> None:
    state = {**STATE, "annotations": {"a": "x" * 1_000_000}}
    done = tmp_path / "done"
    limit = {} if timeout is None else {"timeout": timeout}
    scripts = (
        "exec <&-; sleep 0.1; echo closed",
        "echo ended",
        "sleep 0.1; echo slow",
        "head -c 1; echo",
        f"cat >{tmp_path}/read",
    )
    began = time.monotonic()
    run_hooks(
        "prestart",
        [sh(f"{{ {script}; }} >>{done}", **limit) for script in scripts],
        cast("State", state),
        directory="/",
    )
    assert time.monotonic() - began < patience.scaled(10), "it was waited for a reader that there was not"
    assert done.read_text().split() == ["closed", "ended", "slow", "{"]
    assert json.loads((tmp_path / "read").read_text()) == state, "the last one has all of it"


def test_a_hook_reads_all_of_a_long_state(tmp_path: Path) -> None:
    state: State = {**STATE, "annotations": {"a": "x" * 1_000_000}}
    run_hooks("prestart", [sh(f"sleep 0.1; cat > {tmp_path}/state")], state, directory="/")
    assert json.loads((tmp_path / "state").read_text()) == state


def test_a_hook_may_say_much() -> None:
    with pytest.raises(RuntError) as caught:
        run_hooks("prestart", [sh("yes no | head -c 3000000; exit 1")], STATE, directory="/")
    assert caught.value.message.count("no") < 1000


def test_a_hook_has_default_signal_handling(tmp_path: Path) -> None:
    """Python ignores SIGPIPE; a hook that inherited that would never end in `yes | head`."""
    run_hooks("prestart", [sh(f"grep SigIgn /proc/self/status > {tmp_path}/ignored")], STATE, directory="/")
    assert (tmp_path / "ignored").read_text().split()[1].strip("0") == ""


def test_a_failing_poststop_hook_is_a_warning_and_the_next_one_runs(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_poststop([sh("echo oops; exit 1"), sh(f"touch {tmp_path}/second")], STATE, directory="/")
    assert (tmp_path / "second").exists()
    said = capfd.readouterr().err
    assert "level=warning" in said
    assert "poststop hook" in said
    assert "oops" in said


def test_no_child_is_left_unreaped() -> None:
    def children() -> str:
        return Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text()

    # Other tests' daemons may be children of this process too.
    before = children()
    run_hooks("prestart", [sh("true")], STATE, directory="/")
    with pytest.raises(RuntError):
        run_hooks("prestart", [{"path": "/nonexistent"}], STATE, directory="/")
    assert children() == before


def test_a_hook_is_journalled_while_it_runs(tmp_path: Path) -> None:
    store = Store(f"{tmp_path}/root")
    entry = store.reserve("c", bundle="/b", rootfs="/r", config=cast("Config", {"ociVersion": "1.0.0"}))
    run_hooks(
        "prestart",
        [sh(f"cp {entry.dir}/state.json {tmp_path}/journal; echo $$ > {tmp_path}/pid")],
        STATE,
        entry,
        directory="/",
    )
    journal = json.loads((tmp_path / "journal").read_text())
    assert journal["hook"]["pid"] == int((tmp_path / "pid").read_text())
    assert store.open("c").record["hook"] is None


def test_what_a_killed_runtime_leaves_of_a_hook_can_be_found_and_ended(tmp_path: Path) -> None:
    """The runtime is killed while it waits for a hook that never ends: `delete --force` ends the hook's whole group."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    code = (
        "import sys\nfrom runtime.state.store import Store\nfrom runtime.lifecycle.hooks import run_hooks\n"
        "e = Store(sys.argv[1]).reserve('c', bundle='/b', rootfs='/r', config={'ociVersion': '1.0.0', 'linux': {}})\n"
        "hook = {'path': '/bin/sh', 'args': ['sh', '-c', 'sleep 1000 & echo $! > ' + sys.argv[2] + '; wait']}\n"
        "run_hooks('prestart', [hook], e.state(), e, directory='/')\n"
    )
    root = f"{tmp_path}/root"
    with subprocess.Popen([sys.executable, "-c", code, root, str(fifo)]) as creator:
        sleeper = liveness.identify(int(fifo.read_text()))
        assert sleeper is not None
        creator.kill()
        creator.wait()
        hook = Store(root).open("c").record["hook"]
        assert liveness.is_alive(hook)
        deleted = subprocess.run(
            [sys.executable, "-m", "runtime", "--root", root, "delete", "--force", "c"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (deleted.returncode, deleted.stderr) == (0, "")
        pidfd = liveness.open_pidfd(sleeper)
        if pidfd is not None:
            assert liveness.wait_for_exit(pidfd, 10)
            os.close(pidfd)
    assert Store(root).ids() == []
