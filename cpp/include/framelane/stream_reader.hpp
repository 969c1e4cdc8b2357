/// The reader of a stream lane.
#pragma once

#include <cstdint>
#include <framelane/reader.hpp>
#include <framelane/record.hpp>
#include <optional>
#include <string_view>

namespace framelane {

/// Reads one stream lane, record after record. Can be moved to another thread but is used by one at
/// a time; a `Closer` works from any. When its writer is restarted it attaches to the new one by
/// itself, begins with the oldest key record there, and the record says so. `missed` leaves seeks
/// out.
///
/// Nothing to read within the time is no error: it is an empty optional. Reading throws `Lapped`
/// when records were overwritten before they were read: `Error::missed` says how many, and the next
/// call goes on at a key record. Otherwise as `Consumer`.
class StreamReader : public detail::Reader<bridge::StreamReader, Record> {
 public:
  /// Attaches to the stream lane `name`. Throws as `Consumer::open`; `Unsupported` for a frame lane
  /// and for a lossless reader where none is admitted.
  static StreamReader open(std::string_view name, const StreamReaderOptions& options = {}) {
    StreamReader made;
    detail::check(made.attach(name, options));
    return made;
  }
  static std::optional<StreamReader> try_open(std::string_view name,
                                              const StreamReaderOptions& options,
                                              Error& error) noexcept {
    StreamReader made;
    if (!detail::told(made.attach(name, options), error)) return std::nullopt;
    return made;
  }

  /// Goes to another place of the stream; `age` is what `StreamStart::KeyBefore` means. Throws
  /// `NoKeyFrame` when there is none: the reader stays, and one is asked for. `Unsupported` for a
  /// lossless reader that would have to go back.
  void seek(StreamStart place, Duration age = Duration::zero()) {
    detail::check(go(place, age));
  }
  bool try_seek(StreamStart place, Duration age, Error& error) noexcept {
    return detail::told(go(place, age), error);
  }

  /// Asks the writer for a key record.
  void request_key_frame() {
    detail::check(handle_ ? handle_->request_key_frame() : detail::no_handle);
  }
  bool try_request_key_frame(Error& error) noexcept {
    return detail::told(handle_ ? handle_->request_key_frame() : detail::no_handle, error);
  }

  /// Random id of the writer attached to now, 0 while there is none.
  std::uint64_t epoch() const noexcept { return handle_ ? handle_->epoch() : 0; }

 private:
  StreamReader() noexcept = default;

  std::uint32_t attach(std::string_view name, const StreamReaderOptions& options) noexcept {
    bridge::c::StreamReaderOptions o{};
    framelane_stream_reader_options_init(&o);
    o.start_age_ns = detail::ns(options.start_age);
    o.wait_for_lane_ns = detail::ns(options.wait_for_lane);
    o.start = static_cast<std::uint32_t>(options.start);
    o.after_lap = static_cast<std::uint32_t>(options.after_lap);
    o.lossless = options.lossless;
    o.reattach = options.reattach;
    o.return_on_signal = options.return_on_signal;
    o.directory = detail::path(options.directory);
    if (const auto status = detail::can_make(options.directory); status != 0) return status;
    handle_.reset(bridge::open_stream(detail::bytes(name), o));
    return handle_ ? 0 : bridge::error_kind();
  }

  std::uint32_t go(StreamStart place, Duration age) noexcept {
    if (!handle_) return detail::no_handle;
    return handle_->seek(static_cast<std::uint8_t>(place), detail::ns(age));
  }
};

}  // namespace framelane
