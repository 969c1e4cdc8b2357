// Publishes numbered frames: producer [LANE [FRAMES]].
#include <framelane/framelane.hpp>
#include <iostream>
#include <string>
#include <thread>

int main(int count, char** arguments) try {
  const std::string lane = count > 1 ? arguments[1] : "hello";
  const unsigned long frames = count > 2 ? std::stoul(arguments[2]) : 30;

  framelane::ProducerOptions options;
  options.layout = framelane::FrameLayout(framelane::PixelFormat::Nv12, 640, 480);
  const auto producer = framelane::Producer::create(lane, options);
  for (unsigned long number = 1; number <= frames; ++number) {
    auto frame = producer.claim();
    for (std::size_t plane = 0; plane < 2; ++plane) {
      frame.plane(plane)[0] = static_cast<std::uint8_t>(number);
    }
    frame.publish();
    std::this_thread::sleep_for(std::chrono::microseconds(1'000'000 / 30));
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
