"""The commands of stream writers and readers."""

import framelane_layout as L
import pixels
from kernel import Failure
from stream import NO_TIME
from stream_reader import Lapped, StreamReader
from stream_writer import StreamOptions, StreamWriter


def _find(things, number, what):
    if number not in things:
        raise Failure(L.ErrorKind.INVALID_ARGUMENT, f"there is no {what} {number}")
    return things[number]


def _config(line):
    config = L.StreamConfig()
    config.codec = L.Codec[line.get("codec", "opaque").upper()]
    config.width, config.height = line.number("width"), line.number("height")
    config.parameter_bytes = line.number("parameters")
    data = pixels.filled(0, line.number("parameters_seed"), config.parameter_bytes)
    config.parameters[:len(data)] = list(data)
    return config


def _info(line):
    return {"key": line.number("key"), "pts": line.number("pts", NO_TIME),
            "dts": line.number("dts", NO_TIME), "capture_id": line.number("capture_id")}


def _place(line, key, otherwise):
    return L.StreamStart[line.get(key, otherwise).upper()]


def _seconds(line):
    return line.number("timeout_ms") / 1000


class Streams:
    """One writer, and readers and records by number."""

    def __init__(self):
        self.writer, self.readers, self.records = None, {}, {}

    # Writer

    def create_stream(self, line):
        options = StreamOptions(_config(line), line.number("data_bytes", 8 << 20),
                                line.number("index_capacity", 1024), line.number("lossless"),
                                line.number("key_interval_ms", 1000) / 1000,
                                line.get("trust", "same_user"))
        writer = StreamWriter(line.need("lane"), options)
        if self.writer:
            self.writer.close()
        self.writer = writer
        return {"epoch": writer.epoch, "limit": writer.limit}

    def _writer(self):
        if not self.writer:
            raise Failure(L.ErrorKind.INVALID_ARGUMENT, "there is no stream writer")
        return self.writer

    def write(self, line):
        size, pieces = line.number("size"), line.number("pieces", 1)
        data = pixels.filled(0, line.number("seed"), size)
        step = max(1, -(-size // pieces))
        self._writer().begin(size, _seconds(line))
        for start in range(0, size, step):
            self.writer.append(data[start:start + step])
        return {"sequence": self.writer.commit(**_info(line))}

    def begin_record(self, line):
        self._writer().begin(int(line.need("room")), _seconds(line))

    def append(self, line):
        self._writer().append(pixels.filled(0, line.number("seed"), line.number("size")))

    def commit_record(self, line):
        return {"sequence": self._writer().commit(**_info(line))}

    def abandon_record(self, line):
        self._writer().abandon_record()

    def set_config(self, line):
        return {"config": self._writer().set_config(_config(line), _seconds(line))}

    def key_wanted(self, line):
        return {"wanted": int(self._writer().key_wanted(_seconds(line)))}

    def stream_report(self, line):
        writer = self._writer()
        with writer.lock:
            return {"consumers": len(writer.members), "published": writer.sequence,
                    "abandoned": writer.abandoned, "no_free_slot": writer.no_free_slot,
                    "oldest": writer.oldest, "keys": writer.keys}

    def close_writer(self, line):
        self._writer().close()
        self.writer = None

    # Reader

    def open_stream(self, line):
        reader = StreamReader(
            line.need("lane"), _place(line, "start", "newest_key"),
            line.number("age_ms") * 1_000_000, _place(line, "after_lap", "newest_key"),
            line.number("lossless"), line.number("wait_ms") / 1000, line.number("reattach", 1))
        number = line.number("reader")
        if number in self.readers:
            self.readers[number].close()
        self.readers[number] = reader
        return {"epoch": reader.current.lane.header.epoch}

    def _reader(self, line):
        return _find(self.readers, line.number("reader"), "reader")

    def _record(self, line):
        return _find(self.records, line.number("record"), "record")

    def next_record(self, line):
        reader = self._reader(line)
        try:
            record = reader.next(_seconds(line)) if "timeout_ms" in line else reader.try_next()
        except Lapped as lapped:
            return {"lapped": lapped.missed}
        if record is None:
            return None
        number = line.number("record")
        if number in self.records:
            self.records.pop(number).release()
        self.records[number] = record
        return {"sequence": record.sequence, "missed": record.missed,
                "new_epoch": int(record.new_epoch),
                "key": int(bool(record.entry.flags & L.RecordFlag.KEY)),
                "config": record.entry.config_id, "new_config": int(record.new_config)}

    def read_record(self, line):
        record = self._record(line)
        data, entry, config = record.bytes(), record.entry, record.config
        parameters = bytes(config.parameters[:config.parameter_bytes])
        return {"size": len(data), "crc": pixels.crc(data), "pts": entry.pts_ns,
                "dts": entry.dts_ns, "capture_id": entry.capture_id, "codec": config.codec,
                "width": config.width, "height": config.height, "parameters": len(parameters),
                "parameters_crc": pixels.crc(parameters)}

    def release_record(self, line):
        self._record(line).release()
        del self.records[line.number("record")]

    def seek(self, line):
        age_ns = line.number("age_ms") * 1_000_000
        self._reader(line).seek(L.StreamStart[line.need("place").upper()], age_ns)

    def request_key(self, line):
        self._reader(line).request_key()

    def wait_stream(self, line):
        return {"ready": int(self._reader(line).wait(_seconds(line)))}

    def poll_stream(self, line):
        return {"ready": int(self._reader(line).poll(_seconds(line)))}

    def count_stream(self, line):
        reader = self._reader(line)
        return {"received": reader.received, "missed": reader.missed, "held": reader.held()}

    def close_stream(self, line):
        self._reader(line).close()
        del self.readers[line.number("reader")]

    def reset(self):
        for record in self.records.values():
            record.release()
        for reader in self.readers.values():
            reader.close()
        if self.writer:
            self.writer.close()
        self.__init__()


WORDS = ("create_stream write begin_record append commit_record abandon_record set_config "
         "key_wanted stream_report close_writer open_stream next_record read_record "
         "release_record seek request_key wait_stream poll_stream count_stream "
         "close_stream").split()
