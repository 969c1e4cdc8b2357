// Stream lanes: what is written is read in order, from a key record on, or told as missing.
#include <poll.h>

#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "place.hpp"

using framelane::Codec;
using framelane::Error;
using framelane::ErrorKind;
using framelane::Record;
using framelane::RecordMut;
using framelane::StreamReader;
using framelane::StreamStart;
using framelane::StreamWriter;
namespace record_flag = framelane::record_flag;

template <class T>
constexpr bool move_only = std::is_nothrow_move_constructible_v<T> &&
                           std::is_nothrow_move_assignable_v<T> && !std::is_copy_constructible_v<T>;
static_assert(move_only<StreamWriter> && move_only<StreamReader> && move_only<Record> &&
              move_only<RecordMut>);

namespace {

class Stream : public Lane {
 protected:
  framelane::StreamWriterOptions tiny() const {
    framelane::StreamWriterOptions options;
    options.data_bytes = 8192;
    options.directory = place;
    return options;
  }
  StreamWriter create(bool lossless = false) const {
    auto options = tiny();
    options.lossless = lossless;
    return StreamWriter::create("s", framelane::stream_config(Codec::H264, 640, 480), options);
  }
  StreamReader open_stream(bool lossless = false) const {
    framelane::StreamReaderOptions options;
    options.directory = place;
    options.start = StreamStart::OldestKey;
    options.lossless = lossless;
    return StreamReader::open("s", options);
  }
};

std::string text(const Record& record) {
  const auto bytes = record.bytes();
  return {bytes.begin(), bytes.end()};
}

const std::vector<std::uint8_t> large(500, 'x');

}  // namespace

TEST_F(Stream, HandsOverRecordsInPieces) {
  const auto writer = create();
  auto reader = open_stream();
  EXPECT_EQ(writer.readers(), 1U);
  EXPECT_TRUE(writer.key_frame_wanted(deadline)) << "there is none yet";
  EXPECT_FALSE(reader.next());
  auto open = writer.begin(5);
  open.set_key(true);
  open.info().capture_id = 7;
  open.info().pts_ns = 42;
  open.append(std::vector<std::uint8_t>{'a', 'b'});
  open.append(std::vector<std::uint8_t>{'c', 'd', 'e'});
  EXPECT_EQ(kind_of([&] { open.append(large); }), ErrorKind::RecordTooLarge);
  EXPECT_EQ(open.commit(), 1U);
  EXPECT_FALSE(open);
  EXPECT_EQ(kind_of([&] { open.commit(); }), ErrorKind::InvalidArgument);

  auto record = reader.next(deadline);
  ASSERT_TRUE(record);
  EXPECT_EQ(text(*record), "abcde");
  EXPECT_EQ(record->sequence(), 1U);
  EXPECT_EQ(record->epoch(), writer.epoch());
  EXPECT_TRUE(record->is_key() && record->new_config());
  EXPECT_EQ(record->info().capture_id, 7U);
  EXPECT_EQ(record->info().pts_ns, 42);
  EXPECT_EQ(record->config().width, 640U);
  EXPECT_EQ(record->config().codec, Codec::H264);
  Record moved = std::move(*record);
  EXPECT_FALSE(*record);
  EXPECT_TRUE(record->bytes().empty());
  EXPECT_EQ(kind_of([&] { record->config(); }), ErrorKind::InvalidArgument);
  Error error;
  EXPECT_EQ(record->try_config(error), nullptr);
  EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(text(moved), "abcde");
}

TEST_F(Stream, WritesPiecesAtOnce) {
  const auto writer = create();
  auto reader = open_stream();
  auto info = framelane::record_info();
  info.flags = record_flag::key;
  info.dts_ns = -3;
  const std::vector<std::uint8_t> ab{'a', 'b'}, c{'c'};
  const framelane::span<const std::uint8_t> pieces[] = {ab, c};
  EXPECT_EQ(writer.write(info, pieces), 1U);
  auto record = reader.next(deadline);
  ASSERT_TRUE(record);
  EXPECT_EQ(text(*record), "abc");
  EXPECT_EQ(record->info().dts_ns, -3);
  EXPECT_EQ(record->info().pts_ns, std::numeric_limits<std::int64_t>::min()) << "unknown";

  Error error;
  const std::vector<std::uint8_t> most(writer.record_limit());
  const framelane::span<const std::uint8_t> too_many[] = {most, c};
  EXPECT_FALSE(writer.try_write(info, too_many, {}, error));
  EXPECT_EQ(error.kind(), ErrorKind::RecordTooLarge);
  EXPECT_EQ(writer.try_write(most, record_flag::key, {}, error), 2U) << error.what();
  EXPECT_EQ(writer.report().abandoned, 0U);
}

TEST_F(Stream, AnOvertakenReaderIsToldHowFar) {
  auto writer = create();
  auto reader = open_stream();
  writer.write(large, record_flag::key);
  EXPECT_EQ(reader.next(deadline)->sequence(), 1U);
  EXPECT_EQ(writer.set_config(framelane::stream_config(Codec::H265)), 2U);
  for (int n = 0; n < 50; ++n) writer.write(large, record_flag::key);
  Error error;
  EXPECT_FALSE(reader.try_next(error));
  EXPECT_EQ(error.kind(), ErrorKind::Lapped);
  EXPECT_EQ(error.missed(), 49U);
  auto record = reader.try_next(error);
  ASSERT_TRUE(record) << error.what();
  EXPECT_EQ(record->sequence(), 51U);
  EXPECT_TRUE(record->new_config());
  EXPECT_EQ(record->config().codec, Codec::H265);
  reader.seek(StreamStart::OldestKey);
  EXPECT_LT(reader.next(deadline)->sequence(), 51U);
  reader.close();
  writer.close();
  EXPECT_EQ(record->bytes().size(), 500U) << "it outlives both";
}

TEST_F(Stream, ALosslessReaderHoldsTheWriterUp) {
  const auto writer = create(true);
  auto reader = open_stream(true);
  const std::vector<std::uint8_t> half(writer.record_limit(), 'h');
  writer.write(half, record_flag::key);
  writer.write(half, record_flag::key);
  Error error;
  EXPECT_FALSE(writer.try_begin(1, std::chrono::milliseconds(5), error));
  EXPECT_EQ(error.kind(), ErrorKind::NoFreeSlot);
  auto record = reader.next(deadline);
  ASSERT_TRUE(record);
  EXPECT_EQ(reader.held(), 1U);
  record->release();
  EXPECT_EQ(reader.held(), 0U);
  auto open = writer.begin(1, deadline);
  open.abandon();
  EXPECT_EQ(reader.received(), 1U);
}

TEST_F(Stream, FailuresHaveTheirKinds) {
  EXPECT_EQ(kind_of([&] { open_stream(); }), ErrorKind::NotFound);
  auto writer = create();
  auto reader = open_stream();
  EXPECT_EQ(kind_of([&] { open_stream(true); }), ErrorKind::Unsupported);
  EXPECT_EQ(kind_of([&] { reader.seek(StreamStart::NewestKey); }), ErrorKind::NoKeyFrame);
  EXPECT_EQ(kind_of([&] { writer.begin(writer.record_limit() + 1); }),
            ErrorKind::RecordTooLarge);
  const auto closer = reader.closer();
  closer.close();
  EXPECT_EQ(kind_of([&] { reader.next(deadline); }), ErrorKind::Closed);
  reader.close();
  EXPECT_EQ(kind_of([&] { reader.next(); }), ErrorKind::Closed);
  EXPECT_EQ(reader.fd(), -1);
  auto open = writer.begin(1);
  writer.close();
  EXPECT_EQ(kind_of([&] { open.commit(); }), ErrorKind::Closed);
  EXPECT_EQ(kind_of([&] { writer.report(); }), ErrorKind::Closed);
  Error error;
  EXPECT_FALSE(writer.try_report(error));
  EXPECT_EQ(error.kind(), ErrorKind::Closed);
  EXPECT_FALSE(writer.key_frame_wanted());
}

TEST_F(Stream, TheDescriptorTellsOfARecord) {
  const auto writer = create();
  auto reader = open_stream();
  pollfd watched{reader.fd(), POLLIN, 0};
  while (poll(&watched, 1, 0) == 1) ASSERT_FALSE(reader.next()) << "nothing was written";
  writer.write(large, record_flag::key);
  ASSERT_EQ(poll(&watched, 1, 20'000), 1);
  EXPECT_TRUE(reader.wait(deadline));
  EXPECT_TRUE(reader.next());
  reader.request_key_frame();
  EXPECT_TRUE(writer.key_frame_wanted(deadline));
}
