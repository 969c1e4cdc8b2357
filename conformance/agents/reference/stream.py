"""Memory of a stream lane: what writer and reader both need."""

import ctypes

import framelane_layout as L
from kernel import fence
from ring import HEADER_BYTES

PARTS_BYTES = HEADER_BYTES + ctypes.sizeof(L.StreamHeader)
ENTRY_BYTES = ctypes.sizeof(L.RecordInfo)
CONFIG_BYTES = ctypes.sizeof(L.StreamConfig)
NO_TIME = L.StreamLimit.NO_TIME - 2**64  # as the signed number that the fields hold


class StreamLane:
    """Lane memory that is mapped: both headers, and entries, configs and bytes by number."""

    def __init__(self, mapping):
        self.mapping = mapping
        self.header = mapping.struct(L.LaneHeader)
        self.stream = mapping.struct(L.StreamHeader, HEADER_BYTES)

    def fits(self):
        """Whether the lane has the parts that it says."""
        parts = self.stream
        ends = (parts.index_offset + parts.index_capacity * ENTRY_BYTES,
                parts.configs_offset + parts.config_capacity * CONFIG_BYTES,
                parts.data_offset + parts.data_bytes)
        return (max(ends) <= self.mapping.size and parts.index_capacity > 0
                and parts.config_capacity == L.StreamLimit.CONFIGS and parts.data_bytes > 0)

    def wake_address(self):
        return self.mapping.address + L.LaneHeader._wake.offset

    def is_whole(self, sequence):
        """Whether a record is there, and so what was read of it before this call."""
        fence()
        return self.stream._oldest <= sequence

    def _entry_at(self, sequence):
        return self.stream.index_offset + sequence % self.stream.index_capacity * ENTRY_BYTES

    def _config_at(self, number):
        return self.stream.configs_offset + number % self.stream.config_capacity * CONFIG_BYTES

    def entry(self, sequence):
        """A copy of an entry; None where the record is gone."""
        data = self.mapping.read(self._entry_at(sequence), ENTRY_BYTES)
        entry = L.RecordInfo.from_buffer_copy(data)
        return entry if self.is_whole(sequence) and entry.sequence == sequence else None

    def put_entry(self, entry):
        self.mapping.write(self._entry_at(entry.sequence), bytes(entry))

    def config(self, number):
        data = self.mapping.read(self._config_at(number), CONFIG_BYTES)
        return L.StreamConfig.from_buffer_copy(data)

    def put_config(self, config):
        self.mapping.write(self._config_at(config.id), bytes(config))

    def data_at(self, offset):
        return self.stream.data_offset + offset % self.stream.data_bytes

    def bytes_of(self, entry):
        return self.mapping.read(self.data_at(entry.offset_bytes), entry.size_bytes)

    def keys(self):
        """Entries of the key records that are there, the newest first."""
        at = self.header._head
        fence()
        while at > 0:
            entry = self.entry(at)
            if entry is None or entry.key_distance == L.StreamLimit.NO_KEY:
                return
            entry = self.entry(at - entry.key_distance)
            if entry is None:
                return
            yield entry
            at = entry.sequence - 1

    def find_key(self, place, published_by):
        """The key record at a place of the stream; None where there is none."""
        oldest = None
        for entry in self.keys():
            oldest = entry.sequence
            early = place == L.StreamStart.KEY_BEFORE and entry.publish_ns <= published_by
            if early or place == L.StreamStart.NEWEST_KEY:
                break
        return oldest
