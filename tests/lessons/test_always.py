"""What lessons say of every version of an engine (`{always}`), on the engines here: another release may no longer do it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.engines import Stage, stage
from tests.support.lab import bundle, until, write_config
from tests.support.session import every_engine
from tutor.engines.engine import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tutor.engines.model import EngineName

pytestmark = pytest.mark.root
APART = {"namespaces": [{"type": "mount"}]}
# With a mount on /dev, so that a root can be used again with every version of runc.
MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
]
# In /proc/PID/wchan, by the kernel's version.
FIFO_OPEN = {"wait_for_partner", "fifo_open", "pipe_wait"}
SELECT = {"poll_schedule_timeout", "do_select"}


@pytest.fixture(scope="module", params=every_engine.args[1])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Return one lab for each engine."""
    tmp_path = tmp_path_factory.mktemp(request.param)
    with stage(tmp_path, request.param, bundle(tmp_path)) as made:
        yield made


@pytest.fixture(name="here")
def _here(shared: Stage) -> Iterator[Stage]:
    shared.said.clear()
    yield shared
    if shared.status() != "none":
        shared.run("kill", "KILL")
        shared.run("delete", "--force")
    (shared.bundle / "called").unlink(missing_ok=True)


@pytest.fixture(name="engine")
def _engine(here: Stage) -> EngineName:
    return here.runner.engine.name


def configure(here: Stage, *args: str, **changes: Any) -> None:
    write_config(here.bundle, args or ("sleep", "1000"), **({"linux": APART, "mounts": MOUNTS} | changes))


def pid(here: Stage) -> int:
    state = here.runner.query_state("box")
    assert state is not None
    return state.pid


def test_create_uses_the_current_directory_and_waits_for_start_on_its_fifo(
    here: Stage, engine: EngineName
) -> None:
    """first-container: the command line, and what the process waits for."""
    configure(here)
    made = here.lab.spawn(
        [str(find(engine).path), "create", "box"], cwd=here.bundle, stdin=0, stdout=2, stderr=2
    )
    assert made.wait(20) == 0
    threads = [each / "wchan" for each in Path(f"/proc/{pid(here)}/task").iterdir()]
    waits = SELECT if engine == "crun" else FIFO_OPEN
    until(lambda: any(each.read_text().partition(".")[0] in waits for each in threads))
    assert here.run("delete", "--force").returncode == 0
    assert here.status() == "none"


def test_where_the_record_of_a_container_is(here: Stage, engine: EngineName) -> None:
    """lifecycle: `state.json` of runc, a copy of config.json of crun and runt; without a record there is no container."""
    configure(here)
    missing = here.run("state")
    assert missing.returncode
    assert engine != "crun" or "/run/crun/box/status" in missing.stderr
    here.run("create")
    record = Path(f"/proc/{here.lab.keeper_pid}/root/run/{engine}/box")
    text = (record / ("state.json" if engine == "runc" else "config.json")).read_text()
    assert "rootfs" in text
    here.run("delete", "--force")
    assert not record.exists()


@pytest.mark.parametrize(("hook", "called"), [("prestart", "create"), ("poststop", "delete")])
def test_when_hooks_are_called(here: Stage, hook: str, called: str) -> None:
    """hooks: `prestart` in `create`, as since 1.0.2; `poststop` in `delete`, and not when the process ends."""
    mark = here.bundle / "called"
    # A hook that ends without reading the state from its standard input ends crun by SIGPIPE now and then (1.8.1, 1.21).
    reads = {"path": "/bin/sh", "args": ["sh", "-c", f"cat >'{mark}'"]}
    configure(here, "true", hooks={hook: [reads]})
    seen = []
    for operation in ("create", "start", "delete"):
        if operation == "delete":
            here.until_status("stopped")
            assert mark.exists() is (hook == "prestart")
        assert here.run(operation).returncode == 0
        if mark.exists():
            seen.append(operation)
    assert seen[0] == called


def test_home_is_looked_up_in_the_containers_passwd(here: Stage) -> None:
    """process: it is added where it is not given."""
    configure(here, "sh", "-c", "echo $HOME")
    config = json.loads((here.bundle / "config.json").read_text())
    config["process"]["env"] = ["PATH=/bin:/usr/bin"]
    (here.bundle / "config.json").write_text(json.dumps(config))
    here.run("create")
    here.run("start")
    until(lambda: here.printed("create") == "/root\n")
    here.until_status("stopped")


def test_kill_ends_a_frozen_container_of_runc_and_runt(here: Stage, engine: EngineName) -> None:
    """cgroups: with version 1 they thaw it; `pause` is there."""
    configure(here)
    here.run("create")
    here.run("start")
    assert here.run("pause").returncode == 0
    assert here.status() == "paused"
    assert here.run("kill", "KILL").returncode == 0
    if engine != "crun":
        here.until_status("stopped")
    assert here.run("delete", "--force").returncode == 0


def test_a_missing_comma_is_told_with_its_place_by_runt_alone(here: Stage, engine: EngineName) -> None:
    """repair: runc names the character, crun not even that."""
    configure(here)
    config = here.bundle / "config.json"
    config.write_text(
        json.dumps(json.loads(config.read_text()), indent=2).replace('  },\n  "root"', '  }\n  "root"')
    )
    said = here.run("create").stderr
    assert ("config.json:" in said) is (engine == "runt")
    assert (r"invalid character '\"' after object key:value pair" in said) is (engine == "runc")


def test_without_a_mount_namespace_mounts_stay_where_the_runtime_ran(here: Stage, engine: EngineName) -> None:
    """first-container: with runc and crun even after `delete`. It is the last test, as they stay in the lab."""

    def mounts() -> int:
        table = Path(f"/proc/{here.lab.keeper_pid}/mountinfo").read_text()
        return sum(str(here.bundle) in line for line in table.splitlines())

    configure(here, linux={}, mounts=MOUNTS[:1])
    here.run("create")
    assert mounts() > 0
    here.run("kill", "KILL")
    here.until_status("stopped")
    assert here.run("delete").returncode == 0
    assert (mounts() > 0) is (engine != "runt")
