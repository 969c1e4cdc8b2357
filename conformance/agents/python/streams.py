"""The commands of stream writers and stream readers."""

from __future__ import annotations

import select
import zlib
from collections.abc import Callable
from typing import Any

from framelane import LappedError, Record, RecordMut, StreamConfig, StreamReader, StreamWriter
from line import Line, Misunderstood, numbered
from pixels import filled

Answer = str | None
"""What follows `ok`; None for `none`."""


def config(line: Line) -> StreamConfig:
    """What a line says that records are."""
    made = StreamConfig(
        line.get("codec", "opaque"), line.number("width"), line.number("height")
    )
    if "parameters_seed" in line:
        made.parameter_sets = bytes_of(line, "parameters", "parameters_seed")
    return made


def bytes_of(line: Line, size: str = "size", seed: str = "seed") -> bytes:
    return filled(0, line.number(seed), line.number(size))


def patience(line: Line) -> float:
    """Without timeout_ms nobody is waited for."""
    return line.number("timeout_ms") / 1000


class Writing:
    """One stream writer and its open record."""

    def __init__(self) -> None:
        self.writer: StreamWriter | None = None
        self.record: RecordMut | None = None

    def _writer(self) -> StreamWriter:
        if not self.writer:
            raise Misunderstood("there is no stream writer")
        return self.writer

    def _record(self) -> RecordMut:
        if self.record is None:
            raise Misunderstood("no record is begun")
        return self.record

    def create_stream(self, line: Line) -> Answer:
        names = ("data_bytes", "index_capacity")
        options: dict[str, Any] = {name: line.number(name) for name in names if name in line}
        if "key_interval_ms" in line:
            options["key_request_interval"] = line.number("key_interval_ms") / 1000
        if "trust" in line:
            options["trust"] = line["trust"]
        lossless = line.number("lossless") != 0
        writer = StreamWriter(line.need("lane"), config(line), lossless=lossless, **options)
        self.close()
        self.writer = writer
        return f" epoch={writer.epoch} limit={writer.record_limit_bytes}"

    def write(self, line: Line) -> Answer:
        data, pieces = bytes_of(line), line.number("pieces", 1)
        step = max(-(-len(data) // pieces), 1)
        sequence = self._writer().write(
            *(data[start : start + step] for start in range(0, len(data), step)),
            key=line.number("key") != 0,
            pts_ns=line.number("pts") if "pts" in line else None,
            dts_ns=line.number("dts") if "dts" in line else None,
            capture_id=line.number("capture_id"),
            timeout=patience(line),
        )
        return f" sequence={sequence}"

    def begin_record(self, line: Line) -> Answer:
        line.need("room")
        self.record = self._writer().begin(line.number("room"), patience(line))
        return ""

    def append(self, line: Line) -> Answer:
        self._record().append(bytes_of(line))
        return ""

    def commit_record(self, line: Line) -> Answer:
        record, self.record = self._record(), None
        info = record.info
        info.is_key = line.number("key") != 0
        info.pts_ns, info.dts_ns = line.number("pts", info.pts_ns), line.number("dts", info.dts_ns)
        info.capture_id = line.number("capture_id")
        return f" sequence={record.commit()}"

    def abandon_record(self, line: Line) -> Answer:
        self._record().abandon()
        self.record = None
        return ""

    def set_config(self, line: Line) -> Answer:
        return f" config={self._writer().set_config(config(line), patience(line))}"

    def key_wanted(self, line: Line) -> Answer:
        return f" wanted={int(self._writer().key_frame_wanted(patience(line)))}"

    def stream_report(self, line: Line) -> Answer:
        r = self._writer().report()
        return (
            f" consumers={r.consumer_count} published={r.published} abandoned={r.abandoned}"
            f" no_free_slot={r.no_free_slot} oldest={r.stream.oldest} keys={r.stream.key_records}"
        )

    def close_writer(self, line: Line) -> Answer:
        self._writer().close()
        self.writer = None
        return ""

    def close(self) -> None:
        """Gives everything back."""
        if self.writer:
            self.writer.close()
        self.writer = self.record = None


class Reading:
    """Stream readers and the records they have read."""

    def __init__(self) -> None:
        self.readers: dict[int, StreamReader] = {}
        self.records: dict[int, Record] = {}

    def _reader(self, line: Line) -> StreamReader:
        return numbered(self.readers, "reader", line)

    def _record(self, line: Line) -> Record:
        return numbered(self.records, "record", line)

    def open_stream(self, line: Line) -> Answer:
        options: dict[str, Any] = {
            name: line[name] for name in ("start", "after_lap") if name in line
        }
        reader = StreamReader(
            line.need("lane"),
            start_age=line.number("age_ms") / 1000,
            lossless=line.number("lossless") != 0,
            wait=line.number("wait_ms") / 1000,
            reattach=line.number("reattach", 1) != 0,
            **options,
        )
        if before := self.readers.get(line.number("reader")):
            before.close()
        self.readers[line.number("reader")] = reader
        return f" epoch={reader.epoch}"

    def next_record(self, line: Line) -> Answer:
        reader = self._reader(line)
        try:
            record = reader.read(patience(line)) if "timeout_ms" in line else reader.try_next()
        except LappedError as lapped:
            return f" lapped={lapped.missed}"
        if record is None:
            return None
        before = self.records.get(line.number("record"))
        self.records[line.number("record")] = record
        if before:
            before.release()
        return (
            f" sequence={record.sequence} missed={record.missed}"
            f" new_epoch={int(record.new_epoch)} key={int(record.is_key)}"
            f" config={record.info.config_id} new_config={int(record.new_config)}"
        )

    def read_record(self, line: Line) -> Answer:
        record = self._record(line)
        info, config = record.info, record.config
        parameters = config.parameter_sets
        return (
            f" size={len(record)} crc={zlib.crc32(record.data):08x} pts={info.pts_ns}"
            f" dts={info.dts_ns} capture_id={info.capture_id} codec={config.codec}"
            f" width={config.width} height={config.height} parameters={len(parameters)}"
            f" parameters_crc={zlib.crc32(parameters):08x}"
        )

    def release_record(self, line: Line) -> Answer:
        self._record(line).release()
        del self.records[line.number("record")]
        return ""

    def seek(self, line: Line) -> Answer:
        place: Any = line.need("place")
        self._reader(line).seek(place, age=line.number("age_ms") / 1000)
        return ""

    def request_key(self, line: Line) -> Answer:
        self._reader(line).request_key_frame()
        return ""

    def wait_stream(self, line: Line) -> Answer:
        return f" ready={int(self._reader(line).wait(line.seconds('timeout_ms')))}"

    def poll_stream(self, line: Line) -> Answer:
        poll = select.poll()
        poll.register(self._reader(line), select.POLLIN)
        return f" ready={len(poll.poll(line.seconds('timeout_ms') * 1000))}"

    def count_stream(self, line: Line) -> Answer:
        reader = self._reader(line)
        return f" received={reader.received} missed={reader.missed} held={reader.held}"

    def close_stream(self, line: Line) -> Answer:
        self._reader(line).close()
        del self.readers[line.number("reader")]
        return ""

    def close(self) -> None:
        """Gives everything back."""
        for reader in self.readers.values():
            reader.close()
        self.readers, self.records = {}, {}


class Streams:
    """Both sides."""

    def __init__(self) -> None:
        self.writing, self.reading = Writing(), Reading()

    def command(self, word: str) -> Callable[[Line], Answer] | None:
        """What a word does, where it is a word of streams."""
        for side, words in ((self.writing, WRITING), (self.reading, READING)):
            if word in words:
                return getattr(side, word)  # type: ignore[no-any-return]
        return None

    def close(self) -> None:
        """Gives everything back."""
        self.reading.close()
        self.writing.close()


WRITING = (
    "create_stream write begin_record append commit_record abandon_record set_config key_wanted "
    "stream_report close_writer"
).split()
READING = (
    "open_stream next_record read_record release_record seek request_key wait_stream poll_stream "
    "count_stream close_stream"
).split()
