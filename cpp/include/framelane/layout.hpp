/// The shared layout under the names of the API: enums, the frame descriptor, reports.
#pragma once

#include <framelane_layout.hpp>

#include <chrono>

namespace framelane {

using layout::ClockId;
using layout::ColorMatrix;
using layout::ColorRange;
using layout::ColorTransfer;
using layout::ConsumerReport;
using layout::ErrorKind;
using layout::MemoryKind;
using layout::Mode;
using layout::PixelFormat;
using layout::Plane;
using layout::Report;
namespace frame_flag = layout::frame_flag;
namespace lane_flag = layout::lane_flag;

/// What a frame is: geometry, times, exposure, user data. `sequence`, `publish_ns` and
/// `valid_until_ns` are set at publish. Enums hold what the producer wrote, be it any number.
using FrameInfo = layout::FrameDescriptor;

/// All times. Longer ones, as `std::chrono::hours::max()`, must not be converted to it.
using Duration = std::chrono::nanoseconds;

}  // namespace framelane
