// What a producer publishes is what a consumer reads, in each mode.
#include <type_traits>
#include <utility>
#include <vector>

#include "place.hpp"

using framelane::Consumer;
using framelane::Frame;
using framelane::FrameMut;
using framelane::Mode;
using framelane::Producer;

template <class T>
constexpr bool move_only = std::is_nothrow_move_constructible_v<T> &&
                           std::is_nothrow_move_assignable_v<T> &&
                           !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T>;
static_assert(move_only<Producer> && move_only<Consumer> && move_only<Frame> &&
              move_only<FrameMut>);
static_assert(std::is_copy_constructible_v<framelane::Closer>);

TEST_F(Lane, HandsOverFramesInPlace) {
  const auto producer = Producer::create("lane", small());
  auto consumer = open();
  EXPECT_FALSE(consumer.next()) << "nothing was published";

  auto filled = producer.claim();
  EXPECT_EQ(filled.info().width, 8U);
  EXPECT_EQ(filled.payload().size(), 48U);
  filled.info().capture_id = 41;
  filled.info().user_data[63] = 9;
  for (auto& byte : filled.plane(0)) byte = 7;
  filled.plane(1)[15] = 8;
  EXPECT_EQ(filled.publish(), 1U);
  EXPECT_FALSE(filled) << "publishing empties it";

  auto frame = consumer.next(deadline);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->sequence(), 1U);
  EXPECT_EQ(frame->epoch(), producer.epoch());
  EXPECT_EQ(frame->missed(), 0U);
  EXPECT_FALSE(frame->new_epoch());
  EXPECT_EQ(frame->info().capture_id, 41U);
  EXPECT_EQ(frame->info().user_data[63], 9);
  EXPECT_EQ(frame->info().sequence, 1U);
  EXPECT_EQ(frame->plane_count(), 2U);
  EXPECT_EQ(frame->plane(0).size(), 32U);
  EXPECT_EQ(frame->plane(0)[31], 7);
  EXPECT_EQ(frame->plane(1)[15], 8);
  EXPECT_TRUE(frame->check());
  frame->release();
  EXPECT_FALSE(*frame);
  EXPECT_EQ(consumer.received(), 1U);
}

TEST_F(Lane, LatestSkipsAndCounts) {
  const auto producer = Producer::create("lane", small());
  auto consumer = open();
  publish(producer, 1);
  EXPECT_EQ(consumer.next(deadline)->missed(), 0U);
  for (std::uint8_t n = 2; n <= 5; ++n) publish(producer, n);
  auto frame = consumer.next(deadline);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->plane(0)[0], 5);
  EXPECT_EQ(frame->missed(), 3U);
  EXPECT_EQ(consumer.missed(), 3U);
  frame.reset();
  EXPECT_FALSE(consumer.next()) << "delivered before";
  auto again = consumer.latest();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->sequence(), 5U);
}

TEST_F(Lane, OrderedReadsTheHistory) {
  auto options = small();
  options.history = 3;
  const auto producer = Producer::create("lane", options);
  auto consumer = open(Mode::Ordered);
  for (std::uint8_t n = 1; n <= 4; ++n) publish(producer, n);
  for (std::uint64_t n = 1; n <= 4; ++n) {
    auto frame = consumer.next(deadline);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->sequence(), n);
  }
}

TEST_F(Lane, LosslessMakesTheProducerWait) {
  auto options = small();
  options.lossless = true;
  options.history = 0;
  const auto producer = Producer::create("lane", options);
  auto consumer = open(Mode::Lossless);
  publish(producer, 1);
  framelane::Error error;
  EXPECT_FALSE(producer.try_claim_within(std::chrono::milliseconds(20), error));
  EXPECT_EQ(error.kind(), framelane::ErrorKind::NoFreeSlot);
  EXPECT_EQ(consumer.next(deadline)->sequence(), 1U);
  auto claimed = producer.claim_within(deadline);
  EXPECT_EQ(claimed.publish(), 2U);
  EXPECT_EQ(kind_of([&] { consumer.latest(); }), framelane::ErrorKind::Unsupported);
}

TEST_F(Lane, PublishesABatchInOrder) {
  auto options = small();
  options.claims = 3;
  options.history = 3;
  const auto producer = Producer::create("lane", options);
  auto consumer = open(Mode::Ordered);
  std::vector<FrameMut> batch;
  for (std::uint8_t n = 1; n <= 3; ++n) {
    batch.push_back(producer.claim());
    batch.back().plane(0)[0] = n;
  }
  EXPECT_EQ(producer.publish_batch(batch), 3U);
  for (const auto& frame : batch) EXPECT_FALSE(frame);
  for (std::uint8_t n = 1; n <= 3; ++n) EXPECT_EQ(consumer.next(deadline)->plane(0)[0], n);
  EXPECT_EQ(kind_of([&] { producer.publish_batch(batch); }),
            framelane::ErrorKind::InvalidArgument);
  EXPECT_EQ(kind_of([&] { producer.publish_batch({}); }), framelane::ErrorKind::InvalidArgument);
}

TEST_F(Lane, MovedAndDestroyedHandlesGiveBackWhatTheyHeld) {
  const auto producer = Producer::create("lane", small());
  auto consumer = open(Mode::Latest, 2);
  {
    auto first = producer.claim();
    auto second = std::move(first);
    EXPECT_FALSE(first);
    EXPECT_EQ(kind_of([&] { first.info(); }), framelane::ErrorKind::InvalidArgument);
    second = producer.try_claim(*std::make_unique<framelane::Error>()).value_or(FrameMut());
  }
  EXPECT_EQ(producer.report().abandoned, 1U) << "claims is 1: the second claim failed";
  publish(producer, 1);
  auto frame = consumer.next(deadline);
  ASSERT_TRUE(frame);
  Frame moved = std::move(*frame);
  EXPECT_FALSE(*frame);
  EXPECT_EQ(kind_of([&] { frame->plane(0); }), framelane::ErrorKind::InvalidArgument);
  EXPECT_EQ(kind_of([&] { frame->info(); }), framelane::ErrorKind::InvalidArgument);
  EXPECT_EQ(consumer.held(), 1U);
  publish(producer, 2);
  moved = std::move(*consumer.next(deadline));
  EXPECT_EQ(moved.sequence(), 2U);
  EXPECT_EQ(consumer.held(), 1U) << "the first was given back";
  moved = Frame();
  EXPECT_EQ(consumer.held(), 0U);
}

TEST_F(Lane, HeldFramesOutliveConsumerAndProducer) {
  auto producer = Producer::create("lane", small());
  publish(producer, 77);
  auto consumer = open();
  auto frame = consumer.next(deadline);
  ASSERT_TRUE(frame);
  consumer.close();
  producer.close();
  EXPECT_FALSE(consumer);
  EXPECT_EQ(frame->plane(0)[0], 77);
  EXPECT_TRUE(frame->check());
}

TEST_F(Lane, FollowsARestartedProducer) {
  auto producer = Producer::create("lane", small());
  auto consumer = open();
  const auto before = consumer.epoch();
  producer.close();
  producer = Producer::create("lane", small());
  publish(producer, 5);
  auto frame = consumer.next(deadline);
  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->new_epoch());
  EXPECT_NE(frame->epoch(), before);
  EXPECT_EQ(frame->epoch(), producer.epoch());
}

TEST_F(Lane, TellsAboutItself) {
  auto options = small();
  options.history = 2;
  const auto producer = Producer::create("lane", options);
  EXPECT_EQ(producer.name(), "lane");
  EXPECT_EQ(producer.directory(), place);
  auto consumer = open(Mode::Latest, 2);
  EXPECT_EQ(producer.consumers(), 1U);
  const auto info = consumer.lane();
  ASSERT_TRUE(info);
  EXPECT_EQ(info->name, "lane");
  EXPECT_EQ(info->epoch, producer.epoch());
  EXPECT_EQ(info->history, 2U);
  EXPECT_EQ(info->leases, 2U);
  EXPECT_EQ(info->payload_bytes, 48U);
  const auto lanes = framelane::discover(place);
  ASSERT_EQ(lanes.size(), 1U);
  EXPECT_EQ(lanes[0].name, "lane");
  EXPECT_EQ(lanes[0].directory, place);
  framelane::Error error;
  EXPECT_EQ(framelane::try_discover(place, error).size(), 1U);
  EXPECT_TRUE(producer.try_report(error));
  EXPECT_TRUE(consumer.try_closer(error));
  EXPECT_FALSE(error);
  const auto report = framelane::query("lane", deadline, place);
  EXPECT_EQ(report.epoch, producer.epoch());
  EXPECT_EQ(report.consumer_count, 1U);
  EXPECT_EQ(report.leases_granted, producer.report().leases_granted);
  EXPECT_GT(framelane::monotonic_ns(), 0U);
}
