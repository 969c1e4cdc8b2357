// Uses both APIs of one library in one program.
#include <framelane.h>

#include <framelane/framelane.hpp>
#include <iostream>

#if __cplusplus >= 202002L
#include <span>
static_assert(std::is_convertible_v<framelane::PlaneView, std::span<const std::uint8_t>>);
static_assert(std::is_convertible_v<framelane::span<int>, std::span<int>>);
#endif

extern "C" int read_with_c(const char* lane, uint8_t* first);

int main() {
  using namespace framelane;
  try {
    ProducerOptions options;
    options.layout = FrameLayout(PixelFormat::Grey, 4, 4);
    const auto producer = Producer::create("package", options);
    auto frame = producer.claim();
    frame.plane(0)[0] = 42;
    frame.publish();
    std::uint8_t first = 0;
    if (read_with_c("package", &first) != 0 || first != 42) {
      std::cerr << "C reads " << int{first} << '\n';
      return 1;
    }
    auto consumer = Consumer::open("package");
    return consumer.next(std::chrono::seconds(10))->plane(0)[0] == 42 ? 0 : 1;
  } catch (const Error& error) {
    std::cerr << error.kind() << ": " << error.what() << '\n';
    return 1;
  }
}
