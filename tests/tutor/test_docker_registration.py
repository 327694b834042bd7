"""`oci-tutor docker install` and `uninstall` on daemon.json: what people wrote stays, and comes back byte by byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.install import interpreter
from tutor.docker.entry import DaemonJson

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
RUNT = {"path": f"{interpreter.place(interpreter.interpreter())}/runt"}
WRITTEN = [
    "{}",
    "{}\n",
    "",
    "\n",
    "{\n}\n",
    '{"debug": true}',
    '{\n  "debug": true,\n  "log-opts": {\n    "max-size": "1m"\n  }\n}\n',
    '{\n\t"runtimes": {\n\t\t"crun": {"path": "/usr/bin/crun"}\n\t}\n}',
    '{\r\n    "runtimes": {},\r\n    "debug": false\r\n}\r\n',
    '{"runtimes": {"crun": {"path": "/usr/bin/crun", "runtimeArgs": ["--debug"]}}, "hosts": ["unix:///x"]}',
    '\ufeff{\n  "data-root": "/srv/\u30b3\u30f3\u30c6\u30ca"\n}\n',
    '{\n\n  "a":1 ,\n\n  "runtimes" : { "x":{"path":"y"} } }',
]


@pytest.fixture(autouse=True)
def no_launcher_is_left() -> Iterator[None]:
    yield
    assert not Path(RUNT["path"]).exists()


def tutor(*words: object, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-m", "tutor", "--lang", "en", "docker", *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )


def install(path: Path, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return tutor("install", "--daemon-json", path, "--pidfile", "/nowhere", prefix=prefix)


def uninstall(path: Path) -> subprocess.CompletedProcess[str]:
    return tutor("uninstall", "--daemon-json", path, "--pidfile", "/nowhere")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode == 1
    for word in words:
        assert word in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", WRITTEN)
def test_only_the_entry_is_added_and_taken_away(text: str) -> None:
    file = DaemonJson.read(text.encode(), Path("daemon.json"))
    before = json.loads(text.removeprefix("\ufeff").strip() or "{}")
    added = file.with_runtime("runt", "/opt/runt")
    expected = {**before, "runtimes": {**before.get("runtimes", {}), "runt": {"path": "/opt/runt"}}}
    assert json.loads(added.data.decode("utf-8-sig")) == expected
    # All that was written is still there, in its order.
    rest = iter(added.data.decode())
    assert all(char in rest for char in text.rstrip().removesuffix("}").rstrip())
    gone = added.without_runtime("runt")
    left = json.loads(gone.data.decode("utf-8-sig"))
    assert left == {key: value for key, value in before.items() if key != "runtimes" or value}
    if text.strip().removeprefix("\ufeff") not in ("", "{}", "{\n}") and before.get("runtimes") != {}:
        assert gone.data == text.encode()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FILES = st.dictionaries(st.text(max_size=8), VALUES, max_size=4)
RUNTIMES = st.none() | st.dictionaries(st.text(max_size=8), VALUES, max_size=3)


@given(FILES, RUNTIMES, st.sampled_from([None, 0, 1, 4, "\t"]))
def test_whatever_else_is_in_it_stays(
    file: dict[str, object], runtimes: dict[str, object] | None, indent: int | str | None
) -> None:
    before = {**file, **({} if runtimes is None else {"runtimes": runtimes})}
    text = json.dumps(before, indent=indent)
    added = DaemonJson.read(text.encode(), Path("daemon.json")).with_runtime("runt", "/opt/runt")
    assert json.loads(added.data) == {
        **before,
        "runtimes": {**(runtimes or {}), "runt": {"path": "/opt/runt"}},
    }
    again = DaemonJson.read(added.data, Path("daemon.json")).with_runtime("runt", "/elsewhere")
    assert json.loads(again.data)["runtimes"]["runt"] == {"path": "/elsewhere"}
    left = json.loads(added.without_runtime("runt").data)
    others = {name: value for name, value in (runtimes or {}).items() if name != "runt"}
    assert left == {**file, **({"runtimes": others} if others else {})}


@pytest.mark.root
def test_the_original_comes_back_with_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_text('{"debug":true  ,"labels":["a"]}')
    path.chmod(0o600)
    before = contents(tmp_path)
    done = install(path)
    assert done.returncode == 0
    assert json.loads(path.read_bytes()) == {"debug": True, "labels": ["a"], "runtimes": {"runt": RUNT}}
    for told in (path, tmp_path / "daemon.json.before-runt", tmp_path / "daemon.json.runt", RUNT["path"]):
        assert str(told) in done.stdout
    assert {file.stat().st_mode & 0o777 for file in (path, tmp_path / "daemon.json.before-runt")} == {0o600}
    again = install(path)
    assert again.returncode == 0
    assert "already" in again.stdout
    done = uninstall(path)
    assert done.returncode == 0
    assert "byte by byte" in done.stdout
    assert contents(tmp_path) == before
    assert path.stat().st_mode & 0o777 == 0o600
    assert "not registered" in uninstall(path).stdout


@pytest.mark.root
def test_without_a_daemon_json_nothing_stays(tmp_path: Path) -> None:
    path = tmp_path / "docker/daemon.json"
    assert install(path).returncode == 0
    assert json.loads(path.read_bytes()) == {"runtimes": {"runt": RUNT}}
    assert uninstall(path).returncode == 0
    assert contents(tmp_path) == {}


@pytest.mark.root
def test_what_was_changed_in_the_meantime_stays(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_text('{\n  "debug": true\n}\n')
    install(path)
    path.write_text(path.read_text().replace("true", "false"))
    done = uninstall(path)
    assert "only the entry" in done.stdout
    assert contents(tmp_path) == {"daemon.json": b'{\n  "debug": false\n}\n'}


@pytest.mark.root
def test_the_launcher_stays_for_the_machines_own_docker(tmp_path: Path) -> None:
    """In a mount namespace whose /etc/docker is another one: what is installed there is not undone elsewhere."""
    script = f"""
        mkdir -p /etc/docker && mount -t tmpfs tmpfs /etc/docker
        docker() {{ {sys.executable} -m tutor docker $1 --pidfile /nowhere --daemon-json $2 >/dev/null; }}
        docker install /etc/docker/daemon.json && docker install {tmp_path}/daemon.json
        docker uninstall {tmp_path}/daemon.json && test -x {RUNT["path"]} && echo stays
        docker uninstall /etc/docker/daemon.json && test ! -e {RUNT["path"]} && echo gone
    """
    alone = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script]
    done = subprocess.run(alone, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "stays\ngone\n", done.stderr
    assert contents(tmp_path) == {}


@pytest.mark.root
def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "real").mkdir()
    link, target = tmp_path / "etc/daemon.json", tmp_path / "real/daemon.json"
    target.write_text("{}")
    link.symlink_to(target)
    assert install(link).returncode == 0
    assert link.is_symlink()
    assert json.loads(target.read_bytes())["runtimes"] == {"runt": RUNT}
    uninstall(link)
    assert link.is_symlink()
    assert contents(tmp_path / "real") == {"daemon.json": b"{}"}
    link.unlink()
    link.symlink_to(tmp_path / "no/where/daemon.json")
    refused(install(link), str(tmp_path / "no/where"))


@pytest.mark.root
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{\n  "debug": true,\n}\n', ("line 2", "column 16")),
        ('{\n  // comment\n  "debug": true }', ("line 2", "column 3")),
        ("[]", ("daemon.json", "Line 1, column 1")),
        ('{\n  "runtimes": []}', ("runtimes", "Line 2, column 15")),
    ],
)
def test_a_broken_file_is_refused_with_the_place(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    path = tmp_path / "daemon.json"
    path.write_text(text)
    refused(install(path), str(path), *words)
    refused(uninstall(path), *words)
    assert contents(tmp_path) == {"daemon.json": text.encode()}


@pytest.mark.root
def test_somebody_elses_entry_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_text('{"runtimes": {"runt": {"path": "/opt/another/runt"}}}')
    before = contents(tmp_path)
    refused(install(path), "/opt/another/runt")
    refused(uninstall(path), "/opt/another/runt")
    assert contents(tmp_path) == before


@pytest.mark.root
def test_the_default_runtime_is_not_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_text('{"default-runtime": "runt"}')
    install(path)
    before = contents(tmp_path)
    refused(uninstall(path), "default-runtime")
    assert contents(tmp_path) == before
    path.write_text(path.read_text().replace("default-runtime", "labels"))
    assert uninstall(path).returncode == 0


@pytest.mark.root
def test_without_permission_without_room_and_without_docker(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    path = folder / "daemon.json"
    path.write_text("{}")
    alone = ("unshare", "--mount", "--propagation", "private", "sh", "-c")
    tiny = f'mount -t tmpfs -o size=8k tmpfs {folder} && head -c 4096 /dev/zero > {folder}/full && echo "{{}}" > {path} && "$@"; s=$?; ls {folder} >&2; cat {path} >&2; exit $s'
    done = install(path, (*alone, tiny, "sh"))
    refused(done, "The disk is full")
    assert done.stderr.endswith("daemon.json\nfull\n{}\n")
    locked = f'mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} && "$@"'
    refused(install(path, (*alone, locked, "sh")), "The filesystem is read-only", str(path))
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    if subprocess.run([*nobody, sys.executable, "-c", ""], capture_output=True, check=False).returncode == 0:
        refused(install(path, nobody), "sudo")
    assert contents(folder) == {"daemon.json": b"{}"}
    without = (
        'for i in /usr/sbin/dockerd /usr/bin/dockerd; do [ ! -e $i ] || mount --bind /dev/null $i; done; "$@"'
    )
    refused(tutor("install", "--pidfile", "/nowhere", prefix=(*alone, without, "sh")), "Docker was not found")
    assert not os.path.exists("/etc/docker/daemon.json.runt")  # noqa: PTH110


@pytest.mark.root
@pytest.mark.peer("strace")
@pytest.mark.parametrize("rename", [1, 2, 3])
@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_killed_in_the_middle_it_is_whole_and_can_be_done_again(
    tmp_path: Path, command: str, rename: int
) -> None:
    path = tmp_path / "daemon.json"
    path.write_text('{"debug": true}')
    before = contents(tmp_path)
    if command == "uninstall":
        assert install(path).returncode == 0
    kill = ("strace", "-qq", "-o", "/dev/null", f"--inject=rename,unlink:signal=KILL:when={rename}")
    tutor(command, "--daemon-json", path, "--pidfile", "/nowhere", prefix=kill)
    file = json.loads(path.read_bytes())
    assert file in ({"debug": True}, {"debug": True, "runtimes": {"runt": RUNT}})
    assert install(path).returncode == 0
    assert json.loads(path.read_bytes()) == {"debug": True, "runtimes": {"runt": RUNT}}
    assert uninstall(path).returncode == 0
    assert contents(tmp_path) == before
