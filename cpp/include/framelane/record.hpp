/// Records of a stream: read, and being written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <framelane/error.hpp>
#include <framelane/span.hpp>
#include <framelane/stream_options.hpp>
#include <optional>

namespace framelane {

namespace detail {
template <class Handle, class Item>
class Reader;
}

/// A record that was read: a copy of its own of what a live reader read, or of a lossless one the
/// bytes in place, which stay as they are until it is released or destroyed.
///
/// Can be moved to and used from other threads, and outlives its reader and its writer.
class Record {
 public:
  /// Empty.
  Record() noexcept = default;
  Record(Record&& other) noexcept : held_(other.held_) { other.held_.live = false; }
  Record& operator=(Record&& other) noexcept {
    if (this != &other) {
      const bridge::HeldRecord taken = other.held_;
      other.held_.live = false;
      release();
      held_ = taken;
    }
    return *this;
  }
  ~Record() { release(); }

  /// Whether it holds a record.
  explicit operator bool() const noexcept { return held_.live; }
  /// Number of the record in its epoch, from 1.
  std::uint64_t sequence() const noexcept { return held_.info.sequence; }
  /// Whether decoding can start here.
  bool is_key() const noexcept { return (held_.info.flags & record_flag::key) != 0; }
  /// Writer incarnation the record comes from.
  std::uint64_t epoch() const noexcept { return held_.epoch; }
  /// Records that passed between the one before and this one, without those that an error of kind
  /// `Lapped` told of and those that a seek passed over.
  std::uint64_t missed() const noexcept { return held_.missed; }
  /// Whether this is the first record after the writer was restarted.
  bool new_epoch() const noexcept { return held_.new_epoch; }
  /// Whether this is the first record under its config, of those that were read.
  bool new_config() const noexcept { return held_.new_config; }

  /// Its bytes. Empty for an empty record.
  span<const std::uint8_t> bytes() const& noexcept {
    if (!held_.live) return {};
    return {held_.data, held_.size_bytes};
  }
  span<const std::uint8_t> bytes() const&& = delete;
  /// What the record is: times, capture id, flags.
  const RecordInfo& info() const& noexcept { return held_.info; }
  const RecordInfo& info() const&& = delete;
  /// What the stream is, from this record to the next change. Throws `InvalidArgument` when empty.
  const StreamConfig& config() const& {
    if (!held_.live) throw Error(ErrorKind::InvalidArgument, "the record is empty");
    return *held_.config;
  }
  const StreamConfig& config() const&& = delete;
  /// The same without exceptions; null where there is none.
  const StreamConfig* try_config(Error& error) const& noexcept {
    if (!held_.live) error = Error(ErrorKind::InvalidArgument, "the record is empty");
    else if (error) error = Error();
    return held_.live ? held_.config : nullptr;
  }
  const StreamConfig* try_config(Error& error) const&& = delete;

  /// Lets the writer have the bytes of a record that is held in place, as the destructor does.
  void release() noexcept {
    if (held_.live) bridge::drop_record(held_);
  }

 private:
  template <class Handle, class Item>
  friend class detail::Reader;
  bridge::HeldRecord held_{};
};

/// The open record of a writer: append its bytes, then commit it. Destroying it abandons it. Can be
/// moved to another thread.
class RecordMut {
 public:
  /// Empty.
  RecordMut() noexcept = default;
  RecordMut(RecordMut&& other) noexcept : open_(other.open_) { other.open_.live = false; }
  RecordMut& operator=(RecordMut&& other) noexcept {
    if (this != &other) {
      const bridge::OpenRecord taken = other.open_;
      other.open_.live = false;
      abandon();
      open_ = taken;
    }
    return *this;
  }
  ~RecordMut() { abandon(); }

  /// Whether it holds a record.
  explicit operator bool() const noexcept { return open_.live; }

  /// What the record will say about itself: times, capture id and flags. The rest is set at commit.
  RecordInfo& info() & noexcept { return open_.info; }
  RecordInfo& info() && = delete;
  /// Whether decoding can start at this record.
  void set_key(bool key) noexcept {
    open_.info.flags = (open_.info.flags & ~record_flag::key) | (key ? record_flag::key : 0);
  }

  /// Appends bytes, counted as copied by the SDK. Throws `RecordTooLarge` for more than was asked
  /// for at `begin`, and the record stays as it was.
  void append(span<const std::uint8_t> bytes) {
    detail::check(bridge::append_record(open_, {bytes.data(), bytes.size()}));
  }
  bool try_append(span<const std::uint8_t> bytes, Error& error) noexcept {
    return detail::told(bridge::append_record(open_, {bytes.data(), bytes.size()}), error);
  }

  /// Makes the record the newest of its lane and empties this object; its sequence.
  std::uint64_t commit() {
    std::uint64_t sequence = 0;
    detail::check(bridge::commit_record(open_, sequence));
    return sequence;
  }
  std::optional<std::uint64_t> try_commit(Error& error) noexcept {
    std::uint64_t sequence = 0;
    if (!detail::told(bridge::commit_record(open_, sequence), error)) return std::nullopt;
    return sequence;
  }

  /// Gives the record up and empties this object.
  void abandon() noexcept {
    if (open_.live) bridge::abandon_record(open_);
  }

 private:
  friend class StreamWriter;
  bridge::OpenRecord open_{};
};

}  // namespace framelane
