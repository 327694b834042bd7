"""Unpack images that are nearly right: `python -m tests.images_fuzz [--cases 20000] [--seed N] [--first N] [--peers]`, as root.

Each is either accepted or refused with one clear error. Whatever it is, nothing is written outside of the bundle, nothing half
made is left, no descriptor stays open, and the memory of the process does not grow. With `--peers`, an accepted image is one that
skopeo copies too, as the same image, and of which umoci makes the same tree. A case that fails is printed with its number, and
`--first N --cases 1 --keep DIR` makes it again.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from tests.support.fuzzed_images import FuzzedImage, Fuzzer
from tests.support.images import CONFIG, LAYER, LayoutMaker, named, snapshot
from tutor import patience
from tutor.images.compression import Uncompressed, form_of
from tutor.images.errors import ImageError
from tutor.images.image_source import open_image
from tutor.images.outputs import remove_tree
from tutor.images.reference import find_image
from tutor.images.unpack import unpack_image
from tutor.images.verify import verify
from tutor.messages import LANGUAGES, Messages

if TYPE_CHECKING:
    from collections.abc import Callable

_MEMORY = 150 << 20  # bytes that the process may have grown by at most
_SECONDS = 10.0  # of processor time that a case may take


@dataclass
class Result:
    """What became of the cases."""

    accepted: int = 0
    refused: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    grown: int = 0  # bytes


def fuzz(
    cases: int,
    place: Path,
    *,
    seed: int = 0,
    first: int = 0,
    peers: bool = False,
    tell: Callable[[str], object] = str,
) -> Result:
    """Try `cases` images in the folder `place`; they are the same for the same seed and number."""
    result = Result()
    canary = place / "canary"
    (canary / "sub").mkdir(parents=True)
    for name in ("file", "sub/file"):
        (canary / name).write_text("precious")
    untouched = snapshot(canary)
    messages = [Messages.load(language) for language in LANGUAGES]
    descriptors = _descriptors()
    before = _peak()
    signal.signal(signal.SIGPROF, _takes_too_long)
    for number in range(first, first + cases):
        scratch = place / "case"
        scratch.mkdir()
        image = Fuzzer(random.Random(f"{seed}-{number}"), scratch, canary).write()  # noqa: S311  (the same every time)
        try:
            _try(image, scratch, messages, result, peers=peers)
            assert snapshot(canary) == untouched, "something outside was changed"
            assert _descriptors() == descriptors, "a descriptor stays open"
        except Exception as error:  # noqa: BLE001  (the case is shown, and the next one tried)
            what = (
                "".join(traceback.format_exception(error)) if not isinstance(error, AssertionError) else error
            )
            result.failures.append(f"case {number} of seed {seed} ({image.what}): {what}")
            tell(result.failures[-1])
        remove_tree(scratch)
        if (number - first) % 500 == 499:
            tell(f"{number - first + 1} cases: {result.accepted} accepted, {result.refused} refused")
    result.grown = _peak() - before
    if result.grown > _MEMORY:
        result.failures.append(f"the process has grown by {result.grown >> 20} MiB")
    return result


def _takes_too_long(number: int, frame: object) -> NoReturn:
    raise AssertionError("it takes too long")


def _try(image: FuzzedImage, scratch: Path, messages: list[Messages], result: Result, *, peers: bool) -> None:
    there = {path.name for path in scratch.iterdir()}
    bundle = scratch / "bundle"
    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    try:
        with open_image(find_image(image.name)) as source:
            unpack_image(source, bundle)
    except ImageError as error:
        for language in messages:
            title, _, following = error.render(language)
            if not title or not following:
                raise AssertionError(f"no words for {error}") from error
        result.refused += 1
        result.codes[error.code] = result.codes.get(error.code, 0) + 1
        refused = True
    else:
        refused = False
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if refused:
        assert {path.name for path in scratch.iterdir()} == there, "something half made is left"
        with suppress(ImageError):
            verify(image.name)
        return
    assert {path.name for path in scratch.iterdir()} == {*there, "bundle"}
    assert sorted(path.name for path in bundle.iterdir()) == ["config.json", "rootfs"]
    json.loads((bundle / "config.json").read_text())
    verify(image.name)
    result.accepted += 1
    if peers:
        _ask_skopeo(image, scratch)
        _ask_umoci(image, scratch, bundle)


def _ask_skopeo(image: FuzzedImage, scratch: Path) -> None:
    copy = scratch / "copy"
    transport, _, path = image.name.partition(":")
    with Path(path).open("rb") if Path(path).is_file() else io.BytesIO() as file:
        if form_of(file) == "gzip":
            # skopeo 1.9.3 cannot read an archive of less than a megabyte that gzip has compressed ("unexpected EOF").
            (scratch / "plain.tar").write_bytes(Uncompressed(file, "gzip").readall())
            path = str(scratch / "plain.tar")
    _run("skopeo", "copy", f"{transport}:{path}", f"oci:{copy}:latest")
    with open_image(find_image(image.name)) as ours, open_image(find_image(f"oci:{copy}:latest")) as theirs:
        assert ours.config["rootfs"] == theirs.config["rootfs"], "skopeo reads another image"


def _ask_umoci(image: FuzzedImage, scratch: Path, bundle: Path) -> None:
    """Compare the trees. umoci gets the layers uncompressed: Debian's does not know zstd."""
    maker = LayoutMaker(scratch / "plain")
    described = []
    with open_image(find_image(image.name)) as source:
        for layer in source.open_layers():
            with layer.open() as tar:
                described.append(maker.blob(tar.read(), LAYER))
        config: dict[str, Any] = source.config
    manifest = {"schemaVersion": 2, "config": maker.json_blob(config, CONFIG), "layers": described}
    path = maker.index(named(maker.json_blob(manifest, "application/vnd.oci.image.manifest.v1+json"), "x"))
    _run("umoci", "unpack", "--image", f"{path}:x", str(scratch / "umoci"))
    theirs, ours = (snapshot(root / "rootfs", times=False) for root in (scratch / "umoci", bundle))
    differing = {name for name in theirs.keys() | ours.keys() if theirs.get(name) != ours.get(name)}
    told = {name: (theirs.get(name), ours.get(name)) for name in sorted(differing)[:3]}
    assert not differing, f"umoci makes another tree: {told}"


def _run(*argv: str) -> None:
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=patience.scaled(_SECONDS * 3)
    )
    assert done.returncode == 0, f"{argv[0]} refuses it: {done.stderr.strip()[-900:]}"


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def main() -> int:
    """Fuzz; return 1 if a case failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.images_fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="DIR")
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.keep:
            arguments.keep.mkdir()
            canary = Path(folder) / "canary"
            for number in range(arguments.first, arguments.first + arguments.cases):
                chosen = random.Random(f"{arguments.seed}-{number}")  # noqa: S311
                print(Fuzzer(chosen, arguments.keep, canary).write())
            return 0
        result = fuzz(
            arguments.cases,
            Path(folder),
            seed=arguments.seed,
            first=arguments.first,
            peers=arguments.peers,
            tell=lambda line: print(line, flush=True),
        )
    print(
        f"{result.accepted} accepted, {result.refused} refused, {len(result.failures)} failed"
        f" in {time.monotonic() - started:.0f} s; the process grew by {result.grown >> 20} MiB"
    )
    print(
        ", ".join(
            f"{code} {count}" for code, count in sorted(result.codes.items(), key=lambda pair: -pair[1])
        )
    )
    return 1 if result.failures else 0


if __name__ == "__main__":
    sys.exit(main())
