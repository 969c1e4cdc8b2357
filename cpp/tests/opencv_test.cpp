// The views for OpenCV, against a stand-in for cv::Mat.
#include <framelane/opencv.hpp>
#include <type_traits>

#include "place.hpp"

template <class T, class = void>
constexpr bool gives_mat = false;
template <class T>
constexpr bool gives_mat<T, std::void_t<decltype(framelane::as_mat(std::declval<T>()))>> = true;
static_assert(gives_mat<const framelane::Frame&> && !gives_mat<framelane::Frame>);
static_assert(std::is_const_v<decltype(
                  framelane::as_mat(std::declval<const framelane::Frame&>()))>);

TEST_F(Lane, PlanesAreMatsWithoutACopy) {
  const auto producer = framelane::Producer::create("lane", small());
  auto consumer = open();
  auto filled = producer.claim();
  cv::Mat chroma = framelane::as_mat(filled, 1);
  chroma.data[3] = 5;
  filled.publish();
  auto frame = consumer.next(deadline);
  ASSERT_TRUE(frame);
  const cv::Mat luma = framelane::as_mat(*frame);
  EXPECT_EQ(luma.data, frame->plane(0).data());
  EXPECT_EQ(luma.rows, 4);
  EXPECT_EQ(luma.cols, 8);
  EXPECT_EQ(luma.type(), CV_8UC1);
  const cv::Mat colours = framelane::as_mat(*frame, 1);
  EXPECT_EQ(colours.rows, 2);
  EXPECT_EQ(colours.cols, 4);
  EXPECT_EQ(colours.type(), CV_8UC2);
  EXPECT_EQ(colours.data[3], 5);
  const cv::Mat whole = framelane::as_yuv_mat(*frame);
  EXPECT_EQ(whole.rows, 6);
  EXPECT_EQ(whole.step, 8U);
  EXPECT_EQ(kind_of([&] { framelane::as_mat(*frame, 2); }), framelane::ErrorKind::InvalidArgument);
}

TEST_F(Lane, AMatKeepsTheStrideAndRefusesOtherFormats) {
  framelane::ProducerOptions options;
  options.layout = framelane::FrameLayout(framelane::PixelFormat::Bgr24, 5, 3, 64);
  options.directory = place;
  const auto producer = framelane::Producer::create("lane", options);
  auto consumer = open();
  producer.claim().publish();
  {
    auto frame = consumer.next(deadline);
    ASSERT_TRUE(frame);
    const cv::Mat mat = framelane::as_mat(*frame);
    EXPECT_EQ(mat.type(), CV_8UC3);
    EXPECT_EQ(mat.step, 64U);
    EXPECT_EQ(kind_of([&] { framelane::as_yuv_mat(*frame); }), framelane::ErrorKind::Unsupported);
  }
  auto odd = producer.claim();
  odd.info().fourcc = 1;
  odd.publish();
  auto frame = consumer.next(deadline);
  EXPECT_EQ(kind_of([&] { framelane::as_mat(*frame); }), framelane::ErrorKind::Unsupported);
  frame.reset();
  auto lying = producer.claim();
  lying.info().width = 30;
  lying.publish();
  frame = consumer.next(deadline);
  EXPECT_EQ(kind_of([&] { framelane::as_mat(*frame); }), framelane::ErrorKind::Protocol);
}

TEST_F(Lane, OnlyWholePlanesMakeOneYuvPicture) {
  framelane::ProducerOptions options;
  options.directory = place;
  options.layout = framelane::FrameLayout(framelane::PixelFormat::I420, 24, 4, 16);
  const auto padded = framelane::Producer::create("padded", options);
  padded.claim().publish();
  auto reader = framelane::Consumer::open("padded", reading());
  auto frame = reader.next(deadline);
  ASSERT_TRUE(frame);
  EXPECT_EQ(kind_of([&] { framelane::as_yuv_mat(*frame); }), framelane::ErrorKind::Unsupported);

  const auto producer = framelane::Producer::create("lane", small());
  auto consumer = open();
  auto lying = producer.claim();
  lying.info().planes[1].size_bytes = 0;
  lying.publish();
  frame = consumer.next(deadline);
  ASSERT_TRUE(frame);
  EXPECT_EQ(kind_of([&] { framelane::as_yuv_mat(*frame); }), framelane::ErrorKind::Unsupported);
}
