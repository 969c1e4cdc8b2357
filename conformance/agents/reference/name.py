"""Owning a lane's name: its lock and its listening socket."""

import fcntl
import os
import secrets
import socket

import framelane_layout as L
from kernel import Failure
from ring import directory


class Name:
    """The name is ours while this lives."""

    def __init__(self, name, everyone):
        self.name = name
        self.folder = os.open(directory(), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.lock = self._lock()
        except Failure:
            os.close(self.folder)
            raise
        self.listener = self._listen(everyone)

    def _lock(self):
        flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
        lock = os.open(f"{self.name}.lock", flags, 0o600, dir_fd=self.folder)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(lock)
            text = f"lane {self.name} already has a producer"
            raise Failure(L.ErrorKind.ALREADY_EXISTS, text) from error
        os.ftruncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
        return lock

    def _listen(self, everyone):
        """Bound under a temporary name with narrow rights, then put in place in one step."""
        temporary = f".{self.name}.{secrets.token_hex(4)}.sock"
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        os.fchmod(listener.fileno(), 0o600)
        # Through the open folder, since a socket's path may have only 107 bytes.
        listener.bind(f"/proc/self/fd/{self.folder}/{temporary}")
        os.chmod(temporary, 0o666 if everyone else 0o600, dir_fd=self.folder)
        listener.listen(64)
        os.rename(temporary, f"{self.name}.sock", src_dir_fd=self.folder, dst_dir_fd=self.folder)
        return listener

    def give_back(self):
        """The socket goes, the lock file stays."""
        os.unlink(f"{self.name}.sock", dir_fd=self.folder)
        fcntl.flock(self.lock, fcntl.LOCK_UN)
        self.listener.close()
        os.close(self.lock)
        os.close(self.folder)
