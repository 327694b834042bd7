"""Inside a lab: what is done there stays there, and programs run as they do anywhere."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.lab import Traces, bundle, home, until
from tests.support.mounts import mount_table
from tutor import patience
from tutor.errors import TutorError
from tutor.lab.cgroups import hierarchies
from tutor.lab.lab import Lab, LabProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.root


@pytest.fixture(name="lab")
def _lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab.start(home=home(tmp_path), engine="runt", workdir=tmp_path) as lab:
        yield lab


def start(
    lab: Lab, *argv: str, cwd: Path = Path("/"), env: dict[str, str] | None = None
) -> tuple[LabProcess, int]:
    """Start a program in the lab; return it and the end of a pipe from which both its streams are read."""
    read_end, write_end = os.pipe()
    nowhere = os.open(os.devnull, os.O_RDONLY)
    try:
        process = lab.spawn(argv, cwd=cwd, env=env, stdin=nowhere, stdout=write_end, stderr=write_end)
    finally:
        os.close(nowhere)
        os.close(write_end)
    return process, read_end


def run(lab: Lab, *argv: str, cwd: Path = Path("/"), env: dict[str, str] | None = None) -> tuple[int, str]:
    process, read_end = start(lab, *argv, cwd=cwd, env=env)
    with os.fdopen(read_end, errors="replace") as file:
        said = file.read()
    return process.wait(20), said


def test_a_mount_in_the_lab_is_not_in_the_host(lab: Lab, tmp_path: Path) -> None:
    before = mount_table(tmp_path)
    assert run(lab, "mount", "-t", "tmpfs", "inside", str(tmp_path))[0] == 0
    assert "inside" in run(lab, "cat", "/proc/self/mountinfo")[1]
    assert mount_table(tmp_path) == before


def test_a_mount_in_the_lab_is_not_in_the_host_even_where_the_host_shares_its_mounts(tmp_path: Path) -> None:
    """As on a machine with systemd, where `/` is shared: propagation must be private before anything is mounted."""
    script = (
        "import os, sys; from pathlib import Path; from tutor.home import Home; from tutor.lab.lab import Lab\n"
        "root = Path(sys.argv[1])\n"
        "before = Path('/proc/self/mountinfo').read_text(); assert 'shared:' in before\n"
        "with Lab.start(home=Home(root, root, root), engine='runt', workdir=root) as lab:\n"
        "    program = lab.spawn(['mount', '-t', 'tmpfs', 'inside', str(root)], cwd=root, stdin=0, stdout=1, stderr=2)\n"
        "    assert program.wait(20) == 0\n"
        "    assert Path('/proc/self/mountinfo').read_text() == before\n"
        "    inside = Path(f'/proc/{lab.keeper_pid}/mountinfo').read_text()\n"
        "    assert 'inside' in inside and 'shared:' not in inside and 'master:' not in inside\n"
    )
    command = ["unshare", "--mount", "--propagation", "shared", *_python(script, str(tmp_path))]
    done = subprocess.run(command, cwd=_repository(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_mount_of_the_host_may_have_any_name(tmp_path: Path) -> None:
    """The kernel escapes no carriage return in mountinfo: it ends no line."""
    script = (
        "import os, sys; from pathlib import Path; from tutor.home import Home; from tutor.lab.lab import Lab\n"
        "root = Path(sys.argv[1])\n"
        "with Lab.start(home=Home(root, root, root), engine='runt', workdir=root) as lab:\n"
        "    program = lab.spawn(['sleep', '500'], cwd=root, stdin=0, stdout=1, stderr=2)\n"
        "    print(len(lab.cgroups))\n"
    )
    prepare = (
        r"""odd="$(printf '%s/a\rb' "$1")"; mkdir "$odd"; mount -t tmpfs none "$odd"; shift; exec "$@" """
    )
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", prepare, "sh", str(tmp_path)]
    done = subprocess.run(
        [*command, *_python(script, str(tmp_path))],
        cwd=_repository(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 0


def _python(script: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", script, *arguments]


def _repository() -> Path:
    return Path(__file__).parents[2]


def test_every_folder_of_programs_is_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chroot into an image has its commands in /bin, which the PATH of Fedora and of systemd's services is without."""
    monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin")
    with Lab.start(home=home(tmp_path), engine="runt", workdir=tmp_path) as lab:
        assert {"/bin", "/sbin", "/usr/sbin"} <= set(run(lab, "sh", "-c", "echo $PATH")[1].strip().split(":"))


def test_the_engines_state_roots_are_the_labs_own(lab: Lab, tmp_path: Path) -> None:
    path = bundle(tmp_path)
    # The container holds its streams: they must not be those that `run` reads to their end.
    code, said = run(lab, "sh", "-c", "runt create box >/dev/null 2>&1", cwd=path)
    assert code == 0, said
    assert "box" in run(lab, "runt", "list")[1]
    assert not Path("/run/runt/box").exists()
    assert "/run/runt/box" not in str(list(Path("/run/runt").iterdir()))


def test_what_runs_in_the_lab_is_in_its_cgroup_and_its_children_too(lab: Lab) -> None:
    _code, said = run(lab, "sh", "-c", "sh -c 'cat /proc/self/cgroup'")
    assert lab.cgroups
    assert len([line for line in said.splitlines() if "/oci-tutor-" in line]) == len(lab.cgroups)


def test_what_is_made_where_a_hybrid_machine_has_version_2_goes_with_the_lab(lab: Lab) -> None:
    """crun makes a plain directory for each container in the place of the hierarchy that is hidden from it, and leaves it."""
    second = [each.mount for each in hierarchies() if each.version == 2]
    if not second or all(each.version == 2 for each in hierarchies()):
        pytest.skip("not a hybrid machine")
    assert run(lab, "mkdir", f"{second[0]}/left") == (0, "")
    look = f"umount {second[0]}; test -e {second[0]}/left"
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", look], check=False)
    assert done.returncode == 1


# A mount namespace with nothing but version 2, at the usual place, is what a machine with systemd looks like to a lab.
_ONLY_VERSION_2 = """
for place in $(awk '$(NF-2) == "cgroup" {print $5}' /proc/self/mountinfo); do umount $place; done
[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || mount --move /sys/fs/cgroup/unified /sys/fs/cgroup
exec "$@"
"""


@pytest.mark.parametrize("engine", ["runt", "runc"])
def test_no_engine_can_switch_controllers_above_a_lab_of_version_2(tmp_path: Path, engine: str) -> None:
    """What runc enables on its way down stays enabled for good, and there it is systemd's to decide."""
    script = (
        "import os, sys; from pathlib import Path; from tutor.home import Home; from tutor.lab.lab import Lab\n"
        "root = Path(sys.argv[1])\n"
        "with Lab.start(home=Home(root, root, root), engine=sys.argv[2], workdir=root) as lab:\n"
        "    (inside,) = (Path(each) for each in lab.cgroups)\n"
        "    above = [each for each in inside.parents if Path('/sys/fs/cgroup') in [each, *each.parents]]\n"
        "    for each in [inside, *above]:\n"
        "        look = ['test', '-w', str(each / 'cgroup.subtree_control')]\n"
        "        program = lab.spawn(look, cwd=root, stdin=0, stdout=1, stderr=2)\n"
        "        print('above' if each in above else 'inside', program.wait(20))\n"
    )
    shell = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", _ONLY_VERSION_2, "sh"]
    command = [*shell, *_python(script, str(tmp_path), engine)]
    done = subprocess.run(command, cwd=_repository(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.splitlines()) == {"inside 0", "above 1"}


def test_pids_are_the_hosts(lab: Lab) -> None:
    process, read_end = start(lab, "sh", "-c", "echo $$; exec sleep 1000")
    with os.fdopen(read_end) as file:
        assert int(file.readline()) == process.pid
        assert until(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n")
        process.signal(signal.SIGTERM)
    assert process.wait(20) == -signal.SIGTERM


def test_exit_status_directory_and_environment(lab: Lab, tmp_path: Path) -> None:
    code, said = run(
        lab,
        "sh",
        "-c",
        "pwd; echo $WORD; exit 7",
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "WORD": "さくら"},
    )
    assert (code, said) == (7, f"{tmp_path}\nさくら\n")


def test_an_empty_environment_is_empty(lab: Lab) -> None:
    assert run(lab, "/usr/bin/env", env={}) == (0, "")


def test_a_program_has_no_signal_ignored_or_blocked_and_no_inherited_descriptor(lab: Lab) -> None:
    """Python ignores SIGPIPE, the guard must outlive a terminal's SIGINT: none of that may reach a container."""
    _code, said = run(lab, "sh", "-c", "grep -E '^Sig(Ign|Blk)' /proc/self/status; echo /proc/self/fd/*")
    lines = said.split()
    assert lines[:4] == ["SigBlk:", "0" * 16, "SigIgn:", "0" * 16]
    assert {Path(name).name for name in lines[4:]} <= {
        "0",
        "1",
        "2",
        "3",
    }  # 3: the directory that the shell is reading


@pytest.mark.parametrize("argv", [["/nowhere/program"], ["/etc/passwd"]], ids=["missing", "not-executable"])
def test_a_program_that_cannot_start_says_which(lab: Lab, argv: list[str]) -> None:
    with pytest.raises(TutorError) as caught:
        run(lab, *argv)
    assert caught.value.key == "lab.spawn"
    assert caught.value.values["program"] == argv[0]


def test_a_missing_directory_is_named(lab: Lab) -> None:
    with pytest.raises(TutorError) as caught:
        run(lab, "true", cwd=Path("/nowhere"))
    assert "/nowhere" in str(caught.value.values["reason"])


def test_a_command_line_too_long_is_refused_and_the_lab_goes_on(lab: Lab) -> None:
    with pytest.raises(TutorError) as caught:
        run(lab, "echo", "x" * 1_000_000)
    assert caught.value.key == "lab.spawn"
    assert run(lab, "echo", "still here") == (0, "still here\n")


def test_many_threads_at_once_get_their_own_answers(lab: Lab) -> None:
    answers: dict[int, tuple[int, str]] = {}

    def one(number: int) -> None:
        answers[number] = run(lab, "sh", "-c", f"echo {number}; exit {number}")

    threads = [threading.Thread(target=one, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {number: (number, f"{number}\n") for number in range(20)}


def test_an_orphan_becomes_no_zombie(lab: Lab) -> None:
    """As a container's init process does when `create` has ended: the keeper adopts it and collects its status."""
    process, read_end = start(lab, "sh", "-c", "(sleep 0.05; exit 3) & echo $!")
    with os.fdopen(read_end) as file:
        orphan = int(file.readline())
        assert process.wait(20) == 0
        assert file.read() == ""  # it has ended: it held the pipe till then
    until(lambda: not Path(f"/proc/{orphan}").exists())


def test_a_signal_after_the_end_reaches_no_process(lab: Lab) -> None:
    process, read_end = start(lab, "true")
    os.close(read_end)
    assert process.wait(20) == 0
    process.signal(signal.SIGKILL)
    assert run(lab, "true") == (0, "")


def test_a_wait_returns_when_the_lab_ends(lab: Lab) -> None:
    process, read_end = start(lab, "sleep", "1000")
    os.kill(lab.keeper_pid, signal.SIGKILL)
    with pytest.raises(TutorError) as caught:
        process.wait(20)
    os.close(read_end)
    assert caught.value.key == "lab.ended"
    assert not lab.alive
    with pytest.raises(TutorError) as again:
        run(lab, "true")
    assert again.value.key == "lab.ended"


def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    lab = Lab.start(home=home(tmp_path), engine="runt", workdir=tmp_path)
    lab.close()
    lab.close()
    assert not lab.alive


def test_what_forks_faster_than_one_can_kill_ends_too(tmp_path: Path) -> None:
    with Lab.start(home=home(tmp_path), engine="runt", workdir=tmp_path) as lab:
        script = "import os\nprint('on', flush=True)\nwhile os.fork(): os._exit(0)\nwhile True:\n  if os.fork(): os._exit(0)"
        process, read_end = start(
            lab, "/usr/bin/python3", "-c", script.replace("while os.fork(): os._exit(0)\n", "")
        )
        with os.fdopen(read_end) as file:
            assert file.readline() == "on\n"
            assert process.wait(20) == 0
            traces = Traces(home(tmp_path).state, tmp_path)
            lab.close()
            assert file.read() == ""  # the pipe is closed
    assert traces.left() == []


def test_the_shell_is_in_the_lab(lab: Lab, tmp_path: Path) -> None:
    path = bundle(tmp_path)
    argv, cwd, environment = lab.shell_call(path)
    typed = 'pwd; readlink /proc/self/ns/mnt; grep -c /oci-tutor- /proc/self/cgroup; runt create box >/dev/null 2>&1; runt list -q; echo "$PS1"; exit 5\n'
    done = subprocess.run(
        ["script", "--quiet", "--flush", "--return", "--command", shlex.join(argv), "/dev/null"],
        cwd=cwd,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=patience.scaled(60),
        check=False,
    )
    assert done.returncode == 5
    assert f"mnt:[{lab.mount_namespace_inode}]" in done.stdout
    lines = done.stdout.splitlines()
    assert {str(path), str(len(lab.cgroups)), "box"} <= set(lines)
    assert any(line.startswith("(oci-tutor:runt)") for line in lines)
    assert "box" in run(lab, "runt", "list", "-q")[1]


@pytest.mark.peer("runc")
@pytest.mark.parametrize("where", ["", "--bundle {path}", "-b={path}"])
def test_in_the_shell_runc_creates_again_on_a_root_with_its_links_in_dev(
    lab: Lab, tmp_path: Path, where: str
) -> None:
    """runc 1.3.6 fails where they are and its streams are a file or a pipe; what else is in the root's /dev stays."""
    path = bundle(tmp_path, linux={"namespaces": [{"type": "mount"}]})
    for name, target in (("left", "/proc/self/fd/9"), ("own", "pts/ptmx")):
        (path / "rootfs/dev" / name).symlink_to(target)
    argv, _cwd, environment = lab.shell_call(path if not where else tmp_path)
    create = f"runc create {where.format(path=path)} box >log 2>&1 && runc delete --force box || cat log\n"
    done = subprocess.run(
        ["script", "--quiet", "--flush", "--return", "--command", shlex.join(argv), "/dev/null"],
        env=environment,
        input=f"{create}{create}exit 5\n",
        capture_output=True,
        text=True,
        timeout=patience.scaled(60),
        check=False,
    )
    assert done.returncode == 5
    assert "level=error" not in done.stdout
    names = {each.name for each in (path / "rootfs/dev").iterdir()}
    assert {"stdin", "own"} <= names
    assert "left" not in names


def test_a_shell_after_the_end_of_its_lab_says_so_by_its_status(tmp_path: Path) -> None:
    with Lab.start(home=home(tmp_path), engine="runt", workdir=tmp_path) as lab:
        argv, cwd, environment = lab.shell_call(tmp_path)
    done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")


def test_what_a_shell_has_started_ends_with_the_lab(tmp_path: Path) -> None:
    with Lab.start(home=home(tmp_path), engine="runt", workdir=tmp_path) as lab:
        argv, cwd, environment = lab.shell_call(tmp_path)
        shell = subprocess.Popen(
            [*argv[: argv.index(str(tmp_path)) + 1], "sh", "-c", "setsid sleep 1000 & echo $!; wait"],
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert shell.stdout is not None
        sleeper = int(shell.stdout.readline())
        until(lambda: Path(f"/proc/{sleeper}/comm").read_text() == "sleep\n")
        traces = Traces(home(tmp_path).state, tmp_path)
        assert sleeper in {process.pid for process in traces.note_members()}
    assert shell.wait(20) == -signal.SIGKILL
    shell.stdout.close()
    assert traces.left() == []


def test_guard_and_keeper_need_nothing_but_the_standard_library() -> None:
    """They run with `-I -S`: no site-packages, nothing of the user's, and a start of some 60 ms."""
    script = (
        f"import sys; sys.path.append({str(_repository())!r}); import tutor.lab.guard, tutor.lab.enter\n"
        "print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert set(done.stdout.split()) - {"__main__"} == {"tutor"}


def test_a_stopped_keeper_does_not_hold_up_the_end(tmp_path: Path) -> None:
    lab = Lab.start(home=home(tmp_path), engine="runt", workdir=tmp_path)
    traces = Traces(home(tmp_path).state, tmp_path)
    os.kill(lab.keeper_pid, signal.SIGSTOP)
    lab.close()
    assert traces.left() == []


@pytest.mark.parametrize(
    ("namespace", "freed", "left"),
    [
        ([], ["nodev", "noexec"], []),
        # Of a more privileged user namespace: the options are locked, mount_namespaces(7). Devices can't be made there anyway.
        (["unshare", "--user", "--map-root-user", "--mount"], [], ["noexec"]),
    ],
)
def test_mount_options_that_hinder_containers_are_taken_off_where_the_kernel_lets_us(
    tmp_path: Path, namespace: list[str], freed: list[str], left: list[str]
) -> None:
    script = (
        "import sys; from tutor.lab.places import free\n"
        "place = free(sys.argv[1]); print(place.freed, place.left)\n"
        "print(free(sys.argv[1]).freed)\n"
    )
    mount = 'mount -t tmpfs -o nodev,noexec,mode=777 tmpfs "$0" && exec "$@"'
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", mount, str(tmp_path)]
    done = subprocess.run(
        [*command, *namespace, *_python(script, str(tmp_path))],
        cwd=_repository(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{freed} {left}", "[]"]
