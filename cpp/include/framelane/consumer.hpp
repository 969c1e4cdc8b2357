/// The consumer: reads a lane.
#pragma once

#include <cstdint>
#include <framelane/error.hpp>
#include <framelane/frame.hpp>
#include <framelane/options.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace framelane {

/// Constants of one epoch of a lane.
struct LaneInfo {
  std::string name;
  /// Random id of the producer incarnation.
  std::uint64_t epoch;
  /// Number the producer gave this consumer.
  std::uint32_t consumer_id;
  /// Frames this consumer may hold at once.
  std::uint32_t leases;
  std::uint32_t slots;
  /// Frames before the newest that stay reachable.
  std::uint32_t history;
  MemoryKind memory_kind;
  /// Bits of `lane_flag`.
  std::uint32_t flags;
  /// Usable payload of a slot.
  std::uint64_t payload_bytes;
  /// Time a device frame is guaranteed after publication; 0: never revoked.
  Duration lease;
  /// Size of lane memory.
  std::uint64_t total_bytes;
  /// Process and user that own the lane, as it says itself.
  std::uint32_t producer_pid;
  std::uint32_t producer_uid;
};

namespace detail {

/// The options as C has them.
inline bridge::c::ConsumerOptions of_c(const ConsumerOptions& options) noexcept {
  bridge::c::ConsumerOptions o{};
  framelane_consumer_options_init(&o);
  o.wait_for_lane_ns = ns(options.wait_for_lane);
  o.leases = options.leases;
  o.mode = static_cast<std::uint32_t>(options.mode);
  o.reattach = options.reattach;
  o.return_on_signal = options.return_on_signal;
  o.wants_writable = options.wants_writable;
  o.directory = path(options.directory);
  return o;
}

}  // namespace detail

/// Closes its consumer from any thread: a sleeping read then fails with `Closed`, and so does every
/// later one. Held frames stay valid. Copies close the same consumer; it may outlive it.
class Closer {
 public:
  // Moving copies, so that there is no empty one.
  Closer(const Closer& other) noexcept : handle_(other.handle_->again()) {}
  Closer& operator=(const Closer& other) noexcept {
    handle_ = other.handle_->again();
    return *this;
  }
  void close() const noexcept { handle_->close(); }

 private:
  friend class Consumer;
  friend class StreamReader;
  friend class Switch;
  explicit Closer(rust::Box<bridge::Closer> handle) noexcept : handle_(std::move(handle)) {}
  rust::Box<bridge::Closer> handle_;
};

/// Reads one lane. Can be moved to another thread but is used by one at a time; a `Closer` works
/// from any. When its producer is restarted it attaches to the new one by itself, and the next
/// frame says so.
///
/// Nothing to read within the time is no error: it is an empty optional. Reading throws
/// `LeasesInUse` when all granted frames are held, `Closed`, `Disconnected` without re-attaching,
/// `OldEpochsHeld`, `Protocol`, `Forked`, and what a new producer refuses with.
class Consumer {
 public:
  /// Attaches to the lane `name`. Throws `NotFound` with the places searched when no producer came
  /// in time, `TimedOut` when one is there and does not answer, `PermissionDenied`, and what the
  /// producer refuses with: `LayoutMismatch`, `NoLeases`, `Unsupported`, `TooMany`.
  static Consumer open(std::string_view name, const ConsumerOptions& options = {}) {
    Consumer made;
    detail::check(made.attach(name, options));
    return made;
  }
  static std::optional<Consumer> try_open(std::string_view name, const ConsumerOptions& options,
                                          Error& error) noexcept {
    Consumer made;
    if (!detail::told(made.attach(name, options), error)) return std::nullopt;
    return made;
  }

  /// The next frame of this consumer's mode if there is one now. After an empty answer the
  /// descriptor of `fd` is drained and armed.
  std::optional<Frame> next() { return next(Duration::zero()); }
  /// The next frame, waiting up to `timeout` for it.
  std::optional<Frame> next(Duration timeout) {
    std::optional<Frame> frame(std::in_place);
    detail::check(read(timeout, *frame));
    if (!*frame) frame.reset();
    return frame;
  }
  std::optional<Frame> try_next(Error& error) noexcept {
    return try_next(Duration::zero(), error);
  }
  std::optional<Frame> try_next(Duration timeout, Error& error) noexcept {
    std::optional<Frame> frame(std::in_place);
    if (!detail::told(read(timeout, *frame), error) || !*frame) frame.reset();
    return frame;
  }

  /// The newest valid frame, also one that was delivered before. Throws `Unsupported` for a
  /// lossless reader, which skips nothing.
  std::optional<Frame> latest() {
    std::optional<Frame> frame(std::in_place);
    detail::check(newest(*frame));
    if (!*frame) frame.reset();
    return frame;
  }
  std::optional<Frame> try_latest(Error& error) noexcept {
    std::optional<Frame> frame(std::in_place);
    if (!detail::told(newest(*frame), error) || !*frame) frame.reset();
    return frame;
  }

  /// Waits until there is something to read; whether there is.
  bool wait(Duration timeout) {
    bool ready = false;
    detail::check(handle_ ? handle_->wait(detail::ns(timeout), ready) : detail::no_handle);
    return ready;
  }
  bool try_wait(Duration timeout, Error& error) noexcept {
    bool ready = false;
    const auto status =
        handle_ ? handle_->wait(detail::ns(timeout), ready) : detail::no_handle;
    return detail::told(status, error) && ready;
  }

  /// A descriptor that becomes readable when there may be a frame, for poll, epoll or an event
  /// loop; -1 when closed. It belongs to the consumer: do not read or close it. Each time it is
  /// readable, call `next()` until it is empty before polling again; expect to be woken for nothing
  /// now and then.
  int fd() noexcept { return handle_ ? handle_->fd() : -1; }

  /// Frames delivered.
  std::uint64_t received() const noexcept { return handle_ ? handle_->received() : 0; }
  /// Frames that passed without being delivered, all epochs together.
  std::uint64_t missed() const noexcept { return handle_ ? handle_->missed() : 0; }
  /// Random id of the producer attached to now, 0 while there is none.
  std::uint64_t epoch() const noexcept { return handle_ ? handle_->epoch() : 0; }
  /// Frames of this consumer that are held now, earlier epochs included.
  std::uint32_t held() const noexcept { return handle_ ? handle_->held() : 0; }
  /// The lane as of the last attach; nothing while there is no producer.
  std::optional<LaneInfo> lane() const {
    bridge::LaneFacts facts{};
    if (!handle_ || !handle_->lane(facts)) return std::nullopt;
    return LaneInfo{detail::text(facts.name),
                    facts.epoch,
                    facts.consumer_id,
                    facts.leases,
                    facts.slots,
                    facts.history,
                    static_cast<MemoryKind>(facts.memory_kind),
                    facts.flags,
                    facts.payload_bytes,
                    Duration(facts.lease_ns),
                    facts.total_bytes,
                    facts.producer_pid,
                    facts.producer_uid};
  }

  /// A handle that closes this consumer from any thread. Throws `Closed`.
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
  /// Stops reading. Held frames stay valid; the connection ends with the last of them. For the
  /// thread that reads; others use a `Closer`.
  void close() noexcept { handle_.reset(); }

 private:
  struct Drop {
    void operator()(bridge::Consumer* handle) const noexcept { bridge::drop_consumer(handle); }
  };

  Consumer() noexcept = default;

  std::uint32_t attach(std::string_view name, const ConsumerOptions& options) noexcept {
    const auto o = detail::of_c(options);
    if (const auto status = detail::can_make(options.directory); status != 0) return status;
    handle_.reset(bridge::open_consumer(detail::bytes(name), o));
    return handle_ ? 0 : bridge::error_kind();
  }

  std::uint32_t read(Duration timeout, Frame& frame) noexcept {
    if (!handle_) return detail::no_handle;
    return timeout > Duration::zero() ? handle_->next(detail::ns(timeout), frame.held_)
                                      : handle_->try_next(frame.held_);
  }

  std::uint32_t newest(Frame& frame) noexcept {
    return handle_ ? handle_->latest(frame.held_) : detail::no_handle;
  }

  std::unique_ptr<bridge::Consumer, Drop> handle_;
};

}  // namespace framelane
