/// Planes of frames.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <framelane/error.hpp>
#include <framelane/span.hpp>

namespace framelane {

/// The bytes of one plane in place, `rows()` rows that start every `stride_bytes()` bytes. Valid as
/// long as the frame it was taken from.
template <class Byte>
class BasicPlane : public span<Byte> {
 public:
  constexpr BasicPlane() noexcept = default;
  /// Private to the library.
  explicit BasicPlane(const bridge::PlaneSpan& plane) noexcept
      : span<Byte>(plane.data, plane.size_bytes),
        stride_bytes_(plane.stride_bytes),
        rows_(plane.rows),
        revocable_(plane.revocable) {}

  std::uint32_t stride_bytes() const noexcept { return stride_bytes_; }
  std::uint32_t rows() const noexcept { return rows_; }
  /// Whether these bytes are device memory that can be taken back after the frame's
  /// `valid_until_ns`: what was derived from them counts if `Frame::check` says so afterwards.
  bool revocable() const noexcept { return revocable_; }
  /// One row with its padding; empty outside of the plane.
  span<Byte> row(std::size_t index) const noexcept {
    const std::size_t from = std::min(index * stride_bytes_, this->size());
    return this->subspan(from, std::min<std::size_t>(stride_bytes_, this->size() - from));
  }

 private:
  std::uint32_t stride_bytes_ = 0;
  std::uint32_t rows_ = 0;
  bool revocable_ = false;
};

/// A plane to read.
using PlaneView = BasicPlane<const std::uint8_t>;
/// A plane to fill.
using PlaneViewMut = BasicPlane<std::uint8_t>;

}  // namespace framelane
