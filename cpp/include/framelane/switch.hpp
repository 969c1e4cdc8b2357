/// The reader of a switch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <framelane/consumer.hpp>
#include <framelane/error.hpp>
#include <framelane/frame.hpp>
#include <framelane/options.hpp>
#include <framelane/reader.hpp>
#include <optional>
#include <string>
#include <string_view>
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
/// sleeping read. Lanes, and the controller too, may come late, die and come again. `missed` counts
/// frames that passed while their lane was active.
///
/// Reading throws what `Consumer` does for the active lane, and `Protocol`, once, for a selection
/// that names no lane.
class Switch : public detail::Reader<bridge::Switch, Frame> {
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

  /// The newest valid frame of the active lane, also one that was delivered before; nothing where
  /// that is older than what was delivered before the switch.
  std::optional<Frame> latest() {
    return required([&](Frame& frame) { return newest(frame); });
  }
  std::optional<Frame> try_latest(Error& error) noexcept {
    return tried([&](Frame& frame) { return newest(frame); }, error);
  }

  /// How the switch is. Throws `Closed`.
  SwitchStatus status() const {
    if (!handle_) detail::raise(detail::no_handle);
    return facts();
  }
  std::optional<SwitchStatus> try_status(Error& error) const noexcept {
    if (!detail::told(handle_ ? 0 : detail::no_handle, error)) return std::nullopt;
    return facts();
  }

  /// Frames not delivered because they were older than the one before the switch, or of the lane
  /// that was switched away from.
  std::uint64_t dropped() const noexcept { return handle_ ? handle_->dropped() : 0; }
  /// Switches this reader has followed.
  std::uint64_t switches() const noexcept { return handle_ ? handle_->switches() : 0; }

 private:
  Switch() noexcept = default;

  std::uint32_t attach(std::string_view name, const ConsumerOptions& options) noexcept {
    const auto o = detail::of_c(options);
    if (const auto status = detail::can_make(options.directory); status != 0) return status;
    handle_.reset(bridge::open_switch(detail::bytes(name), o));
    return handle_ ? 0 : bridge::error_kind();
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
};

}  // namespace framelane
