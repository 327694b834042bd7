"""The image under the lessons from a real registry and a real Docker: fetched, verified, used by a lesson, which says so."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.images import entry, layout, tar
from tests.support.registry import Registry
from tests.support.session import Diary
from tutor import patience
from tutor.course.course import Course
from tutor.home import Home
from tutor.images import alpine
from tutor.images.convert import convert
from tutor.images.fetching import Patience
from tutor.images.layout import Layout
from tutor.session.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.docker import Dockerd
    from tutor.messages import Language

pytestmark = [pytest.mark.root, pytest.mark.peer("docker-registry", "skopeo")]

LESSON = "docker-archive"
SAYS = {
    "ja": "本物の Alpine Linux 3.9.6（{reference} から取得したもの）",
    "en": "the real Alpine Linux 3.9.6 (fetched from {reference})",
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layout of an image that says of itself what Alpine does; nothing of it is run here."""
    files = tar([entry("bin"), entry("bin/sh", b"sh"), entry("etc"), entry("etc/alpine-release", b"3.9.6\n")])
    top = tar([entry("etc"), entry("etc/motd", b"Welcome to Alpine!\n")])
    return layout(tmp_path_factory.mktemp("source") / "alpine", files, top, execution={"Cmd": ["/bin/sh"]}, compressed=True)  # fmt: skip


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def reference(registry: Registry, source: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The image in the registry, which the lessons are told to take."""
    pushed = registry.push(f"oci:{source}:latest", "alpine:3.9")
    monkeypatch.setenv(alpine.VARIABLE, pushed)
    return pushed


def _fetch(tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tutor", "image", "fetch", *words, "--lang", "en"],
        env={**os.environ, "OCI_TUTOR_HOME": str(tmp_path), **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_lesson_takes_the_registrys_image_and_says_so(
    reference: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    monkeypatch.setenv("OCI_TUTOR_HOME", str(tmp_path))
    diary = Diary()
    course = Course.load(language)
    with Session(course=course, engine="runc", publish=diary.publish, home=Home.default()) as session:
        session.open(LESSON)
        assert session.lesson is not None
        said = "\n".join(step.body + step.summary for step in session.lesson.steps)
    assert SAYS[language].format(reference=reference) in said
    # The same image: the learner's folder has the digests of what was pushed.
    convert(tmp_path / "labs" / LESSON / alpine.ARCHIVE, tmp_path / "converted")
    source_image, converted_image = Layout(source).image(), Layout(tmp_path / "converted").image()
    assert converted_image.config["rootfs"] == source_image.config["rootfs"]


def test_fetch_shows_the_command_keeps_the_image_and_needs_no_network_afterwards(
    registry: Registry, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = registry.push(f"oci:{source}:latest", "alpine:3.9")
    fetched = _fetch(tmp_path, reference)
    assert fetched.returncode == 0, fetched.stderr
    assert f"$ skopeo copy --src-tls-verify=false {reference} oci:alpine-oci:3.9" in fetched.stderr
    assert SAYS["en"].format(reference=reference) in fetched.stdout
    assert Layout(source).image().manifest.digest in fetched.stdout
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv(alpine.VARIABLE, raising=False)
    image = alpine.lesson_image(tmp_path / "cache")
    assert (image.origin.source, image.origin.reference) == ("registry", reference)
    # With one byte changed the kept image is not used any more.
    blob = (
        image.layout
        / "blobs/sha256"
        / Layout(image.layout).image("3.9").layers[0].digest.removeprefix("sha256:")
    )
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    monkeypatch.undo()
    monkeypatch.setenv(alpine.VARIABLE, "docker://127.0.0.1:1/alpine:3.9")
    assert alpine.lesson_image(tmp_path / "cache").origin.source == "mini"


def test_lessons_opened_at_once_do_not_take_the_image_from_each_other(reference: str, tmp_path: Path) -> None:
    assert reference
    first = alpine.lesson_image(tmp_path / "cache")
    inode = first.layout.stat().st_ino
    again = alpine.fetch(tmp_path / "cache", reference, Patience(None))
    assert again == first
    assert again.layout.stat().st_ino == inode, "a process that copies it goes on"


def test_what_can_not_be_had_is_told_by_fetch_and_not_asked_for_twice_by_lessons(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = f"docker://{registry.address}/none:3.9"
    failed = _fetch(tmp_path, missing)
    assert failed.returncode == 1
    assert f"{missing} could not be fetched\nskopeo: " in failed.stderr
    assert "manifest unknown" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert list((tmp_path / "cache/images").iterdir()) == []
    # A server that accepts connections and never answers, as bad Wi-Fi does.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(5)
        monkeypatch.setattr(alpine, "_HASTY", 0.5)
        monkeypatch.setenv(alpine.VARIABLE, f"docker://127.0.0.1:{silent.getsockname()[1]}/alpine:3.9")
        began = time.monotonic()
        assert alpine.lesson_image(tmp_path / "cache").origin.source == "mini"
        assert time.monotonic() - began < patience.scaled(5)
        silent.accept()[0].close()
        assert alpine.lesson_image(tmp_path / "cache").origin.source == "mini"
        silent.settimeout(0)
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_a_blob_that_was_changed_on_the_way_is_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "evil").mkdir()
    with Registry(tmp_path / "evil") as registry:
        reference = registry.push(f"oci:{source}:latest", "alpine:3.9")
        digest = Layout(source).image().layers[0].digest.removeprefix("sha256:")
        (blob,) = (tmp_path / "evil/registry").rglob(f"blobs/sha256/*/{digest}/data")
        blob.write_bytes(blob.read_bytes()[:-1] + b"x")
        failed = _fetch(tmp_path, reference)
    assert failed.returncode == 1
    assert (
        f"skopeo: writing blob: happened during read: Digest did not match, expected sha256:{digest}"
        in failed.stderr
    )


@pytest.mark.peer("docker", "dockerd", "containerd", "tini")
def test_without_skopeo_a_running_docker_is_asked(
    source: Path, dockerd: Dockerd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").symlink_to(shutil.which("docker") or "")
    with Registry(tmp_path) as registry:
        reference = registry.push(f"oci:{source}:latest", "alpine:3.9")
        monkeypatch.setenv(alpine.VARIABLE, reference)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        monkeypatch.setenv("DOCKER_HOST", f"unix://{dockerd.socket}")
        fetched = _fetch(tmp_path)
    assert fetched.returncode == 0, fetched.stderr
    name = reference.removeprefix("docker://")
    assert [line for line in fetched.stderr.splitlines() if line.startswith("$")] == [
        f"$ docker pull {name}", f"$ docker save {name} --output alpine-3.9.tar",
    ]  # fmt: skip
    assert "the real Alpine Linux 3.9.6 (fetched by docker pull)" in fetched.stdout
    # The network is gone, and a lesson is opened: Docker has the image already, and is not made to pull.
    monkeypatch.setattr(alpine, "_HASTY", 20.0)
    assert alpine.lesson_image(tmp_path / "another").origin.source == "docker"
