"""The seed's walk and its failures on all three engines, in a real lab: one protocol for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.engines import stage
from tests.support.lab import bundle, until, write_config

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.engines.model import EngineName

pytestmark = [
    pytest.mark.root,
    pytest.mark.parametrize(
        "engine",
        [
            "runt",
            pytest.param("runc", marks=pytest.mark.peer("runc")),
            pytest.param("crun", marks=pytest.mark.peer("crun")),
        ],
    ),
]


def test_the_seeds_walk(tmp_path: Path, engine: EngineName) -> None:
    path = bundle(tmp_path)
    with stage(tmp_path, engine, path) as here:
        assert here.run("create").returncode == 0
        state = here.runner.query_state("box")
        assert state is not None
        assert (state.id, state.status, state.bundle, state.rootfs) == (
            "box",
            "created",
            str(path),
            str(path / "rootfs"),
        )
        assert state.pid > 0
        shown = here.run("state")
        assert shown.returncode == 0
        assert '"created"' in shown.stdout
        assert here.run("start").returncode == 0
        assert here.printed("create") == "alpine\n"
        here.until_status("stopped")
        listed = here.runner.query_list()
        assert [(one.id, one.status, one.pid, one.bundle) for one in listed] == [
            ("box", "stopped", 0, str(path))
        ]
        assert here.run("delete").returncode == 0
        assert here.status() == "none"
        assert here.runner.query_list() == ()


def test_what_a_container_prints_comes_before_the_end_of_start(tmp_path: Path, engine: EngineName) -> None:
    with stage(tmp_path, engine, bundle(tmp_path)) as here:
        here.run("create")
        here.run("start")
        assert here.order()[-2:] == ["create stdout", "start finished"]


def test_kill_and_forced_delete(tmp_path: Path, engine: EngineName) -> None:
    with stage(tmp_path, engine, bundle(tmp_path, ["sleep", "1000"])) as here:
        assert here.run("create").returncode == 0
        assert here.run("start").returncode == 0
        here.until_status("running")
        refused = here.run("delete")
        assert refused.returncode != 0
        assert refused.stderr
        assert here.run("kill", "KILL").returncode == 0
        here.until_status("stopped")
        assert here.run("delete").returncode == 0
        # runc 1.3.6 fails with the links that it has left in the root's own /dev.
        for left in (here.bundle / "rootfs/dev").iterdir():
            if left.is_symlink():
                left.unlink()
        assert here.run("create").returncode == 0
        assert here.run("delete", "--force").returncode == 0
        assert here.status() == "none"


def test_failures_are_returned_as_printed(tmp_path: Path, engine: EngineName) -> None:
    with stage(tmp_path, engine, bundle(tmp_path)) as here:
        for operation in ("state", "start", "delete"):
            failed = here.run(operation)
            assert failed.returncode != 0
            assert here.printed(operation, "stderr") == failed.stderr != ""
        (here.bundle / "config.json").write_text('{"ociVersion": ')
        broken = here.run("create")
        assert broken.returncode != 0
        assert broken.stderr
        assert here.status() == "none"
        write_config(here.bundle, ["no-such-program"])
        here.run("create")
        here.run("start")
        # Some report it in create, some in start; each names the program.
        said = here.printed("create", "stderr") + here.printed("start", "stderr")
        assert "no-such-program" in said
        here.run("delete", "--force")
        assert here.status() == "none"


def test_the_container_is_in_the_labs_cgroup(tmp_path: Path, engine: EngineName) -> None:
    """Also where an engine's default is an absolute path (crun): else two labs' containers would share a cgroup."""
    with stage(tmp_path, engine, bundle(tmp_path, ["sleep", "1000"])) as here:
        here.run("create")
        state = here.runner.query_state("box")
        assert state is not None
        with open(f"/proc/{state.pid}/cgroup") as file:  # noqa: PTH123  (one line a hierarchy)
            inside = [line for line in file if "/oci-tutor-" in line]
        assert len(inside) == len(here.lab.cgroups)


def test_a_container_of_its_own_namespaces_ends_with_the_lab(tmp_path: Path, engine: EngineName) -> None:
    namespaces = {"namespaces": [{"type": kind} for kind in ("mount", "pid", "ipc", "uts", "network")]}
    with stage(tmp_path, engine, bundle(tmp_path, ["sleep", "1000"], linux=namespaces)) as here:
        assert here.run("create").returncode == 0
        assert here.run("start").returncode == 0
        state = here.runner.query_state("box")
        assert state is not None
        pid = state.pid
    until(lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/comm") as file:  # noqa: PTH123
            return "sleep" in file.read()
    except OSError:
        return False


def test_standard_input_is_no_device_of_the_host(tmp_path: Path, engine: EngineName) -> None:
    """crun 1.8.1 gives the file that is its standard input to the container's root: the host's /dev/null got another owner."""
    path = bundle(tmp_path, ["sh", "-c", "stat -L -c %F /proc/self/fd/0; cat; echo end"])
    with stage(tmp_path, engine, path) as here:
        assert here.run("create").returncode == 0
        assert here.run("start").returncode == 0
        assert here.printed("create") == "regular empty file\nend\n"
