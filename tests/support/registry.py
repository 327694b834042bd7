"""A registry only for the tests, on loopback: Debian's docker-registry, the same program as `docker run registry:2`."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Self

from tutor import patience

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE = 20.0  # seconds


class Registry:
    """A running registry without TLS; `with Registry(folder) as registry`."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self._config = folder / "registry.yml"
        self._config.write_text(
            f"version: 0.1\nlog: {{level: warn}}\nstorage: {{filesystem: {{rootdirectory: {folder}/registry}}}}\n"
            f"http: {{addr: {self.address}}}\n"
        )
        self._log = folder / "registry.log"

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", self._config], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={key: value for key, value in os.environ.items() if not key.startswith("OTEL_")},
            )  # fmt: skip
        deadline = time.monotonic() + patience.scaled(_PATIENCE)
        host, _, port = self.address.partition(":")
        while True:
            try:
                socket.create_connection((host, int(port))).close()
            except ConnectionRefusedError:
                assert self._process.poll() is None, self._log.read_text()
                assert time.monotonic() < deadline, self._log.read_text()
                time.sleep(0.02)
            else:
                return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(_PATIENCE)

    def push(self, source: str, name: str) -> str:
        """Push an image (`oci:LAYOUT:REF`) under a name; return the reference by which skopeo gets it back."""
        reference = f"docker://{self.address}/{name}"
        pushed = subprocess.run(
            ["skopeo", "copy", "--dest-tls-verify=false", source, reference],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert pushed.returncode == 0, pushed.stderr
        return reference
