"""The judge: what does what ours does passes, however it is written; what does not is named, with its evidence and its clause."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tutor.home import Home
from tutor.messages import Messages
from tutor.own_steps import source
from tutor.own_steps.exercises import EXERCISES
from tutor.own_steps.judge import Judgement, judge, prepared_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Judge = Callable[[str, str], Judgement]

pytestmark = pytest.mark.root
IMPORTS = "import os\nfrom syscalls import *\nfrom container import Container, ContainerError\n"


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("own")
    return Home(root / "labs", root / "state", root / "cache")


@pytest.fixture
def judged(kept: Home) -> Judge:
    def run(exercise: str, text: str) -> Judgement:
        return judge(exercise, IMPORTS + text, messages=Messages("ja"), home=kept)

    return run


def about(judgement: Judgement) -> set[tuple[str, str, str, str]]:
    return {(each.aspect, each.detail, each.expected, each.found) for each in judgement.differences}


CALLS_BY_NUMBER = """
def set_hostname(c):
    import ctypes
    libc = ctypes.CDLL(None)
    for member, call in {"domainname": libc.setdomainname, "hostname": libc.sethostname}.items():
        name = c.config.get(member, "").encode()
        if name and not c.namespace("uts"):
            raise ContainerError("no uts namespace")
        if name:
            call(name, len(name))
"""
WRITES_TO_PROC = """
def set_hostname(c):
    kinds = [each["type"] for each in c.config["linux"]["namespaces"]]
    for name in ("hostname", "domainname"):
        if name in c.config:
            if "uts" not in kinds:
                raise ContainerError("the host name is the host's")
            with open(f"/proc/sys/kernel/{name}", "w") as file:
                file.write(c.config[name])
"""
TWICE = """
def set_hostname(c):
    wanted = [(c.config[name], call) for name, call in (("hostname", sethostname), ("domainname", setdomainname)) if c.config.get(name)]
    if wanted and c.namespace("uts") is None:
        raise ContainerError("a host name without a namespace for it")
    for name, call in wanted * 2:
        call(name)
"""


OTHER_ORDER = """
def list_containers(root):
    found = []
    for name in sorted(os.listdir(root)) if os.path.isdir(root) else []:
        c = Container(root, name)
        read_state(c)
        status = status_of(c)
        found.append({"bundle": c.bundle, "status": status, "pid": c.pid if status != "stopped" else 0, "id": name})
    return found


def status_of(c):
    try:
        with open(f"/proc/{c.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return "stopped"
    if fields[0] in "ZX" or fields[19] != c.start_time:
        return "stopped"
    return "created" if os.path.exists(c.fifo) else "running"
"""


@pytest.mark.parametrize("text", [CALLS_BY_NUMBER, WRITES_TO_PROC, TWICE])
def test_another_way_to_do_the_same_passes(judged: Judge, text: str) -> None:
    judgement = judged("hostname", text)
    assert judgement.passed, judgement


def test_members_of_an_answer_may_be_in_any_order(judged: Judge) -> None:
    judgement = judged("state", OTHER_ORDER)
    assert judgement.passed, judgement


def test_a_bundle_that_must_be_refused_is_not_refused_for_another_reason(judged: Judge) -> None:
    ours = source.reference_definition(("load_config",))
    unchecked = ours.replace(' or not c.process["args"]', "")
    assert {each.aspect for each in judged("bundle", unchecked).differences} == {"exit"}


def test_a_wrong_host_name_is_named_with_evidence_and_clause(judged: Judge) -> None:
    judgement = judged("hostname", "def set_hostname(c):\n    sethostname(c.id)\n")
    assert not judgement.passed
    assert ("hostname", "", "hako", "box") in about(judgement)
    difference = judgement.differences[0]
    assert difference.clause == "config.md#hostname"
    assert difference.looked_at == "create のあと、コンテナのホスト名"
    assert difference.command == "nsenter -t $PID -u hostname"
    # Nothing else is different, but that the host got the name where there is no namespace.
    assert {each.aspect for each in judgement.differences} <= {"hostname", "domainname", "exit", "host"}


def test_root_for_containers_is_made_once_however_many_want_it_first(tmp_path: Path) -> None:
    home = Home(tmp_path / "labs", tmp_path / "state", tmp_path / "cache")
    with ThreadPoolExecutor(4) as pool:
        roots = set(pool.map(prepared_root, [home] * 4))
    (root,) = roots
    assert (root / "bin" / "sh").exists()
    assert [each.name for each in root.parent.parent.iterdir() if not each.name.startswith(".")] == [
        root.parent.name
    ]


def test_what_is_not_written_is_ours_and_does_not_pass(judged: Judge) -> None:
    stub = judged("hostname", 'def set_hostname(c):\n    """Set the host name."""\n    ...\n')
    assert (stub.passed, stub.missing, stub.differences, stub.mishap) == (False, ("set_hostname",), (), None)


def test_a_file_that_is_not_python_is_a_mishap_with_its_line(judged: Judge) -> None:
    mishap = judged("hostname", "def set_hostname(c:\n    pass\n").mishap
    assert mishap is not None
    assert (mishap.kind, mishap.line) == ("syntax", 4)


@pytest.mark.parametrize("exercise", [pytest.param(each.id, id=each.id) for each in EXERCISES])
def test_ours_passes(judged: Judge, exercise: str) -> None:
    functions = next(each.functions for each in EXERCISES if each.id == exercise)
    judgement = judged(exercise, source.reference_definition(functions))
    assert judgement.passed, judgement
