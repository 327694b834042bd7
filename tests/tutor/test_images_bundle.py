"""The bundle: config.json as conversion.md says, the place it is put, and the quick way to a fresh one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.images import REPOSITORY, LayoutMaker, as_nobody, entry, layout, snapshot, tar
from tutor.images import ImageError, prepare_bundle
from tutor.images.unpack import unpack
from tutor.messages import LANGUAGES, Messages

if TYPE_CHECKING:
    from pathlib import Path

    from tutor.images.bundle_config import ConfigStyle

PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSWD = b"root:x:0:0::/root:/bin/sh\nweb:x:33:44::/:/bin/sh\n1234:x:5:6::/:/bin/sh\nodd line\nbad:x:a:b::/:/bin/sh\n"
GROUP = b"root:x:0:\nweb:x:44:\nlog:x:55:other,web\nmail:x:66:web\nbroken\n"


def _config(
    tmp_path: Path, execution: dict[str, Any], style: ConfigStyle = "full", **more: Any
) -> dict[str, Any]:
    image = tar([entry("etc"), entry("etc/passwd", PASSWD), entry("etc/group", GROUP)])
    unpack(layout(tmp_path / "layout", image, execution=execution, **more), tmp_path / "bundle", config=style)
    config: dict[str, Any] = json.loads((tmp_path / "bundle/config.json").read_text())
    return config


def test_the_minimal_form_is_the_one_the_seed_shows(tmp_path: Path) -> None:
    config = _config(tmp_path, {"Env": [PATH], "Cmd": ["/bin/sh"]}, "minimal")
    assert config == {
        "ociVersion": "1.0.0",
        "process": {
            "terminal": True,
            "user": {"uid": 0, "gid": 0},
            "args": ["/bin/sh"],
            "env": [PATH],
            "cwd": "/",
        },
        "root": {"path": "rootfs"},
        "linux": {},
    }


def test_entrypoint_and_cmd_make_the_arguments_and_the_environment_stays(tmp_path: Path) -> None:
    execution = {
        "Entrypoint": ["/entry", "-x"], "Cmd": ["a b", "あ"], "Env": ["PATH=/only", "TERM=dumb", "A="], "WorkingDir": "/srv",
    }  # fmt: skip
    process = _config(tmp_path, execution)["process"]
    assert process["args"] == ["/entry", "-x", "a b", "あ"]
    assert process["env"] == ["PATH=/only", "TERM=dumb", "A="]
    assert process["cwd"] == "/srv"


def test_an_image_that_says_nothing_still_gives_a_config(tmp_path: Path) -> None:
    process = _config(tmp_path, {"Env": None, "Cmd": None, "Labels": None})["process"]
    assert (process["args"], process["cwd"], process["env"]) == (["sh"], "/", [PATH, "TERM=xterm"])


def test_a_label_that_a_runtime_would_act_on_is_left_out_and_told(tmp_path: Path) -> None:
    """systemd, for one, would run the command of such a property on the host."""
    names = ["org.systemd.property.ExecStopPost", "run.oci.keep_original_groups", "org.criu.config", "bundle"]
    source = layout(
        tmp_path / "layout", tar([]), execution={"Labels": {"mine": "1", **dict.fromkeys(names, "x")}}
    )
    (notice,) = unpack(source, tmp_path / "bundle").notices
    annotations = json.loads((tmp_path / "bundle/config.json").read_text())["annotations"]
    assert "mine" in annotations
    assert not set(names) & set(annotations)
    assert (notice.code, notice.count, notice.example) == ("labels", 4, "bundle")
    assert unpack(source, tmp_path / "bundle", config="minimal", replace=True).notices == ()


def test_annotations_come_from_the_image_and_labels_win(tmp_path: Path) -> None:
    execution = {
        "Labels": {"mine": "1", "org.opencontainers.image.author": "label"},
        "StopSignal": "SIGINT",
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
    }
    annotations = _config(
        tmp_path,
        execution,
        config={
            "author": "me",
            "created": "1970-01-01T00:00:00Z",
            "variant": "v9",
            "os.features": ["a", "b"],
        },
    )["annotations"]
    prefix = "org.opencontainers.image."
    assert annotations["mine"] == "1"
    assert {
        key.removeprefix(prefix): value for key, value in annotations.items() if key.startswith(prefix)
    } == {
        "os": "linux",
        "architecture": annotations[prefix + "architecture"],
        "variant": "v9",
        "os.features": "a,b",
        "author": "label",
        "created": "1970-01-01T00:00:00Z",
        "stopSignal": "SIGINT",
        "exposedPorts": "53/udp,80/tcp",
    }


def test_volumes_become_mounts(tmp_path: Path) -> None:
    mounts = _config(tmp_path, {"Volumes": {"/data": {}}})["mounts"]
    assert [mount["type"] for mount in mounts if mount["destination"] == "/data"] == ["tmpfs"]


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("", {"uid": 0, "gid": 0}),
        ("web", {"uid": 33, "gid": 44, "additionalGids": [55, 66]}),
        ("33", {"uid": 33, "gid": 44}),
        ("4000000", {"uid": 4000000, "gid": 0}),
        ("1234", {"uid": 1234, "gid": 0}),
        ("web:log", {"uid": 33, "gid": 55}),
        ("web:7", {"uid": 33, "gid": 7}),
        ("5:log", {"uid": 5, "gid": 55}),
        ("5:7", {"uid": 5, "gid": 7}),
    ],
)
def test_users_are_found_in_the_images_own_files(tmp_path: Path, user: str, expected: dict[str, Any]) -> None:
    assert _config(tmp_path, {"User": user})["process"]["user"] == expected


@pytest.mark.parametrize("user", ["nobodyhere", "web:nogroup", ":web", "bad", "web:", "３"])
def test_a_user_that_the_image_does_not_have_is_an_error(tmp_path: Path, user: str) -> None:
    with pytest.raises(ImageError) as caught:
        _config(tmp_path, {"User": user})
    assert caught.value.code == "user"
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    "execution", [{"Cmd": "sh"}, {"Env": [1]}, {"User": 5}, {"Labels": []}, {"Volumes": ["/x"]}]
)
def test_a_property_of_the_wrong_type_is_named(tmp_path: Path, execution: dict[str, Any]) -> None:
    with pytest.raises(ImageError) as caught:
        _config(tmp_path, execution)
    assert caught.value.code == "image_config"
    assert str(caught.value.values["property"]).partition("[")[0] == f"config.{next(iter(execution))}"


def test_a_bundle_is_replaced_only_when_asked_and_only_if_it_is_one(tmp_path: Path) -> None:
    source = layout(tmp_path / "layout", tar([entry("new", b"")]))
    bundle = tmp_path / "bundle"
    (bundle / "rootfs").mkdir(parents=True)
    (bundle / "thesis.txt").write_text("years of work")
    for replace, code in ((False, "exists_directory"), (True, "exists_foreign")):
        with pytest.raises(ImageError) as caught:
            unpack(source, bundle, replace=replace)
        assert caught.value.code == code
    assert (bundle / "thesis.txt").exists()
    (bundle / "config.json").write_text("{}")
    unpack(source, bundle, replace=True)
    assert sorted(path.name for path in bundle.iterdir()) == ["config.json", "rootfs"]
    (tmp_path / "file").write_text("")
    with pytest.raises(ImageError) as caught:
        unpack(source, tmp_path / "file", replace=True)
    assert caught.value.code == "exists_other"


def test_an_empty_directory_is_filled_and_emptied_again_after_a_failure(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir(mode=0o700)
    with pytest.raises(ImageError):
        unpack(layout(tmp_path / "bad", tar([entry("../x", b"")])), bundle)
    assert list(bundle.iterdir()) == []
    inode = bundle.stat().st_ino
    unpack(layout(tmp_path / "good", tar([entry("x", b"")])), bundle)
    assert (bundle.stat().st_ino, sorted(path.name for path in bundle.iterdir())) == (
        inode,
        ["config.json", "rootfs"],
    )


@pytest.mark.parametrize(
    ("execution", "code", "place", "value"),
    [
        ({"Env": ["A=b", "DEBUG"]}, "environment", "config.Env[1]", "DEBUG"),
        ({"Env": [""]}, "environment", "config.Env[0]", ""),
        ({"Env": ["=b"]}, "environment", "config.Env[0]", "=b"),
        ({"Env": ["A=b\0c"]}, "image_config", "config.Env[0]", "A="),
        ({"Cmd": ["sh", "a\0b"]}, "image_config", "config.Cmd[1]", "a"),
        ({"Entrypoint": ["sh", 5]}, "image_config", "config.Entrypoint[1]", "5"),
        ({"User": "2147483648"}, "id_range", "config.User", "2147483648"),
        ({"User": "4294967295"}, "id_range", "config.User", "4294967295"),
        ({"User": "99999999999999999999"}, "id_range", "config.User", "99999999999999999999"),
        ({"User": "-1"}, "id_range", "config.User", "-1"),
        ({"User": "0:5000000000"}, "id_range", "config.User", "5000000000"),
        ({"WorkingDir": "srv"}, "relative_path", "config.WorkingDir", "srv"),
        ({"WorkingDir": "./"}, "relative_path", "config.WorkingDir", "./"),
        ({"WorkingDir": "/a\0b"}, "image_config", "config.WorkingDir", "/a"),
        ({"Volumes": {"/x": {}, "data": {}}}, "relative_path", "config.Volumes", "data"),
    ],
)
def test_what_no_runtime_can_use_is_refused_with_its_place(
    tmp_path: Path, execution: dict[str, Any], code: str, place: str, value: str
) -> None:
    source = layout(tmp_path / "layout", tar([entry("file", b"x")]), execution=execution)
    with pytest.raises(ImageError) as caught:
        unpack(source, tmp_path / "bundle")
    assert caught.value.code == code
    for language in LANGUAGES:
        title, _, _ = caught.value.render(Messages.load(language))
        assert place in title
        assert value in title
    assert [path.name for path in tmp_path.iterdir()] == ["layout"]


def test_the_highest_id_and_an_empty_value_are_fine(tmp_path: Path) -> None:
    process = _config(tmp_path, {"User": "2147483647:2147483647", "Env": ["A=", "B=c=d"]})["process"]
    assert process["user"] == {"uid": 2147483647, "gid": 2147483647}
    assert process["env"][:2] == ["A=", "B=c=d"]


# prepare_bundle


def _scribble(blob: Path) -> None:
    blob.write_bytes(b"x")


def _remove_blob(blob: Path) -> None:
    blob.unlink()


def _remove_layout(blob: Path) -> None:
    shutil.rmtree(blob.parents[2])


def test_every_bundle_is_the_same_from_a_fresh_a_kept_and_a_damaged_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    prepare_bundle(tmp_path / "labs/one/bundle", cache=cache, config="minimal")
    first = snapshot(tmp_path / "labs/one/bundle/rootfs")
    assert "bin/sh" in first
    blobs = list(cache.glob("images/*/blobs/sha256/*"))
    kept = {blob: blob.stat().st_ino for blob in blobs}
    prepare_bundle(tmp_path / "two", cache=cache, config="minimal")
    assert {blob: blob.stat().st_ino for blob in cache.glob("images/*/blobs/sha256/*")} == kept
    assert snapshot(tmp_path / "two/rootfs") == first
    for number, damage in enumerate((_scribble, _remove_blob, _remove_layout)):
        damage(max(cache.glob("images/*/blobs/sha256/*"), key=lambda blob: blob.stat().st_size))
        prepare_bundle(tmp_path / f"repaired{number}", cache=cache, config="minimal")
        assert snapshot(tmp_path / f"repaired{number}/rootfs") == first
    assert len(list(cache.glob("images/*/oci-layout"))) == 1


def test_a_lesson_does_not_reach_the_next_bundle(tmp_path: Path) -> None:
    """The cache shares nothing with a bundle: no hard link through which a learner's change would travel."""
    prepare_bundle(tmp_path / "one", cache=tmp_path / "cache", config="minimal")
    with (tmp_path / "one/rootfs/etc/motd").open("a") as file:
        file.write("scribble")
    prepare_bundle(tmp_path / "two", cache=tmp_path / "cache", config="minimal")
    assert "scribble" not in (tmp_path / "two/rootfs/etc/motd").read_text()


def test_many_at_once_with_an_empty_cache_all_succeed(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tutor.images import prepare_bundle\n"
        "prepare_bundle(Path(sys.argv[1]), cache=Path(sys.argv[2]), config='full')"
    )
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-W",
                "error",
                "-c",
                script,
                str(tmp_path / f"bundle{number}"),
                str(tmp_path / "cache"),
            ],
            cwd=REPOSITORY,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    assert [(process.communicate()[1], process.returncode) for process in processes] == [("", 0)] * 4
    assert all((tmp_path / f"bundle{number}/rootfs/bin/sh").is_symlink() for number in range(4))


def test_a_bundle_in_use_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle/config.json").write_text("edited by the learner")
    with pytest.raises(ImageError) as caught:
        prepare_bundle(tmp_path / "bundle", cache=tmp_path / "cache", config="minimal")
    assert caught.value.code == "exists_directory"
    assert (tmp_path / "bundle/config.json").read_text() == "edited by the learner"


@pytest.mark.root
def test_an_ordinary_user_can_prepare_and_gets_a_user_namespace(tmp_path: Path) -> None:
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    place = tmp_path / "theirs"
    place.mkdir()
    os.chown(place, 65534, 65534)
    script = "prepare_bundle(Path(sys.argv[1]) / 'bundle', cache=Path(sys.argv[1]) / 'cache', config='full')"
    done = as_nobody(script, place)
    assert done.returncode == 0, done.stderr
    linux = json.loads((place / "bundle/config.json").read_text())["linux"]
    assert {"type": "user"} in linux["namespaces"]
    assert linux["uidMappings"] == [{"containerID": 0, "hostID": 65534, "size": 1}]


@pytest.mark.root
def test_what_an_ordinary_user_may_not_touch_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    closed = tmp_path / "closed"
    layout(closed / "layout", tar([entry("x", b"x")]))
    closed.chmod(0o700)
    done = as_nobody(
        "from tutor.images.convert import convert; from tutor.images.mini import build\n"
        "from tutor.images.unpack import unpack\n"
        "closed = Path(sys.argv[1])\n"
        "for action in (\n"
        "    lambda: build(closed / 'mini.tar'), lambda: build(closed / 'mini.tar', replace=True),\n"
        "    lambda: build(closed.parent / 'mini.tar'), lambda: convert(closed / 'mini.tar', Path('/dev/shm/x')),\n"
        "    lambda: unpack(closed / 'layout', Path('/dev/shm/x')), lambda: unpack(closed / 'layout', closed / 'bundle', replace=True),\n"
        "    lambda: prepare_bundle(closed / 'bundle', cache=closed, config='full'),\n"
        "):\n"
        "    try: action()\n"
        "    except ImageError as error: print(error.code, error.values['path'])",
        closed,
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    assert len(told) == 7
    assert all(line.startswith(f"permission {tmp_path}") for line in told), told
    assert ".partial" not in done.stdout


def test_a_layout_made_by_hand_is_one(tmp_path: Path) -> None:
    """The helper that the attacks are made with makes good images, too."""
    maker = LayoutMaker(tmp_path / "layout")
    source = maker.index(maker.manifest([tar([entry("x", b"x")])]))
    unpack(source, tmp_path / "bundle")
    assert (tmp_path / "bundle/rootfs/x").read_bytes() == b"x"
