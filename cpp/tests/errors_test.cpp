// Each failure has its kind and a sentence, thrown or told.
#include <cstring>
#include <sstream>

#include "place.hpp"

using framelane::Consumer;
using framelane::Error;
using framelane::ErrorKind;
using framelane::Producer;

TEST_F(Lane, AMissingLaneIsNotFoundWithThePlacesSearched) {
  try {
    Consumer::open("nobody", reading());
    FAIL() << "there is no such lane";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::NotFound);
    EXPECT_NE(std::strstr(error.what(), place.c_str()), nullptr) << error.what();
  }
  Error error;
  EXPECT_FALSE(Consumer::try_open("nobody", reading(), error));
  EXPECT_TRUE(error);
  EXPECT_EQ(error.kind(), ErrorKind::NotFound);
  EXPECT_FALSE(framelane::try_query("nobody", deadline, place, error));
  EXPECT_EQ(error.kind(), ErrorKind::NotFound);
}

TEST_F(Lane, WrongNamesAndOptionsAreNamed) {
  EXPECT_EQ(kind_of([&] { Producer::create("Not A Name", small()); }), ErrorKind::InvalidName);
  EXPECT_EQ(kind_of([&] { Producer::create("\xff", small()); }), ErrorKind::InvalidArgument);
  auto options = small();
  options.history = 90;
  EXPECT_EQ(kind_of([&] { Producer::create("lane", options); }), ErrorKind::InvalidArgument);
  auto none = reading();
  none.leases = 0;
  EXPECT_EQ(kind_of([&] { Consumer::open("lane", none); }), ErrorKind::InvalidArgument);
  using framelane::FrameLayout;
  EXPECT_EQ(kind_of([] { FrameLayout(framelane::PixelFormat::Yuyv, 3, 2); }),
            ErrorKind::InvalidArgument);
  Error error;
  EXPECT_FALSE(FrameLayout::try_make(framelane::PixelFormat::Grey, 0, 2, 1, error));
  EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(framelane::pixel_format("YUYV"), framelane::PixelFormat::Yuyv);
  EXPECT_EQ(kind_of([] { framelane::pixel_format("nv99"); }), ErrorKind::InvalidArgument);
  EXPECT_FALSE(framelane::try_pixel_format("nv99", error));
  EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(framelane::try_pixel_format("nv12", error), framelane::PixelFormat::Nv12);
  EXPECT_FALSE(error);
}

TEST_F(Lane, ASecondProducerIsRefused) {
  const auto producer = Producer::create("lane", small());
  Error error;
  EXPECT_FALSE(Producer::try_create("lane", small(), error));
  EXPECT_EQ(error.kind(), ErrorKind::AlreadyExists);
}

TEST_F(Lane, TooManyLeasesAndTooManyHeldFrames) {
  auto options = small();
  options.lease_budget = 2;
  const auto producer = Producer::create("lane", options);
  auto greedy = reading();
  greedy.leases = 3;
  EXPECT_EQ(kind_of([&] { Consumer::open("lane", greedy); }), ErrorKind::NoLeases);
  auto consumer = open();
  publish(producer, 1);
  auto held = consumer.next(deadline);
  publish(producer, 2);
  EXPECT_EQ(kind_of([&] { consumer.next(); }), ErrorKind::LeasesInUse);
  Error error;
  EXPECT_FALSE(consumer.try_next(error));
  EXPECT_EQ(error.kind(), ErrorKind::LeasesInUse);
  held->release();
  EXPECT_TRUE(consumer.try_next(error)) << error.what();
  EXPECT_FALSE(error) << "success clears it";
  EXPECT_EQ(error.what(), std::string());
}

TEST_F(Lane, WaitingForNothingIsNoError) {
  const auto producer = Producer::create("lane", small());
  auto consumer = open();
  Error error;
  EXPECT_FALSE(consumer.try_next(std::chrono::milliseconds(5), error));
  EXPECT_FALSE(error);
  EXPECT_FALSE(consumer.try_latest(error));
  EXPECT_FALSE(consumer.try_wait(std::chrono::milliseconds(5), error));
  EXPECT_FALSE(error);
  EXPECT_FALSE(consumer.wait(std::chrono::nanoseconds(-5)));
}

TEST_F(Lane, ClosedHandlesSaySo) {
  auto producer = Producer::create("lane", small());
  auto claimed = producer.claim();
  auto consumer = open();
  auto moved = std::move(producer);
  EXPECT_FALSE(producer);
  EXPECT_EQ(kind_of([&] { producer.claim(); }), ErrorKind::Closed);
  EXPECT_EQ(kind_of([&] { producer.report(); }), ErrorKind::Closed);
  Error error;
  EXPECT_FALSE(producer.try_report(error) || producer.try_claim(error));
  EXPECT_EQ(error.kind(), ErrorKind::Closed);
  EXPECT_EQ(producer.epoch(), 0U);
  moved.close();
  EXPECT_EQ(kind_of([&] { claimed.publish(); }), ErrorKind::Closed);
  consumer.close();
  EXPECT_EQ(kind_of([&] { consumer.next(); }), ErrorKind::Closed);
  EXPECT_EQ(kind_of([&] { consumer.closer(); }), ErrorKind::Closed);
  EXPECT_EQ(consumer.fd(), -1);
}

TEST_F(Lane, AConsumerThatDoesNotReattachIsDisconnected) {
  auto producer = Producer::create("lane", small());
  auto options = reading();
  options.reattach = false;
  auto consumer = Consumer::open("lane", options);
  producer.close();
  EXPECT_EQ(kind_of([&] { consumer.next(deadline); }), ErrorKind::Disconnected);
}

TEST_F(Lane, SizesAreChecked) {
  const auto producer = Producer::create("lane", small());
  auto filled = producer.claim();
  const std::vector<std::uint8_t> large(49);
  EXPECT_EQ(kind_of([&] { filled.copy_from(large); }), ErrorKind::TooLarge);
  EXPECT_EQ(kind_of([&] { filled.plane(2); }), ErrorKind::InvalidArgument);
  filled.copy_from(std::vector<std::uint8_t>(48, 3));
  filled.publish();
  auto consumer = open();
  auto frame = consumer.next(deadline);
  ASSERT_TRUE(frame);
  std::vector<std::uint8_t> copy(31);
  EXPECT_EQ(kind_of([&] { frame->copy_to(0, copy); }), ErrorKind::InvalidArgument);
  copy.resize(32);
  Error error;
  EXPECT_TRUE(frame->try_copy_to(0, copy, error)) << error.what();
  EXPECT_EQ(copy[31], 3);
  EXPECT_TRUE(frame->try_plane(2, error).empty());
  EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
}

TEST(ErrorKinds, HaveTheNamesOfTheSchema) {
  EXPECT_EQ(framelane::name(ErrorKind::NoFreeSlot), "no_free_slot");
  std::ostringstream out;
  out << ErrorKind::Revoked;
  EXPECT_EQ(out.str(), "revoked");
}
