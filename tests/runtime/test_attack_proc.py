"""A fake /proc or /sys: what the runtime writes must reach the kernel.

CVE-2019-16884, CVE-2019-19921, CVE-2023-27561 and CVE-2025-52881. Writing to /proc by a plain path fails with each of
them; `test_a_plain_path_would_be_deceived` shows it.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.runt import PROC, REPOSITORY, wait_for

if TYPE_CHECKING:
    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]

SYS = {"destination": "/sys", "type": "sysfs", "source": "sysfs"}

FAKES: dict[str, str] = {
    "a tmpfs at /proc": "mount -t tmpfs tmpfs /proc; mkdir -p /proc/sys/net/ipv4 /proc/self/attr /proc/thread-self/attr;"
    " echo > /proc/sys/net/ipv4/ip_forward; echo > /proc/self/attr/exec; echo > /proc/thread-self/attr/exec;"
    " echo > /proc/self/oom_score_adj",
    "a tmpfs at /proc/sys": "mount -t tmpfs tmpfs /proc/sys; mkdir -p /proc/sys/net/ipv4;"
    " echo > /proc/sys/net/ipv4/ip_forward",
    "a file of procfs": "mount --bind /proc/self/sched /proc/sys/net/ipv4/ip_forward",
    "a directory of procfs": "mount --bind /proc/sys/vm /proc/sys/net/ipv4;",
    "another part of procfs as /proc": "mount --bind /proc/1 /proc",
}


def in_fake(fake: str, statement: str) -> subprocess.CompletedProcess[str]:
    """Run a Python statement in a mount (and network) namespace with a fake /proc."""
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); {statement}"
    script = f'{FAKES[fake]}\nexec "$@"'
    return subprocess.run(
        ["unshare", "--mount", "--net", "sh", "-ec", script, "sh", sys.executable, "-ISc", code],
        capture_output=True,
        text=True,
        check=False,
    )


SYSCTL = (
    "from types import SimpleNamespace as N; from runtime.namespaces.sysctl import write_sysctls; "
    "write_sysctls(N(linux={'sysctl': {'net.ipv4.ip_forward': '1'}}))"
)


@pytest.mark.parametrize("fake", FAKES)
def test_a_sysctl_is_not_written_to_a_fake(fake: str) -> None:
    done = in_fake(fake, SYSCTL)
    assert done.returncode == 1
    assert "RuntError" in done.stderr


def test_a_plain_path_would_be_deceived() -> None:
    """The proof that the fakes work: a write by the path ends well, and no kernel parameter has changed."""
    plain = "open('/proc/sys/net/ipv4/ip_forward', 'w').write('1')"
    for fake in ("a tmpfs at /proc", "a tmpfs at /proc/sys"):
        assert in_fake(fake, plain).returncode == 0


LABELS = "from runtime.process import labels; labels._write('attr/exec', 'unconfined')"
SCORE = (
    "from types import SimpleNamespace as N; from runtime.process.setup import set_oom_score; "
    "set_oom_score(N(process={'oomScoreAdj': 500}))"
)


@pytest.mark.parametrize("statement", [LABELS, SCORE], ids=["label", "oom score"])
def test_what_is_said_about_the_process_is_not_said_to_a_fake(statement: str) -> None:
    done = in_fake("a tmpfs at /proc", statement)
    assert done.returncode == 1
    assert "not a procfs" in done.stderr


@pytest.mark.parametrize(("own", "place"), [(PROC, "proc"), (SYS, "sys")])
@pytest.mark.parametrize("target", ["/tmp", "tmp", "../../../tmp", "/proc/self/cwd"])
def test_a_link_in_the_image_is_no_place_for_proc_or_sys(
    runt: Runt, bundle: Bundle, own: dict[str, Any], place: str, target: str
) -> None:
    if (bundle.rootfs / place).exists():
        (bundle.rootfs / place).rmdir()
    (bundle.rootfs / place).symlink_to(target)
    bundle.config["mounts"] = [own]
    runt.fail(bundle, command="run")
    assert list((bundle.rootfs / "tmp").iterdir()) == []


OVER_PROC: dict[str, dict[str, Any]] = {
    "tmpfs": {"destination": "/proc", "type": "tmpfs", "source": "tmpfs"},
    "volume": {"destination": "/proc", "source": "rootfs/tmp", "options": ["bind"]},
    "part": {"destination": "/proc", "source": "/proc/1", "options": ["bind"]},
    "below": {"destination": "/proc/sys", "type": "tmpfs", "source": "tmpfs"},
    "self": {"destination": "/proc/self/attr", "source": "rootfs/tmp", "options": ["bind"]},
    "dots": {"destination": "/tmp/../proc/sys", "source": "rootfs/tmp", "options": ["bind"]},
    "link": {"destination": "/link/sys", "source": "rootfs/tmp", "options": ["bind"]},
    "link to it": {"destination": "/link", "type": "tmpfs", "source": "tmpfs"},
}


@pytest.mark.parametrize("mount", OVER_PROC.values(), ids=OVER_PROC)
def test_nothing_is_mounted_over_proc(runt: Runt, bundle: Bundle, mount: dict[str, Any]) -> None:
    (bundle.rootfs / "link").symlink_to("/proc")
    bundle.config["mounts"] = [PROC, mount]
    assert "cannot be mounted because it is" in runt.fail(bundle, command="run")


def test_exec_writes_nothing_into_the_containers_own_proc(runt: Runt, bundle: Bundle) -> None:
    """The container has mounted a tmpfs over its /proc, with files where a runtime would write."""
    bundle.namespaces("pid").process["capabilities"] = {
        kind: ["CAP_SYS_ADMIN"] for kind in ("bounding", "effective", "permitted")
    }
    files = "self/attr/exec thread-self/attr/exec self/oom_score_adj self/setgroups self/attr/keycreate"
    bundle.process["oomScoreAdj"] = 300
    bundle.sh(
        "mount -t tmpfs tmpfs /proc && cd /proc && for f in "
        + files
        + "; do mkdir -p ${f%/*}; echo > $f; done;"
        " touch /ready; sleep 1000"
    )
    runt.create(bundle)
    runt.ok("start", "test")
    wait_for((bundle.rootfs / "ready").exists)
    said = runt.ok("exec", "test", "sh", "-c", "for f in " + files + "; do cat /proc/$f; done")
    assert said.strip() == ""


def test_a_joined_mount_namespace_with_a_fake_proc_is_refused(runt: Runt, bundle: Bundle) -> None:
    """A fake /proc would hide that a mount point is in /proc: descriptors are resolved by it."""
    script = "mount -t tmpfs tmpfs /proc; echo ready; read line"
    with subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        bundle.linux["namespaces"] = [{"type": "mount", "path": f"/proc/{holder.pid}/ns/mnt"}]
        bundle.config["mounts"] = [{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}]
        assert "/proc is not a procfs" in runt.fail(bundle, command="run")
        holder.communicate("\n")
