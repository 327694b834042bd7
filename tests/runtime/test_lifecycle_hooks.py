"""The six kinds of hooks in a real lifecycle: order, namespaces, state, and the effect of a failure (config.md; runtime.md 1.3)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runtime.state import liveness
from tests.support.runt import Bundle, Runt
from tutor import patience

pytestmark = pytest.mark.root

ID = f"hooks-{os.getpid()}"
KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
IN_CONTAINER = ("createContainer", "startContainer")


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    bundle = Bundle(tmp_path / "bundle").namespaces("pid", "uts")
    bundle.config["hostname"] = "inside"
    bundle.config["annotations"] = {"org.example": "yes"}
    return bundle


def hook(bundle: Bundle, kind: str, script: str) -> dict[str, Any]:
    """Return a hook that runs a shell script; `$LOG` is the bundle's log file, wherever the hook runs."""
    log = "/log" if kind == "startContainer" else f"{bundle.rootfs}/log"
    return {
        "path": "/bin/sh",
        "args": ["sh", "-c", script],
        "env": [f"LOG={log}", "PATH=/bin:/usr/bin:/sbin"],
    }


def log(bundle: Bundle) -> list[str]:
    path = bundle.rootfs / "log"
    return path.read_text().splitlines() if path.exists() else []


def all_kinds(bundle: Bundle, script: str) -> None:
    bundle.config["hooks"] = {kind: [hook(bundle, kind, script.replace("KIND", kind))] for kind in KINDS}


def test_start_container_hook_has_the_programs_environment_with_home(runt: Runt, bundle: Bundle) -> None:
    bundle.process["env"] = ["PATH=/bin", "GREETING=hello"]
    each = hook(bundle, "startContainer", 'echo "$GREETING $HOME" >/log')
    del each["env"]
    bundle.config["hooks"] = {"startContainer": [each]}
    runt.run(bundle.sh("true"), ID)
    assert log(bundle) == ["hello /"]


def test_hooks_run_in_the_order_of_the_lifecycle(runt: Runt, bundle: Bundle) -> None:
    all_kinds(bundle, 'echo KIND >> "$LOG"')
    bundle.sh("echo program >> /log")
    runt.create(bundle, ID)
    assert log(bundle) == ["prestart", "createRuntime", "createContainer"]
    runt.ok("start", ID)
    runt.wait_until_stopped(ID)
    assert sorted(log(bundle)[3:]) == ["poststart", "program", "startContainer"]
    assert log(bundle)[3] == "startContainer"
    runt.ok("delete", ID)
    assert log(bundle)[6:] == ["poststop"]


def test_each_hook_gets_the_state_of_its_moment(runt: Runt, bundle: Bundle) -> None:
    all_kinds(bundle, 'tr -d "\\n" >> "$LOG"; echo >> "$LOG"')
    bundle.process["args"] = ["sleep", "1000"]
    runt.create(bundle, ID)
    pid = runt.state(ID)["pid"]
    runt.ok("start", ID)
    runt.ok("kill", ID, "KILL")
    runt.wait_until_stopped(ID)
    runt.ok("delete", ID)
    states = dict(zip(KINDS, map(json.loads, log(bundle)), strict=True))
    common = {
        "ociVersion": "1.3.0",
        "id": ID,
        "bundle": str(bundle.path),
        "annotations": {"org.example": "yes"},
    }
    assert states == {
        "prestart": {**common, "status": "created", "pid": pid},
        "createRuntime": {**common, "status": "created", "pid": pid},
        # "For hooks executed in the container namespace, it is the pid as seen by the container."
        "createContainer": {**common, "status": "created", "pid": 1},
        "startContainer": {**common, "status": "created", "pid": 1},
        "poststart": {**common, "status": "running", "pid": pid},
        "poststop": {**common, "status": "stopped"},
    }


def test_hooks_run_in_the_namespaces_that_their_kind_says(runt: Runt, bundle: Bundle) -> None:
    all_kinds(bundle, 'echo "$(readlink /proc/self/ns/uts) $(hostname)" >> "$LOG"')
    runt.create(bundle, ID)
    inside = str(Path(f"/proc/{runt.state(ID)['pid']}/ns/uts").readlink())
    runt.ok("start", ID)
    runt.wait_until_stopped(ID)
    runt.ok("delete", ID)
    namespaces = [line.split()[0] for line in log(bundle)]
    host = str(Path("/proc/self/ns/uts").readlink())
    assert dict(zip(KINDS, namespaces, strict=True)) == {
        kind: inside if kind in IN_CONTAINER else host for kind in KINDS
    }
    assert log(bundle)[3].split()[1] == "inside"


@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer"])
def test_a_failing_hook_of_create_destroys_the_container(runt: Runt, bundle: Bundle, kind: str) -> None:
    """runtime.md, steps 3 to 5: an error, the container is stopped, and the lifecycle continues at step 12: destroyed, poststop."""
    bundle.config["hooks"] = {
        kind: [hook(bundle, kind, "echo oops >&2; exit 7"), hook(bundle, kind, 'echo never >> "$LOG"')],
        "poststop": [hook(bundle, "poststop", 'echo poststop >> "$LOG"')],
    }
    message = runt.fail(bundle, ID)
    assert f'error running {kind} hook #0: "/bin/sh": exit status 7: oops' in message.replace('\\"', '"')
    assert log(bundle) == ["poststop"]
    assert runt("state", ID).returncode == 1


def test_a_failing_start_container_hook_destroys_the_container(runt: Runt, bundle: Bundle) -> None:
    bundle.config["hooks"] = {
        "startContainer": [hook(bundle, "startContainer", "echo oops; exit 7")],
        "poststart": [hook(bundle, "poststart", 'echo poststart >> "$LOG"')],
        "poststop": [hook(bundle, "poststop", 'echo poststop >> "$LOG"')],
    }
    bundle.sh("echo program >> /log")
    runt.create(bundle, ID)
    done = runt("start", ID)
    assert done.returncode == 1
    assert "startContainer hook #0" in done.stderr
    assert "exit status 7: oops" in done.stderr
    assert log(bundle) == ["poststop"]
    assert runt.ok("list", "-q") == ""


def test_a_failing_poststart_hook_stops_and_destroys_the_container(runt: Runt, bundle: Bundle) -> None:
    """As of 1.3; up to 1.2 it was a warning."""
    bundle.config["hooks"] = {
        "poststart": [hook(bundle, "poststart", "exit 7"), hook(bundle, "poststart", 'echo never >> "$LOG"')],
        "poststop": [hook(bundle, "poststop", 'echo poststop >> "$LOG"')],
    }
    bundle.process["args"] = ["sleep", "1000"]
    runt.create(bundle, ID)
    pid = runt.state(ID)["pid"]
    done = runt("start", ID)
    assert done.returncode == 1
    assert "error running poststart hook #0" in done.stderr
    assert log(bundle) == ["poststop"]
    assert liveness.identify(pid) is None
    assert runt.ok("list", "-q") == ""


def test_a_failing_poststop_hook_is_a_warning(runt: Runt, bundle: Bundle) -> None:
    bundle.config["hooks"] = {
        "poststop": [hook(bundle, "poststop", "exit 7"), hook(bundle, "poststop", 'echo second >> "$LOG"')]
    }
    runt.create(bundle, ID)
    runt.ok("kill", ID, "KILL")
    runt.wait_until_stopped(ID)
    done = runt("delete", ID)
    assert done.returncode == 0
    assert "level=warning" in done.stderr
    assert "error running poststop hook #0" in done.stderr
    assert log(bundle) == ["second"]
    assert runt.ok("list", "-q") == ""


def test_a_hook_of_create_over_its_time_fails_create(runt: Runt, bundle: Bundle) -> None:
    bundle.config["hooks"] = {
        "createContainer": [{**hook(bundle, "createContainer", "sleep 1000"), "timeout": 1}]
    }
    assert "createContainer hook #0" in (message := runt.fail(bundle, ID))
    assert "not finished after 1 second (timeout), killed" in message


def test_hooks_get_no_descriptor_but_the_standard_streams(runt: Runt, bundle: Bundle) -> None:
    """Neither the caller's nor runt's: what ls and a shell open for themselves are /proc and pipes."""
    all_kinds(bundle, 'echo KIND >> "$LOG"; ls -l /proc/self/fd | grep -v pipe: >> "$LOG"')
    bundle.save()
    with (bundle.path / "config.json").open() as extra:
        os.set_inheritable(extra.fileno(), True)
        runt.ok("run", "-b", str(bundle.path), ID, pass_fds=[extra.fileno()])
    said = log(bundle)
    assert [line for line in said if line in KINDS] == list(KINDS)
    targets = {line.partition(" -> ")[2] for line in said if " -> " in line}
    assert not [
        target for target in targets if not target.startswith(("/proc/", "/dev/null", f"{bundle.rootfs}/log"))
    ]


def test_hooks_of_a_bundle_with_a_spec_older_than_1_0_2_run_in_create_too(runt: Runt, bundle: Bundle) -> None:
    """1.0.1 ran prestart after start; 1.0.2 moved it into create, where runc always had it."""
    bundle.config["ociVersion"] = "1.0.0"
    bundle.config["hooks"] = {"prestart": [hook(bundle, "prestart", 'echo prestart >> "$LOG"')]}
    runt.create(bundle, ID)
    assert log(bundle) == ["prestart"]


@pytest.mark.parametrize("program", ["runt", pytest.param("runc", marks=pytest.mark.peer("runc"))])
def test_without_env_a_hook_inside_gets_the_programs_environment_and_others_the_callers(
    bundle: Bundle, runt: Runt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str
) -> None:
    """Each runs in the bundle, or in the container's root, as with runc 1.1.5 and 1.1.15."""
    monkeypatch.setenv("OUTSIDE", "1")
    monkeypatch.chdir(tmp_path)
    bundle.process["env"] = ["PATH=/bin", "INSIDE=first", "INSIDE=last"]
    for kind in KINDS:
        path = f"/{kind}" if kind == "startContainer" else f"{bundle.rootfs}/{kind}"
        script = f'echo "$(pwd) outside=$OUTSIDE inside=$INSIDE" > {path}'
        bundle.config.setdefault("hooks", {})[kind] = [{"path": "/bin/sh", "args": ["sh", "-c", script]}]
    bundle.save()
    if program == "runt":
        runt.ok("run", "-b", str(bundle.path), ID)
    else:
        words = [program, "--root", f"{tmp_path}/runc", "run", "-b", str(bundle.path), ID]
        subprocess.run(words, stdin=subprocess.DEVNULL, check=True, timeout=patience.scaled(60))
    said = {kind: (bundle.rootfs / kind).read_text().strip() for kind in KINDS}
    # runc 1.3.6 hands nothing down to createContainer.
    if program == "runc" and said["createContainer"].endswith("inside="):
        said["createContainer"] += "last"
    assert said == {
        **dict.fromkeys(KINDS, f"{bundle.path} outside=1 inside="),
        "createContainer": f"{bundle.rootfs} outside= inside=last",
        "startContainer": "/ outside= inside=last",
    }


def test_a_poststop_hook_runs_although_the_bundle_is_gone(runt: Runt, bundle: Bundle, tmp_path: Path) -> None:
    bundle.config["hooks"] = {
        "poststop": [{"path": "/bin/sh", "args": ["sh", "-c", f"pwd > {tmp_path}/said"]}]
    }
    runt.create(bundle, ID)
    runt.ok("kill", ID, "KILL")
    runt.wait_until_stopped(ID)
    bundle.path.rename(tmp_path / "moved")
    runt.ok("delete", ID)
    assert (tmp_path / "said").read_text() == "/\n"
