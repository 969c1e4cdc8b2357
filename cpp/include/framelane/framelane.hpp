/// Camera frames shared between processes without copying them.
///
///     framelane::ProducerOptions options;
///     options.layout = framelane::FrameLayout(framelane::PixelFormat::Nv12, 640, 480);
///     auto producer = framelane::Producer::create("camera", options);
///     auto consumer = framelane::Consumer::open("camera");
///
///     auto filled = producer.claim();             // a slot of shared memory
///     filled.plane(0)[0] = 128;                   // filled in place
///     filled.publish();
///     if (auto frame = consumer.next(std::chrono::seconds(1))) use(frame->plane(0));
///
/// Everything is move-only and gives back what it holds when it is destroyed. Times are
/// `std::chrono` durations, sizes and strides bytes, names ending in `_ns` nanoseconds. Producers
/// and frames may be used from several threads through `const` members, everything else by one
/// thread at a time. Failures are thrown as `Error`, or told by the `try_` twin of each call.
#pragma once

#include <framelane/consumer.hpp>
#include <framelane/error.hpp>
#include <framelane/format.hpp>
#include <framelane/frame.hpp>
#include <framelane/frame_mut.hpp>
#include <framelane/lanes.hpp>
#include <framelane/layout.hpp>
#include <framelane/options.hpp>
#include <framelane/plane.hpp>
#include <framelane/producer.hpp>
#include <framelane/record.hpp>
#include <framelane/shmbuf.hpp>
#include <framelane/span.hpp>
#include <framelane/stream_options.hpp>
#include <framelane/stream_reader.hpp>
#include <framelane/stream_writer.hpp>
#include <framelane/switch.hpp>
#include <framelane/switch_controller.hpp>
