"""A writer of streams: a producer's service, and records for frames."""

import time

import framelane_layout as L
import wire
from kernel import PAGE, SEAL_FUTURE_WRITE, SEAL_SIZE, Failure, Mapping, fence, memfd, seal
from producer import Producer
from ring import HEADER_BYTES
from stream import CONFIG_BYTES, ENTRY_BYTES, NO_TIME, PARTS_BYTES, StreamLane

ALIGN = 8


def _round_up(size, to):
    return (size + to - 1) // to * to


class StreamOptions:
    """What a stream lane is made with; what a frame lane has besides is nothing."""

    access, memory, devices, slots, lease_budget = "owner", L.MemoryKind.INLINE, [], 0, 0

    def __init__(self, config, data_bytes, index_capacity, lossless, key_interval, trust):
        self.config, self.lossless, self.key_interval = config, lossless, key_interval
        self.data_bytes = _round_up(data_bytes, PAGE)
        self.index_capacity = 1 << (index_capacity - 1).bit_length()
        self.trust = trust
        self.layout_hash, self.table = L.LAYOUT_HASH, wire.layout_table(False)

    def flags(self):
        lossless = L.LaneFlag.BELL_ON_RELEASE | L.LaneFlag.LOSSLESS if self.lossless else 0
        return lossless | (L.LaneFlag.UNTRUSTED if self.trust == "untrusted" else 0)

    def writable_devices(self):
        return False


class StreamWriter(Producer):
    """One stream lane."""

    def __init__(self, name, options):
        self.used = 0  # bytes of the ring, padding included
        self.oldest, self.kept = 1, []  # (offset, config id) of the records that are there
        self.newest_key = self.keys = 0
        self.room = None  # of the open record
        self.told = None  # when it was last said that a key record is wanted
        super().__init__(name, options)

    def _make_memory(self):
        options = self.options
        configs = PARTS_BYTES + options.index_capacity * ENTRY_BYTES
        data = _round_up(configs + L.StreamLimit.CONFIGS * CONFIG_BYTES, PAGE)
        total = data + options.data_bytes
        self.memory = memfd(f"framelane:{self.name}", total)
        self.lane = StreamLane(Mapping(self.memory, total, writable=True))
        stream = self.lane.stream
        stream.index_offset, stream.configs_offset, stream.data_offset = PARTS_BYTES, configs, data
        stream.data_bytes, stream.index_capacity = options.data_bytes, options.index_capacity
        stream.record_limit_bytes = self.limit = options.data_bytes // 2
        stream.config_capacity, stream._oldest = L.StreamLimit.CONFIGS, 1
        header = self.lane.header
        constants = dict(
            layout_hash=L.LAYOUT_HASH, layout_version=L.Layout.VERSION, header_bytes=HEADER_BYTES,
            epoch=self.epoch, total_bytes=total, created_ns=time.time_ns(), page_bytes=PAGE,
            flags=options.flags(), producer_pid=self.service.pid, producer_uid=self.service.uid,
            lane_kind=L.LaneKind.STREAM, memory_kind=L.MemoryKind.INLINE)
        for field, value in constants.items():
            setattr(header, field, value)
        wire.put_text(header.name, self.name)
        self.config = L.StreamConfig()
        self._store_config(options.config)
        fence()
        header.magic = L.Layout.LANE_MAGIC
        seal(self.memory, SEAL_SIZE | SEAL_FUTURE_WRITE)

    # Admission

    def check(self, hello):
        if not hello.wants_stream:
            raise Failure(L.ErrorKind.UNSUPPORTED, "this lane is a stream, it has no frames")
        if hello.mode == L.Mode.LATEST:
            raise Failure(L.ErrorKind.UNSUPPORTED, "a stream is read record after record")
        if hello.mode == L.Mode.LOSSLESS and not self.options.lossless:
            raise Failure(L.ErrorKind.UNSUPPORTED, "lossless readers are not admitted")
        if hello.leases or hello.start not in [start.value for start in L.StreamStart]:
            raise Failure(L.ErrorKind.PROTOCOL, "no place to start, or leases of a stream")

    def first_cursor(self, hello):
        key = None
        if hello.start != L.StreamStart.NEXT:
            before = time.monotonic_ns() - hello.start_age_ns
            key = self.lane.find_key(hello.start, before)
        return key or self.sequence + 1

    # Room

    def _permitted(self, oldest, seconds):
        """Waits until lossless readers need nothing older; under the lock."""
        deadline = time.monotonic() + seconds
        self.waiting += 1
        try:
            while True:
                if self.closed:
                    raise Failure(L.ErrorKind.CLOSED, f"lane {self.name} is closed")
                self._want_releases()
                if self.room is None and oldest() <= self._lowest_cursor():
                    return
                left = deadline - time.monotonic()
                if left <= 0:
                    self.no_free_slot += 1
                    raise Failure(L.ErrorKind.NO_FREE_SLOT, "a record is open, or one is held")
                self.changed.wait(min(left, 0.05))
        finally:
            self.waiting -= 1
            self._want_releases()

    def _lowest_cursor(self):
        lossless = [member for member in self.members if member.mode == L.Mode.LOSSLESS]
        for member in lossless:
            member.cursor = max(member.cursor, member.page._cursor)
        fence()
        return min([member.cursor for member in lossless], default=self.sequence + 1)

    def _place(self, room):
        within = self.used % self.options.data_bytes
        fits = within + room <= self.options.data_bytes
        return self.used if fits else self.used - within + self.options.data_bytes

    def _oldest_for(self, room):
        lost = self._place(room) + _round_up(room, ALIGN) - self.options.data_bytes
        gone = sum(offset < lost for offset, _ in self.kept)
        return max(self.oldest + gone, self.sequence + 2 - self.options.index_capacity)

    def _announce(self, oldest):
        """What is older may be overwritten, but not before this shows."""
        if oldest > self.oldest:
            self.kept = self.kept[oldest - self.oldest:]
            self.oldest = self.lane.stream._oldest = oldest
            fence()

    # Records

    def begin(self, room, seconds=0):
        if room > self.limit:
            text = f"a record of {room} bytes, {self.limit} is the limit"
            raise Failure(L.ErrorKind.RECORD_TOO_LARGE, text)
        with self.lock:
            self._permitted(lambda: self._oldest_for(room), seconds)
            self._announce(self._oldest_for(room))
            self.place, self.room, self.size = self._place(room), room, 0

    def append(self, data):
        if self.room is None:
            raise Failure(L.ErrorKind.INVALID_ARGUMENT, "no record is begun")
        if self.size + len(data) > self.room:
            raise Failure(L.ErrorKind.RECORD_TOO_LARGE, f"more than the {self.room} begun with")
        self.lane.mapping.write(self.lane.data_at(self.place) + self.size, data)
        self.size += len(data)

    def commit(self, key, pts=NO_TIME, dts=NO_TIME, capture_id=0):
        with self.lock:
            if self.room is None:
                raise Failure(L.ErrorKind.INVALID_ARGUMENT, "no record is begun")
            self.sequence += 1
            if key or not self.config.flags & L.ConfigFlag.DEPENDENT:
                self.newest_key, self.keys = self.sequence, self.keys + 1
                self._settle_wishes()
            distance = self.sequence - self.newest_key if self.newest_key else L.StreamLimit.NO_KEY
            self.lane.put_entry(L.RecordInfo(
                sequence=self.sequence, offset_bytes=self.place, pts_ns=pts, dts_ns=dts,
                publish_ns=time.monotonic_ns(), capture_id=capture_id, size_bytes=self.size,
                flags=0 if distance else L.RecordFlag.KEY, config_id=self.config.id,
                key_distance=distance))
            self.kept.append((self.place, self.config.id))
            self.used, self.room = self.place + _round_up(self.size, ALIGN), None
            fence()
            self.lane.header._head = self.sequence
            fence()
            self.lane.header._wake = self.sequence % 2**32
            fence()
            self._ring()
            self.changed.notify_all()
            return self.sequence

    def abandon_record(self):
        with self.lock:
            self.room = None
            self.abandoned += 1
            self.changed.notify_all()

    # Configs

    def _oldest_for_config(self):
        lost = self.config.id + 1 - L.StreamLimit.CONFIGS
        return self.oldest + sum(number <= lost for _, number in self.kept)

    def _store_config(self, config):
        if config.codec in (L.Codec.H264, L.Codec.H265):
            config.flags |= L.ConfigFlag.DEPENDENT
        config.id = self.config.id + 1
        self.lane.put_config(config)
        self.config = config

    def set_config(self, config, seconds=0):
        with self.lock:
            if config.codec in (L.Codec.H264, L.Codec.H265):
                config.flags |= L.ConfigFlag.DEPENDENT
            config.id = self.config.id
            if bytes(config) != bytes(self.config):
                self._permitted(self._oldest_for_config, seconds)
                self._announce(self._oldest_for_config())
                self._store_config(config)
            return self.config.id

    # Wishes for key records

    def _wishes(self):
        return [member for member in self.members
                if member.page._key_frame_requests != member.key_answered]

    def _settle_wishes(self):
        for member in self.members:
            member.key_answered = member.page._key_frame_requests

    def key_wanted(self, seconds):
        deadline = time.monotonic() + seconds
        with self.lock:
            while True:
                now = time.monotonic()
                due = self.told is None or now - self.told >= self.options.key_interval
                if due and self._wishes():
                    self.told = now
                    return True
                if now >= deadline:
                    return False
                self.changed.wait(min(deadline - now, 0.05))
