"""Where runt looks for the systemd of an ordinary user, and what it says where there is none."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runtime.cgroups import systemd_sockets
from runtime.cgroups.dbus import Connection
from runtime.cgroups.systemd_sockets import UnreachableError, users_sockets
from runtime.support.errors import RuntError
from tests.support.nobody import RuntOfNobody, bundle_of_nobody, place_of_nobody

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACE = "/run/user/1000"
PRIVATE, BUS = f"{PLACE}/systemd/private", f"{PLACE}/bus"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, [PRIVATE, BUS]),
        ({"XDG_RUNTIME_DIR": f"{PLACE}/"}, [PRIVATE, BUS]),
        ({"XDG_RUNTIME_DIR": "/tmp/own"}, ["/tmp/own/systemd/private", "/tmp/own/bus", PRIVATE, BUS]),
        ({"XDG_RUNTIME_DIR": "relative"}, [PRIVATE, BUS]),
        ({"DBUS_SESSION_BUS_ADDRESS": f"unix:path={BUS}", "XDG_RUNTIME_DIR": PLACE}, [BUS, PRIVATE]),
        ({"DBUS_SESSION_BUS_ADDRESS": "unix:path=/a%20b,guid=0;tcp:host=x"}, ["/a b", PRIVATE, BUS]),
        ({"DBUS_SESSION_BUS_ADDRESS": "unix:abstract=/tmp/dbus-x"}, [PRIVATE, BUS]),
        ({"DBUS_SESSION_BUS_ADDRESS": "autolaunch:"}, [PRIVATE, BUS]),
    ],
)
def test_socket_that_the_environment_names_is_tried_first(
    environ: Mapping[str, str], expected: list[str]
) -> None:
    assert users_sockets(environ, 1000) == expected


def test_user_without_a_systemd_is_told_what_starts_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(systemd_sockets, "host_uid", lambda: 4_000_000)
    with pytest.raises(UnreachableError) as refused:
        systemd_sockets.connect_to_the_users()
    said = refused.value.message
    for tried in (f"{tmp_path}/systemd/private", f"{tmp_path}/bus", "/run/user/4000000/bus"):
        assert f"{tried}: no such file or directory" in said
    assert "user 4000000" in said
    assert "loginctl enable-linger" in said


@pytest.mark.root
@pytest.mark.peer("busybox")
@pytest.mark.skipif(Path(systemd_sockets.BOOTED).exists(), reason="systemd runs here")
def test_ordinary_user_hears_that_the_machine_has_no_systemd() -> None:
    with place_of_nobody() as place:
        bundle = bundle_of_nobody(place).save()
        refused = RuntOfNobody(place)("--systemd-cgroup", "create", "-b", str(bundle.path), "test")
    assert refused.returncode == 1
    assert "systemd does not run on this machine: leave --systemd-cgroup out" in refused.stderr


_ANSWER = b"l\x02\x01\x01\x04\x00\x00\x00\x01\x00\x00\x00\x08\x00\x00\x00"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"", "has closed the D-Bus connection"),
        (b"REJECTED EXTERNAL\r\n", "does not accept this user on D-Bus: REJECTED EXTERNAL"),
        (b"DATA\r\nOK 0\r\n", "has closed the D-Bus connection"),
        (b"DATA\r\nOK 0\r\n" + bytes(64), "not D-Bus"),
        (b"DATA\r\nOK 0\r\n" + _ANSWER + b"\xff" * 64, "not D-Bus"),
    ],
)
def test_what_listens_there_is_not_systemd(tmp_path: Path, said: bytes, expected: str) -> None:
    """The socket is in a directory of the user's, and root deletes the user's containers, too."""
    path = f"{tmp_path}/private"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(RuntError, match=expected):
            _call(path)
        thread.join()


def _call(path: str) -> None:
    """Connect and call a method; close whatever happens."""
    systemd = Connection(path, systemd_sockets.SERVICE, is_bus=False)
    try:
        systemd.call("/", "org.example", "Method")
    finally:
        systemd.close()
