/// A claimed frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <framelane/error.hpp>
#include <framelane/plane.hpp>
#include <optional>
#include <type_traits>

namespace framelane {

/// A slot that a producer has claimed: fill it, then publish it. Destroying it abandons it.
///
/// Can be moved to another thread, is used by one at a time, and may outlive its producer, though
/// publishing then fails with `Closed`. The description starts as the lane's layout with everything
/// else zero, the payload as whatever an earlier frame left there.
class FrameMut {
 public:
  /// Empty.
  FrameMut() noexcept = default;
  FrameMut(FrameMut&& other) noexcept : claimed_(other.claimed_) { other.claimed_.live = false; }
  FrameMut& operator=(FrameMut&& other) noexcept {
    if (this != &other) {
      bridge::ClaimedFrame taken = other.claimed_;
      other.claimed_.live = false;
      abandon();
      claimed_ = taken;
    }
    return *this;
  }
  ~FrameMut() { abandon(); }

  /// Whether it holds a slot.
  explicit operator bool() const noexcept { return claimed_.live; }

  /// What the frame will say about itself, in place. Throws `InvalidArgument` when empty.
  FrameInfo& info() & {
    refuse_empty();
    return *claimed_.descriptor;
  }
  FrameInfo& info() && = delete;
  /// The same without exceptions; null where there is none.
  FrameInfo* try_info(Error& error) & noexcept {
    return refused(error) ? nullptr : claimed_.descriptor;
  }
  FrameInfo* try_info(Error& error) && = delete;

  /// The whole payload of the slot.
  span<std::uint8_t> payload() & {
    refuse_empty();
    return {claimed_.payload, claimed_.payload_bytes};
  }
  span<std::uint8_t> payload() && = delete;
  span<std::uint8_t> try_payload(Error& error) & noexcept {
    if (refused(error)) return {};
    return {claimed_.payload, claimed_.payload_bytes};
  }
  span<std::uint8_t> try_payload(Error& error) && = delete;

  /// One plane, as the description lays it out now.
  PlaneViewMut plane(std::size_t index) & {
    PlaneViewMut view;
    detail::check(bridge::claimed_plane(claimed_, index, view.plane_));
    return view;
  }
  PlaneViewMut plane(std::size_t index) && = delete;
  PlaneViewMut try_plane(std::size_t index, Error& error) & noexcept {
    PlaneViewMut view;
    const auto status = bridge::claimed_plane(claimed_, index, view.plane_);
    if (!detail::told(status, error)) view = PlaneViewMut();
    return view;
  }
  PlaneViewMut try_plane(std::size_t index, Error& error) && = delete;

  /// Copies bytes to the start of the payload, counted as bytes the SDK copied. Throws `TooLarge`.
  void copy_from(span<const std::uint8_t> bytes) {
    detail::check(bridge::copy_from(claimed_, {bytes.data(), bytes.size()}));
  }
  bool try_copy_from(span<const std::uint8_t> bytes, Error& error) noexcept {
    return detail::told(bridge::copy_from(claimed_, {bytes.data(), bytes.size()}), error);
  }

  /// Makes the frame the newest of its lane and empties this object; its sequence. Never waits.
  std::uint64_t publish() {
    std::uint64_t sequence = 0;
    detail::check(bridge::publish_frame(claimed_, sequence));
    return sequence;
  }
  std::optional<std::uint64_t> try_publish(Error& error) noexcept {
    std::uint64_t sequence = 0;
    if (!detail::told(bridge::publish_frame(claimed_, sequence), error)) return std::nullopt;
    return sequence;
  }

  /// Gives the slot back unpublished and empties this object.
  void abandon() noexcept {
    if (claimed_.live) bridge::abandon_frame(claimed_);
  }

 private:
  friend class Producer;
  bool refused(Error& error) const noexcept {
    if (!claimed_.live) error = Error(ErrorKind::InvalidArgument, "the frame is empty: claim one");
    else if (error) error = Error();
    return !claimed_.live;
  }
  void refuse_empty() const {
    Error error;
    if (refused(error)) throw error;
  }

  bridge::ClaimedFrame claimed_{};
};

// A batch of frames crosses as it is.
static_assert(std::is_standard_layout_v<FrameMut>);
static_assert(sizeof(FrameMut) == sizeof(bridge::ClaimedFrame));

}  // namespace framelane
