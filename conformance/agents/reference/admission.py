"""The thread that admits consumers, notices their deaths and takes device frames back."""

import os
import select
import socket
import struct
import threading
import time

import framelane_layout as L
import wire
from kernel import PAGE, SEAL_SIZE, Failure, Mapping, memfd, seal
from member import Member, PrivateBell, SharedBell
from name import Name

STEP = 1.0  # seconds for a Hello, and again for a Ready
KINDS = {kind.value for kind in L.Mode}


class Connection:
    """One connected peer: greeting, then admitted, then attached."""

    def __init__(self, peer):
        self.socket = peer
        self.pid, self.uid, _ = struct.unpack(
            "3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        try:
            self.pidfd = os.pidfd_open(self.pid)
        except OSError:
            self.pidfd = None  # the socket alone tells of its death
        self.until = time.monotonic() + STEP
        self.member = self.page_fd = None


class Service:
    """All connections of one lane."""

    def __init__(self, producer):
        self.producer = producer
        self.pid, self.uid = os.getpid(), os.geteuid()
        self.name = Name(producer.name, producer.options.access == "everyone")
        self.listener = self.name.listener
        self.control = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.epoll = select.epoll()
        self.epoll.register(self.listener, select.EPOLLIN)
        self.epoll.register(self.control, select.EPOLLIN)
        self.connections, self.next_number = {}, 1
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()

    def wake(self):
        os.eventfd_write(self.control, 1)

    def stop(self):
        self.wake()
        self.thread.join()
        for connection in list(self.connections.values()):
            self._bye(connection, L.ErrorKind.CLOSED, "the producer ended the lane")
        self.name.give_back()
        self.epoll.close()
        self.close_fds([self.control])

    @staticmethod
    def close_fds(fds):
        for fd in fds:
            os.close(fd)

    # The thread

    def _run(self):
        while not self.producer.closed:
            self._expire()
            waits = [self.producer.expire()]
            waits += [c.until - time.monotonic() for c in self.connections.values() if c.until]
            waits = [wait for wait in waits if wait is not None]
            for fd, _ in self.epoll.poll(max(min(waits), 0) if waits else -1):
                self._happened(fd)

    def _happened(self, fd):
        if fd == self.control:
            os.eventfd_read(self.control)
        elif fd == self.listener.fileno():
            self._accept()
        else:
            self._heard(fd)

    def _accept(self):
        try:
            peer, _ = self.listener.accept()
        except OSError:
            return
        connection = Connection(peer)
        try:
            self._refuse_stranger(connection)
        except Failure as error:
            self._refuse(connection, error)
            self._close(connection)
            return
        self.connections[peer.fileno()] = connection
        self.epoll.register(peer, select.EPOLLIN | select.EPOLLRDHUP)
        if connection.pidfd is not None:
            self.connections[connection.pidfd] = connection
            self.epoll.register(connection.pidfd, select.EPOLLIN)

    def _heard(self, fd):
        connection = self.connections.get(fd)
        if connection is None:
            return  # it has just gone
        try:
            gone = fd == connection.pidfd or self._read(connection)
        except Failure as error:
            gone = True
            if connection.member:
                self._bye(connection, error.kind, str(error))
            else:
                self._refuse(connection, error)
        if gone:
            self._drop(connection)

    def _read(self, connection):
        """Reads what a peer sent; whether it has gone."""
        packet = wire.receive(connection.socket)
        if packet is None:
            return False
        if not packet:
            return True
        if connection.member is None:
            self._admit(connection, packet)
        elif connection.until:
            ready = wire.read(L.Ready, packet)
            if ready.consumer_id != connection.member.number:
                raise Failure(L.ErrorKind.PROTOCOL, f"ready as {ready.consumer_id}")
            self._hand_over(connection)
        elif packet in (bytes([L.BellByte.RELEASED]), bytes([L.BellByte.KEY_WANTED])):
            self.producer.released()
        else:
            raise Failure(L.ErrorKind.PROTOCOL, "an attached consumer sends only bells")
        return False

    def _expire(self):
        now = time.monotonic()
        for connection in set(self.connections.values()):
            if connection.until and connection.until <= now:
                self._bye(connection, L.ErrorKind.TIMED_OUT, "no Hello or Ready within 1 s")

    # Admission

    def _refuse_stranger(self, connection):
        own = connection.uid == self.uid
        options = self.producer.options
        allowed = own or (options.trust != "trusted_only"
                          and (connection.uid == 0 or options.access == "everyone"))
        if not allowed:
            raise Failure(L.ErrorKind.PERMISSION_DENIED, f"only user {self.uid} is admitted")
        others = set(self.connections.values())
        same = sum(other.pid == connection.pid for other in others)
        unfinished = sum(other.until is not None for other in others)
        if same >= L.Limit.PER_PROCESS or unfinished >= L.Limit.PER_PROCESS:
            text = f"process {connection.pid} has its {L.Limit.PER_PROCESS} attachments"
            raise Failure(L.ErrorKind.TOO_MANY, text)

    def _check(self, packet):
        options = self.producer.options
        if wire.header(packet).layout_hash != options.layout_hash:
            raise Failure(L.ErrorKind.LAYOUT_MISMATCH, "the consumer has another layout")
        hello = wire.read(L.Hello, packet)
        if wire.text(hello.lane) != self.producer.name or hello.mode not in KINDS:
            raise Failure(L.ErrorKind.PROTOCOL, "another lane, or no mode")
        self.producer.check(hello)
        return hello

    def _admit(self, connection, packet):
        hello = self._check(packet)
        producer, options = self.producer, self.producer.options
        with producer.lock:
            left = options.lease_budget - producer.leases_granted()
            same_user = sum(member.uid == connection.uid for member in producer.members)
            if len(producer.members) >= L.Limit.CONSUMERS or same_user >= L.Limit.PER_UID:
                raise Failure(L.ErrorKind.TOO_MANY, "this lane or user has all its consumers")
            if hello.leases > left:
                text = f"{hello.leases} leases, {left} of {options.lease_budget} are left"
                raise Failure(L.ErrorKind.NO_LEASES, text)
            number, self.next_number = self.next_number, self.next_number + 1
            connection.page_fd, own, page = self._page(number, hello)
            bell = self._bell(connection)
            peer = (connection.pid, connection.uid)
            member = Member(number, peer, hello.leases, hello.mode, page, own, bell)
            # LIVE before the Welcome: from here on every claim reads its cells.
            producer.members.append(member)
            connection.member = member
        connection.until = time.monotonic() + STEP
        welcome = wire.new(L.Welcome)
        welcome.epoch, welcome.consumer_id = producer.epoch, number
        welcome.leases, welcome.device_buffers = hello.leases, len(options.devices)
        limit = L.Limit.FDS_PER_MESSAGE
        welcome.fd_messages = (3 + len(options.devices) + limit - 1) // limit
        welcome.bell = bell.kind
        wire.send(connection.socket, welcome)

    def _page(self, number, hello):
        """A page the consumer may write but not resize, and our own read-only view of it."""
        fd = memfd(f"framelane-page:{self.producer.name}", PAGE)
        first = Mapping(fd, PAGE, writable=True)
        page = first.struct(L.ConsumerPage)
        page.magic, page.epoch = L.Layout.PAGE_MAGIC, self.producer.epoch
        page.layout_hash, page.consumer_id = L.LAYOUT_HASH, number
        page.leases, page.mode = hello.leases, hello.mode
        page._cursor = self.producer.first_cursor(hello)
        first.close()
        seal(fd, SEAL_SIZE)
        own = Mapping(fd, PAGE)
        return fd, own, own.struct(L.ConsumerPage)

    def _bell(self, connection):
        options = self.producer.options
        among_ourselves = options.access == "owner" or options.trust == "trusted_only"
        shared = options.trust != "untrusted" and among_ourselves and connection.uid == self.uid
        return SharedBell(self.producer.lane) if shared else PrivateBell(connection.socket)

    def _hand_over(self, connection):
        producer = self.producer
        items = [(L.FdKind.LANE, producer.memory), (L.FdKind.PAGE, connection.page_fd),
                 connection.member.bell.sent]
        items += [(L.FdKind.DEVICE_MEMFD, fd) for fd in producer.options.devices]
        first = 0
        for start in range(0, len(items), L.Limit.FDS_PER_MESSAGE):
            chunk = items[start:start + L.Limit.FDS_PER_MESSAGE]
            message = wire.new(L.Fds)
            message.count, message.first_device = len(chunk), first
            message.kinds[:len(chunk)] = [kind for kind, _ in chunk]
            wire.send(connection.socket, message, [fd for _, fd in chunk])
            first += sum(kind == L.FdKind.DEVICE_MEMFD for kind, _ in chunk)
        os.close(connection.page_fd)
        connection.page_fd = connection.until = None

    # Partings

    def _refuse(self, connection, error):
        """Says why. Where the layouts differ, the table follows that shows where."""
        options = self.producer.options
        mismatch = error.kind == L.ErrorKind.LAYOUT_MISMATCH
        table = wire.compact(options.table) if mismatch else b""
        wire.receive(connection.socket)  # unread bytes would turn our answer into a reset
        refused = wire.new(L.Refused, options.layout_hash)
        refused.kind, refused.table_bytes = error.kind, len(table)
        wire.put_text(refused.text, str(error))
        if wire.send(connection.socket, refused) and table:
            wire.send(connection.socket, table)

    def _bye(self, connection, kind, text):
        bye = wire.new(L.Bye)
        bye.kind = kind
        wire.put_text(bye.text, text)
        wire.send(connection.socket, bye)
        self._drop(connection)

    def _drop(self, connection):
        if connection.socket.fileno() not in self.connections:
            return
        self.connections.pop(connection.socket.fileno())
        self.epoll.unregister(connection.socket)
        if connection.pidfd is not None:
            self.connections.pop(connection.pidfd)
            self.epoll.unregister(connection.pidfd)
        if connection.member:
            self.producer.left(connection.member)
        self._close(connection)

    def _close(self, connection):
        try:
            connection.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the peer was first
        connection.socket.close()
        self.close_fds([fd for fd in (connection.pidfd, connection.page_fd) if fd is not None])
