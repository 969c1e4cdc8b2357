/// A frame under lease.
#pragma once

#include <cstddef>
#include <cstdint>
#include <framelane/error.hpp>
#include <framelane/plane.hpp>
#include <utility>

namespace framelane {

namespace detail {
template <class Handle, class Item>
class Reader;
}

/// A frame that a consumer holds: its bytes stay as they are until it is released or destroyed.
///
/// Can be moved to and used from other threads; `const` members from several at once. It outlives
/// its consumer and, where it is inline, its producer. Views are taken from a named frame only and
/// end with it. No member but `copy_to` touches the picture, and none allocates.
class Frame {
 public:
  /// Empty.
  Frame() noexcept = default;
  Frame(Frame&& other) noexcept : held_(other.held_) { other.held_.live = false; }
  Frame& operator=(Frame&& other) noexcept {
    if (this != &other) {
      bridge::HeldFrame taken = other.held_;
      other.held_.live = false;
      drop();
      held_ = taken;
    }
    return *this;
  }
  ~Frame() { drop(); }

  /// Whether it holds a frame.
  explicit operator bool() const noexcept { return held_.live; }
  /// Number of the frame in its epoch, from 1.
  std::uint64_t sequence() const noexcept { return held_.sequence; }
  /// Producer incarnation the frame comes from.
  std::uint64_t epoch() const noexcept { return held_.epoch; }
  /// Frames that passed between the one before and this one.
  std::uint64_t missed() const noexcept { return held_.missed; }
  /// Slot the frame is in; a small number to key caches by.
  std::uint32_t slot() const noexcept { return held_.slot; }
  /// Whether this is the first frame after the producer was restarted.
  bool new_epoch() const noexcept { return held_.new_epoch; }
  /// Switch epoch under which a `Switch` read the frame; 0 of any other reader.
  std::uint64_t switch_epoch() const noexcept { return held_.switch_epoch; }
  /// Index of the lane of a `Switch` that the frame comes from; 0 of any other reader.
  std::uint32_t lane_index() const noexcept { return held_.lane_index; }
  /// Whether this is the first frame that a `Switch` delivers under another selection.
  bool switched() const noexcept { return held_.switched; }

  /// What the frame is, copied from shared memory once.
  const FrameInfo& info() const& {
    const FrameInfo* found = bridge::frame_info(held_);
    if (found == nullptr) detail::raise(bridge::error_kind());
    return *found;
  }
  const FrameInfo& info() const&& = delete;
  /// The same without exceptions; null where there is none.
  const FrameInfo* try_info(Error& error) const& noexcept {
    const FrameInfo* found = bridge::frame_info(held_);
    detail::told(found == nullptr ? bridge::error_kind() : 0, error);
    return found;
  }
  const FrameInfo* try_info(Error& error) const&& = delete;

  /// Number of planes, at most 4 whatever the producer wrote.
  std::size_t plane_count() const {
    return std::min<std::size_t>(info().plane_count, layout::size::planes);
  }

  /// One plane, read in place. Throws `InvalidArgument` for one that the frame has not, `Protocol`
  /// for one outside its memory.
  PlaneView plane(std::size_t index) const& {
    PlaneView view;
    detail::check(bridge::held_plane(held_, index, view.plane_));
    return view;
  }
  PlaneView plane(std::size_t index) const&& = delete;
  /// The same without exceptions; empty where it fails.
  PlaneView try_plane(std::size_t index, Error& error) const& noexcept {
    PlaneView view;
    if (!detail::told(bridge::held_plane(held_, index, view.plane_), error)) view = PlaneView();
    return view;
  }
  PlaneView try_plane(std::size_t index, Error& error) const&& = delete;

  /// A descriptor of the dma-buf or memfd that one plane is in, to import it elsewhere: the plane
  /// is at the `offset_bytes` of its layout. The caller owns and closes it. Throws `Unsupported`
  /// for frames in other memory.
  int plane_fd(std::size_t index) const {
    std::int32_t fd = -1;
    detail::check(bridge::held_plane_fd(held_, index, fd));
    return fd;
  }
  /// The same; -1 where there is none.
  int try_plane_fd(std::size_t index, Error& error) const noexcept {
    std::int32_t fd = -1;
    detail::told(bridge::held_plane_fd(held_, index, fd), error);
    return fd;
  }

  /// Copies one plane into memory of exactly its size. Throws `Revoked` when the frame was taken
  /// back before the copy was done. Counted as bytes the SDK copied.
  void copy_to(std::size_t index, span<std::uint8_t> into) const {
    detail::check(bridge::copy_plane(held_, index, {into.data(), into.size()}));
  }
  bool try_copy_to(std::size_t index, span<std::uint8_t> into, Error& error) const noexcept {
    return detail::told(bridge::copy_plane(held_, index, {into.data(), into.size()}), error);
  }

  /// Whether the frame is intact: everything read from it before this call counts.
  bool check() const noexcept { return bridge::check_frame(held_); }

  /// Ends the lease. Throws `Revoked` when the frame had been taken back; the destructor does the
  /// same without telling.
  void release() { detail::check(bridge::release_frame(held_)); }
  bool try_release(Error& error) noexcept {
    return detail::told(bridge::release_frame(held_), error);
  }

 private:
  template <class Handle, class Item>
  friend class detail::Reader;
  void drop() noexcept {
    if (held_.live) bridge::drop_frame(held_);
  }

  bridge::HeldFrame held_{};
};

}  // namespace framelane
