"""Records from a writer to its readers."""

import gc
import pickle
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import framelane
import numpy
import pytest
from conftest import DEADLINE, next_record
from framelane import (
    Codec,
    ErrorKind,
    LappedError,
    RecordFlag,
    RecordInfo,
    StreamConfig,
    StreamReader,
    StreamStart,
    StreamWriter,
)

UNKNOWN: Any = "sideways"


@pytest.fixture
def writer() -> Iterator[StreamWriter]:
    with StreamWriter("stream", "h264", index_capacity=8) as writer:
        yield writer


@pytest.fixture
def reader(writer: StreamWriter) -> Iterator[StreamReader]:
    with StreamReader("stream", "oldest_key") as reader:
        yield reader


def kind_of(call: Callable[[], object]) -> ErrorKind:
    with pytest.raises(framelane.Error) as caught:
        call()
    return caught.value.kind


def test_a_record_arrives_with_all_that_is_said(
    writer: StreamWriter, reader: StreamReader
) -> None:
    unit: Any = numpy.frombuffer(b"unit", numpy.uint8)
    pieces = (b"\0\0\0\1", bytearray(b"access "), unit)
    flags = RecordFlag.DISCONTINUITY
    sequence = writer.write(*pieces, key=True, pts_ns=-5, dts_ns=7, capture_id=9, flags=flags)
    record = next_record(reader)
    assert bytes(record) == b"\0\0\0\1access unit"
    assert (record.sequence, record.missed, record.is_key) == (sequence, 0, True)
    assert (record.epoch, record.new_epoch) == (writer.epoch, False)
    info = record.info
    assert (info.pts, info.dts, info.capture_id) == (-5, 7, 9)
    assert info.flags & flags and info.size_bytes == len(record) == 15
    writer.write(b"")
    record = next_record(reader)
    assert record and len(record) == 0 and bytes(record) == b"" and record.array.size == 0
    assert (record.info.pts, record.info.dts, record.is_key) == (None, None, False)
    assert reader.try_next() is None and reader.read(0) is None and not reader.wait(0)
    assert (reader.received, reader.missed, reader.held) == (2, 0, 0)


def test_an_open_record_is_appended_to_and_committed(
    writer: StreamWriter, reader: StreamReader
) -> None:
    with writer.begin(10) as record:
        record.append(b"abc")
        assert (len(record), record.room) == (3, 7)
        assert kind_of(lambda: record.append(bytes(8))) == ErrorKind.RECORD_TOO_LARGE
        record.append(memoryview(b"de"))
        assert kind_of(lambda: writer.begin(1)) == ErrorKind.NO_FREE_SLOT
        assert not record.is_key
        record.is_key = True
        record.info.pts_ns = 3
        assert record.is_key and record.info.is_key
    for call in (record.commit, lambda: record.append(b""), lambda: record.room):
        assert kind_of(call) == ErrorKind.INVALID_ARGUMENT
    found = next_record(reader)
    assert bytes(found) == b"abcde" and found.is_key and found.info.pts == 3
    with pytest.raises(ZeroDivisionError), writer.begin(5) as record:
        raise ZeroDivisionError
    writer.begin(5).abandon()
    del record
    writer.begin(5)
    gc.collect()
    assert (writer.report().abandoned, writer.report().published) == (3, 1)
    assert kind_of(lambda: writer.begin(writer.record_limit_bytes + 1)) == (
        ErrorKind.RECORD_TOO_LARGE
    )
    gaps: Any = numpy.zeros((4, 4), numpy.uint8)[:, ::2]
    assert kind_of(lambda: writer.write(gaps)) == ErrorKind.INVALID_ARGUMENT


def test_a_config_comes_with_the_first_record_that_needs_it(
    writer: StreamWriter, reader: StreamReader
) -> None:
    writer.write(b"1", key=True)
    config = StreamConfig("h265", 1920, 1080, fps=(30, 1), parameter_sets=b"parameters")
    number = writer.set_config(config)
    assert writer.set_config(writer.config) == number, "the same again changes nothing"
    writer.write(b"2", key=True)
    writer.write(b"3")
    assert next_record(reader).config.known_codec == Codec.H264
    second, third = next_record(reader), next_record(reader)
    assert second.new_config and not third.new_config
    found = third.config
    assert (found.known_codec, found.width, found.height) == (Codec.H265, 1920, 1080)
    assert (found.fps_numerator, found.id) == (30, number)
    assert found.parameter_sets == b"parameters" and found == writer.config
    found.codec = 200
    assert found.known_codec is None and "200" in repr(found)
    for call in (
        lambda: StreamConfig(parameter_sets=bytes(2000)),
        lambda: StreamConfig(UNKNOWN),
        lambda: writer.set_config(UNKNOWN),
    ):
        assert kind_of(call) == ErrorKind.INVALID_ARGUMENT


def test_an_overtaken_reader_is_told_how_many_it_missed(
    writer: StreamWriter, reader: StreamReader
) -> None:
    for number in range(1, 11):
        writer.write(bytes([number]), key=number in (1, 5, 8))
    with pytest.raises(LappedError) as caught:
        reader.read(DEADLINE)
    assert (caught.value.kind, caught.value.missed) == (ErrorKind.LAPPED, 7)
    record = next_record(reader)
    assert bytes(record) == b"\x08" and record.missed == 0
    assert (reader.received, reader.missed) == (1, 7)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is LappedError and again.missed == 7 and str(again) == str(caught.value)


def test_the_loop_goes_on_after_a_lap(writer: StreamWriter) -> None:
    reader = StreamReader("stream", StreamStart.OLDEST_KEY, after_lap=StreamStart.OLDEST_KEY)
    for number in range(1, 11):
        writer.write(bytes([number]), key=number in (1, 5))
    found: list[int] = []
    lapped: list[int] = []
    while len(found) < 6:
        try:
            for record in reader:
                found.append(bytes(record)[0])
                if len(found) == 6:
                    break
        except LappedError as error:
            lapped.append(error.missed)
    assert (found, lapped) == ([5, 6, 7, 8, 9, 10], [4])
    assert kind_of(lambda: StreamReader("stream", after_lap="next")) == ErrorKind.INVALID_ARGUMENT
    assert kind_of(lambda: StreamReader("stream", UNKNOWN)) == ErrorKind.INVALID_ARGUMENT


def test_seeking(writer: StreamWriter) -> None:
    with StreamReader("stream", "next") as reader:
        writer.write(b"0")
        assert not writer.key_frame_wanted()
        assert kind_of(lambda: reader.seek("newest_key")) == ErrorKind.NO_KEY_FRAME
        assert writer.key_frame_wanted(DEADLINE), "one was asked for"
        assert bytes(next_record(reader)) == b"0", "the reader has stayed"
        for number in range(1, 5):
            writer.write(bytes([number]), key=number % 2 == 1)
        reader.seek(StreamStart.OLDEST_KEY)
        assert next_record(reader).sequence == 2
        reader.seek("newest_key")
        assert next_record(reader).sequence == 4
        reader.seek("key_before", age=1000)
        assert next_record(reader).sequence == 2
        reader.seek("next")
        assert reader.try_next() is None
        assert reader.missed == 0


def test_a_key_record_is_asked_for_and_granted() -> None:
    with StreamWriter("stream", "h264", key_request_interval=0) as writer:
        with StreamReader("stream", "next") as reader:
            assert not writer.key_frame_wanted(0.01)
            reader.request_key_frame()
            assert writer.key_frame_wanted(DEADLINE)
            assert writer.key_frame_wanted(DEADLINE), "again until it is granted"
            writer.write(b"key", key=True)
            assert not writer.key_frame_wanted()


VIEWS: dict[str, Any] = {
    "memoryview": memoryview,
    "data": lambda record: record.data,
    "slice of data": lambda record: record.data[2:],
    "array": lambda record: record.array,
    "slice of the array": lambda record: record.array[::2],
    "asarray": numpy.asarray,
    "from_dlpack": numpy.from_dlpack,
    "frombuffer": lambda record: numpy.frombuffer(record, numpy.uint8),
}


@pytest.mark.parametrize("make", VIEWS.values(), ids=VIEWS)
def test_a_view_keeps_the_bytes_of_a_lossless_record(make: Callable[[Any], Any]) -> None:
    """The writer waits for the view, and goes on when it is gone."""
    with StreamWriter("stream", "opaque", data_bytes=65536, lossless=True) as writer:
        reader = StreamReader("stream", lossless=True)
        writer.write(bytes([1]) * 32768)
        record = next_record(reader)
        view = make(record)
        record.release()
        record.release()
        del record
        gc.collect()
        writer.write(bytes([2]) * 32768)
        assert kind_of(lambda: writer.write(b"3")) == ErrorKind.NO_FREE_SLOT
        assert kind_of(lambda: writer.write(b"3", timeout=0.01)) == ErrorKind.NO_FREE_SLOT
        assert (numpy.asarray(view) == 1).all() and reader.held == 1
        del view
        gc.collect()
        assert reader.held == 0
        assert writer.write(b"3", timeout=DEADLINE) == 3
        assert len(next_record(reader)) == 32768 and bytes(next_record(reader)) == b"3"
        assert kind_of(lambda: reader.seek("oldest_key")) == ErrorKind.UNSUPPORTED
        reader.close()


def test_a_view_outlives_reader_and_writer() -> None:
    with StreamWriter("stream", "opaque", lossless=True) as writer:
        with StreamReader("stream", lossless=True) as lossless, StreamReader("stream") as live:
            writer.write(b"bytes")
            views = [next_record(lossless).data, next_record(live).data]
    del lossless, live, writer
    gc.collect()
    assert [bytes(view) for view in views] == [b"bytes"] * 2


def test_a_record_that_was_read_cannot_be_written(
    writer: StreamWriter, reader: StreamReader
) -> None:
    writer.write(b"bytes", key=True)
    with next_record(reader) as record:
        with pytest.raises(TypeError):
            record.data[0] = 1
        with pytest.raises(ValueError, match="read-only"):
            record.array[:] = 1
        assert zlib.crc32(record) == zlib.crc32(b"bytes")
        assert not record.released and "key" in repr(record)
    assert record.released and record.sequence == 1
    for call in (lambda: record.data, lambda: record.info, lambda: record.config):
        assert kind_of(call) == ErrorKind.INVALID_ARGUMENT


def test_a_lossless_reader_plays_back_what_was_kept() -> None:
    """Every record, in order, however slow it reads."""
    with StreamWriter("stream", "opaque", data_bytes=65536, lossless=True) as writer:
        with StreamReader("stream", lossless=True) as reader:
            for number in range(1, 21):
                writer.write(bytes([number]) * 1000)
            for number in range(1, 21):
                with next_record(reader) as record:
                    assert record.sequence == number and bytes(record) == bytes([number]) * 1000
                    assert record.missed == 0
            assert reader.missed == 0


def test_frames_and_streams_are_not_taken_for_each_other(
    writer: StreamWriter, producer: framelane.Producer
) -> None:
    for call in (
        lambda: StreamReader("lane"),
        lambda: framelane.Consumer("stream"),
        lambda: StreamReader("stream", lossless=True),
    ):
        assert kind_of(call) == ErrorKind.UNSUPPORTED
    with pytest.raises(framelane.NotFoundError):
        StreamReader("none")


def test_both_sides_know_the_lane(writer: StreamWriter, reader: StreamReader) -> None:
    lane = reader.lane
    assert lane is not None and lane.name == "stream" and lane.epoch == writer.epoch
    assert lane.index_capacity == 8
    assert lane.record_limit_bytes == writer.record_limit_bytes == lane.data_bytes // 2
    assert writer.readers == 1 and reader.epoch == writer.epoch
    assert framelane.query("stream").stream.index_capacity == 8
    writer.close()
    assert writer.closed and "closed" in repr(writer)
    assert kind_of(lambda: writer.write(b"")) == ErrorKind.CLOSED


def test_a_new_record_info_knows_no_times() -> None:
    info = RecordInfo()
    assert (info.pts, info.dts, info.is_key, info.flags) == (None, None, False, 0)
    info.is_key = True
    assert info.flags == RecordFlag.KEY and info != RecordInfo()
    info.is_key = False
    assert info == RecordInfo()
