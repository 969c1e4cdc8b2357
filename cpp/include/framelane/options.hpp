/// How lanes are made and opened. Set what differs from the defaults.
#pragma once

#include <cstdint>
#include <framelane/format.hpp>
#include <framelane/layout.hpp>
#include <optional>
#include <string>
#include <vector>

namespace framelane {

/// Which users may attach.
class Access {
 public:
  /// The producer's own user, and root. Socket mode 0600.
  static constexpr Access owner() noexcept { return {0, 0}; }
  /// Members of a group by number. Socket mode 0660.
  static constexpr Access group(std::uint32_t gid) noexcept { return {1, gid}; }
  /// Every user of the machine. Socket mode 0666.
  static constexpr Access everyone() noexcept { return {2, 0}; }

 private:
  friend class Producer;
  friend class StreamWriter;
  friend class SwitchController;
  constexpr Access(std::uint8_t who, std::uint32_t gid) noexcept : who_(who), gid_(gid) {}
  std::uint8_t who_;
  std::uint32_t gid_;
};

/// Which peers are trusted not to block the producer's bells.
enum class Trust : std::uint8_t {
  /// Peers of the same user share a wake word and get eventfds; others get bells of their own.
  SameUser = 0,
  /// Only the producer's own user id is admitted at all.
  TrustedOnly = 1,
  /// Nobody: every peer gets a bell word and a socket bell of its own.
  Untrusted = 2,
};

/// Huge pages for the payload.
enum class HugePages : std::uint8_t {
  Off = 0,
  /// Where enough are free, else ordinary ones.
  Try = 1,
  /// Huge pages or an error.
  Require = 2,
};

/// Where the owners of returned external buffers run.
enum class Reclaim : std::uint8_t {
  /// On a thread of the producer's own.
  Thread = 0,
  /// In `Producer::reclaim`, called by the source's own loop.
  Pump = 1,
};

/// An external buffer that consumers map once, at attach. The descriptor stays the caller's.
struct DeviceBuffer {
  /// A memfd sealed against shrinking, or a dma-buf; duplicated by `Producer::create`.
  int fd = -1;
  MemoryKind kind = MemoryKind::Memfd;
};

namespace detail {

/// A NUMA node as C takes it.
inline std::int32_t node(const std::optional<std::uint32_t>& node) noexcept {
  return node ? static_cast<std::int32_t>(*node) : -1;
}

}  // namespace detail

/// How to make a lane. Slots = `lease_budget` + `claims` + 1 + `history`, at most 64.
struct ProducerOptions {
  /// Geometry each claimed frame starts with; sizes the payload too.
  std::optional<FrameLayout> layout;
  /// Payload of a slot in bytes, where it is not the layout's.
  std::optional<std::uint64_t> payload_bytes;
  /// Leases that all consumers together may hold.
  std::uint32_t lease_budget = 8;
  /// Frames the producer may hold claimed at once.
  std::uint32_t claims = 1;
  /// Frames before the newest that stay reachable.
  std::uint32_t history = 1;
  /// Whether lossless consumers, which the producer waits for, are admitted.
  bool lossless = false;
  /// Time a device frame is guaranteed after publication; 0: never revoked.
  Duration lease{0};
  /// Usual time between frames, against which `lease` is checked; 0: unknown.
  Duration frame_period{0};
  MemoryKind memory = MemoryKind::Inline;
  std::vector<DeviceBuffer> device_buffers;
  HugePages huge_pages = HugePages::Off;
  /// Lock the lane into memory where the limits allow it.
  bool lock_memory = false;
  /// NUMA node to bind the lane to.
  std::optional<std::uint32_t> numa_node;
  Access access = Access::owner();
  Trust trust = Trust::SameUser;
  Reclaim reclaim = Reclaim::Thread;
  /// Runtime directory; empty searches.
  std::string directory;
};

/// How to open a lane for reading.
struct ConsumerOptions {
  Mode mode = Mode::Latest;
  /// Frames held at once, 1 to 63.
  std::uint32_t leases = 1;
  /// How long `Consumer::open` waits for a producer to make the lane.
  Duration wait_for_lane{0};
  /// Attach to the next producer of the lane when this one is gone; otherwise reading then fails
  /// with `Disconnected`.
  bool reattach = true;
  /// A blocking read returns nothing when a signal arrives.
  bool return_on_signal = false;
  /// Accept device buffers that this process could write.
  bool wants_writable = false;
  /// Runtime directory; empty searches.
  std::string directory;
};

}  // namespace framelane
