"""A producer: owns a lane's memory, claims, publishes, retires, revokes."""

import ctypes
import secrets
import threading
import time

import framelane_layout as L
import pixels
import wire
from admission import Service
from kernel import PAGE, SEAL_FUTURE_WRITE, SEAL_SIZE, Failure, Mapping, fence, futex_wake
from kernel import memfd, seal
from ring import HEADER_BYTES, READY, RETIRED, REVOKED, SLOTS_BYTES, Lane, check_name
from ring import state, token

FREE = 0


def _round_up(size):
    return (size + PAGE - 1) // PAGE * PAGE


class Producer:
    """One lane. Its service thread admits consumers and takes device frames back."""

    def __init__(self, name, options):
        check_name(name)
        self.name, self.options = name, options
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.epoch = secrets.randbits(63) + 1
        self.sequence = 0  # of the newest frame
        self.sequences = {}  # of the frame in each READY or RETIRED slot
        self.ready, self.retired, self.claimed = set(), set(), set()
        self.deadlines = {}  # of device frames that are out, by slot; 0: none
        self.members, self.returned = [], []
        self.abandoned = self.no_free_slot = self.revoked = self.waiting = 0
        self.closed = False
        self.service = Service(self)  # takes the name before any memory is made
        self._make_memory()
        self.service.start()

    def _make_memory(self):
        options = self.options
        offset = _round_up(HEADER_BYTES + SLOTS_BYTES)
        stride = _round_up(options.payload_bytes)
        total = offset + stride * options.slots
        self.memory = memfd(f"framelane:{self.name}", total)
        self.lane = Lane(Mapping(self.memory, total, writable=True))
        header = self.lane.header
        constants = dict(
            layout_hash=options.layout_hash, layout_version=L.Layout.VERSION,
            header_bytes=HEADER_BYTES, epoch=self.epoch, total_bytes=total,
            slots_offset=HEADER_BYTES, payload_offset=offset, payload_stride=stride,
            payload_bytes=options.payload_bytes, lease_ns=options.lease_ns,
            created_ns=time.time_ns(), page_bytes=PAGE, flags=options.flags(),
            slot_count=options.slots, history=options.history, claims=options.claims,
            lease_budget=options.lease_budget, producer_pid=self.service.pid,
            producer_uid=self.service.uid, device_buffers=len(options.devices),
            lane_kind=L.LaneKind.FRAME, memory_kind=options.memory)
        for field, value in constants.items():
            setattr(header, field, value)
        wire.put_text(header.name, self.name)
        fence()
        header.magic = L.Layout.LANE_MAGIC
        seal(self.memory, SEAL_SIZE | SEAL_FUTURE_WRITE)

    # Admission

    def check(self, hello):
        """Refuses what this lane does not offer."""
        options = self.options
        if hello.wants_stream or hello.wants_switch:
            raise Failure(L.ErrorKind.UNSUPPORTED, "this lane has frames of its own")
        if hello.mode == L.Mode.LOSSLESS and not options.lossless:
            raise Failure(L.ErrorKind.UNSUPPORTED, "lossless consumers are not admitted")
        if not 1 <= hello.leases <= 63:
            raise Failure(L.ErrorKind.INVALID_ARGUMENT, f"{hello.leases} leases")
        if not hello.memory_kinds >> options.memory & 1:
            raise Failure(L.ErrorKind.UNSUPPORTED, "frames are in memory this peer cannot read")
        if options.writable_devices() and not hello.wants_writable:
            raise Failure(L.ErrorKind.UNSUPPORTED, "the buffers could be written; ask for such")

    def first_cursor(self, hello):
        return self.sequence + 1

    # Claiming

    def pinned(self):
        return set().union(*(member.pinned(self.sequences) for member in self.members))

    def _passed(self):
        """Whether every lossless cursor has passed the frame that the coming publish retires."""
        upcoming = self.sequence + 1 + len(self.claimed)
        passed = True
        for member in self.members:
            if member.mode == L.Mode.LOSSLESS:
                member.cursor = max(member.cursor, member.page._cursor)
                passed &= member.cursor + self.options.history >= upcoming
        return passed

    def _try_claim(self):
        if self.closed:
            raise Failure(L.ErrorKind.CLOSED, f"lane {self.name} is closed")
        if len(self.claimed) >= self.options.claims or not self._passed():
            return None
        free = set(range(self.options.slots)) - self.ready - self.claimed - self.pinned()
        if not free:
            return None
        slot = max(free, key=lambda slot: self.sequences.get(slot, 0))
        self._take(slot, revoked=False)
        self.claimed.add(slot)
        self._leave(slot, FREE)
        return slot

    def _leave(self, slot, word):
        """A slot stops being READY or RETIRED, and nothing is overwritten before that shows."""
        self.ready.discard(slot)
        self.retired.discard(slot)
        if word == FREE:
            self.sequences.pop(slot, None)
        self.lane.slots[slot]._state = word
        fence()

    def claim(self, seconds=0):
        if self.options.memory != L.MemoryKind.INLINE:
            raise Failure(L.ErrorKind.UNSUPPORTED, "frames come through publish_external")
        deadline = time.monotonic() + seconds
        with self.lock:
            self.waiting += 1
            try:
                while (slot := self._try_claim()) is None:
                    self._want_releases()
                    left = deadline - time.monotonic()
                    if left <= 0:
                        self.no_free_slot += 1
                        raise Failure(L.ErrorKind.NO_FREE_SLOT, "every slot or claim is held")
                    self.changed.wait(min(left, 0.05))
            finally:
                self.waiting -= 1
                self._want_releases()
        return Claim(self, slot)

    def _want_releases(self):
        """Asks consumers to ring while a claim waits or a retired device frame is held."""
        self.lane.header._release_wanted = 1
        fence()
        self.collect()
        if not self.waiting and not self.retired & set(self.deadlines):
            self.lane.header._release_wanted = 0

    # Publishing

    def publish(self, slots):
        with self.lock:
            if self.closed:
                raise Failure(L.ErrorKind.CLOSED, f"lane {self.name} is closed")
            now = time.monotonic_ns()
            for slot in slots:
                self.sequence += 1
                descriptor = self.lane.slots[slot].descriptor
                descriptor.sequence, descriptor.publish_ns = self.sequence, now
                descriptor.memory_kind = self.options.memory
                descriptor.valid_until_ns = self._deadline(slot, now)
                self.sequences[slot] = self.sequence
                self.claimed.discard(slot)
                self.ready.add(slot)
                fence()
                self.lane.slots[slot]._state = state(self.sequence, READY)
                self.lane.header._recent[self.sequence % 64] = token(self.sequence, slot)
            header = self.lane.header
            fence()
            header._head = token(self.sequence, slots[-1])
            fence()
            header._wake = self.sequence % 2**32
            self._retire(self.sequence - self.options.history)
            fence()
            self._ring()
            self.changed.notify_all()
            return self.sequence

    def _deadline(self, slot, now):
        if self.options.memory == L.MemoryKind.INLINE:
            return 0
        lease = self.options.lease_ns
        self.deadlines[slot] = now + lease if lease else 0
        return self.deadlines[slot]

    def _retire(self, before):
        for slot in [slot for slot in self.ready if self.sequences[slot] < before]:
            self.ready.discard(slot)
            self.retired.add(slot)
            self.lane.slots[slot]._state = state(self.sequences[slot], RETIRED)

    def _ring(self, everybody=False):
        """Wakes who sleeps and rings who polls. A ticket is answered once."""
        for member in self.members:
            if everybody or member.page._waiting:
                member.bell.wake()
            ticket = member.page._arm_ticket
            if everybody or ticket != member.answered:
                member.answered = ticket
                member.bell.ring()

    def publish_external(self, descriptor):
        if self.options.memory == L.MemoryKind.INLINE:
            raise Failure(L.ErrorKind.UNSUPPORTED, f"lane {self.name} is inline")
        self._check_external(descriptor)
        with self.lock:
            self.collect()
            slot = self._try_claim()
            if slot is None:
                self.no_free_slot += 1
                raise Failure(L.ErrorKind.NO_FREE_SLOT, "every slot is held")
            ctypes.memmove(ctypes.addressof(self.lane.slots[slot].descriptor),
                           bytes(descriptor), ctypes.sizeof(descriptor))
            sequence = self.publish([slot])
            self._want_releases()
        self.service.wake()
        return sequence

    def _check_external(self, descriptor):
        if self.options.memory == L.MemoryKind.HB_MEM:
            # Whether there are such buffers is told to who imports them.
            if any(plane.share_id < 0 for plane in descriptor.planes[:descriptor.plane_count]):
                raise Failure(L.ErrorKind.INVALID_ARGUMENT, "an hb_mem plane without share id")
            return
        for plane in descriptor.planes[:descriptor.plane_count]:
            index, sizes = plane.buffer_index, self.options.device_bytes
            inside = (0 <= index < len(sizes)
                      and plane.offset_bytes + plane.size_bytes <= sizes[index])
            if not inside:
                text = f"a plane at {plane.offset_bytes} in buffer {index} of {len(sizes)}"
                raise Failure(L.ErrorKind.INVALID_ARGUMENT, text)

    # Device frames

    def _take(self, slot, revoked):
        """The buffer of a slot goes back to its owner, once."""
        if self.deadlines.pop(slot, None) is not None:
            self.returned.append(revoked)

    def collect(self):
        """Device frames that are retired and that nobody names go back."""
        pinned = self.pinned()
        for slot in self.retired & set(self.deadlines) - pinned:
            self._leave(slot, FREE)
            self._take(slot, revoked=False)

    def expire(self):
        """Takes device frames back whose deadline has passed; seconds until the next one."""
        with self.lock:
            self.collect()
            pinned, now = self.pinned(), time.monotonic_ns()
            for slot, deadline in list(self.deadlines.items()):
                if deadline and deadline <= now and slot in pinned:
                    self._revoke(slot)
            left = [deadline - now for slot, deadline in self.deadlines.items()
                    if deadline and (deadline > now or slot in self.retired)]
            return max(min(left), 1_000_000) / 1e9 if left else None

    def _revoke(self, slot):
        holders = sum(slot in member.pinned(self.sequences) for member in self.members)
        self.revoked += holders
        self._leave(slot, state(self.sequences[slot], REVOKED))
        self.sequences.pop(slot)
        self._take(slot, revoked=holders > 0)

    def recall(self):
        with self.lock:
            if self.deadlines:
                self._retire(self.sequence + 1)
                fence()
                self._want_releases()

    # The end, and facts

    def left(self, member):
        """A consumer is gone: its leases come back."""
        with self.lock:
            self.members.remove(member)
            member.page_mapping.close()
            member.bell.close()
        self.released()

    def released(self):
        with self.lock:
            self._want_releases()
            self.changed.notify_all()

    def leases_granted(self):
        return sum(member.leases for member in self.members)

    def close(self):
        with self.lock:
            self.closed = True
            for slot in list(self.deadlines):
                self._revoke(slot)
            header = self.lane.header
            header._closed = 1
            fence()
            header._wake = (header._wake + 1) % 2**32
            fence()
            self._ring(everybody=True)
            futex_wake(self.lane.wake_address(), 2**31 - 1)
            self.changed.notify_all()
        self.service.stop()
        self.service.close_fds([self.memory, *self.options.devices])
        self.lane.mapping.close()


class Claim:
    """A slot being filled."""

    def __init__(self, producer, slot):
        self.producer, self.slot = producer, slot
        self.descriptor = producer.lane.slots[slot].descriptor
        start = pixels.template()
        if producer.options.picture:
            pixels.apply(producer.options.picture, start)
        ctypes.memmove(ctypes.addressof(self.descriptor), bytes(start), ctypes.sizeof(start))

    def fill(self, seed):
        room = self.producer.options.payload_bytes
        for number, plane in enumerate(self.descriptor.planes[:self.descriptor.plane_count]):
            if plane.offset_bytes + plane.size_bytes > room:
                raise Failure(L.ErrorKind.PROTOCOL, f"plane {number} does not fit in {room}")
            at = self.producer.lane.payload(self.slot) + plane.offset_bytes
            data = pixels.filled(number, seed, plane.size_bytes)
            self.producer.lane.mapping.write(at, data)

    def abandon(self):
        with self.producer.lock:
            self.producer.claimed.discard(self.slot)
            self.producer.abandoned += 1
            self.producer.changed.notify_all()
