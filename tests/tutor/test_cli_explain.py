"""`oci-tutor explain` as it is typed, errors that no engine prints here, and the texts themselves."""

from __future__ import annotations

import json
import os
import re
import shutil
import string
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.broken import DATA
from tests.support.lab import bundle
from tutor import patience
from tutor.course.lint.spec import specifications
from tutor.explain.bundle import Bundle
from tutor.explain.clauses import _CLAUSES
from tutor.explain.explainer import explain, explain_bundle, find
from tutor.explain.model import Failure
from tutor.explain.patterns import PATTERNS
from tutor.messages import LANGUAGES, Language, Messages, topic_entries
from tutor.text import cell_width

ROOT = Path(__file__).parents[2]
NOT_FOUND = 'unable to start container process: exec: "sleeep": executable file not found in $PATH'


def oci_tutor(
    *arguments: str, cwd: Path, said: str = "", lang: str = "ja"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tutor", "explain", "--lang", lang, *arguments],
        cwd=cwd,
        input=said,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "COLUMNS": "80", "HOME": "/nonexistent"},
    )


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that asks for `sleeep`."""
    path = bundle(tmp_path_factory.mktemp("explain"))
    text = (DATA / "base.json").read_text().replace('"sleep"', '"sleeep"')
    (path / "config.json").write_text(text)
    return path


def test_a_member_of_config_json_is_explained(tmp_path: Path) -> None:
    """By its dotted name or its pointer; a file of that name goes first, and a word that is no member is an error's text."""
    done = oci_tutor("mounts.options", cwd=tmp_path, lang="en")
    assert done.returncode == 0, done.stderr
    assert "mounts[0].options  an array of strings, optional" in done.stdout
    assert "nosuid " in done.stdout
    assert "Ignore setuid and setgid bits." in done.stdout
    assert "config.md#mounts" in done.stdout
    assert oci_tutor("/linux/namespaces/0", cwd=tmp_path).stdout.startswith("linux.namespaces[0]")
    assert oci_tutor("process.arg", cwd=tmp_path).returncode == 1
    (tmp_path / "hooks").write_text("no error of any engine")
    assert "no error of any engine" in oci_tutor("hooks", cwd=tmp_path, lang="en").stdout


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_error_from_a_pipe_is_explained_where_it_happened(broken: Path, lang: Language) -> None:
    line = f'time="2026-11-24T11:54:53Z" level=error msg={json.dumps("runc create failed: " + NOT_FOUND)}\n'
    done = oci_tutor(cwd=broken, said=line, lang=lang)
    assert done.returncode == 0, done.stderr
    assert NOT_FOUND.replace(" ", "") in re.sub(r"\s", "", done.stdout)  # the pipe would have swallowed it
    assert "config.json:10:7  (/process/args/0)" in done.stdout
    assert "config.md#posix-process" in done.stdout
    assert re.search(r"\bsleep\b", done.stdout)  # what is probably meant
    assert max(map(cell_width, done.stdout.splitlines())) <= 80


def test_an_error_is_taken_as_words_and_from_a_file(broken: Path, tmp_path: Path) -> None:
    log = tmp_path / "error.txt"
    log.write_text(NOT_FOUND)
    for arguments in (NOT_FOUND,), (str(log),), tuple(NOT_FOUND.split()), ("-", "--bundle", str(broken)):
        done = oci_tutor(*arguments, cwd=broken, said=NOT_FOUND)
        assert (done.returncode, "10:7" in done.stdout) == (0, True), arguments


def test_a_bundle_alone_is_looked_through(broken: Path, tmp_path: Path) -> None:
    done = oci_tutor(str(broken), cwd=tmp_path)
    assert done.returncode == 1
    # However long the path is: lines are broken in it.
    assert f"{broken}/config.json:10:7" in re.sub(r"\s", "", done.stdout)
    whole = tmp_path / "config.json"
    whole.write_text((DATA / "base.json").read_text())
    shutil.copytree(broken / "rootfs", tmp_path / "rootfs", symlinks=True)
    done = oci_tutor("--config", str(whole), cwd=tmp_path)
    assert (done.returncode, done.stdout[:1]) == (0, "✓")
    whole.write_text(whole.read_text().replace('"cwd": "/"', '"cwd": "/",'))
    done = oci_tutor(cwd=tmp_path)
    assert done.returncode == 1
    assert "config.json:16:15" in done.stdout


def test_an_unknown_error_is_shown_as_it_is_and_called_unknown(tmp_path: Path) -> None:
    done = oci_tutor("frobnicating the flux: EBADFLUX", cwd=tmp_path, lang="en")
    assert done.returncode == 1
    assert "no explanation for this error" in done.stdout
    assert "frobnicating the flux: EBADFLUX" in done.stdout


def test_a_sentence_is_no_file_name(tmp_path: Path) -> None:
    for said in "error loading config.json", "x/" * 3000:
        done = oci_tutor(said, cwd=tmp_path)
        assert done.returncode == (0 if "config" in said else 1), done.stderr
        assert done.stdout.startswith("✗")


@pytest.mark.parametrize("odd", ["/\0", "/\ud800", "/" + "a/" * 3000, "/pipe", "/loop"])
def test_odd_names_do_no_harm(odd: str, tmp_path: Path) -> None:
    """A string that cannot be a path, a pipe without a writer, and a link that leads to itself."""
    (tmp_path / "rootfs").mkdir()
    os.mkfifo(tmp_path / "rootfs" / "pipe", 0o755)
    (tmp_path / "rootfs" / "loop").symlink_to("loop")
    config = json.loads((DATA / "base.json").read_text())
    config["process"] |= {"args": [odd], "cwd": odd}
    config["mounts"] += [{"destination": "/mnt", "source": odd, "options": ["bind"]}]
    config["linux"]["namespaces"] += [{"type": "network", "path": odd}]
    config["hooks"] = {"createRuntime": [{"path": odd}], "startContainer": [{"path": odd}]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    found = explain_bundle(Bundle(tmp_path), Messages("ja"))
    assert "/process/args/0" in {each.pointer for each in found}
    assert explain(Failure(f'exec: "{odd}": permission denied'), Bundle(tmp_path), Messages("en")).title
    (tmp_path / "config.json").write_text(json.dumps(config | {"root": {"path": odd}}))
    assert explain_bundle(Bundle(tmp_path), Messages("en"))


def test_a_name_that_a_terminal_would_obey_is_shown_as_text(tmp_path: Path) -> None:
    config = json.loads((DATA / "base.json").read_text())
    config["linux"]["netDevices"] = {"x\x1b[2J": {}}
    config["process"]["args"] = ["\x1b]0;title\x07"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "rootfs").mkdir()
    done = oci_tutor(str(tmp_path), cwd=tmp_path)
    assert (done.returncode, "\x1b" in done.stdout) == (1, False)
    assert "\\x1b[2J" in done.stdout


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    for arguments in ("--bundle", "nowhere"), ("--config", "nowhere.json"), ("nowhere.json",):
        done = oci_tutor(*arguments, cwd=tmp_path, lang="en")
        assert (done.returncode, "nowhere" in done.stderr) == (1, True)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("said", "id_"),
    [
        ("cgroups in hybrid mode not supported, drop all controllers from cgroupv2", "cgroup.hybrid"),
        ("2026-11-24T11:56:42.1Z: writing file `/run/crun/nr/config.json`: No space left on device", "host.no_space"),
        ("runt create failed: /run/runt/nr/config.json: no space left on device", "host.no_space"),
        ("ERRO[0000] runc create failed: rootless container requires user namespaces", "host.not_root"),
        ("newuidmap: uid range [0-65535) -> [65534-131069) not allowed", "host.not_root"),
        ("bash: runc: command not found", "engine.missing"),
        ("runc exec failed: eaccess /tmp/hello: permission denied", "program.denied"),
        ('{"level":"error","msg":"container does not exist","time":"now"}', "container.none"),
        ("\x1b[31mERRO\x1b[0m[0000] container does not exist", "container.none"),
        (
            ("docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI "
            f"runtime create failed: runc create failed: {NOT_FOUND}: unknown."),
            "program.not_in_path",
        ),
        ("Error: OCI runtime error: crun: make `rootfz` private: No such file or directory", "root.missing"),
        ("ctr: failed to create shim task: OCI runtime create failed: " + NOT_FOUND, "program.not_in_path"),
        ("goroutine 1 [running]:\n" * 3000 + "runc create failed: container does not exist", "container.none"),
        ('time="now" level=warning msg="ignoring unknown or unavailable capabilities: [CAP_X]"', "capability.unknown"),
        ("runc run failed: fork/exec /proc/self/exe: resource temporarily unavailable", "host.too_many"),
        ("", "silent"),
        ("level=error msg=", "silent"),
        ("{not json", "unknown"),
        ("x" * 100_000, "unknown"),
    ],
)  # fmt: skip
def test_errors_that_no_engine_prints_here(said: str, id_: str) -> None:
    assert find(Failure(said), Bundle()).id == id_
    explained = explain(Failure(said), Bundle(), Messages("ja"))
    assert explained.title
    assert explained.place == ""


def test_every_explanation_is_whole_in_both_languages() -> None:
    modules = ("explainer", "refine", "programs", "survey")
    sources = "".join((ROOT / "tutor" / "explain" / f"{name}.py").read_text() for name in modules)
    made = re.findall(r'(?:Finding\(|_with\(finding, |id=)\s*"([a-z_]+\.[a-z_0-9]+)"', sources)
    ids = {pattern.id for pattern in PATTERNS} | set(made)
    assert len(ids) > 80
    for language in LANGUAGES:
        m = Messages(language)
        for id_ in ids:
            parts = (
                ("title", "fix")
                if id_ in ("config.syntax", "config.structure")
                else ("title", "cause", "fix")
            )
            assert all(m.has(f"explain.{id_}.{part}") for part in parts), id_


def test_every_text_can_be_filled_in() -> None:
    for language in LANGUAGES:
        for key, text in topic_entries(language, "explain").items():
            names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
            assert Messages(language)(key, **dict.fromkeys(names - {"tutor"}, "x")), key


def test_every_clause_is_in_the_specification() -> None:
    documents = specifications()["runtime-spec"]["1.3.0"]
    for clause in _CLAUSES.values():
        document, _, anchor = clause.partition("#")
        assert document in documents, clause
        assert not anchor or anchor in documents[document], clause


@pytest.mark.parametrize(
    ("said", "id_"),
    [
        # runc 1.1.5 and 1.3.6, runt; the second is of a second container on one root, runc 1.3.6 only.
        (
            (
                "runc create failed: unable to start container process: error during container init: error reopening /dev/null "
                "inside container: open /dev/null: permission denied"
            ),
            "dev.unopened",
        ),
        ("runt create failed: /dev/null: permission denied (step reopen_null_device)", "dev.unopened"),
        (
            (
                "runc create failed: unable to start container process: error during container init: configuring container "
                "/dev: error setting up /dev symlinks: symlinkat /b/rootfs/proc/1/fd/pipe:[17]: no such file or directory"
            ),
            "dev.links",
        ),
        (
            (
                "runc create failed: unable to start container process: error during container init: configuring container "
                "/dev: error setting up /dev symlinks: failed to construct hallucinated target path: SecureJoin "
                "/b/rootfs//dev/stderr: too many levels of symbolic links"
            ),
            "dev.links",
        ),
    ],
)
def test_what_is_said_of_a_root_without_a_dev_of_its_own(said: str, id_: str) -> None:
    assert find(Failure(said), Bundle()).id == id_


@pytest.mark.root
@pytest.mark.parametrize("before", ["true", '"$2" --root "$3" run first >&2'], ids=["new", "used"])
@pytest.mark.parametrize("engine", ["runt", pytest.param("runc", marks=pytest.mark.peer("runc"))])
def test_a_root_on_a_read_only_mount_is_named(tmp_path: Path, engine: str, before: str) -> None:
    """Neither a terminal nor a device is at fault, of which the engines speak: runc and runt make all of /dev each time."""
    made = bundle(tmp_path, linux={"namespaces": [{"type": "mount"}]})
    script = (
        f'cd "$1" && {before} && mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && cd "$1" && '
        '"$2" --root "$3" run explained 2>&1 | "$4" explain --lang en'
    )
    tutor, runt = (str(Path(sys.executable).parent / name) for name in ("oci-tutor", "runt"))
    tools = (runt if engine == "runt" else engine, tmp_path / "state", tutor)
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "-", made, *tools],
        capture_output=True,
        text=True,
        timeout=patience.scaled(120),
        check=False,
    )
    said = "".join(done.stdout.split())  # a long path is broken
    assert f"Therootfilesystemison{made}(" in said, done.stdout + done.stderr
    assert "terminal" not in said


@pytest.mark.root
@pytest.mark.parametrize(
    "option",
    ["nodev", "noexec"],
)
def test_a_bundle_where_devices_or_programs_do_not_work(tmp_path: Path, option: str) -> None:
    """As Debian 13 mounts /tmp: what runt really says there, and what is seen in the bundle before it is run."""
    made = bundle(tmp_path)
    script = (
        'mount -t tmpfs -o "$1" tmpfs "$2" && cp -a "$3/." "$2" && cd "$2" && '
        '{ "$4" explain --lang en .; "$5" --root "$2/state" run explained 2>&1 | "$4" explain --lang en; }'
    )
    place = tmp_path / "place"
    place.mkdir()
    tutor, runt = (str(Path(sys.executable).parent / name) for name in ("oci-tutor", "runt"))
    done = subprocess.run(
        [
            "unshare",
            "--mount",
            "--propagation",
            "private",
            "sh",
            "-c",
            script,
            "-",
            option,
            place,
            made,
            tutor,
            runt,
        ],
        capture_output=True,
        text=True,
        timeout=patience.scaled(120),
        check=False,
    )
    said = " ".join(done.stdout.split())
    assert said.count(f"{place} is mounted {option}") == 2, done.stdout + done.stderr
    assert "There is more" not in said
