"""A client of the Container Runtime Interface, as the kubelet is one: gRPC on containerd's socket, by curl, with protobuf by hand.

Requests and answers are dictionaries with the names of Kubernetes' `runtime.v1` API. Only the fields that the tests use are
known here; an unknown field of an answer is skipped, as protobuf requires.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tutor import patience

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

# message -> field -> (number, type); `[]` is "repeated". `int` are all integers and enumerations, `bool` is one of them.
MESSAGES: dict[str, dict[str, tuple[int, str]]] = {
    "Metadata": {"name": (1, "string"), "uid": (2, "string"), "namespace": (3, "string"), "attempt": (4, "int")},
    "ContainerMetadata": {"name": (1, "string"), "attempt": (2, "int")},
    "Image": {"image": (1, "string")},
    "KeyValue": {"key": (1, "string"), "value": (2, "string")},
    "Int64": {"value": (1, "int")},
    "Namespaces": {"network": (1, "int"), "pid": (2, "int"), "ipc": (3, "int"), "target_id": (4, "string")},
    "Profile": {"profile_type": (1, "int"), "localhost_ref": (2, "string")},
    "Capability": {"add_capabilities": (1, "string[]"), "drop_capabilities": (2, "string[]")},
    "Resources": {
        "cpu_period": (1, "int"), "cpu_quota": (2, "int"), "cpu_shares": (3, "int"),
        "memory_limit_in_bytes": (4, "int"), "oom_score_adj": (5, "int"),
    },
    "SandboxSecurity": {"namespace_options": (1, "Namespaces"), "seccomp": (9, "Profile")},
    "SandboxLinux": {"cgroup_parent": (1, "string"), "security_context": (2, "SandboxSecurity")},
    "PodSandboxConfig": {
        "metadata": (1, "Metadata"), "hostname": (2, "string"), "log_directory": (3, "string"),
        "linux": (8, "SandboxLinux"),
    },
    "ContainerSecurity": {
        "capabilities": (1, "Capability"), "namespace_options": (3, "Namespaces"), "run_as_user": (5, "Int64"),
        "run_as_group": (12, "Int64"), "readonly_rootfs": (7, "int"), "no_new_privs": (11, "int"),
        "seccomp": (15, "Profile"),
    },
    "ContainerLinux": {"resources": (1, "Resources"), "security_context": (2, "ContainerSecurity")},
    "Mount": {"container_path": (1, "string"), "host_path": (2, "string"), "readonly": (3, "int")},
    "ContainerConfig": {
        "metadata": (1, "ContainerMetadata"), "image": (2, "Image"), "command": (3, "string[]"),
        "args": (4, "string[]"), "working_dir": (5, "string"), "envs": (6, "KeyValue[]"), "mounts": (7, "Mount[]"),
        "log_path": (11, "string"), "linux": (15, "ContainerLinux"),
    },
    "RunPodSandboxRequest": {"config": (1, "PodSandboxConfig"), "runtime_handler": (2, "string")},
    "RunPodSandboxResponse": {"pod_sandbox_id": (1, "string")},
    "PodSandboxStatusRequest": {"pod_sandbox_id": (1, "string")},
    "PodSandboxStatus": {"id": (1, "string"), "state": (3, "int"), "runtime_handler": (9, "string")},
    "PodSandboxStatusResponse": {"status": (1, "PodSandboxStatus")},
    "StopPodSandboxRequest": {"pod_sandbox_id": (1, "string")},
    "RemovePodSandboxRequest": {"pod_sandbox_id": (1, "string")},
    "CreateContainerRequest": {
        "pod_sandbox_id": (1, "string"), "config": (2, "ContainerConfig"), "sandbox_config": (3, "PodSandboxConfig"),
    },
    "CreateContainerResponse": {"container_id": (1, "string")},
    "StartContainerRequest": {"container_id": (1, "string")},
    "StopContainerRequest": {"container_id": (1, "string"), "timeout": (2, "int")},
    "RemoveContainerRequest": {"container_id": (1, "string")},
    "ContainerStatusRequest": {"container_id": (1, "string")},
    "ContainerStatus": {
        "id": (1, "string"), "metadata": (2, "ContainerMetadata"), "state": (3, "int"), "exit_code": (7, "int"),
        "reason": (10, "string"), "message": (11, "string"),
    },
    "ContainerStatusResponse": {"status": (1, "ContainerStatus")},
    "ContainerStatsRequest": {"container_id": (1, "string")},
    "CpuUsage": {"timestamp": (1, "int"), "usage_core_nano_seconds": (2, "Int64")},
    "MemoryUsage": {"timestamp": (1, "int"), "working_set_bytes": (2, "Int64")},
    "ContainerStats": {"cpu": (2, "CpuUsage"), "memory": (3, "MemoryUsage")},
    "ContainerStatsResponse": {"stats": (1, "ContainerStats")},
    "ExecSyncRequest": {"container_id": (1, "string"), "cmd": (2, "string[]"), "timeout": (3, "int")},
    "ExecSyncResponse": {"stdout": (1, "string"), "stderr": (2, "string"), "exit_code": (3, "int")},
    "UpdateContainerResourcesRequest": {"container_id": (1, "string"), "linux": (2, "Resources")},
}  # fmt: skip


class CriError(Exception):
    """containerd answered with an error."""


class Cri:
    """A client of one containerd: `cri("StartContainer", container_id=...)`."""

    def __init__(self, address: Path) -> None:
        self._address = address

    def __call__(self, method: str, **request: Any) -> dict[str, Any]:
        """Call a method of the RuntimeService and return its answer. Raises CriError when it fails."""
        message = encode(f"{method}Request", request)
        with tempfile.TemporaryDirectory() as folder:
            headers, body = Path(folder, "headers"), Path(folder, "body")
            subprocess.run(
                ["curl", "--silent", "--show-error", "--http2-prior-knowledge", "--unix-socket", self._address,
                 "--header", "content-type: application/grpc", "--header", "te: trailers", "--data-binary", "@-",
                 "--dump-header", headers, "--output", body, f"http://localhost/runtime.v1.RuntimeService/{method}"],
                # Length-prefixed: a byte that says "not compressed", and four with the length.
                input=b"\0" + len(message).to_bytes(4, "big") + message, check=True, timeout=patience.scaled(60),
            )  # fmt: skip
            trailers = dict(line.split(": ", 1) for line in headers.read_text().splitlines() if ": " in line)
            if trailers["grpc-status"] != "0":
                raise CriError(f"{method}: {trailers.get('grpc-message', trailers['grpc-status'])}")
            return decode(f"{method}Response", body.read_bytes()[5:])


def encode(message: str, value: dict[str, Any]) -> bytes:
    """Return a message in protobuf's encoding: for each field its number and wire type, then its value."""
    data = b""
    for name, content in value.items():
        number, kind = MESSAGES[message][name]
        for each in content if kind.endswith("[]") else [content]:
            data += _field(number, kind.removesuffix("[]"), each)
    return data


def _field(number: int, kind: str, value: Any) -> bytes:
    if kind == "int":
        return _varint(number << 3 | _VARINT) + _varint(int(value) & 0xFFFFFFFFFFFFFFFF)
    data = value.encode() if kind == "string" else encode(kind, value)
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*data, value])


def decode(message: str, data: bytes) -> dict[str, Any]:
    """Return the fields that are known of a message; a field that isn't there has protobuf's zero value."""
    known = MESSAGES.get(message, {})
    names = {number: (name, kind) for name, (number, kind) in known.items()}
    value: dict[str, Any] = {name: _zero(kind) for name, (_, kind) in known.items()}
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        content, at = _read_content(data, at, key & 7)
        if key >> 3 in names:
            name, kind = names[key >> 3]
            each = _typed(kind.removesuffix("[]"), content)
            value[name] = [*value[name], each] if kind.endswith("[]") else each
    return value


def _zero(kind: str) -> Any:
    if kind.endswith("[]"):
        return []
    return {"int": 0, "string": ""}.get(kind)


def _typed(kind: str, content: int | bytes) -> Any:
    if isinstance(content, int):
        return content - (1 << 64) if content >> 63 else content
    return content.decode() if kind == "string" else decode(kind, content)


def _read_content(data: bytes, at: int, wire_type: int) -> tuple[int | bytes, int]:
    if wire_type == _VARINT:
        return _read_varint(data, at)
    if wire_type == _BYTES:
        length, at = _read_varint(data, at)
    else:
        length = {_FIXED64: 8, _FIXED32: 4}[wire_type]
    return data[at : at + length], at + length


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
