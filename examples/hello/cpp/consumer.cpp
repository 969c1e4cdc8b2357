// Prints what it reads: consumer [LANE [FRAMES]].
#include <framelane/framelane.hpp>
#include <iostream>
#include <string>

constexpr std::chrono::seconds patience{10};

int main(int count, char** arguments) try {
  const std::string lane = count > 1 ? arguments[1] : "hello";
  const unsigned long frames = count > 2 ? std::stoul(arguments[2]) : 30;

  framelane::ConsumerOptions options;
  options.mode = framelane::Mode::Ordered;
  options.wait_for_lane = patience;
  auto consumer = framelane::Consumer::open(lane, options);
  for (unsigned long n = 0; n < frames; ++n) {
    const auto frame = consumer.next(patience);
    if (!frame) throw std::runtime_error("no frame for 10 s");
    const auto& what = frame->info();
    std::cout << "frame " << frame->sequence() << ' ' << what.width << 'x' << what.height
              << " first byte " << unsigned{frame->plane(0)[0]} << std::endl;
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
