// What a frame costs in C++: see bench/README.md.
#include <algorithm>
#include <ctime>
#include <framelane/framelane.hpp>
#include <iostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

// Where a plane is looked at, so that the look is not left out.
const std::uint8_t* volatile seen;

std::uint64_t now_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

void publish(const framelane::Producer& producer) {
  auto frame = producer.claim();
  seen = frame.plane(0).data();
  frame.publish();
}

void hand_over(const framelane::Producer& producer, framelane::Consumer& consumer) {
  publish(producer);
  auto frame = consumer.next();
  seen = frame->plane(0).data();
  frame->release();
}

void cost(const std::string& lane, std::uint64_t frames) {
  framelane::ProducerOptions options;
  options.layout = framelane::FrameLayout(framelane::PixelFormat::Nv12, 640, 480);
  const auto producer = framelane::Producer::create(lane, options);
  auto consumer = framelane::Consumer::open(lane);
  for (std::uint64_t n = 0; n < frames; ++n) hand_over(producer, consumer);
  const auto start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (std::uint64_t n = 0; n < frames; ++n) publish(producer);
  const auto middle = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (std::uint64_t n = 0; n < frames; ++n) hand_over(producer, consumer);
  const auto first = middle - start;
  const auto second = now_ns(CLOCK_PROCESS_CPUTIME_ID) - middle;
  std::cout << "producer_ns=" << first / frames
            << " consumer_ns=" << (second > first ? second - first : 0) / frames << '\n';
}

void paced(const std::string& lane, std::size_t frames) {
  framelane::ConsumerOptions options;
  options.wait_for_lane = 10s;
  auto consumer = framelane::Consumer::open(lane, options);
  std::vector<std::uint64_t> times;
  while (times.size() < frames) {
    auto frame = consumer.next(5s);
    if (!frame) throw std::runtime_error("no frame for 5 s");
    const auto& info = frame->info();
    times.push_back(now_ns(CLOCK_MONOTONIC) - info.publish_ns);
  }
  std::sort(times.begin(), times.end());
  std::cout << "p50_ns=" << times[frames / 2] << '\n';
}

}  // namespace

int main(int count, char** words) try {
  const std::string what = count == 4 ? words[1] : "";
  if (what == "cost") {
    cost(words[2], std::stoull(words[3]));
  } else if (what == "paced") {
    paced(words[2], std::stoul(words[3]));
  } else {
    std::cerr << "per-frame cost|paced LANE FRAMES\n";
    return 2;
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
