"""System calls that Python's standard library lacks, and memory that processes share."""

import ctypes
import fcntl
import mmap
import os
import platform

import framelane_layout as L

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                       ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

# Numbers of membarrier and futex (linux/unistd.h, arch/x86/entry/syscalls/syscall_64.tbl).
_NUMBERS = {"x86_64": (324, 202), "aarch64": (283, 98)}
_MEMBARRIER, _FUTEX = _NUMBERS[platform.machine()]
_MEMBARRIER_GLOBAL_EXPEDITED = 1 << 1
_FUTEX_WAIT, _FUTEX_WAKE = 0, 1

SEAL_SHRINK, SEAL_GROW = 2, 4
SEAL_SIZE = 1 | SEAL_SHRINK | SEAL_GROW  # with F_SEAL_SEAL: no further seals
SEAL_FUTURE_WRITE = 0x10
_ADD_SEALS, _GET_SEALS = 1033, 1034  # fcntl F_ADD_SEALS, F_GET_SEALS
PAGE = mmap.PAGESIZE


class Failure(Exception):
    """What went wrong, with its ErrorKind."""

    def __init__(self, kind, text):
        super().__init__(text)
        self.kind = kind


def fence():
    """A full memory fence: membarrier has one at its start and one at its end."""
    if _libc.syscall(_MEMBARRIER, _MEMBARRIER_GLOBAL_EXPEDITED, 0, 0) != 0:
        raise Failure(L.ErrorKind.UNSUPPORTED, "this kernel or its filter has no membarrier")


class _Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


def futex_wait(address, value, seconds):
    """Sleeps while the word has this value; returns for any reason."""
    whole = int(seconds)
    time = _Timespec(whole, int((seconds - whole) * 1e9))
    _libc.syscall(_FUTEX, ctypes.c_void_p(address), _FUTEX_WAIT, ctypes.c_uint32(value),
                  ctypes.byref(time), None, 0)


def futex_wake(address, count):
    _libc.syscall(_FUTEX, ctypes.c_void_p(address), _FUTEX_WAKE, ctypes.c_int(count), None, None, 0)


def memfd(name, size):
    """A memfd with its memory reserved."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    os.posix_fallocate(fd, 0, size)
    return fd


def seal(fd, seals):
    fcntl.fcntl(fd, _ADD_SEALS, seals)


def seals(fd):
    """The seals of a descriptor; none of one that cannot be sealed."""
    try:
        return fcntl.fcntl(fd, _GET_SEALS)
    except OSError:
        return 0


def sealed_size(fd, what):
    """Size of a memfd that nobody can shrink while it is mapped."""
    if not seals(fd) & SEAL_SHRINK:
        raise Failure(L.ErrorKind.PROTOCOL, f"{what} is not sealed against shrinking")
    return os.fstat(fd).st_size


class Mapping:
    """Shared memory of a descriptor. Structures are laid over it, so that a field of 4 or 8 bytes
    is read and written by one instruction; order between them is the caller's, with fence()."""

    def __init__(self, fd, size, writable=False):
        protection = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        address = _libc.mmap(None, size, protection, mmap.MAP_SHARED, fd, 0)
        if address == ctypes.c_void_p(-1).value:
            raise Failure(L.ErrorKind.SYSTEM, f"mmap: {os.strerror(ctypes.get_errno())}")
        self.address, self.size = address, size

    def struct(self, kind, offset=0):
        """A structure that is the memory itself."""
        assert offset + ctypes.sizeof(kind) <= self.size
        return kind.from_address(self.address + offset)

    def read(self, offset, size):
        if offset + size > self.size:
            raise Failure(L.ErrorKind.PROTOCOL, f"{size} bytes at {offset} in {self.size}")
        return ctypes.string_at(self.address + offset, size)

    def write(self, offset, data):
        assert offset + len(data) <= self.size
        ctypes.memmove(self.address + offset, data, len(data))

    def close(self):
        """Nothing laid over it may be used any more."""
        if self.address is not None:
            _libc.munmap(self.address, self.size)
            self.address = None
