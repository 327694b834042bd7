"""Images that are nearly right: layouts and archives with something removed, cut, exchanged or overdone, inside or outside."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import shutil
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.images import (
    CONFIG,
    INDEX,
    LAYER,
    MANIFEST,
    REF_NAME,
    digest,
    entry,
    hard_link,
    symlink,
    tar,
    zstd,
)
from tutor.images.platforms import machine_platform

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

BLOCK = 512
_NUMBERS = [0, 1, 7, 511, 512, 513, 1 << 20, 1 << 31, (1 << 33) - 1]
# fmt: off
_NAMES = [
    "a", "a/b", "a/b/c", "b", "c", "etc", "etc/passwd", "dir", "dir/file", "dir/sub/file", "./x", "/abs", "d/", "link/in", "日本/語", "x" * 150,
    "out/in", "up/in", "a/.wh.b", ".wh.c", "dir/.wh..wh..opq",
]
_ODD_NAMES = [
    "..", "../up", "a/../b", "a//b", "y" * 260, "n\nl", " ", ".", "./", "", "link", "out", "up", ".wh.a", ".wh.", ".wh...", "link/.wh.in",
    "out/.wh.canary", "out/.wh..wh..opq", "\udc80\udcff", "-rf", "p/" * 120 + "deep", ".wh..wh.plnk/x", ".wh..wh..opq", "a/.wh.b/c",
]
_TARGETS = ["a", "/a", "b", "../b", "{canary}", "{canary}/file", "../../../../../../../..{canary}", "link", ".", "/", "none", "a/b", "x" * 300]
_ODD: list[Any] = [
    None, True, 0, -1, 1 << 40, 0.5, [], {}, "", "/", "..", "x", "sha256:", "sha256:" + "0" * 64, "a\0b", "日本", [[]], {"": 0}, ["a", 1], "x" * 3000,
    "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json", "linux", "amd64", "root", "0:0", "99999999999",
    ["PATH=/bin"], ["A"], {"/data": {}}, {"data": {}}, "latest",
]
# fmt: on
_FORMS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 1, mtime=0),
    "zstd": zstd,
    "bzip2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
}


@dataclass(frozen=True)
class FuzzedImage:
    """An image that was written: what it is called, and what was done to it."""

    name: str
    what: str


class Fuzzer:
    """Writes one image a case. The same number and seed give the same bytes, but for the path of `canary`."""

    def __init__(self, random: Random, place: Path, canary: Path) -> None:
        self._random = random
        self._place = place
        self._canary = str(canary)
        self._done: list[str] = []

    def write(self) -> FuzzedImage:
        """Write a layout or an archive below the place."""
        random = self._random
        layers = [self._layer() for _ in range(random.choice([1, 1, 2, 3]))]
        execution: dict[str, Any] = {"Cmd": ["sh"], "Env": ["PATH=/bin"], "WorkingDir": "/", "User": "0"}
        config: dict[str, Any] = {
            "architecture": machine_platform()[0],
            "os": "linux",
            "config": execution,
            "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
        }
        if self._now(0.1, "config"):
            config = self._odd(config)
        kind = random.choice(["oci", "oci", "oci-archive", "docker-archive", "docker-archive"])
        self._done.insert(0, kind)
        if kind == "docker-archive":
            path = self._docker(layers, config)
        else:
            path = self._layout(layers, config)
            if kind == "oci-archive":
                path = self._packed(path)
        if path.is_file():
            self._whole_file(path)
        return FuzzedImage(f"{kind}:{path}", ", ".join(self._done))

    def _now(self, likelihood: float, what: str) -> bool:
        """Decide on a change, and note it."""
        if self._random.random() >= likelihood:
            return False
        self._done.append(what)
        return True

    # Layers

    def _layer(self) -> bytes:
        random = self._random
        entries = [self._entry() for _ in range(random.randrange(12))]
        files = [info.name for info, _ in entries if info.isreg()]
        if files and random.random() < 0.3:
            entries.append(hard_link("hard", random.choice(files)))
        # umoci applies a whiteout where it stands, and fails if it stands behind what takes the place.
        entries.sort(key=lambda pair: "/.wh." not in f"/{pair[0].name}")
        data = self._tar(entries)
        while random.random() < 0.12:
            data = self._damage_tar(data)
        return data

    def _tar(self, entries: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
        form = self._random.choice([tarfile.PAX_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
            for info, content in entries:
                archive.addfile(info, io.BytesIO(content))
        return buffer.getvalue()

    def _entry(self) -> tuple[tarfile.TarInfo, bytes]:
        random = self._random
        odd = random.random() < 0.06
        name = random.choice(_ODD_NAMES if odd else _NAMES)
        if name == "etc/passwd":
            return entry(name, b"root:x:0:0::/:/bin/sh\n")  # umoci wants to read it whatever the user is
        target = random.choice(_TARGETS).format(canary=self._canary)
        attributes: dict[str, Any] = {
            "mode": random.choice([0o644, 0o755, 0, 0o4755, 0o7777, 0o1777]),
            "uid": random.choice([0, 0, 0, 1000, 70000]),
            "gid": random.choice([0, 0, 100, 65534]),
            "mtime": random.choice([0, 1, 1_700_000_000, 1 << 33, -1]),
        }
        if odd or random.random() < 0.05:
            attributes["pax_headers"] = random.choice(
                [
                    {"SCHILY.xattr.user.note": "x"},
                    {"SCHILY.xattr.trusted.x": "\udc80"},
                    {"SCHILY.xattr.security.capability": "bad"},
                    {"mtime": "1.5"},
                    {"mtime": "1e9"},
                    {"path": "other"},
                    {"size": "99999999"},
                    {"uid": "-1"},
                    {"uid": "99999999999"},
                    {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "4096"},
                    {"GNU.sparse.map": "0,1,5,1", "GNU.sparse.numblocks": "2", "GNU.sparse.size": "9"},
                    {"GNU.sparse.map": "0,1", "GNU.sparse.numblocks": "1", "GNU.sparse.size": str(1 << 22)},
                ]
            )
        kind = random.randrange(10 if odd else 9)
        if kind < 5:
            return entry(
                name, random.choice([b"", b"x", b"root:x:0:0::/:/bin/sh\n" * 50, b"2\n0\n1\n"]), **attributes
            )
        if kind < 7:
            # Not the set-group-ID bit: directories that no layer mentions would inherit it from what umoci has made already.
            return entry(name, None, **{**attributes, "mode": attributes["mode"] & ~0o2000})
        if kind == 7:
            return symlink(random.choice(["link", "out", "up"]), target) if not odd else symlink(name, target)
        if kind == 8 and odd:
            return hard_link(name, target)
        # Linux allows no user.* attribute on them: umoci fails, we say that it was left out.
        attributes.pop("pax_headers", None)
        device = {"devmajor": random.choice([0, 1, 300]), "devminor": random.choice([0, 3, 70000])}
        kinds = [
            tarfile.FIFOTYPE,
            tarfile.CHRTYPE,
            tarfile.BLKTYPE,
            *([b"7", b"V", b"S", b"\0"] if odd else []),
        ]
        return entry(name, None, type=random.choice(kinds), **attributes, **device)

    def _damage_tar(self, data: bytes) -> bytes:
        random = self._random
        blocks = max(1, len(data) // BLOCK)
        at = random.randrange(blocks) * BLOCK
        what = random.choice(["flip", "cut", "field", "drop", "double", "zeros", "append", "swap", "no end"])
        self._done.append(f"tar {what}")
        match what:
            case "flip":
                return self._flip(data)
            case "cut":
                return data[: random.randrange(len(data) + 1)]
            case "field":
                return self._change_field(data, at)
            case "drop":
                return data[:at] + data[at + BLOCK :]
            case "double":
                return data[: at + BLOCK] + data[at:]
            case "zeros":
                return data[:at] + bytes(random.choice([1, BLOCK, 2 * BLOCK])) + data[at:]
            case "append":
                return data + random.randbytes(random.choice([1, 100, BLOCK, 5000]))
            case "swap":
                other = random.randrange(blocks) * BLOCK
                first, second = sorted((at, other))
                return (
                    data[:first]
                    + data[second : second + BLOCK]
                    + data[first + BLOCK : second]
                    + data[first : first + BLOCK]
                    + data[second + BLOCK :]
                    if first != second
                    else data
                )
        return data.rstrip(b"\0") if random.random() < 0.5 else data[:-1024]

    def _change_field(self, data: bytes, at: int) -> bytes:
        """Change a field of a header and correct its checksum."""
        random = self._random
        block = bytearray(data[at : at + BLOCK].ljust(BLOCK, b"\0"))
        start, size = random.choice(
            [(0, 100), (100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (156, 1), (157, 100), (257, 8), (329, 8), (337, 8), (345, 155)]
        )  # fmt: skip
        number = random.choice(_NUMBERS)
        value = random.choice(
            [
                b"%o" % number,
                number.to_bytes(8, "big").rjust(size, b"\x80")[-size:],
                b"\xff" * size,
                b"\0" * size,
                b"9",
                b" 7 ",
                b"../../x",
                random.randbytes(size),
                random.choice(b"0123456789xgLKSVD").to_bytes(1, "big"),
            ]
        )
        block[start : start + size] = value[:size].ljust(size, b"\0")
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        return data[:at] + bytes(block) + data[at + BLOCK :]

    def _flip(self, data: bytes) -> bytes:
        if not data:
            return data
        changed = bytearray(data)
        for _ in range(self._random.choice([1, 1, 2, 20])):
            changed[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)
        return bytes(changed)

    # JSON

    def _odd(self, value: Any) -> Any:
        """Return a copy of a JSON value with one place in it changed."""
        random = self._random
        if isinstance(value, dict) and value and random.random() < 0.9:
            key = random.choice(list(value))
            if random.random() < 0.1:
                return {name: item for name, item in value.items() if name != key}
            return {**value, key: self._odd(value[key])}
        if isinstance(value, list) and value and random.random() < 0.8:
            index = random.randrange(len(value))
            if random.random() < 0.2:
                return value[:index] + value[index + 1 :]
            return [*value[:index], self._odd(value[index]), *value[index + 1 :]]
        return random.choice(_ODD)

    def _json(self, value: Any) -> bytes:
        data = json.dumps(value).encode()
        if self._now(0.015, "JSON bytes"):
            data = self._random.choice([self._flip(data), data[:-1], b"[" * 50_000 + data])
        return data

    # Forms

    def _compress(self, data: bytes, form: str) -> bytes:
        if form:
            data = _FORMS[form](data)
        # Zeros behind gzip are fine for gzip(1) and Python, and "invalid header" for Go.
        if form and self._now(0.05, f"{form} damaged"):
            cut = self._random.randrange(len(data))
            data = self._random.choice(
                [
                    self._flip(data),
                    data[:cut],
                    data + (b"junk" if form == "gzip" else b"\0" * 20),
                    data + b"junk",
                    data + data,
                ]
            )
        return data

    def _layout(self, layers: list[bytes], config: Any) -> Path:
        random = self._random
        path = self._place / "image"
        blobs = path / "blobs/sha256"
        blobs.mkdir(parents=True)

        def blob(data: bytes, media_type: str, **more: Any) -> dict[str, Any]:
            (blobs / digest(data)[7:]).write_bytes(data)
            return {"mediaType": media_type, "digest": digest(data), "size": len(data), **more}

        form = random.choice(["", "gzip", "gzip", "zstd"])
        suffix = f"+{form}" if form else ""
        described = [blob(self._compress(layer, form), LAYER + suffix) for layer in layers]
        manifest: Any = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": blob(self._json(config), CONFIG),
            "layers": described,
        }
        if self._now(0.1, "manifest"):
            manifest = self._odd(manifest)
        top = blob(self._json(manifest), MANIFEST)
        if random.random() < 0.3:
            platform = {"os": "linux", "architecture": machine_platform()[0]}
            other = {
                **top,
                "platform": {"os": "linux", "architecture": "s390x"},
                "digest": "sha256:" + "0" * 64,
            }
            index: Any = {
                "schemaVersion": 2,
                "mediaType": INDEX,
                "manifests": [other, {**top, "platform": platform}],
            }
            if self._now(0.3, "inner index"):
                index = self._odd(index)
            top = blob(self._json(index), INDEX)
        outer: Any = {"schemaVersion": 2, "manifests": [{**top, "annotations": {REF_NAME: "latest"}}]}
        if self._now(0.08, "index"):
            outer = self._odd(outer)
        (path / "index.json").write_bytes(self._json(outer))
        (path / "oci-layout").write_bytes(self._json({"imageLayoutVersion": "1.0.0"}))
        if self._now(0.08, "files"):
            self._damage_files(path)
        return path

    def _damage_files(self, path: Path) -> None:
        random = self._random
        victim = random.choice(sorted(file for file in path.rglob("*") if file.is_file()))
        data = victim.read_bytes()
        match random.randrange(6):
            case 0:
                victim.write_bytes(self._flip(data))
            case 1:
                victim.write_bytes(data[: random.randrange(len(data) + 1)])
            case 2:
                victim.unlink()
            case 3:
                victim.unlink()
                victim.mkdir()
            case 4:
                victim.unlink()
                victim.symlink_to(random.choice(["/dev/null", "/etc/hostname", "nowhere", victim.name]))
            case _:
                victim.write_bytes(data + b"\n")

    def _packed(self, path: Path) -> Path:
        archive = self._place / "image.tar"
        with tarfile.open(archive, "w") as new:
            new.add(path, self._random.choice([".", ""]))
        shutil.rmtree(path)
        return archive

    def _docker(self, layers: list[bytes], config: Any) -> Path:
        random = self._random
        content = self._json(config)
        stored = [
            self._compress(layer, random.choice(["", "", "gzip", "zstd", "xz", "bzip2"])) for layer in layers
        ]
        new_names = random.random() < 0.5
        names = [
            f"blobs/sha256/{digest(data)[7:]}" if new_names else f"{n}/layer.tar"
            for n, data in enumerate(stored)
        ]
        config_name = f"{digest(content)[7:]}.json"
        manifest: Any = [{"Config": config_name, "RepoTags": ["image:latest"], "Layers": names}]
        if self._now(0.1, "manifest.json"):
            manifest = self._odd(manifest)
        files = {
            config_name: content,
            "manifest.json": self._json(manifest),
            **dict(zip(names, stored, strict=True)),
        }
        members = [entry(name, data) for name, data in files.items()]
        if self._now(0.1, "members"):
            random.shuffle(members)
            members.append(self._entry())
            members = members[random.choice([0, 1]) :]
        path = self._place / "image.tar"
        path.write_bytes(tar(members))
        return path

    def _whole_file(self, path: Path) -> None:
        data = path.read_bytes()
        if self._now(0.08, "archive"):
            data = self._damage_tar(data)
        form = self._random.choice(["", "", "", *_FORMS])
        if form:
            self._done.append(form)
            data = self._compress(data, form)
        path.write_bytes(data)
