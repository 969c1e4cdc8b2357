/// Frames as `cv::Mat`, without copying. Needs OpenCV's core; include it before or let this do so.
#pragma once

#include <framelane/frame.hpp>
#include <framelane/frame_mut.hpp>
#include <opencv2/core.hpp>

namespace framelane {

namespace detail {

/// Type and columns of one plane of a known format.
struct MatShape {
  int type;
  int columns;
};

inline MatShape mat_shape(const FrameInfo& info, std::size_t plane) {
  const int width = static_cast<int>(info.width);
  const int half = static_cast<int>(info.width / 2 + info.width % 2);
  switch (static_cast<PixelFormat>(info.fourcc)) {
    case PixelFormat::Grey:
      return {CV_8UC1, width};
    case PixelFormat::Nv12:
      return plane == 0 ? MatShape{CV_8UC1, width} : MatShape{CV_8UC2, half};
    case PixelFormat::I420:
      return {CV_8UC1, plane == 0 ? width : half};
    case PixelFormat::Rgb24:
    case PixelFormat::Bgr24:
      return {CV_8UC3, width};
    case PixelFormat::Yuyv:
      return {CV_8UC2, width};
  }
  throw Error(ErrorKind::Unsupported,
              "no cv::Mat for format " + std::to_string(info.fourcc) + ": use its planes");
}

template <class Byte>
void* mat_data(const FrameInfo& info, const BasicPlane<Byte>& plane, const MatShape& shape) {
  if (plane.revocable()) {
    throw Error(ErrorKind::Unsupported, "device memory can be revoked: copy_to a cv::Mat instead");
  }
  const auto row = static_cast<std::uint64_t>(shape.columns) * CV_ELEM_SIZE(shape.type);
  if (info.width > 0x7fffffffU || plane.rows() > 0x7fffffffU || row > plane.stride_bytes() ||
      std::uint64_t{plane.stride_bytes()} * plane.rows() > plane.size()) {
    throw Error(ErrorKind::Protocol, "the plane is smaller than the picture it belongs to");
  }
  return const_cast<std::uint8_t*>(plane.data());
}

}  // namespace detail

/// One plane of a frame. It views shared memory that is mapped read-only: writing to it, also
/// through a copy of the Mat's header, ends the program. `clone()` what outlives the frame. Throws
/// `Unsupported` for other formats than those of `PixelFormat` and for device memory.
inline const cv::Mat as_mat(const Frame& frame, std::size_t plane = 0) {
  const auto view = frame.plane(plane);
  const auto shape = detail::mat_shape(frame.info(), plane);
  void* data = detail::mat_data(frame.info(), view, shape);
  return {static_cast<int>(view.rows()), shape.columns, shape.type, data, view.stride_bytes()};
}
const cv::Mat as_mat(const Frame&& frame, std::size_t plane = 0) = delete;

/// A whole NV12 or I420 frame as one Mat of height * 3 / 2 rows, which is what `cv::cvtColor` takes
/// with COLOR_YUV2BGR_NV12 or COLOR_YUV2BGR_I420. Throws `Unsupported` where its planes do not
/// follow each other, or its width or height is odd.
inline const cv::Mat as_yuv_mat(const Frame& frame) {
  const auto& info = frame.info();
  const bool nv12 = info.fourcc == static_cast<std::uint32_t>(PixelFormat::Nv12);
  const bool i420 = info.fourcc == static_cast<std::uint32_t>(PixelFormat::I420);
  bool together = (nv12 || i420) && info.width % 2 == 0 && info.height % 2 == 0;
  const auto luma = frame.plane(0);
  // cvtColor reads all rows of all planes, and the chroma rows of I420 two to a row of the Mat.
  const auto whole = [](const auto& plane) {
    return plane.size() == std::uint64_t{plane.stride_bytes()} * plane.rows();
  };
  together = together && whole(luma) && (nv12 || luma.stride_bytes() == info.width);
  const std::uint8_t* end = luma.end();
  for (std::size_t i = 1; together && i < frame.plane_count(); ++i) {
    const auto chroma = frame.plane(i);
    together = chroma.data() == end && whole(chroma) &&
               chroma.stride_bytes() == luma.stride_bytes() / (i420 ? 2 : 1) &&
               chroma.rows() == info.height / 2;
    end = chroma.end();
  }
  together = together && frame.plane_count() == (nv12 ? 2U : 3U) && luma.rows() == info.height;
  if (!together) {
    throw Error(ErrorKind::Unsupported, "the planes of this frame do not make one YUV picture");
  }
  const auto shape = detail::MatShape{CV_8UC1, static_cast<int>(info.width)};
  void* data = detail::mat_data(info, luma, shape);
  const int rows = static_cast<int>(info.height / 2 * 3);
  return {rows, shape.columns, shape.type, data, luma.stride_bytes()};
}
const cv::Mat as_yuv_mat(const Frame&& frame) = delete;

/// One plane of a claimed frame, to draw into. Valid until it is published.
inline cv::Mat as_mat(FrameMut& frame, std::size_t plane = 0) {
  const auto view = frame.plane(plane);
  const auto shape = detail::mat_shape(frame.info(), plane);
  void* data = detail::mat_data(frame.info(), view, shape);
  return {static_cast<int>(view.rows()), shape.columns, shape.type, data, view.stride_bytes()};
}

}  // namespace framelane
