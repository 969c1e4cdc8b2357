// Views: never of a temporary, never past their end.
#include <array>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "place.hpp"

using framelane::Frame;
using framelane::FrameMut;
using framelane::span;

template <class T, class = void>
constexpr bool gives_plane = false;
template <class T>
constexpr bool gives_plane<T, std::void_t<decltype(std::declval<T>().plane(0))>> = true;
template <class T, class = void>
constexpr bool gives_info = false;
template <class T>
constexpr bool gives_info<T, std::void_t<decltype(std::declval<T>().info())>> = true;

static_assert(gives_plane<Frame&> && gives_plane<const Frame&> && gives_info<const Frame&>);
static_assert(!gives_plane<Frame> && !gives_plane<const Frame> && !gives_info<Frame>);
static_assert(gives_plane<FrameMut&> && !gives_plane<FrameMut> && !gives_info<FrameMut>);
static_assert(!gives_plane<const FrameMut&>);

static_assert(std::is_convertible_v<std::vector<int>&, span<int>>);
static_assert(std::is_convertible_v<std::vector<int>&, span<const int>>);
static_assert(std::is_convertible_v<const std::vector<int>&, span<const int>>);
static_assert(!std::is_convertible_v<const std::vector<int>&, span<int>>);
static_assert(std::is_convertible_v<span<int>, span<const int>>);
static_assert(!std::is_convertible_v<span<const int>, span<int>>);
static_assert(!std::is_convertible_v<std::vector<long>&, span<int>>);

using framelane::PlaneView;
using framelane::PlaneViewMut;
static_assert(std::is_convertible_v<PlaneView, span<const std::uint8_t>>);
static_assert(std::is_convertible_v<PlaneViewMut, span<std::uint8_t>>);
static_assert(!std::is_convertible_v<PlaneView, span<std::uint8_t>>);
#if __cplusplus >= 202002L
static_assert(std::is_convertible_v<const PlaneView&, std::span<const std::uint8_t>>);
#endif

TEST(Span, ViewsArraysAndParts) {
  std::array<int, 4> numbers{1, 2, 3, 4};
  const span<const int> all(numbers);
  EXPECT_EQ(all.size(), 4U);
  EXPECT_EQ(all.subspan(1, 2)[1], 3);
  int sum = 0;
  for (const int number : all) sum += number;
  EXPECT_EQ(sum, 10);
  EXPECT_TRUE(span<int>().empty());
#if __cplusplus >= 202002L
  const std::span<const int> standard = all;
  EXPECT_EQ(standard.size(), 4U);
#endif
}

TEST_F(Lane, PlanesHaveTheirStrides) {
  framelane::ProducerOptions options;
  options.layout = framelane::FrameLayout(framelane::PixelFormat::I420, 5, 3, 16);
  options.directory = place;
  EXPECT_EQ(options.layout->total_bytes, 16U * (3 + 2 + 2));
  const auto producer = framelane::Producer::create("lane", options);
  auto consumer = open();
  auto filled = producer.claim();
  for (std::size_t plane = 0; plane < 3; ++plane) {
    auto view = filled.plane(plane);
    for (std::uint32_t y = 0; y < view.rows(); ++y) {
      view.row(y)[0] = static_cast<std::uint8_t>(10 * plane + y);
    }
  }
  filled.publish();
  auto frame = consumer.next(deadline);
  ASSERT_TRUE(frame);
  for (std::size_t plane = 0; plane < 3; ++plane) {
    const auto view = frame->plane(plane);
    EXPECT_EQ(view.stride_bytes(), 16U);
    EXPECT_EQ(view.rows(), plane == 0 ? 3U : 2U);
    EXPECT_FALSE(view.revocable());
    EXPECT_EQ(view.row(1)[0], 10 * plane + 1);
    EXPECT_EQ(view.row(1).size(), 16U);
    EXPECT_TRUE(view.row(99).empty());
  }
}

TEST_F(Lane, ALayoutAppliesToADescription) {
  const framelane::FrameLayout layout(framelane::PixelFormat::Nv12, 6, 4, 8);
  framelane::FrameInfo info{};
  layout.apply(info);
  EXPECT_EQ(info.fourcc, static_cast<std::uint32_t>(framelane::PixelFormat::Nv12));
  EXPECT_EQ(info.plane_count, 2);
  EXPECT_EQ(info.planes[1].offset_bytes, 32U);
  EXPECT_EQ(info.planes[1].buffer_index, -1);
}
