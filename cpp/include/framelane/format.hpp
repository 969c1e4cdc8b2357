/// Geometry of pictures.
#pragma once

#include <array>
#include <cstdint>
#include <framelane/error.hpp>
#include <framelane/layout.hpp>
#include <optional>
#include <string_view>

namespace framelane {

/// Reads a name as people write it, in either case: `nv12`, `I420`, `yuyv`, `rgb24`, ...
inline PixelFormat pixel_format(std::string_view name) {
  std::uint32_t fourcc = 0;
  detail::check(bridge::pixel_format(detail::bytes(name), fourcc));
  return static_cast<PixelFormat>(fourcc);
}

inline std::optional<PixelFormat> try_pixel_format(std::string_view name, Error& error) noexcept {
  std::uint32_t fourcc = 0;
  if (!detail::told(bridge::pixel_format(detail::bytes(name), fourcc), error)) return std::nullopt;
  return static_cast<PixelFormat>(fourcc);
}

/// Where the planes of a picture lie in one block of memory. Offsets, strides, sizes in bytes.
struct FrameLayout {
  /// DRM four-character code; 0 is no layout.
  std::uint32_t fourcc = 0;
  /// In pixels.
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  /// Planes in use.
  std::uint8_t plane_count = 0;
  std::array<Plane, 4> planes{};
  /// Of the whole picture.
  std::uint64_t total_bytes = 0;

  FrameLayout() = default;
  /// A picture whose rows start at multiples of `stride_align` bytes, a power of two; 1 is without
  /// padding. Throws `InvalidArgument` for a size of 0 and an odd width of YUYV, `TooLarge`.
  FrameLayout(PixelFormat format, std::uint32_t width_px, std::uint32_t height_px,
              std::uint32_t stride_align = 1) {
    detail::check(lay_out(format, width_px, height_px, stride_align));
  }
  /// The same without exceptions.
  static std::optional<FrameLayout> try_make(PixelFormat format, std::uint32_t width_px,
                                             std::uint32_t height_px, std::uint32_t stride_align,
                                             Error& error) noexcept {
    std::optional<FrameLayout> made(std::in_place);
    const auto status = made->lay_out(format, width_px, height_px, stride_align);
    if (!detail::told(status, error)) made.reset();
    return made;
  }

  /// Writes this geometry into the description of an inline frame.
  void apply(FrameInfo& info) const noexcept {
    info.fourcc = fourcc;
    info.width = width;
    info.height = height;
    info.plane_count = plane_count;
    for (std::size_t i = 0; i < planes.size(); ++i) info.planes[i] = planes[i];
    info.memory_kind = MemoryKind::Inline;
  }

 private:
  friend class Producer;

  void give(bridge::c::Layout& g) const noexcept {
    g.fourcc = fourcc;
    g.width = width;
    g.height = height;
    g.plane_count = plane_count;
    g.total_bytes = total_bytes;
    for (std::size_t i = 0; i < planes.size(); ++i) {
      g.offset_bytes[i] = planes[i].offset_bytes;
      g.size_bytes[i] = planes[i].size_bytes;
      g.stride_bytes[i] = planes[i].stride_bytes;
      g.rows[i] = planes[i].rows;
    }
  }

  std::uint32_t lay_out(PixelFormat format, std::uint32_t w, std::uint32_t h,
                        std::uint32_t align) noexcept {
    bridge::c::Layout g{};
    const auto status = bridge::lay_out(static_cast<std::uint32_t>(format), w, h, align, g);
    fourcc = g.fourcc;
    width = g.width;
    height = g.height;
    plane_count = static_cast<std::uint8_t>(g.plane_count);
    for (std::size_t i = 0; i < planes.size(); ++i) {
      planes[i] = {g.offset_bytes[i], g.size_bytes[i], 0, g.stride_bytes[i], g.rows[i], -1, -1, 0};
    }
    total_bytes = g.total_bytes;
    return status;
  }
};

}  // namespace framelane
