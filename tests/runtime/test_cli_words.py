"""The command line without any container: arguments, output and exit status, compared with runc."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.commands import COMMANDS, options_of
from runtime.config import mount_options
from runtime.operations.features import mount_option_names
from runtime.state.options import (
    CheckpointOptions,
    CreateOptions,
    ExecOptions,
    Options,
    RestoreOptions,
    UpdateOptions,
)
from runtime.usage import command_help, parse

RUNT = (sys.executable, "-m", "runtime")


def runt(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*RUNT, *words], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def runc(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["runc", *words], capture_output=True, text=True, check=False)


def without_name(text: str) -> str:
    """Return what was printed without the program's name and the time."""
    return re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME", text).replace("runc", "runt")


@pytest.fixture
def root(tmp_path: Path) -> str:
    return f"{tmp_path}/root"


@pytest.mark.peer("runc")
@pytest.mark.root
@pytest.mark.parametrize(
    "words",
    [
        ["state", "nope"],
        ["state", ""],
        ["start", "nope"],
        ["kill", "nope"],
        ["kill", "nope", "FOO"],
        ["kill", "--all", "nope", "9"],
        ["delete", "nope"],
        ["delete", "--force", "nope"],
        ["delete", "-f", "nope"],
        ["delete", "nope", "-force"],
        ["list"],
        ["list", "-q"],
        ["list", "--quiet=true"],
        ["list", "--format", "json"],
        ["list", "-f=json"],
        ["list", "-format=table"],
        ["list", "-f", "xml"],
        ["--debug=false", "list"],
        ["--log-format", "xml", "list"],
        ["--log", "/nonexistent/directory/log", "list"],
    ],
    ids=" ".join,
)
def test_it_prints_and_returns_what_runc_does(root: str, words: list[str]) -> None:
    # A missing one is empty for runt and runc 1.1.5, and an error for runc 1.3.6.
    Path(root).mkdir()
    by_runt = runt("--root", root, *words)
    by_runc = runc("--root", root, *words)
    assert by_runt.returncode == by_runc.returncode
    assert by_runt.stdout == by_runc.stdout
    assert without_name(by_runt.stderr) == without_name(by_runc.stderr)


@pytest.mark.peer("runc")
@pytest.mark.root
@pytest.mark.parametrize(
    "words",
    [
        ["create"],
        ["create", "a", "b"],
        ["create", "--preserve-fds", "x", "c"],
        ["create", "--bundle"],
        ["start"],
        ["start", "a", "b"],
        ["state"],
        ["state", "--bogus", "x"],
        ["kill"],
        ["kill", "a", "KILL", "extra"],
        ["delete"],
        ["delete", "a", "b"],
        ["list", "extra"],
        ["list", "-q=maybe"],
        ["features", "extra"],
        ["run"],
        ["--bogus"],
    ],
    ids=" ".join,
)
def test_a_wrong_usage_is_refused_in_runcs_words_and_explained_on_standard_output(
    root: str, words: list[str]
) -> None:
    by_runt = runt("--root", root, *words)
    by_runc = runc("--root", root, *words)
    assert by_runt.returncode == by_runc.returncode == 1
    assert without_name(by_runt.stderr) == without_name(by_runc.stderr)
    assert by_runt.stdout.splitlines()[0] == by_runc.stdout.splitlines()[0]
    assert "USAGE:" in by_runt.stdout


@pytest.mark.peer("runc")
@pytest.mark.root
def test_an_unknown_command_has_runcs_exit_status(root: str) -> None:
    by_runt, by_runc = runt("--root", root, "bogus"), runc("--root", root, "bogus")
    assert by_runt.returncode == by_runc.returncode == 3
    assert "No help topic for 'bogus'" in by_runt.stderr
    assert "No help topic for 'bogus'" in by_runc.stderr


@pytest.mark.peer("runc")
@pytest.mark.root
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_an_error_is_in_the_log_and_plainly_on_standard_error(
    root: str, tmp_path: Path, log_format: str
) -> None:
    words = ("--root", root, "--log-format", log_format)
    by_runt = runt(*words, "--log", f"{tmp_path}/by_runt", "state", "nope")
    by_runc = runc(*words, "--log", f"{tmp_path}/by_runc", "state", "nope")
    assert by_runt.stderr == by_runc.stderr == "container does not exist\n"
    assert without_name((tmp_path / "by_runt").read_text()) == without_name(
        (tmp_path / "by_runc").read_text()
    )


@pytest.mark.peer("runc")
@pytest.mark.root
@pytest.mark.parametrize(
    "place", ["/dev/stderr", "/dev/full", "/dev/null", "fifo", "directory", "below/file"]
)
def test_wherever_the_log_is_it_fares_as_runcs_does(root: str, tmp_path: Path, place: str) -> None:
    path = f"{tmp_path}/{place}".replace(f"{tmp_path}//", "/")
    reader = -1
    if place == "fifo":
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    elif place == "directory":
        os.mkdir(path)  # noqa: PTH102
    answers = []
    for command in (runt, runc):
        done = command("--root", root, "--log", path, "state", "nope")
        read = os.read(reader, 1000).decode() if place == "fifo" else ""
        answers.append((done.returncode, without_name(done.stderr), without_name(read)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 1


@pytest.mark.peer("runc")
@pytest.mark.root
def test_the_log_quotes_as_runcs_does(root: str, tmp_path: Path) -> None:
    odd = 'odd \a\b\f\v\n\r\t\x01\x7f\x85\u3000\u200b\U0001f600\U000e0001"\\z\udcff end'
    for program, name in ((RUNT, "by_runt"), (("runc",), "by_runc")):
        words = ("--root", root, "--log", f"{tmp_path}/{name}", "run", "-b", f"{tmp_path}/{odd}", "box")
        subprocess.run([*program, *words], capture_output=True, check=False)
    by_runt, by_runc = ((tmp_path / name).read_bytes() for name in ("by_runt", "by_runc"))
    quoted = re.compile(b"odd.*end")
    assert quoted.findall(by_runt) == quoted.findall(by_runc) != []


def test_a_json_log_is_one_object_a_line_and_is_appended_to(root: str, tmp_path: Path) -> None:
    for container_id in ("one", 'quote"d <&>\n'):
        runt("--root", root, "--log", f"{tmp_path}/log", "--log-format", "json", "state", container_id)
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["level"] for line in lines] == ["error", "error"]
    assert lines[0]["msg"] == "container does not exist"
    assert lines[1]["msg"].startswith("invalid container ID format")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lines[0]["time"])


@pytest.mark.peer("runc")
@pytest.mark.root
def test_at_a_terminal_an_error_is_short_and_coloured_as_runcs(root: str) -> None:
    def at_terminal(*command: str) -> bytes:
        master, slave = pty.openpty()
        subprocess.run([*command, "--root", root, "state", "nope"], stderr=slave, check=False)
        os.close(slave)
        said = os.read(master, 4096)
        os.close(master)
        return said

    assert at_terminal(*RUNT) == at_terminal("runc")


def test_colour_is_not_forced_where_it_is_not_wanted(root: str) -> None:
    master, slave = pty.openpty()
    subprocess.run(
        [*RUNT, "--root", root, "state", "nope"],
        stderr=slave,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    os.close(slave)
    assert os.read(master, 4096).startswith(b"ERRO[0000] container does not exist")
    os.close(master)


@pytest.mark.parametrize("container_id", ["../x", "a/b", "/abs", "a b", "", "x" * 256, ".", "..", "ü"])
@pytest.mark.parametrize("operation", ["create", "run", "start", "state", "kill", "delete", "delete --force"])
def test_a_bad_id_is_refused_before_anything_is_touched(
    tmp_path: Path, root: str, operation: str, container_id: str
) -> None:
    bundle = tmp_path / "bundle"
    (bundle / "rootfs").mkdir(parents=True)
    config = {"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "process": {"args": ["x"], "cwd": "/"}}
    (bundle / "config.json").write_text(json.dumps(config))
    words = operation.split()
    if words[0] in ("create", "run"):
        words += ["--bundle", str(bundle)]
    done = runt("--root", root, *words, container_id)
    assert done.returncode == 1
    assert "container id cannot be empty" in done.stderr or "invalid container ID format" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle"]


@pytest.mark.parametrize("words", [["--version"], ["-v"], ["--root", "/x", "-version"]], ids=" ".join)
def test_version(words: list[str]) -> None:
    done = runt(*words)
    assert done.returncode == 0
    assert re.fullmatch(r"runt version \d+\.\d+\.\d+\S*\nspec: 1\.3\.0\n", done.stdout)


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["help"], ["h"]], ids=" ".join)
def test_help_lists_all_commands_and_global_options(words: list[str]) -> None:
    done = runt(*words)
    assert (done.returncode, done.stderr) == (0, "")
    for command in COMMANDS:
        assert f"\n   {command.name} " in done.stdout
    for option in options_of(""):
        assert f"--{option.names[0]}" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_explains_itself_and_its_options(command: object) -> None:
    name = getattr(command, "name", "")
    done = runt(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == runt("help", name).stdout
    assert all(f"--{option.names[0]}" in done.stdout for option in options_of(name)[:-1])


@pytest.mark.peer("runc")
@pytest.mark.root
def test_runt_takes_every_option_that_runcs_commands_take() -> None:
    """runt takes the options of runc."""
    for command in COMMANDS:
        by_runc = set(
            re.findall(r"--[a-z-]+(?=[ ,])", runc(command.name, "--help").stdout.partition("OPTIONS:")[2])
        )
        by_runt = set(
            re.findall(
                r"--[a-z-]+(?=[ ,])", command_help(command, options_of(command.name)).partition("OPTIONS:")[2]
            )
        )
        assert by_runc <= by_runt, command.name


@pytest.mark.parametrize(
    ("words", "values", "arguments"),
    [
        (["c", "--bundle", "b"], {"bundle": "b"}, ["c"]),
        (["--bundle=b", "c"], {"bundle": "b"}, ["c"]),
        (["-bundle", "b", "c"], {"bundle": "b"}, ["c"]),
        (["-b=b=c", "c"], {"bundle": "b=c"}, ["c"]),
        (["-b", "-x", "c"], {"bundle": "-x"}, ["c"]),
        (["--no-pivot", "c"], {"no_pivot": True}, ["c"]),
        (["--no-pivot=false", "c"], {"no_pivot": False}, ["c"]),
        (["--preserve-fds", "0x10", "c"], {"preserve_fds": 16}, ["c"]),
        (["--", "-b"], {"bundle": ""}, ["-b"]),
        (["c", "-9"], {}, ["c", "-9"]),
        (["-", "c"], {}, ["-", "c"]),
    ],
)
def test_options_are_taken_in_all_forms_that_go_takes(
    words: list[str], values: dict[str, object], arguments: list[str]
) -> None:
    found, rest = parse(options_of("create"), words, mixed=True)
    assert rest == arguments
    assert values.items() <= found.items()


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("create", CreateOptions),
        ("run", CreateOptions),
        ("exec", ExecOptions),
        ("update", UpdateOptions),
        ("checkpoint", CheckpointOptions),
        ("restore", RestoreOptions),
    ],
)
def test_an_option_fills_a_field_of_its_operation_and_both_have_the_same_default(
    command: str, options: type[Options]
) -> None:
    for option in options_of(command):
        name, _, member = option.field.partition(".")
        if name and name != "help":
            assert getattr(options, name) == ({} if member else option.default), option.names


def test_a_closed_pipe_or_stream_is_no_traceback(root: str) -> None:
    script = '"$0" -m runtime --help | head -c 1; "$0" -m runtime --root "$1" state x >&- 2>&- <&-; echo $?'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, root], capture_output=True, text=True, check=False
    )
    assert done.stdout == "N1\n"
    assert done.stderr == ""


def test_state_and_list_do_not_load_what_creates_containers(root: str) -> None:
    code = (
        "import sys; from runtime.cli import main; main(sys.argv[1:]); "
        "print(sorted(n for n in sys.modules if n.startswith(('runtime', 'ctypes', 'argparse', 'subprocess', 'typing'))))"
    )
    for words in (["list", "-q"], ["state", "x"]):
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, "--root", root, *words],
            capture_output=True,
            text=True,
            check=True,
        )
        loaded = done.stdout
        assert "'runtime.cli'" in loaded
        for heavy in (
            "ctypes",
            "argparse",
            "subprocess",
            "'typing'",
            "runtime.steps.create",
            "runtime.kernel",
            "runtime.config.load",
        ):
            assert heavy not in loaded


def test_features_tell_the_truth(root: str) -> None:
    done = runt("features")
    features = json.loads(done.stdout)
    assert features["ociVersionMin"] == "1.0.0"
    assert features["ociVersionMax"] == "1.3.0"
    assert len(features["hooks"]) == 6
    assert set(features["linux"]["namespaces"]) == {
        "pid",
        "network",
        "mount",
        "ipc",
        "uts",
        "user",
        "cgroup",
        "time",
    }
    assert features["linux"]["intelRdt"]["enabled"] is False
    assert features["linux"]["cgroup"]["systemd"] is True
    assert features["mountOptions"] == mount_option_names()


def test_every_mount_option_in_features_means_something_to_us() -> None:
    for name in mount_option_names():
        assert mount_options.MountOptions([name]).data == []
    assert mount_options.MountOptions(["size=1m"]).data == ["size=1m"]


@pytest.mark.peer("runc")
@pytest.mark.root
@pytest.mark.parametrize("options", [[], ["--rootless"]], ids=["plain", "rootless"])
def test_spec_writes_what_runc_writes_but_for_the_documented_differences(
    tmp_path: Path, options: list[str]
) -> None:
    for name in ("by_runt", "by_runc"):
        (tmp_path / name).mkdir()
    assert runt("spec", *options, "--bundle", f"{tmp_path}/by_runt").returncode == 0
    assert runc("spec", *options, "--bundle", f"{tmp_path}/by_runc").returncode == 0
    by_runt = (tmp_path / "by_runt" / "config.json").read_text()
    by_runc = json.loads((tmp_path / "by_runc" / "config.json").read_text())
    # Of runc 1.1.5; 1.3.6 leaves it out, as runt does.
    by_runc["process"]["capabilities"].pop("ambient", None)
    by_runc |= {"ociVersion": "1.3.0", "hostname": "runt"}
    assert json.loads(by_runt) == by_runc
    assert by_runt == json.dumps(json.loads(by_runt), indent="\t")


def test_spec_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("mine")
    done = runt("spec", "-b", str(tmp_path))
    assert done.returncode == 1
    assert "File config.json exists. Remove it first" in done.stderr
    assert (tmp_path / "config.json").read_text() == "mine"
    assert "no such file or directory" in runt("spec", "-b", f"{tmp_path}/nope").stderr


def test_without_root_the_state_directory_is_the_users_own(tmp_path: Path) -> None:
    code = (
        "import os; os.geteuid = lambda: 1000; from runtime.cli import _default_root; print(_default_root())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "XDG_RUNTIME_DIR": "/run/user/1000"},
    )
    assert done.stdout == "/run/user/1000/runt\n"
