"""A consumer's hold on one epoch of a lane: handshake, mappings, cells, bells."""

import ctypes
import json
import os
import select
import socket
import struct
import time

import framelane_layout as L
import hb_mem
import wire
from kernel import Failure, Mapping, fence, sealed_size
from ring import HEADER_BYTES, READY, RETIRED, SLOTS_BYTES, Lane, directory, sequence_of, slot_of
from ring import state

ANSWER = 2.0  # seconds a producer has for the whole handshake
# Of dma-bufs those whose device and processor see the same bytes without being told.
KINDS = sum(1 << kind for kind in L.MemoryKind)


class NobodyThere(Exception):
    """No producer accepts connections now."""


def _connect(lane):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(os.path.join(directory(), f"{lane}.sock"))
    except PermissionError as error:
        connection.close()
        raise Failure(L.ErrorKind.PERMISSION_DENIED, f"connecting to {lane}: {error}") from error
    except OSError as error:
        connection.close()
        text = f"no producer of lane {lane}; looked in {directory()}"
        raise NobodyThere(text) from error
    connection.settimeout(ANSWER)
    return connection


class Attachment:
    """One epoch, until its consumer has left it and its last frame is released."""

    def __init__(self, lane, mode, leases, writable, layout_hash, table):
        self.lost = self.abandoned = False
        self.imports = hb_mem.Imports()
        self.fds, self.devices, self.mappings = {}, [], []
        self.socket = _connect(lane)
        self.pidfd = None
        try:
            welcome = self._greet(lane, mode, leases, writable, layout_hash, table)
            self._receive(welcome)
            self._map(lane, welcome)
        except OSError as error:
            self._free()
            raise Failure(L.ErrorKind.DISCONNECTED, f"during the handshake: {error}") from error
        except Failure:
            self._free()
            raise
        # A socket with a time limit would wait where it is only to be looked at.
        self.socket.setblocking(False)
        self.cells = [False] * leases
        self.buffers = {}
        self.ticket = 0

    # Handshake

    def _greet(self, lane, mode, leases, writable, layout_hash, table):
        hello = wire.new(L.Hello, layout_hash)
        wire.put_text(hello.lane, lane)
        hello.leases, hello.memory_kinds = leases, KINDS
        hello.mode, hello.wants_writable = mode, writable
        self.ask(hello)
        wire.send(self.socket, hello)
        packet = self.socket.recv(wire.PACKET_BYTES)
        kind = wire.header(packet).message_type if packet else L.MessageType.BYE
        if kind == L.MessageType.REFUSED:
            refused = wire.read(L.Refused, packet)
            text = wire.text(refused.text)
            if refused.table_bytes:
                theirs = json.loads(self.socket.recv(wire.PACKET_BYTES))
                text += ": " + wire.first_difference(theirs, table)
            raise Failure(L.ErrorKind(refused.kind), text)
        if kind == L.MessageType.BYE:
            raise Failure(L.ErrorKind.DISCONNECTED, "the producer hung up")
        welcome = wire.read(L.Welcome, packet)
        if welcome.leases != leases:
            raise Failure(L.ErrorKind.PROTOCOL, f"welcomed with {welcome.leases} leases")
        ready = wire.new(L.Ready)
        ready.consumer_id = welcome.consumer_id
        wire.send(self.socket, ready)
        return welcome

    def ask(self, hello):
        """What is asked for beyond that: nothing of frames."""

    def _receive(self, welcome):
        for _ in range(welcome.fd_messages):
            packet, fds = wire.receive_fds(self.socket)
            while len(packet) == 1:  # a ring can come first: it says nothing yet
                packet, fds = wire.receive_fds(self.socket)
            message = wire.read(L.Fds, packet)
            if message.count != len(fds):
                raise Failure(L.ErrorKind.PROTOCOL, f"{len(fds)} descriptors came")
            for kind, fd in zip(message.kinds, fds):
                if kind in (L.FdKind.DEVICE_MEMFD, L.FdKind.DEVICE_DMABUF):
                    self.devices.append(fd)
                else:
                    self.fds[kind] = fd

    def _map(self, name, welcome):
        lane = self._mapping(L.FdKind.LANE, HEADER_BYTES, False)
        header = lane.struct(L.LaneHeader)
        wrong = (header.magic != L.Layout.LANE_MAGIC or header.epoch != welcome.epoch
                 or wire.text(header.name) != name or header.total_bytes > lane.size)
        if wrong or not self.lay_out(lane, header):
            raise Failure(L.ErrorKind.PROTOCOL, "the lane's header cannot be")
        self.page_mapping = self._mapping(L.FdKind.PAGE, ctypes.sizeof(L.ConsumerPage), True)
        self.page = self.page_mapping.struct(L.ConsumerPage)
        if self.page.magic != L.Layout.PAGE_MAGIC or self.page.leases != welcome.leases:
            raise Failure(L.ErrorKind.PROTOCOL, "the page that came is not this consumer's")
        self.wake, self.wake_address = self.lane.header, self.lane.wake_address()
        if welcome.bell == L.BellKind.PRIVATE:
            bell = self._mapping(L.FdKind.BELL_PAGE, ctypes.sizeof(L.BellPage), False)
            self.wake = bell.struct(L.BellPage)
            self.wake_address = bell.address + L.BellPage._wake.offset
        peer = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        try:
            self.pidfd = os.pidfd_open(struct.unpack("3i", peer)[0])
        except OSError:
            pass  # the socket alone tells then

    def lay_out(self, mapping, header):
        """Whether the lane is of this kind, and its parts are there."""
        if header.slots_offset + SLOTS_BYTES > mapping.size:
            return False
        self.lane = Lane(mapping, header.slots_offset)
        return header.lane_kind == L.LaneKind.FRAME

    def _mapping(self, kind, least, writable):
        if kind not in self.fds:
            raise Failure(L.ErrorKind.PROTOCOL, f"the producer sent no {kind.name}")
        size = sealed_size(self.fds[kind], kind.name)
        if size < least:
            raise Failure(L.ErrorKind.PROTOCOL, f"{kind.name} of {size} bytes")
        self.mappings.append(Mapping(self.fds[kind], size, writable))
        return self.mappings[-1]

    # Frames

    def head(self):
        head = self.lane.header._head
        fence()
        return head

    def newest(self):
        return sequence_of(self.lane.header._head)

    def is_device(self):
        return self.lane.header.memory_kind != L.MemoryKind.INLINE

    def free_cell(self):
        """Number of a cell that holds nothing; None where all do."""
        return self.cells.index(False) if False in self.cells else None

    def may_deliver(self, frame):
        """Whether a frame just leased may be used: a device frame only before its deadline."""
        until = frame.descriptor.valid_until_ns
        in_time = not self.is_device() or not until or time.monotonic_ns() < until
        if in_time and frame.check():
            self.cells[frame.cell] = True
            return True
        return False

    def descriptor(self, slot):
        return L.FrameDescriptor.from_buffer_copy(self.lane.slots[slot].descriptor)

    def plane(self, slot, descriptor, number):
        plane = descriptor.planes[number]
        if not self.is_device():
            room = self.lane.header.payload_bytes
            if plane.offset_bytes + plane.size_bytes > room:
                raise Failure(L.ErrorKind.PROTOCOL, "a plane outside its slot")
            at = self.lane.payload(slot) + plane.offset_bytes
            return self.lane.mapping.read(at, plane.size_bytes)
        if self.lane.header.memory_kind == L.MemoryKind.HB_MEM:
            data = self.imports.read(descriptor, number)
        else:
            data = self._device(plane)
        self.page._copied_bytes += len(data)
        return data

    def plane_fd(self, plane):
        index = plane.buffer_index
        if not 0 <= index < len(self.devices):
            raise Failure(L.ErrorKind.PROTOCOL, f"buffer {index} of {len(self.devices)}")
        return self.devices[index]

    def _device(self, plane):
        index = plane.buffer_index
        fd = self.plane_fd(plane)
        if index not in self.buffers:
            is_dmabuf = self.lane.header.memory_kind == L.MemoryKind.DMABUF
            # A dma-buf cannot shrink, and tells its size by its end.
            size = os.lseek(fd, 0, os.SEEK_END) if is_dmabuf else sealed_size(fd, "a device buffer")
            self.buffers[index] = Mapping(fd, size)
            self.mappings.append(self.buffers[index])
        return self.buffers[index].read(plane.offset_bytes, plane.size_bytes)

    def check(self, token):
        fence()
        now = self.lane.slots[slot_of(token)]._state
        sequence = sequence_of(token)
        intact = now in (state(sequence, READY), state(sequence, RETIRED))
        return intact and not (self.is_device() and self.is_gone())

    def clear(self, cell):
        fence()
        self.page._cells[cell] = 0
        self._ring_if_wanted()

    def release(self, cell):
        self.clear(cell)
        self.cells[cell] = False
        if self.abandoned and not self.held():
            self._free()

    def advance(self, sequence):
        """Moves a lossless cursor past a frame that a cell holds, or that is lost."""
        self.page._cursor = sequence + 1
        self._ring_if_wanted()

    def _ring_if_wanted(self):
        if self.lane.header.flags & L.LaneFlag.BELL_ON_RELEASE:
            fence()
            if self.lane.header._release_wanted:
                wire.send(self.socket, bytes([L.BellByte.RELEASED]))

    def held(self):
        return sum(self.cells)

    # Waiting

    def sleep(self, seconds, has_news, futex_wait):
        value = self.wake._wake
        self.page._waiting += 1
        fence()
        if not has_news() and not self.lane.header._closed:
            futex_wait(self.wake_address, value, seconds)
        self.page._waiting -= 1

    def watched(self):
        """Descriptors that become readable when there is something to look at."""
        if L.FdKind.EVENTFD in self.fds:
            # Edge-triggered, so that it never has to be read.
            yield self.fds[L.FdKind.EVENTFD], select.EPOLLIN | select.EPOLLET
        yield self.socket, select.EPOLLIN | select.EPOLLRDHUP
        if self.pidfd is not None:
            yield self.pidfd, select.EPOLLIN

    def drain(self):
        """Empties the socket's bell; notices a hang-up."""
        while (packet := wire.receive(self.socket)) is not None:
            if packet == b"" or len(packet) > 1:  # a Bye is the end as well
                self.lost = True
                return

    def arm(self):
        self.page._arm_ticket = (self.page._arm_ticket + 1) % 2**32
        fence()

    def is_gone(self):
        """Whether the producer's process or connection has ended."""
        if not self.lost:
            poll = select.poll()
            poll.register(self.socket, select.POLLRDHUP)
            if self.pidfd is not None:
                poll.register(self.pidfd, select.POLLIN)
            self.lost = bool(poll.poll(0))
        return self.lost

    def is_over(self):
        return bool(self.lane.header._closed) or self.is_gone()

    # The end

    def abandon(self):
        """The consumer leaves: what is held stays until it is released."""
        self.abandoned = True
        if not self.held():
            self._free()

    def _free(self):
        self.imports.close()
        for mapping in self.mappings:
            mapping.close()
        others = [self.pidfd] if self.pidfd is not None else []
        for fd in [*self.fds.values(), *self.devices, *others]:
            os.close(fd)
        self.fds, self.devices, self.mappings, self.pidfd = {}, [], [], None
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the producer was first
        self.socket.close()
