"""The image chain against the real tools: skopeo, oci-image-tool and umoci accept the tutor's images and make the same tree of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.images import (
    INDEX,
    TARS_THAT_ARE_SOUND,
    DamagedTar,
    LayoutMaker,
    damaged_tars,
    digest,
    docker_archive,
    entry,
    hard_link,
    layout,
    named,
    snapshot,
    symlink,
    tar,
    zstd,
)
from tutor.images import ImageError
from tutor.images.convert import convert
from tutor.images.image_source import open_image
from tutor.images.layout import Layout
from tutor.images.mini import build
from tutor.images.platforms import machine_platform
from tutor.images.prepare import prepare
from tutor.images.reference import find_image, new_layout
from tutor.images.unpack import unpack
from tutor.images.verify import verify

pytestmark = pytest.mark.root


def _do(*argv: object, cwd: Path | None = None) -> str:
    done = subprocess.run([str(arg) for arg in argv], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["busybox", "tools"])
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the mini image, of both kinds."""
    path = tmp_path_factory.mktemp("archive") / "mini.tar"
    build(path, source=request.param)
    return path


@pytest.fixture
def layouts(archive: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The archive as layouts: skopeo's and the tutor's."""
    _do("skopeo", "copy", f"docker-archive:{archive}", "oci:by_tool:latest", cwd=tmp_path)
    convert(archive, tmp_path / "by_tutor")
    return tmp_path / "by_tool", tmp_path / "by_tutor"


@pytest.mark.peer("skopeo", "umoci")
def test_umoci_and_the_tutor_make_the_same_tree_of_either_layout(
    layouts: tuple[Path, Path], tmp_path: Path
) -> None:
    trees = []
    for path in layouts:
        _do("umoci", "unpack", "--image", f"{path}:latest", tmp_path / f"umoci-{path.name}")
        unpack(path, tmp_path / f"tutor-{path.name}", ref="latest")
        trees += [snapshot(tmp_path / f"{tool}-{path.name}/rootfs") for tool in ("umoci", "tutor")]
    assert len(trees[0]) > 100
    assert trees[0] == trees[1] == trees[2] == trees[3]


@pytest.mark.peer("skopeo", "oci-image-tool")
def test_oci_image_tool_makes_the_same_tree(layouts: tuple[Path, Path], tmp_path: Path) -> None:
    """It leaves owners and times as they come, and its modes go through the umask: the rest is compared."""
    for path in layouts:
        bundle = tmp_path / f"bundle-{path.name}"
        bundle.mkdir()
        create = 'umask 0 && exec oci-image-tool create --ref name=latest "$@"'
        _do("sh", "-c", create, "sh", path, bundle)
        unpack(path, tmp_path / f"tutor-{path.name}", config="minimal")
        by_tool, by_tutor = (
            {name: (entry[0], *entry[2:]) for name, entry in snapshot(root / "rootfs", times=False).items()}
            for root in (bundle, tmp_path / f"tutor-{path.name}")
        )
        assert by_tool == by_tutor
        their_config, our_config = (
            json.loads((root / "config.json").read_text())
            for root in (bundle, tmp_path / f"tutor-{path.name}")
        )
        assert our_config == {**their_config, "ociVersion": "1.0.0"}


@pytest.mark.peer("skopeo", "oci-image-tool")
def test_our_layout_is_valid_and_names_the_same_content(layouts: tuple[Path, Path]) -> None:
    by_tool, by_tutor = layouts
    _do("oci-image-tool", "validate", "--type", "image", "--ref", "name=latest", by_tutor)
    inspected = [
        json.loads(_do("skopeo", "inspect", "--config", f"oci:{path}:latest")) for path in (by_tool, by_tutor)
    ]
    assert inspected[0] == inspected[1]
    raw = json.loads(_do("skopeo", "inspect", f"oci:{by_tutor}:latest"))
    assert len(raw["Layers"]) == 2
    assert raw["Architecture"] == inspected[0]["architecture"]


@pytest.mark.peer("skopeo", "umoci")
def test_awkward_layers_come_out_as_umoci_does_it(tmp_path: Path) -> None:
    base = tar([
        entry("etc"), entry("etc/a", b"a"), entry("etc/b", b"b"), entry("usr/lib"), entry("usr/lib/x", b"x"),
        symlink("lib", "usr/lib"), entry("gone"), entry("gone/deep", b"x"), entry("opaque"), entry("opaque/old", b"x"),
        hard_link("etc/c", "etc/a"), entry("swap", b"file"), entry("kept", mode=0o700, mtime=9), entry("kept/old", b""),
    ])  # fmt: skip
    top = tar([
        entry("etc/.wh.b", b""), entry(".wh.gone", b""), entry("opaque", mode=0o711), entry("opaque/.wh..wh..opq", b""),
        entry("opaque/new", b"n"), entry("lib/y", b"y", uid=5, gid=6, mode=0o2755), entry("swap"), entry("swap/in", b"i"),
        entry("etc/a", b"changed"), entry("kept/new", b"", mtime=4),
    ])  # fmt: skip
    source = layout(tmp_path / "layout", base, top, compressed=True)
    _do("umoci", "unpack", "--image", f"{source}:latest", tmp_path / "umoci")
    unpack(source, tmp_path / "tutor")
    # umoci lets a directory that no layer mentions keep the time of unpacking, as the tutor does: there is none to compare.
    by_tool, by_tutor = (snapshot(tmp_path / f"{tool}/rootfs", times=False) for tool in ("umoci", "tutor"))
    assert by_tutor == by_tool
    assert (
        (tmp_path / "tutor/rootfs/kept").stat().st_mtime
        == (tmp_path / "umoci/rootfs/kept").stat().st_mtime
        == 9
    )


@pytest.mark.peer("skopeo")
def test_skopeos_layout_with_zstd_layers_unpacks_to_the_same_tree(
    layouts: tuple[Path, Path], tmp_path: Path
) -> None:
    by_tool, by_tutor = layouts
    _do(
        "skopeo",
        "copy",
        "--dest-compress-format",
        "zstd",
        f"oci:{by_tool}:latest",
        "oci:zstd:x",
        cwd=tmp_path,
    )
    unpack(tmp_path / "zstd", tmp_path / "bundle-zstd")
    unpack(by_tutor, tmp_path / "bundle-gzip")
    manifest = Layout(tmp_path / "zstd").image("x")
    assert {layer.media_type.rpartition("+")[2] for layer in manifest.layers} == {"zstd"}
    assert snapshot(tmp_path / "bundle-zstd/rootfs") == snapshot(tmp_path / "bundle-gzip/rootfs")


@pytest.mark.peer("skopeo")
@pytest.mark.parametrize("whole", [False, True])
def test_skopeo_reads_the_same_zstd_archives(tmp_path: Path, whole: bool) -> None:
    """Layers as Docker 29 saves them, under the digest that they have in the registry; and a whole archive."""
    layer = tar([entry("etc"), entry("etc/motd", b"hello")])
    blob = layer if whole else zstd(layer)
    rootfs = {"rootfs": {"type": "layers", "diff_ids": [digest(layer)]}}
    docker_archive(tmp_path / "a.tar", [blob], rootfs, Layers=[f"blobs/sha256/{digest(blob)[7:]}"])
    if whole:
        (tmp_path / "a.tar").write_bytes(zstd((tmp_path / "a.tar").read_bytes()))
    _do("skopeo", "copy", "docker-archive:a.tar", "oci:by_tool:x", cwd=tmp_path)
    convert(tmp_path / "a.tar", tmp_path / "by_tutor", ref="x")
    by_tool, by_tutor = (Layout(tmp_path / name).image("x") for name in ("by_tool", "by_tutor"))
    assert by_tool.config["rootfs"] == by_tutor.config["rootfs"]


@pytest.mark.peer("skopeo")
@pytest.mark.parametrize("ref", ["3.9", "docker.io/library/alpine:3.9", "a:b", "a/b", "a+b@c", "a--b"])
def test_skopeo_splits_a_name_at_the_same_place(archive: Path, tmp_path: Path, ref: str) -> None:
    """What it makes is found here by the same word, and the other way round; as a directory and as an archive."""
    for word, place in (("oci", "by_tool"), ("oci-archive", "by_tool.tar")):
        name = f"{word}:{tmp_path}/{place}:{ref}"
        _do("skopeo", "copy", f"docker-archive:{archive}:mini:latest", name)
        transport, found = verify(name)
        assert (transport, found.names) == (word, (ref,))
        assert verify(name.removeprefix(f"{word}:"))[1] == found
    with open_image(find_image(f"oci:{tmp_path}/by_tool:{ref}")) as image:
        assert image.manifest
    target = new_layout(f"oci:{tmp_path}/by_tutor:{ref}")
    convert(archive, target.path, ref=target.ref)
    _do("skopeo", "inspect", f"oci:{tmp_path}/by_tutor:{ref}")


@pytest.mark.peer("skopeo")
@pytest.mark.parametrize("ref", ["a b", "/a", "a//b", "-", "a__b"])
def test_skopeo_refuses_the_same_refs(archive: Path, tmp_path: Path, ref: str) -> None:
    name = f"oci:{tmp_path}/new:{ref}"
    argv = ["skopeo", "copy", f"docker-archive:{archive}", name]
    assert subprocess.run(argv, capture_output=True, check=False).returncode != 0
    with pytest.raises(ImageError):
        new_layout(name)


@pytest.mark.peer("skopeo")
def test_skopeo_chooses_the_same_image_of_an_archive(archive: Path, tmp_path: Path) -> None:
    for name in ("mini", "mini:latest", "docker.io/library/mini:latest", "@0", "other", "mini:2", "@1"):
        reference = f"docker-archive:{archive}:{name}"
        by_tool = subprocess.run(
            ["skopeo", "copy", reference, f"oci:{tmp_path / 'out'}:x"], capture_output=True, check=False
        )
        try:
            verify(reference)
            code = ""
        except ImageError as error:
            code = error.code
        assert code == ("archive_name" if by_tool.returncode else "")


@pytest.mark.peer("skopeo")
def test_skopeo_takes_the_same_image_of_an_index(tmp_path: Path) -> None:
    """Other platforms, and an entry that says nothing of its own."""
    maker = LayoutMaker(tmp_path / "layout")
    own, _ = machine_platform()

    def image(name: str, **platform: str) -> dict[str, Any]:
        content = maker.manifest([tar([entry("name", name.encode())])])
        return {**content, "platform": {"os": "linux", **platform}} if platform else content

    silent, plain, other = image("silent"), image("plain", architecture=own), image("o", architecture="s390x")
    indexes = [
        maker.json_blob({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, INDEX)
        for entries in ([plain], [other, plain], [silent, plain], [other, silent], [silent, other])
    ]
    for number, index in enumerate(indexes):
        maker.index(named(index, "x"))
        _do("skopeo", "copy", f"oci:{maker.path}:x", f"oci:{tmp_path}/copy{number}:x")
        by_tool = Layout(tmp_path / f"copy{number}").image("x")
        by_tutor = Layout(maker.path).image("x")
        assert by_tutor.config_descriptor.digest == by_tool.config_descriptor.digest


@pytest.mark.peer("umoci")
@pytest.mark.parametrize("name", TARS_THAT_ARE_SOUND)
def test_umoci_takes_the_same_ends_of_a_layer_for_sound(tmp_path: Path, name: str) -> None:
    source = layout(tmp_path / "layout", TARS_THAT_ARE_SOUND[name][0])
    _do("umoci", "unpack", "--image", f"{source}:latest", tmp_path / "umoci")
    unpack(source, tmp_path / "tutor")
    by_tool, by_tutor = (snapshot(tmp_path / f"{tool}/rootfs") for tool in ("umoci", "tutor"))
    assert by_tutor == by_tool


@pytest.mark.peer("umoci")
@pytest.mark.parametrize("damage", damaged_tars(), ids=lambda damage: damage.name)
def test_umoci_refuses_the_same_damages(tmp_path: Path, damage: DamagedTar) -> None:
    source = layout(tmp_path / "layout", damage.content)
    argv = ["umoci", "unpack", "--image", f"{source}:latest", str(tmp_path / "umoci")]
    by_tool = subprocess.run(argv, capture_output=True, text=True, check=False)
    # Go's archive/tar takes the end of the file behind the records of a long name for the end of the archive.
    assert by_tool.returncode == (0 if "records" in damage.name else 1), by_tool.stderr
    with pytest.raises(ImageError):
        unpack(source, tmp_path / "tutor")


@pytest.mark.peer("umoci", "skopeo")
def test_the_config_agrees_with_umocis_where_the_specification_speaks(tmp_path: Path) -> None:
    execution = {
        "User": "web", "Entrypoint": ["/e"], "Cmd": ["c"], "Env": ["PATH=/x", "A=b"], "WorkingDir": "/w",
        "Labels": {"l": "1"}, "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGINT", "Volumes": {"/data": {}},
    }  # fmt: skip
    image = tar([
        entry("etc"), entry("etc/passwd", b"web:x:33:44::/home/web:/bin/sh\n"), entry("etc/group", b"web:x:44:\nlog:x:55:web\n"),
        entry("w"), entry("data"),
    ])  # fmt: skip
    source = layout(
        tmp_path / "layout", image, execution=execution, config={"created": "2026-01-02T03:04:05Z"}
    )
    _do("umoci", "unpack", "--image", f"{source}:latest", tmp_path / "umoci")
    unpack(source, tmp_path / "tutor")
    by_tool, by_tutor = (
        json.loads((tmp_path / f"{tool}/config.json").read_text()) for tool in ("umoci", "tutor")
    )
    for key in ("user", "args", "cwd"):
        assert by_tutor["process"][key] == by_tool["process"][key]
    assert set(execution["Env"]) <= set(by_tutor["process"]["env"]) & set(by_tool["process"]["env"])
    assert (
        by_tutor["annotations"].items()
        >= {key: value for key, value in by_tool["annotations"].items() if value}.items()
    )
    assert {m["destination"] for m in by_tool["mounts"]} - {m["destination"] for m in by_tutor["mounts"]} == {
        "/sys/fs/cgroup"
    }


# The launcher lies beside the interpreter that it was installed for, on PATH or not.
RUNTIMES = [
    pytest.param("runc", marks=pytest.mark.peer("runc")),
    pytest.param("crun", marks=pytest.mark.peer("crun")),
    pytest.param(str(Path(sys.executable).parent / "runt"), id="runt"),
]


def _in_private_mounts(script: str, bundle: Path, runtime: str, root: Path) -> str:
    """Run a script in a bundle where `"linux": {}` cannot mount into the host; `run` in it is the runtime.

    Without the hybrid hierarchy's v2 part: crun refuses to meet it.
    """
    setup = f'umount /sys/fs/cgroup/unified 2>/dev/null || :; cd "{bundle}"; run() {{ "{runtime}" --root "{root}" "$@"; }}\n'
    return _do("unshare", "--mount", "--propagation", "private", "sh", "-ec", setup + script)


def _change(bundle: Path, args: list[str]) -> None:
    config = json.loads((bundle / "config.json").read_text())
    config["process"].update(terminal=False, args=args)
    (bundle / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_bundle_of_the_tutor_runs(tmp_path: Path, runtime: str) -> None:
    script = "id -u; hostname; cat /etc/motd; ls /proc/self/fd >/dev/null && test -c /dev/null && test -d /sys/kernel && echo all"
    prepare(tmp_path / "bundle", cache=tmp_path / "cache", config="full")
    _change(tmp_path / "bundle", ["/bin/sh", "-c", script])
    said = _in_private_mounts(
        "run run tutor-images", tmp_path / "bundle", runtime, tmp_path / "state"
    ).splitlines()
    assert (said[:2], said[-1]) == (["0", "mini"], "all")
    assert said[2].startswith("Welcome to the mini image")


@pytest.mark.peer("skopeo", "oci-image-tool")
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_seeds_chain_from_archive_to_container(archive: Path, tmp_path: Path, runtime: str) -> None:
    """The commands of the seed's chapter, with its config.json."""
    _do("skopeo", "copy", f"docker-archive:{archive}", "oci:mini:latest", cwd=tmp_path)
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    _do("oci-image-tool", "create", "--ref", "name=latest", tmp_path / "mini", bundle)
    config = {
        "ociVersion": "1.0.0",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["echo", "alpine"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "cwd": "/",
        },
        "root": {"path": "rootfs"},
        "linux": {},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    }
    (bundle / "config.json").write_text(json.dumps(config))
    # Everything in one mount namespace: `create` leaves its mounts in the one it is called in.
    chain = (
        "run create alpine-test; run list; run state alpine-test >../state.json; run start alpine-test; "
        "until run list | grep -q stopped; do :; done; run list; run delete alpine-test; run list"
    )
    lines = _in_private_mounts(chain, bundle, runtime, tmp_path / "state").splitlines()
    words = [line.split()[:1] + line.split()[2:3] for line in lines]
    header = ["NAME" if runtime == "crun" else "ID", "STATUS"]
    created, stopped = ["alpine-test", "created"], ["alpine-test", "stopped"]
    assert words == [header, created, ["alpine"], header, stopped, header]
    state = json.loads((tmp_path / "state.json").read_text())
    assert (state["status"], state["id"], state["bundle"]) == ("created", "alpine-test", str(bundle))


@pytest.mark.peer("podman", "skopeo")
def test_podmans_archive_converts(archive: Path, tmp_path: Path) -> None:
    """skopeo writes docker-archives with podman's code: layers as files at the top level, not in folders."""
    _do("skopeo", "copy", f"docker-archive:{archive}", f"docker-archive:{tmp_path}/again.tar:mini:again")
    by_tutor = convert(archive, tmp_path / "by_tutor")
    again = convert(tmp_path / "again.tar", tmp_path / "again")
    assert again.ref == "again"
    assert [layer.diff_id for layer in again.layers] == [layer.diff_id for layer in by_tutor.layers]
