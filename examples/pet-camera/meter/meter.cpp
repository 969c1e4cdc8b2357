// Measures brightness, contrast and sharpness of the newest frame, again and again:
//
//   meter [LANE [RESULTS]]
//
// LANE is a frame lane or a switch, read where the camera put the frames. Each record of the stream
// lane RESULTS is JSON and has the capture id of the frame it is about. It ends well at SIGINT and
// SIGTERM.
#include <csignal>
#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>

#include "picture.hpp"
#include "source.hpp"

namespace {

/// How long to wait before looking whether to end.
constexpr std::chrono::milliseconds patience{500};

volatile std::sig_atomic_t ended = 0;

void end_at_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { ended = 1; };
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

std::string json(const framelane::FrameInfo& info, const Measures& measures) {
  char text[256];
  const int length = std::snprintf(
      text, sizeof text,
      R"({"capture_id": %llu, "sequence": %llu, "camera_id": %u, )"
      R"("brightness": %.1f, "contrast": %.1f, "sharpness": %.1f})",
      static_cast<unsigned long long>(info.capture_id),
      static_cast<unsigned long long>(info.sequence), info.camera_id, measures.brightness,
      measures.contrast, measures.sharpness);
  return {text, static_cast<std::size_t>(length)};
}

/// Nothing is told of a frame whose memory was taken back while it was looked at.
void look(const framelane::Frame& frame, const framelane::StreamWriter& results) {
  const auto& info = frame.info();
  if (!has_luma(info.fourcc)) throw std::runtime_error("only nv12, i420 and grey have luma");
  const auto measures = measure(frame.plane(0), info.width, info.height);
  if (!frame.check()) return;
  const auto text = json(info, measures);
  auto about = framelane::record_info();
  about.capture_id = info.capture_id;
  about.pts_ns = static_cast<std::int64_t>(info.publish_ns);
  about.flags = framelane::record_flag::key;
  const framelane::span<const std::uint8_t> bytes(
      reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  results.write(about, {&bytes, 1});
}

}  // namespace

int main(int count, char** arguments) try {
  const std::string lane = count > 1 ? arguments[1] : "pet_camera_active_zc";
  const std::string name = count > 2 ? arguments[2] : "pet_camera_meter";
  end_at_signals();

  const auto results = framelane::StreamWriter::create(
      name, framelane::stream_config(framelane::Codec::Json));
  std::optional<Source> source;
  while (!ended && !source) source = Source::open(lane, patience);
  while (!ended) {
    if (const auto frame = source->next(patience)) look(*frame, results);
  }
} catch (const std::exception& error) {
  std::cerr << "meter: " << error.what() << '\n';
  return 1;
}
