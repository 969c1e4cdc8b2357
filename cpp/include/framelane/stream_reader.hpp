/// The reader of a stream lane.
#pragma once

#include <cstdint>
#include <framelane/consumer.hpp>
#include <framelane/record.hpp>
#include <memory>
#include <optional>
#include <string_view>

namespace framelane {

/// Reads one stream lane, record after record. Can be moved to another thread but is used by one at
/// a time; a `Closer` works from any. When its writer is restarted it attaches to the new one by
/// itself, begins with the oldest key record there, and the record says so.
///
/// Nothing to read within the time is no error: it is an empty optional. Reading throws `Lapped`
/// when records were overwritten before they were read: `Error::missed` says how many, and the next
/// call goes on at a key record. Otherwise as `Consumer`.
class StreamReader {
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

  /// The next record if there is one now. After an empty answer the descriptor of `fd` is drained
  /// and armed.
  std::optional<Record> next() { return next(Duration::zero()); }
  /// The next record, waiting up to `timeout` for it.
  std::optional<Record> next(Duration timeout) {
    std::optional<Record> record(std::in_place);
    detail::check(read(timeout, *record));
    if (!*record) record.reset();
    return record;
  }
  std::optional<Record> try_next(Error& error) noexcept {
    return try_next(Duration::zero(), error);
  }
  std::optional<Record> try_next(Duration timeout, Error& error) noexcept {
    std::optional<Record> record(std::in_place);
    if (!detail::told(read(timeout, *record), error) || !*record) record.reset();
    return record;
  }

  /// Waits until there may be something to read; whether there is. Without time the descriptor of
  /// `fd` is drained and armed where there is nothing.
  bool wait(Duration timeout) {
    bool ready = false;
    detail::check(handle_ ? handle_->wait(detail::ns(timeout), ready) : detail::no_handle);
    return ready;
  }
  bool try_wait(Duration timeout, Error& error) noexcept {
    bool ready = false;
    const auto status = handle_ ? handle_->wait(detail::ns(timeout), ready) : detail::no_handle;
    return detail::told(status, error) && ready;
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

  /// A descriptor that becomes readable when there may be a record, as `Consumer::fd`.
  int fd() noexcept { return handle_ ? handle_->fd() : -1; }
  /// Records delivered.
  std::uint64_t received() const noexcept { return handle_ ? handle_->received() : 0; }
  /// Records that passed without being delivered, all epochs together; seeks left out.
  std::uint64_t missed() const noexcept { return handle_ ? handle_->missed() : 0; }
  /// Random id of the writer attached to now, 0 while there is none.
  std::uint64_t epoch() const noexcept { return handle_ ? handle_->epoch() : 0; }
  /// Records that are held in place now, earlier epochs included.
  std::uint32_t held() const noexcept { return handle_ ? handle_->held() : 0; }

  /// A handle that closes this reader from any thread. Throws `Closed`.
  Closer closer() const {
    if (!handle_) detail::raise(detail::no_handle);
    return Closer(handle_->closer());
  }
  std::optional<Closer> try_closer(Error& error) const noexcept {
    if (!detail::told(handle_ ? 0 : detail::no_handle, error)) return std::nullopt;
    return Closer(handle_->closer());
  }
  /// Whether it was not closed or moved away.
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  /// Stops reading. Held records stay valid.
  void close() noexcept { handle_.reset(); }

 private:
  struct Drop {
    void operator()(bridge::StreamReader* handle) const noexcept {
      bridge::drop_stream_reader(handle);
    }
  };

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

  std::uint32_t read(Duration timeout, Record& record) noexcept {
    if (!handle_) return detail::no_handle;
    return timeout > Duration::zero() ? handle_->next(detail::ns(timeout), record.held_)
                                      : handle_->try_next(record.held_);
  }

  std::uint32_t go(StreamStart place, Duration age) noexcept {
    if (!handle_) return detail::no_handle;
    return handle_->seek(static_cast<std::uint8_t>(place), detail::ns(age));
  }

  std::unique_ptr<bridge::StreamReader, Drop> handle_;
};

}  // namespace framelane
