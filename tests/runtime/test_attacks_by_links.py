"""Links in an image, where the runtime mounts, masks or changes to: none leads out of the container's root."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.runt import Bundle, Runt

pytestmark = [pytest.mark.root, pytest.mark.peer("busybox")]


@pytest.mark.parametrize("kind", ["proc", "sysfs"])
def test_proc_or_sys_that_is_a_link_is_an_error(bundle: Bundle, runt: Runt, kind: str) -> None:
    """CVE-2019-19921 and CVE-2023-27561: what is later written to /proc would go where the image wants it."""
    place = bundle.rootfs / {"proc": "proc", "sysfs": "sys"}[kind]
    if place.is_dir():
        place.rmdir()
    place.symlink_to("tmp")
    bundle.config["mounts"] = [{"destination": f"/{place.name}", "type": kind, "source": kind}]
    assert "is a symbolic link in the root filesystem" in runt.fail(bundle.namespaces("pid", "network"))


@pytest.mark.parametrize("link", ["{outside}", "../../../../../../../../../..{outside}"])
def test_no_link_of_the_image_leads_out_of_it(bundle: Bundle, runt: Runt, tmp_path: Path, link: str) -> None:
    """Joining the root's path and the destination would mount over, mask and make files in `outside`."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("the host's")
    (bundle.rootfs / "out").symlink_to(link.format(outside=outside))
    (tmp_path / "volume/deeper").mkdir(parents=True)
    bundle.config["mounts"] += [
        {"destination": "/out/tmpfs", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/out/volume", "source": str(tmp_path / "volume"), "options": ["rbind"]},
        {"destination": "/out/volume/deeper/still", "source": str(tmp_path / "volume"), "options": ["bind"]},
        {"destination": "/out/file", "source": "config.json", "options": ["bind"]},
    ]
    bundle.linux["devices"] = [{"path": "/out/zero", "type": "c", "major": 1, "minor": 5}]
    bundle.linux.update(maskedPaths=["/out/secret"], readonlyPaths=["/out"])
    bundle.process["cwd"] = "/out/cwd"
    said = runt.run(bundle.sh("ls /out; cat /out/secret 2>&1; true").namespaces("pid"))
    assert said.splitlines()[:5] == ["cwd", "file", "tmpfs", "volume", "zero"]
    assert "the host's" not in said
    assert [path.name for path in outside.iterdir()] == ["secret"]
