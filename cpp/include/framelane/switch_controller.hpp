/// The controller of a switch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <framelane/error.hpp>
#include <framelane/layout.hpp>
#include <framelane/options.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace framelane {

/// How to make a switch.
struct SwitchControllerOptions {
  /// Index of the lane that is active first.
  std::uint32_t active = 0;
  /// Who may follow the switch; only the controller's user and root select.
  Access access = Access::owner();
  Trust trust = Trust::SameUser;
  /// Runtime directory; empty searches.
  std::string directory;
};

/// Owns a switch and says which of its lanes is active. `const` members may be called from several
/// threads. It reads no frames and waits for nobody. Destroying it ends the switch: readers go on
/// with the lane that is active, and attach to the next controller of that name by themselves.
class SwitchController {
 public:
  /// Makes the switch `name`, behind which the frame lanes `lanes` stand; they need not be there
  /// yet. Throws `InvalidName`, `InvalidArgument` for no lanes, too many, one that is named twice
  /// or an index beyond them, `AlreadyExists`, `PermissionDenied`, `OutOfMemory`, `TooMany`.
  static SwitchController create(std::string_view name, const std::vector<std::string>& lanes,
                                 const SwitchControllerOptions& options = {}) {
    SwitchController made;
    detail::check(made.make(name, lanes, options));
    return made;
  }
  static std::optional<SwitchController> try_create(std::string_view name,
                                                    const std::vector<std::string>& lanes,
                                                    const SwitchControllerOptions& options,
                                                    Error& error) noexcept {
    SwitchController made;
    if (!detail::told(made.make(name, lanes, options), error)) return std::nullopt;
    return made;
  }

  /// Makes a lane active; the switch epoch. The choice stands against a policy until
  /// `set_automatic`. Throws `InvalidArgument` for a lane that the switch has not.
  std::uint64_t select(std::size_t index) const {
    std::uint64_t epoch = 0;
    detail::check(handle_ ? handle_->select(index, epoch) : detail::no_handle);
    return epoch;
  }
  std::optional<std::uint64_t> try_select(std::size_t index, Error& error) const noexcept {
    std::uint64_t epoch = 0;
    const auto status = handle_ ? handle_->select(index, epoch) : detail::no_handle;
    if (!detail::told(status, error)) return std::nullopt;
    return epoch;
  }
  /// The same, by the name of the lane.
  std::uint64_t select(std::string_view lane) const {
    std::uint64_t epoch = 0;
    detail::check(named(lane, epoch));
    return epoch;
  }
  std::optional<std::uint64_t> try_select(std::string_view lane, Error& error) const noexcept {
    std::uint64_t epoch = 0;
    if (!detail::told(named(lane, epoch), error)) return std::nullopt;
    return epoch;
  }

  /// What a policy wants: makes a lane active unless somebody has chosen. Whether it is active.
  bool propose(std::size_t index) const {
    bool active = false;
    detail::check(handle_ ? handle_->propose(index, active) : detail::no_handle);
    return active;
  }
  bool try_propose(std::size_t index, Error& error) const noexcept {
    bool active = false;
    const auto status = handle_ ? handle_->propose(index, active) : detail::no_handle;
    return detail::told(status, error) && active;
  }

  /// Takes a choice back: from now on a policy chooses.
  void set_automatic() const {
    detail::check(handle_ ? handle_->set_automatic() : detail::no_handle);
  }
  bool try_set_automatic(Error& error) const noexcept {
    return detail::told(handle_ ? handle_->set_automatic() : detail::no_handle, error);
  }

  /// Waits while the switch epoch is `switch_epoch`; the epoch of now, the same when the time is
  /// over.
  std::uint64_t wait_switched(std::uint64_t switch_epoch, Duration timeout) const {
    std::uint64_t now = 0;
    detail::check(changed(switch_epoch, timeout, now));
    return now;
  }
  std::optional<std::uint64_t> try_wait_switched(std::uint64_t switch_epoch, Duration timeout,
                                                 Error& error) const noexcept {
    std::uint64_t now = 0;
    if (!detail::told(changed(switch_epoch, timeout, now), error)) return std::nullopt;
    return now;
  }

  /// How the switch is: lanes, selection, counts and readers. Throws `Closed`.
  Report report() const {
    Report report{};
    if (!handle_) detail::raise(detail::no_handle);
    handle_->report(report);
    return report;
  }
  std::optional<Report> try_report(Error& error) const noexcept {
    if (!detail::told(handle_ ? 0 : detail::no_handle, error)) return std::nullopt;
    std::optional<Report> report(std::in_place);
    handle_->report(*report);
    return report;
  }

  /// Whether somebody has chosen and no policy is to choose otherwise.
  bool held() const noexcept { return handle_ && handle_->held(); }
  /// Index of the active lane.
  std::size_t active() const noexcept { return handle_ ? handle_->active() : 0; }
  /// How many-th selection this is, from 1; 0 when closed.
  std::uint64_t switch_epoch() const noexcept { return handle_ ? handle_->switch_epoch() : 0; }
  /// Random id of this controller incarnation; 0 when closed.
  std::uint64_t epoch() const noexcept { return handle_ ? handle_->epoch() : 0; }
  /// Readers attached now.
  std::size_t readers() const noexcept { return handle_ ? handle_->readers() : 0; }
  /// Whether it was not closed or moved away.
  explicit operator bool() const noexcept { return handle_ != nullptr; }
  /// Ends the switch.
  void close() noexcept { handle_.reset(); }

 private:
  struct Drop {
    void operator()(bridge::SwitchController* handle) const noexcept {
      bridge::drop_switch_controller(handle);
    }
  };

  SwitchController() noexcept = default;

  std::uint32_t make(std::string_view name, const std::vector<std::string>& lanes,
                     const SwitchControllerOptions& options) noexcept {
    bridge::c::SwitchControllerOptions o{};
    framelane_switch_controller_options_init(&o);
    o.active = options.active;
    o.access = options.access.who_;
    o.access_group = options.access.gid_;
    o.trust = static_cast<std::uint32_t>(options.trust);
    o.directory = detail::path(options.directory);
    if (const auto status = detail::can_make(options.directory); status != 0) return status;
    std::vector<bridge::Text> texts;
    texts.reserve(lanes.size());
    for (const auto& lane : lanes) {
      texts.push_back({detail::bytes(lane).data(), lane.size()});
    }
    handle_.reset(
        bridge::create_switch(detail::bytes(name), {texts.data(), texts.size()}, o));
    return handle_ ? 0 : bridge::error_kind();
  }

  std::uint32_t named(std::string_view lane, std::uint64_t& epoch) const noexcept {
    return handle_ ? handle_->select_lane(detail::bytes(lane), epoch) : detail::no_handle;
  }

  std::uint32_t changed(std::uint64_t switch_epoch, Duration timeout,
                        std::uint64_t& now) const noexcept {
    return handle_ ? handle_->wait_switched(switch_epoch, detail::ns(timeout), now)
                   : detail::no_handle;
  }

  std::unique_ptr<bridge::SwitchController, Drop> handle_;
};

/// What is selected.
struct Selection {
  /// Index of the active lane.
  std::size_t active;
  std::uint64_t switch_epoch;
};

/// Private: between the bridge and the functions below.
namespace detail {

inline Selection selection(const bridge::Selected& found) noexcept {
  return {found.active, found.switch_epoch};
}

/// What a call that asked a controller has found.
inline std::optional<Selection> answer(std::uint32_t status, const bridge::Selected& found,
                                       Error& error) noexcept {
  if (!told(status, error)) return std::nullopt;
  return selection(found);
}

}  // namespace detail

/// Selects a lane of a switch whose controller is another process. The choice stands until another
/// is made or `set_switch_automatic`. Throws `PermissionDenied` unless this process is of the
/// controller's user or root, `InvalidArgument` for a lane that the switch has not, `InvalidName`,
/// `Unsupported` when the name is not that of a switch, and what `query` throws.
inline Selection select_lane(std::string_view name, std::string_view lane, Duration timeout,
                             std::string_view directory = {}) {
  bridge::Selected found{};
  detail::check(bridge::select_lane_from_outside(detail::bytes(name), detail::bytes(lane),
                                                 detail::bytes(directory), detail::ns(timeout),
                                                 found));
  return detail::selection(found);
}
inline std::optional<Selection> try_select_lane(std::string_view name, std::string_view lane,
                                                Duration timeout, std::string_view directory,
                                                Error& error) noexcept {
  bridge::Selected found{};
  const auto status =
      bridge::select_lane_from_outside(detail::bytes(name), detail::bytes(lane),
                                       detail::bytes(directory), detail::ns(timeout), found);
  return detail::answer(status, found, error);
}

/// The same, by the index of the lane.
inline Selection select_index(std::string_view name, std::size_t index, Duration timeout,
                              std::string_view directory = {}) {
  bridge::Selected found{};
  detail::check(bridge::select_index_from_outside(
      detail::bytes(name), index, detail::bytes(directory), detail::ns(timeout), found));
  return detail::selection(found);
}
inline std::optional<Selection> try_select_index(std::string_view name, std::size_t index,
                                                 Duration timeout, std::string_view directory,
                                                 Error& error) noexcept {
  bridge::Selected found{};
  const auto status = bridge::select_index_from_outside(
      detail::bytes(name), index, detail::bytes(directory), detail::ns(timeout), found);
  return detail::answer(status, found, error);
}

/// Takes an earlier choice back, as `SwitchController::set_automatic`, of a switch whose controller
/// is another process. Throws as `select_lane`.
inline Selection set_switch_automatic(std::string_view name, Duration timeout,
                                      std::string_view directory = {}) {
  bridge::Selected found{};
  detail::check(bridge::automatic_from_outside(detail::bytes(name), detail::bytes(directory),
                                               detail::ns(timeout), found));
  return detail::selection(found);
}
inline std::optional<Selection> try_set_switch_automatic(std::string_view name, Duration timeout,
                                                         std::string_view directory,
                                                         Error& error) noexcept {
  bridge::Selected found{};
  const auto status = bridge::automatic_from_outside(
      detail::bytes(name), detail::bytes(directory), detail::ns(timeout), found);
  return detail::answer(status, found, error);
}

}  // namespace framelane
