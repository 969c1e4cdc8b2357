/// The reader of a switch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <framelane/consumer.hpp>
#include <framelane/error.hpp>
#include <framelane/frame.hpp>
#include <framelane/options.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace framelane {

/// One lane behind a switch, as its reader sees it.
struct SwitchLane {
  std::string name;
  /// Whether its producer is there.
  bool attached;
  /// Why a producer that is there is not attached to; `Ok` where it is.
  ErrorKind problem;
};

/// How a switch is, as its reader sees it.
struct SwitchStatus {
  /// Whether there is a controller now. Without one the lane that was active stays so.
  bool controlled;
  /// Random id of the controller seen last.
  std::uint64_t controller_epoch;
  /// Switch epoch of the selection seen last.
  std::uint64_t switch_epoch;
  /// Index of the active lane.
  std::optional<std::size_t> active;
  /// The lanes, by index.
  std::vector<SwitchLane> lanes;
  /// Why a controller that is there is not followed; `Ok` where it is.
  ErrorKind problem;
};

/// Reads the active lane of a switch. Can be moved to another thread but is used by one at a time;
/// a `Closer` works from any. A switch shows on the very next frame, which says so, and wakes a
/// sleeping read. Lanes, and the controller too, may come late, die and come again.
///
/// Reading throws what `Consumer` does for the active lane, and `Protocol`, once, for a selection
/// that names no lane.
class Switch {
 public:
  /// Attaches to the switch `name` and to the lanes behind it, with the options of each lane's
  /// consumer. Throws what `Consumer::open` does, for the controller as for the active lane, and
  /// `Unsupported` when the name is not that of a switch and for lossless reading.
  static Switch open(std::string_view name, const ConsumerOptions& options = {}) {
    Switch made;
    detail::check(made.attach(name, options));
    return made;
  }
  static std::optional<Switch> try_open(std::string_view name, const ConsumerOptions& options,
                                        Error& error) noexcept {
    Switch made;
    if (!detail::told(made.attach(name, options), error)) return std::nullopt;
    return made;
  }

  /// The next frame of the active lane if there is one now. After an empty answer the descriptor of
  /// `fd` is drained and armed.
  std::optional<Frame> next() { return next(Duration::zero()); }
  /// The next frame of the active lane, waiting up to `timeout` for it.
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

  /// The newest valid frame of the active lane, also one that was delivered before; nothing where
  /// that is older than what was delivered before the switch.
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

  /// Waits until there may be something to read; whether there may.
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

  /// A descriptor that becomes readable when there may be a frame or a switch, as `Consumer::fd`.
  int fd() noexcept { return handle_ ? handle_->fd() : -1; }

  /// How the switch is. Throws `Closed`.
  SwitchStatus status() const {
    if (!handle_) detail::raise(detail::no_handle);
    return facts();
  }
  std::optional<SwitchStatus> try_status(Error& error) const noexcept {
    if (!detail::told(handle_ ? 0 : detail::no_handle, error)) return std::nullopt;
    return facts();
  }

  /// Frames delivered.
  std::uint64_t received() const noexcept { return handle_ ? handle_->received() : 0; }
  /// Frames that passed without being delivered while their lane was active.
  std::uint64_t missed() const noexcept { return handle_ ? handle_->missed() : 0; }
  /// Frames not delivered because they were older than the one before the switch, or of the lane
  /// that was switched away from.
  std::uint64_t dropped() const noexcept { return handle_ ? handle_->dropped() : 0; }
  /// Switches this reader has followed.
  std::uint64_t switches() const noexcept { return handle_ ? handle_->switches() : 0; }
  /// Frames of this reader that are held now.
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
  /// Stops reading. Held frames stay valid.
  void close() noexcept { handle_.reset(); }

 private:
  struct Drop {
    void operator()(bridge::Switch* handle) const noexcept { bridge::drop_switch(handle); }
  };

  Switch() noexcept = default;

  std::uint32_t attach(std::string_view name, const ConsumerOptions& options) noexcept {
    const auto o = detail::of_c(options);
    if (const auto status = detail::can_make(options.directory); status != 0) return status;
    handle_.reset(bridge::open_switch(detail::bytes(name), o));
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

  SwitchStatus facts() const {
    bridge::SwitchFacts found{};
    handle_->facts(found);
    SwitchStatus status{found.controlled,
                        found.controller_epoch,
                        found.switch_epoch,
                        std::nullopt,
                        {},
                        static_cast<ErrorKind>(found.problem)};
    if (found.active >= 0) status.active = static_cast<std::size_t>(found.active);
    for (const auto& lane : found.lanes) {
      status.lanes.push_back(
          {detail::text(lane.name), lane.attached, static_cast<ErrorKind>(lane.problem)});
    }
    return status;
  }

  std::unique_ptr<bridge::Switch, Drop> handle_;
};

}  // namespace framelane
