"""Makes malformed images and compares directory trees, for the tests of the image tools."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tutor.images.platforms import machine_platform

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REPOSITORY = Path(__file__).resolve().parents[2]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
REF_NAME = "org.opencontainers.image.ref.name"


def entry(name: str, content: bytes | None = None, **attributes: Any) -> tuple[tarfile.TarInfo, bytes]:
    """Return a tar entry: a file with `content`, else a directory, else what `type` says."""
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
    info.mode = 0o755 if content is None else 0o644
    info.size = len(content or b"")
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, content or b""


def symlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, type=tarfile.SYMTYPE, linkname=target, mode=0o777)


def hard_link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, type=tarfile.LNKTYPE, linkname=target)


def tar(entries: Sequence[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class DamagedTar:
    """A tar that is damaged behind its entry `entry`."""

    name: str
    content: bytes
    entry: str
    offset: int


def damaged_tars() -> list[DamagedTar]:
    """Return tars that are damaged in the middle, where a reader could take the damage for the end."""
    first, second = entry("first", b"1" * 100), entry("second", b"2" * 3000)
    sound = tar([first, second, entry("third", b"3")])
    at = 1024  # of the second header
    flipped = bytearray(sound)
    flipped[at] ^= 1
    octal = bytearray(sound)
    octal[at + 100] = ord("9")  # the mode
    octal[at + 148 : at + 156] = b" " * 8
    octal[at + 148 : at + 156] = b"%06o\0 " % sum(octal[at : at + 512])
    long = tar([first, entry("n" * 200, b"")])
    return [
        DamagedTar("checksum", bytes(flipped), "first", at),
        DamagedTar("cut in a header", sound[: at + 100], "first", at),
        DamagedTar("cut in the content", sound[: at + 512 + 1000], "second", at + 512 + 1000),
        DamagedTar("cut after the header", sound[: at + 512], "second", at + 512),
        DamagedTar("no number", bytes(octal), "first", at),
        DamagedTar("zeros in the middle", sound[:at] + bytes(512) + sound[at:], "first", at),
        DamagedTar("cut after the records of a long name", long[: at + 1024], "first", at + 1024),
    ]


def _sound_tars() -> dict[str, tuple[bytes, set[str]]]:
    """Return tars with unusual ends, and the names in them."""
    whole = tar([entry("first", b"1"), entry("last", b"2" * 700)])
    entries = whole[: 1024 + 512 + 1024]
    names = {"first", "last"}
    return {
        "without end blocks": (entries, names),
        "with one end block": (entries + bytes(512), names),
        "without the padding of the last file": (entries[: 1024 + 512 + 700], names),
        "padded to a record": (whole, names),
        "with trailing zeros": (whole + bytes(1 << 20), names),
        "with something behind the end": (entries + bytes(1024) + b"not a tar" * 1000, names),
        "empty": (b"", set()),
        "zeros only": (bytes(10240), set()),
    }


TARS_THAT_ARE_SOUND = _sound_tars()


def docker_archive(
    path: Path, layers: Sequence[bytes], config: dict[str, Any] | None = None, **manifest: Any
) -> Path:
    """Write a docker-archive by hand."""
    content = {"architecture": "amd64", "os": "linux", "config": {}, **(config or {})}
    content.setdefault("rootfs", {"type": "layers", "diff_ids": [digest(layer) for layer in layers]})
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    entry_of = {"Config": "config.json", "RepoTags": ["made:by-hand"], "Layers": names, **manifest}
    files = {"config.json": json.dumps(content).encode(), "manifest.json": json.dumps([entry_of]).encode()}
    files.update(zip(entry_of["Layers"], layers, strict=False))
    path.write_bytes(tar([entry(name, data) for name, data in files.items()]))
    return path


def zstd(data: bytes, *, window: int | None = None) -> bytes:
    """Compress with zstd; `window`: the base-2 logarithm of the memory that it needs to be uncompressed."""
    if sys.version_info >= (3, 14):
        from compression import zstd as module
    else:
        from backports import zstd as module
    long = {int(module.CompressionParameter.window_log): window} if window else None
    # In pieces: of data whose size is known, no more memory is needed than that.
    compressor = module.ZstdCompressor(options=long)
    return compressor.compress(data) + compressor.flush()


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd}


class LayoutMaker:
    """Writes an OCI image layout by hand, with the defects that a test needs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.blobs = path / "blobs" / "sha256"
        self.blobs.mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, data: bytes, media_type: str, **more: Any) -> dict[str, Any]:
        (self.blobs / digest(data).removeprefix("sha256:")).write_bytes(data)
        return {"mediaType": media_type, "digest": digest(data), "size": len(data), **more}

    def json_blob(self, value: Any, media_type: str, **more: Any) -> dict[str, Any]:
        return self.blob(json.dumps(value).encode(), media_type, **more)

    def manifest(
        self,
        layers: Sequence[bytes],
        execution: dict[str, Any] | None = None,
        *,
        compressed: bool | str = False,
        diff_ids: list[str] | None = None,
        config: dict[str, Any] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Store an image of these tars and return its manifest's descriptor; `compressed`: True is gzip."""
        form = "gzip" if compressed is True else compressed
        full_config = {
            "architecture": machine_platform()[0],
            "os": "linux",
            "config": execution or {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids or [digest(data) for data in layers]},
            **(config or {}),
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.json_blob(full_config, CONFIG),
            "layers": [
                self.blob(COMPRESSORS[form](data), f"{LAYER}+{form}") if form else self.blob(data, LAYER)
                for data in layers
            ],
        }
        return self.json_blob(manifest, MANIFEST, **more)

    def index(self, *descriptors: dict[str, Any]) -> Path:
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(descriptors)}
        (self.path / "index.json").write_text(json.dumps(index))
        return self.path


def named(descriptor: dict[str, Any], ref: str) -> dict[str, Any]:
    return {**descriptor, "annotations": {"org.opencontainers.image.ref.name": ref}}


def layout(path: Path, *layers: bytes, execution: dict[str, Any] | None = None, **more: Any) -> Path:
    """Make a layout of one image, `latest`."""
    maker = LayoutMaker(path)
    return maker.index(named(maker.manifest(layers, execution, **more), "latest"))


def archive_with(source: Path, target: Path, changes: dict[str, bytes | None]) -> Path:
    """Copy a tar archive with some members' content changed, or left out (None)."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for member in old.getmembers():
            if member.name in changes and changes[member.name] is None:
                continue
            file = old.extractfile(member)
            content = changes.get(member.name) or (file.read() if file else b"")
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return target


def snapshot(root: Path, *, times: bool = True) -> dict[str, tuple[Any, ...]]:
    """Return the visible properties of a tree: type, mode, owner, link target, device, time, xattrs, content."""
    result: dict[str, tuple[Any, ...]] = {}
    for directory, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = Path(directory, name)
            info = path.lstat()
            content: object = None
            if path.is_symlink():
                content = str(path.readlink())
            elif path.is_file():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            result[path.relative_to(root).as_posix()] = (
                stat.filemode(info.st_mode),
                (info.st_uid, info.st_gid),
                info.st_rdev,
                info.st_nlink if stat.S_ISREG(info.st_mode) else 0,
                info.st_mtime_ns if times else 0,
                {
                    key: os.getxattr(path, key, follow_symlinks=False)
                    for key in os.listxattr(path, follow_symlinks=False)
                },
                content,
            )
    return result


def as_nobody(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python code as the user nobody. The imports run as root before, because the interpreter may be in root's home."""
    lowered = (
        "import os, shutil, sys, tempfile; from pathlib import Path\n"
        "from tutor.images import ImageError, prepare_bundle; import tutor.cli.image\n"
        "scratch = Path(tempfile.mkdtemp())\n"
        "prepare_bundle(scratch / 'bundle', cache=scratch, config='full'); shutil.rmtree(scratch)\n"
        "os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)\n"
    )
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", lowered + script, *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
