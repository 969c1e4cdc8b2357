/// The consumer: reads a lane.
#pragma once

#include <cstdint>
#include <framelane/error.hpp>
#include <framelane/frame.hpp>
#include <framelane/options.hpp>
#include <framelane/reader.hpp>
#include <optional>
#include <string>
#include <string_view>

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

/// Reads one lane. Can be moved to another thread but is used by one at a time; a `Closer` works
/// from any. When its producer is restarted it attaches to the new one by itself, and the next
/// frame says so.
///
/// Nothing to read within the time is no error: it is an empty optional. Reading throws
/// `LeasesInUse` when all granted frames are held, `Closed`, `Disconnected` without re-attaching,
/// `OldEpochsHeld`, `Protocol`, `Forked`, and what a new producer refuses with.
class Consumer : public detail::Reader<bridge::Consumer, Frame> {
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

  /// The newest valid frame, also one that was delivered before. Throws `Unsupported` for a
  /// lossless reader, which skips nothing.
  std::optional<Frame> latest() {
    return required([&](Frame& frame) { return newest(frame); });
  }
  std::optional<Frame> try_latest(Error& error) noexcept {
    return tried([&](Frame& frame) { return newest(frame); }, error);
  }

  /// Random id of the producer attached to now, 0 while there is none.
  std::uint64_t epoch() const noexcept { return handle_ ? handle_->epoch() : 0; }
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

 private:
  Consumer() noexcept = default;

  std::uint32_t attach(std::string_view name, const ConsumerOptions& options) noexcept {
    const auto o = detail::of_c(options);
    if (const auto status = detail::can_make(options.directory); status != 0) return status;
    handle_.reset(bridge::open_consumer(detail::bytes(name), o));
    return handle_ ? 0 : bridge::error_kind();
  }
};

}  // namespace framelane
