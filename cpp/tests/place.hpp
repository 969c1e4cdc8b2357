/// A lane directory of its own for each test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <framelane/framelane.hpp>
#include <functional>
#include <string>
#include <thread>

inline constexpr std::chrono::seconds deadline{20};

class Lane : public testing::Test {
 protected:
  Lane() {
    std::string pattern = "/dev/shm/framelane-XXXXXX";  // where a shmbuf segment can be made
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    place = pattern;
  }
  ~Lane() override { std::filesystem::remove_all(place); }

  /// NV12, 8 x 4.
  framelane::ProducerOptions small() const {
    framelane::ProducerOptions options;
    options.layout = framelane::FrameLayout(framelane::PixelFormat::Nv12, 8, 4);
    options.directory = place;
    return options;
  }
  framelane::ConsumerOptions reading(framelane::Mode mode = framelane::Mode::Latest) const {
    framelane::ConsumerOptions options;
    options.mode = mode;
    options.directory = place;
    return options;
  }
  framelane::Consumer open(framelane::Mode mode = framelane::Mode::Latest,
                           std::uint32_t leases = 1) const {
    auto options = reading(mode);
    options.leases = leases;
    return framelane::Consumer::open("lane", options);
  }

  std::string place;
};

/// Publishes a frame whose first byte is `first`.
inline std::uint64_t publish(const framelane::Producer& producer, std::uint8_t first) {
  auto frame = producer.claim();
  frame.plane(0)[0] = first;
  return frame.publish();
}

/// The kind of the error that a call throws; Ok when it throws none.
inline framelane::ErrorKind kind_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const framelane::Error& error) {
    return error.kind();
  }
  return framelane::ErrorKind::Ok;
}

/// Whether something comes true in time.
inline bool until(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}
