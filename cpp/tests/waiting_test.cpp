// Readers that sleep are woken: by frames, by a descriptor, by a closer on another thread.
#include <poll.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "place.hpp"

using framelane::ErrorKind;
using framelane::Producer;

TEST_F(Lane, ASleepingReaderIsWokenByAFrame) {
  const auto producer = Producer::create("lane", small());
  auto consumer = open();
  auto reading = std::async(std::launch::async, [&] { return consumer.next(deadline); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  publish(producer, 3);
  auto frame = reading.get();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->plane(0)[0], 3) << "the frame moved to another thread";
}

TEST_F(Lane, ACloserEndsASleepFromAnotherThread) {
  const auto producer = Producer::create("lane", small());
  auto consumer = open();
  publish(producer, 9);
  auto held = consumer.next(deadline);
  ASSERT_TRUE(held);
  const auto closer = consumer.closer();
  std::thread other([copy = closer] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    copy.close();
  });
  EXPECT_EQ(kind_of([&] { consumer.wait(deadline); }), ErrorKind::Closed);
  other.join();
  EXPECT_EQ(kind_of([&] { consumer.next(deadline); }), ErrorKind::Closed);
  EXPECT_EQ(held->plane(0)[0], 9) << "held frames stay valid";
  consumer.close();
  closer.close();
}

TEST_F(Lane, TheDescriptorWakesAnEventLoop) {
  const auto producer = Producer::create("lane", small());
  auto consumer = open();
  pollfd watched{consumer.fd(), POLLIN, 0};
  ASSERT_GE(watched.fd, 0);
  while (poll(&watched, 1, 0) == 1) ASSERT_FALSE(consumer.next()) << "nothing was published";
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    publish(producer, 4);
  });
  ASSERT_EQ(poll(&watched, 1, 20'000), 1);
  other.join();
  auto frame = consumer.next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->plane(0)[0], 4);
}

TEST_F(Lane, AnOpenWaitsForItsProducer) {
  auto options = reading();
  options.wait_for_lane = deadline;
  auto opening = std::async(std::launch::async,
                            [&] { return framelane::Consumer::open("lane", options); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto producer = Producer::create("lane", small());
  EXPECT_EQ(opening.get().epoch(), producer.epoch());
}

TEST_F(Lane, AProducerServesSeveralThreads) {
  auto options = small();
  options.claims = 4;
  const auto producer = Producer::create("lane", options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::uint8_t n = 0; n < 100; ++n) publish(producer, n);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(producer.report().published, 400U);
}

TEST_F(Lane, AFrameIsReadByTwoThreads) {
  const auto producer = Producer::create("lane", small());
  auto consumer = open();
  publish(producer, 6);
  auto frame = consumer.next(deadline);
  ASSERT_TRUE(frame);
  std::atomic<int> right{0};
  const auto look = [&] {
    const framelane::Frame& shared = *frame;
    right += shared.info().width == 8 && shared.plane(0)[0] == 6 && shared.check();
  };
  std::thread other(look);
  look();
  other.join();
  EXPECT_EQ(right, 2);
}
