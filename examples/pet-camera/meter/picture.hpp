/// What is measured in one picture.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <framelane/framelane.hpp>
#include <stdexcept>

/// Of the luma plane, 8 bits a pixel.
struct Measures {
  /// Mean, 0 to 255.
  double brightness = 0;
  /// Standard deviation, 0 to 127.5.
  double contrast = 0;
  /// Variance of the Laplacian, in squared grey levels: it falls when the lens is out of focus or
  /// dirty (Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000).
  double sharpness = 0;
};

/// Sums from which mean and variance follow.
class Moments {
 public:
  void add(std::int64_t sum, std::int64_t squares, std::size_t count) noexcept {
    sum_ += sum;
    squares_ += squares;
    count_ += count;
  }
  double mean() const noexcept { return count_ == 0 ? 0 : double(sum_) / double(count_); }
  double variance() const noexcept {
    return count_ == 0 ? 0 : double(squares_) / double(count_) - mean() * mean();
  }

 private:
  std::int64_t sum_ = 0, squares_ = 0;
  std::size_t count_ = 0;
};

/// Whether the first plane of such pictures is luma, a byte a pixel.
inline bool has_luma(std::uint32_t fourcc) {
  using framelane::PixelFormat;
  for (const auto format : {PixelFormat::Nv12, PixelFormat::I420, PixelFormat::Grey}) {
    if (fourcc == static_cast<std::uint32_t>(format)) return true;
  }
  return false;
}

/// Reads every pixel once, in place. Pictures below 3x3 have no sharpness. Throws for a picture
/// that does not fit its plane: both sizes are what the producer says.
inline Measures measure(const framelane::PlaneView& luma, std::size_t width,
                        std::size_t height) {
  const std::size_t stride = luma.stride_bytes();
  if (width > stride || height > luma.rows() || stride * height > luma.size()) {
    throw std::runtime_error("the picture is larger than its plane");
  }
  Moments light, edges;
  for (std::size_t y = 0; y < height; ++y) {
    const std::uint8_t* row = luma.row(y).data();
    std::int64_t sum = 0, squares = 0;
    for (std::size_t x = 0; x < width; ++x) {
      sum += row[x];
      squares += row[x] * row[x];
    }
    light.add(sum, squares, width);
    if (y == 0 || y + 1 == height || width < 3) continue;
    const std::uint8_t *above = luma.row(y - 1).data(), *below = luma.row(y + 1).data();
    sum = squares = 0;
    for (std::size_t x = 1; x + 1 < width; ++x) {
      const int edge = above[x] + below[x] + row[x - 1] + row[x + 1] - 4 * row[x];
      sum += edge;
      squares += edge * edge;
    }
    edges.add(sum, squares, width - 2);
  }
  return {light.mean(), std::sqrt(light.variance()), edges.variance()};
}
