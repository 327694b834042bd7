"""System calls: arguments reach the kernel unchanged, and its errors are raised."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys

import pytest

from runtime.kernel import process
from runtime.kernel.syscall import address, call


def test_a_pointer_beyond_32_bits_arrives_whole() -> None:
    answer = bytearray(256)
    where = address(answer)
    assert where > 2**32, "this test needs memory above 4 GiB"
    call("statfs", b"/proc", where)
    assert struct.unpack_from("@l", answer)[0] == 0x9FA0


def test_the_kernel_writes_into_a_bytearray() -> None:
    answer = bytearray(256)
    call("statfs", b"/proc", answer)
    assert struct.unpack_from("@l", answer)[0] == 0x9FA0


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        (("statfs", b"/nowhere", bytearray(256)), errno.ENOENT),
        (("statfs", b"/", None), errno.EFAULT),
        (("setns", -1, 0), errno.EBADF),
        (("unshare", 2**62), errno.EINVAL),
    ],
)
def test_errno_is_the_kernels(arguments: tuple[str, int | bytes], number: int) -> None:
    for _ in range(3):
        with pytest.raises(OSError, match=os.strerror(number)) as caught:
            call(*arguments)
        assert caught.value.errno == number


def test_a_child_by_clone3_is_a_working_interpreter() -> None:
    reading, writing = os.pipe()
    pid = process.clone3(0)
    if pid == 0:
        import threading  # the import lock is free, the thread is the main one

        os.write(writing, threading.main_thread().name.encode())
        os._exit(0)
    os.close(writing)
    assert os.read(reading, 99) == b"MainThread"
    assert os.waitpid(pid, 0) == (pid, 0)


def test_ctypes_itself_is_not_imported() -> None:
    program = "import runtime.kernel.mount, runtime.kernel.process, sys; sys.exit('ctypes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
