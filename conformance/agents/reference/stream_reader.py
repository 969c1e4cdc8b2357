"""A reader of streams: the attaching and waiting of a consumer, and records for frames."""

import select
import time

import framelane_layout as L
import wire
from attachment import Attachment
from consumer import Consumer
from kernel import Failure, fence
from ring import check_name
from stream import StreamLane


class Lapped(Exception):
    """So many records were overwritten before they were read."""

    def __init__(self, missed):
        super().__init__(missed)
        self.missed = missed


class StreamAttachment(Attachment):
    """One epoch of a stream lane."""

    def __init__(self, lane, mode, start, age_ns):
        self.start, self.age_ns = start, age_ns
        self.records = []  # of a lossless reader: those it has not released
        super().__init__(lane, mode, 0, 0, L.LAYOUT_HASH, wire.layout_table(False))

    def ask(self, hello):
        hello.wants_stream, hello.start, hello.start_age_ns = 1, self.start, self.age_ns

    def lay_out(self, mapping, header):
        self.lane = StreamLane(mapping)
        return header.lane_kind == L.LaneKind.STREAM and self.lane.fits()

    def newest(self):
        newest = self.lane.header._head
        fence()
        return newest

    def held(self):
        return len(self.records)

    def release_record(self, record):
        fence()
        self.records.remove(record)
        self.move_on()
        if self.abandoned and not self.held():
            self._free()

    def move_on(self):
        """Tells the writer the lowest record that is not released."""
        cursor = min([record.sequence for record in self.records] + [self.next])
        if not self.abandoned and cursor > self.page._cursor:
            self.advance(cursor - 1)

    def want_key(self):
        self.page._key_frame_requests = (self.page._key_frame_requests + 1) % 2**32
        wire.send(self.socket, bytes([L.BellByte.KEY_WANTED]))


class Record:
    """What was read. Of a lossless reader the bytes stay where they are until it is released."""

    def __init__(self, attachment, entry, config, data):
        self.attachment, self.entry, self.config, self.data = attachment, entry, config, data
        self.sequence = entry.sequence
        self.missed, self.new_epoch, self.new_config = 0, False, False

    def bytes(self):
        return self.attachment.lane.bytes_of(self.entry) if self.data is None else self.data

    def release(self):
        if self.data is None:
            self.attachment.release_record(self)


class StreamReader(Consumer):
    """One handle."""

    def __init__(self, lane, start, age_ns, after_lap, lossless, wait, reattach):
        check_name(lane)
        self.mode = L.Mode.LOSSLESS if lossless else L.Mode.ORDERED
        self.lane, self.start, self.age_ns, self.after_lap = lane, start, age_ns, after_lap
        self.reattach, self.lossless = reattach, lossless
        self.current, self.old = None, []
        self.epoll = select.epoll()
        self.closed = self.ended = False
        self.received = self.missed = 0
        self.config = None
        self._attach_until(time.monotonic() + wait)
        self.new_epoch = False

    def _attach(self):
        return StreamAttachment(self.lane, self.mode, self.start, self.age_ns)

    def _find(self, attachment, place, age_ns):
        if place == L.StreamStart.NEXT:
            return attachment.newest() + 1
        return attachment.lane.find_key(place, time.monotonic_ns() - age_ns)

    def _begin(self, attachment):
        super()._begin(attachment)
        self.config, self.passed = None, 0
        found = (attachment.page._cursor if self.lossless
                 else self._find(attachment, self.start, self.age_ns))
        self.next_record = found or attachment.newest() + 1
        self.awaits_key = self.start != L.StreamStart.NEXT
        attachment.next = self.next_record
        if self.awaits_key and self.next_record > attachment.newest():
            attachment.want_key()
        self.start, self.age_ns = L.StreamStart.OLDEST_KEY, 0  # of a later writer

    def _has_news(self):
        return self.current is not None and self.current.newest() >= self.next_record

    def _go_to(self, sequence):
        self.next_record = self.current.next = sequence
        if self.lossless:
            self.current.move_on()

    def _take(self):
        self._refuse()
        while self._has_news():
            record = self._read(self.next_record)
            self._go_to(self.next_record + 1)
            if record:
                return self._deliver(record)
        return None

    def _read(self, sequence):
        """The record; None where it is no key record and one is waited for."""
        lane = self.current.lane
        entry = lane.entry(sequence)
        if entry is None:
            self._lapped()
        if self.awaits_key and not entry.flags & L.RecordFlag.KEY:
            self.passed += 1
            self._count_missed(1)
            return None
        config = self.config
        new_config = config is None or config.id != entry.config_id
        if new_config:
            config = lane.config(entry.config_id)
        data = None if self.lossless else lane.bytes_of(entry)
        if not lane.is_whole(sequence):
            self._lapped()
        self.config = config
        record = Record(self.current, entry, config, data)
        record.new_config = new_config
        if self.lossless:
            self.current.records.append(record)
        return record

    def _deliver(self, record):
        record.missed, self.passed, self.awaits_key = self.passed, 0, False
        record.new_epoch, self.new_epoch = self.new_epoch, False
        self.received += 1
        page = self.current.page
        page._received, page._last_sequence = self.received, record.sequence
        page._copied_bytes += len(record.data or b"")
        return record

    def _count_missed(self, count):
        self.missed += count
        self.current.page._missed = self.missed

    def _lapped(self):
        """Overtaken: goes on at a key record, or at the next that comes."""
        key = self.current.lane.find_key(self.after_lap, 0)
        self.awaits_key = key is None
        if self.awaits_key:
            self.current.want_key()
        missed = (key or self.current.newest() + 1) - self.next_record
        self._count_missed(missed)
        self._go_to(self.next_record + missed)
        raise Lapped(missed)

    def _attached(self):
        self._refuse()
        if self.current is None:
            raise Failure(L.ErrorKind.NOT_FOUND, f"lane {self.lane} has no writer now")
        return self.current

    def seek(self, place, age_ns):
        found = self._find(self._attached(), place, age_ns)
        if found is None:
            self.current.want_key()
            raise Failure(L.ErrorKind.NO_KEY_FRAME, "there is no key record; one was asked for")
        if self.lossless and found < self.next_record:
            raise Failure(L.ErrorKind.UNSUPPORTED, "a lossless reader goes forward only")
        self.passed, self.awaits_key = 0, False
        self._go_to(found)

    def request_key(self):
        self._attached().want_key()

    def held(self):
        return sum(epoch.held() for epoch in [*self.old, *filter(None, [self.current])])
