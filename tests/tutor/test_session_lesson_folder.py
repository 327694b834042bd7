"""The folder of a lesson: its content is created where it is missing, and never overwrites what the learner has."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.support.session import home
from tutor.course.course import Course
from tutor.course.model import LabFile, LabPlan
from tutor.images.alpine import ARCHIVE, LAYOUT
from tutor.images.verify import verify_archive, verify_layout
from tutor.messages import Messages
from tutor.session.placeholders import image_phrase
from tutor.session.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path


def _workspace(tmp_path: Path, **plan: Any) -> Workspace:
    lesson = Course.load("en").lesson("first-container")
    return Workspace(replace(lesson, steps=lesson.steps[:1], lab=LabPlan("b", "c", **plan)), home(tmp_path))


def test_a_bundle_of_the_lessons_image_with_files_of_the_lesson(tmp_path: Path) -> None:
    files = {
        "rootfs/etc/motd": LabFile("hello\n"),
        "rootfs/bin/tool": LabFile("#!/bin/sh\n", executable=True),
    }
    workspace = _workspace(tmp_path, image="alpine", files=files)
    workspace.prepare(0)
    assert workspace.directory == workspace.bundle
    assert json.loads(workspace.config.read_text())["linux"] == {}
    motd = workspace.bundle / "rootfs/etc/motd"
    assert motd.read_text() == "hello\n", "the image has one, too"
    motd.write_text("mine\n")
    workspace.prepare(0)
    assert motd.read_text() == "mine\n"
    assert (workspace.bundle / "rootfs/bin/tool").stat().st_mode & 0o111
    assert "mini image" in image_phrase(workspace.origin(), Messages.load("en"))
    assert "alpine:3.9" in image_phrase(workspace.origin(), Messages.load("en"))


def test_a_lesson_that_makes_its_bundle_by_hand_begins_with_forms_of_the_image(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path, image="none", directory="work", provides=("archive", "layout"))
    workspace.prepare(0)
    assert workspace.directory == workspace.work
    assert sorted(path.name for path in workspace.work.iterdir()) == sorted([ARCHIVE, LAYOUT])
    assert verify_archive(workspace.work / ARCHIVE).names == ("alpine:3.9",)
    found = verify_layout(workspace.work / LAYOUT, "3.9")
    assert found.image_id == verify_archive(workspace.work / ARCHIVE).image_id
    # No config.json yet: that is no error, and nothing creates one.
    assert workspace.read() == ""
    assert workspace.replace(workspace.begins_with(0)) is None
    assert not workspace.bundle.exists()
    # What the learner changes stays; what the learner removes is created again.
    (workspace.work / ARCHIVE).write_text("mine")
    (workspace.work / LAYOUT / "index.json").rename(tmp_path / "index.json")
    workspace.prepare(0)
    assert (workspace.work / ARCHIVE).read_text() == "mine"
    assert not (workspace.work / LAYOUT / "index.json").exists()
    (workspace.work / ARCHIVE).unlink()
    workspace.prepare(0)
    verify_archive(workspace.work / ARCHIVE)


def test_the_configuration_that_a_lesson_begins_with_is_its_own(tmp_path: Path) -> None:
    workspace = _workspace(tmp_path, image="mini", config='{"ociVersion": "1.0.2"}\n')
    workspace.prepare(0)
    assert workspace.read() == '{"ociVersion": "1.0.2"}\n'
    assert (workspace.bundle / "rootfs/bin").is_dir()
    workspace.write("{}\n")
    workspace.prepare(0)
    assert workspace.read() == "{}\n"
