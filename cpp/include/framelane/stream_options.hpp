/// How stream lanes are made and opened, and what their records are.
#pragma once

#include <cstdint>
#include <framelane/layout.hpp>
#include <framelane/options.hpp>
#include <string>

namespace framelane {

using layout::Codec;
using layout::RecordInfo;
using layout::StreamConfig;
using layout::StreamStart;
namespace record_flag = layout::record_flag;

/// A stream of this codec, with nothing else said; for video its size in pixels.
inline StreamConfig stream_config(Codec codec, std::uint32_t width = 0, std::uint32_t height = 0) {
  StreamConfig config{};
  config.codec = codec;
  config.width = width;
  config.height = height;
  return config;
}

/// A record of which nothing is said: its times are unknown.
inline RecordInfo record_info() {
  RecordInfo info{};
  info.pts_ns = info.dts_ns = static_cast<std::int64_t>(layout::stream_limit::no_time);
  return info;
}

/// How to make a stream lane.
struct StreamWriterOptions {
  /// Bytes of the data ring, rounded up to whole pages; half of it is the largest record.
  std::uint64_t data_bytes = 8 << 20;
  /// Records the lane keeps at most, rounded up to a power of two.
  std::uint32_t index_capacity = 1024;
  /// Whether lossless readers, for which writing waits, are admitted.
  bool lossless = false;
  /// How often at most a wish for a key record is reported.
  Duration key_request_interval = std::chrono::seconds(1);
  /// Lock the lane into memory where the limits allow it.
  bool lock_memory = false;
  /// NUMA node to bind the lane to.
  std::optional<std::uint32_t> numa_node;
  Access access = Access::owner();
  Trust trust = Trust::SameUser;
  /// Runtime directory; empty searches.
  std::string directory;
};

/// How to open a stream lane.
struct StreamReaderOptions {
  /// Where to begin.
  StreamStart start = StreamStart::NewestKey;
  /// How long ago the record was published that `StreamStart::KeyBefore` means.
  Duration start_age{0};
  /// Where to go on after having been overtaken: the newest or the oldest key record.
  StreamStart after_lap = StreamStart::NewestKey;
  /// Every record, in place; the writer waits.
  bool lossless = false;
  /// How long `StreamReader::open` waits for a writer to make the lane.
  Duration wait_for_lane{0};
  /// Attach to the next writer of the lane when this one is gone.
  bool reattach = true;
  /// A blocking read returns nothing when a signal arrives.
  bool return_on_signal = false;
  /// Runtime directory; empty searches.
  std::string directory;
};

}  // namespace framelane
