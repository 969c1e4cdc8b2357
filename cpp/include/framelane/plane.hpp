/// Planes of frames.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <framelane/error.hpp>
#include <framelane/span.hpp>

namespace framelane {

/// The bytes of one plane in place, `rows()` rows that start every `stride_bytes()` bytes; a `span`
/// that knows them, and converts to one. Valid as long as the frame it was taken from.
template <class Byte>
class BasicPlane {
 public:
  constexpr BasicPlane() noexcept = default;

  Byte* data() const noexcept { return plane_.data; }
  std::size_t size() const noexcept { return plane_.size_bytes; }
  bool empty() const noexcept { return plane_.size_bytes == 0; }
  Byte* begin() const noexcept { return data(); }
  Byte* end() const noexcept { return data() + size(); }
  Byte& operator[](std::size_t index) const noexcept { return span<Byte>(*this)[index]; }

  std::uint32_t stride_bytes() const noexcept { return plane_.stride_bytes; }
  std::uint32_t rows() const noexcept { return plane_.rows; }
  /// Whether these bytes are device memory that can be taken back after the frame's
  /// `valid_until_ns`: what was derived from them counts if `Frame::check` says so afterwards.
  bool revocable() const noexcept { return plane_.revocable; }
  /// One row with its padding; empty outside of the plane.
  span<Byte> row(std::size_t index) const noexcept {
    const std::size_t from = std::min(index * stride_bytes(), size());
    return {data() + from, std::min<std::size_t>(stride_bytes(), size() - from)};
  }

 private:
  friend class Frame;
  friend class FrameMut;
  // Filled in by the bridge where it stays: a copy would wait for its stores.
  bridge::PlaneSpan plane_{};
};

/// A plane to read.
using PlaneView = BasicPlane<const std::uint8_t>;
/// A plane to fill.
using PlaneViewMut = BasicPlane<std::uint8_t>;

}  // namespace framelane
