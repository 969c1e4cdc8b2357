// shmbuf rings: whole messages in order, and a full ring is told.
#include <thread>
#include <type_traits>
#include <vector>

#include "place.hpp"

using framelane::Error;
using framelane::ErrorKind;
using framelane::ShmbufReceiver;
using framelane::ShmbufSender;
using Bytes = std::vector<std::uint8_t>;

template <class T>
constexpr bool move_only = std::is_nothrow_move_constructible_v<T> &&
                           std::is_nothrow_move_assignable_v<T> && !std::is_copy_constructible_v<T>;
static_assert(move_only<ShmbufSender> && move_only<ShmbufReceiver>);

namespace {

class Shmbuf : public Lane {
 protected:
  framelane::ShmbufSenderOptions sending(std::uint64_t capacity = 100) const {
    framelane::ShmbufSenderOptions options;
    options.capacity_bytes = capacity;
    options.directory = place;
    return options;
  }
  framelane::ShmbufReceiverOptions receiving(bool bell = false) const {
    framelane::ShmbufReceiverOptions options;
    options.directory = place;
    options.bell = bell;
    return options;
  }
  ShmbufSender create(bool bell = false) const {
    auto options = sending();
    options.bell = bell;
    return ShmbufSender::create("ring", options);
  }
  ShmbufReceiver attach(bool bell = false) const {
    return ShmbufReceiver::open("/ring", receiving(bell));
  }
};

}  // namespace

TEST_F(Shmbuf, MessagesArriveInOrderAndWrap) {
  auto sender = create();
  auto receiver = attach();
  EXPECT_EQ(sender.capacity(), 64U);
  EXPECT_EQ(receiver.capacity(), 64U);
  EXPECT_TRUE(sender.has_receiver());
  EXPECT_FALSE(receiver.next());
  Bytes read;
  for (std::uint8_t n = 1; n <= 30; ++n) {
    ASSERT_TRUE(sender.send(Bytes(n, n)));
    ASSERT_EQ(receiver.wait(deadline), n);
    ASSERT_TRUE(receiver.next(read, deadline));
    ASSERT_EQ(read, Bytes(n, n));
  }
  EXPECT_EQ(sender.sent(), 30U);
  EXPECT_EQ(receiver.received(), 30U);
}

TEST_F(Shmbuf, AFullRingIsToldAndWaitedFor) {
  auto sender = create(true);
  auto receiver = attach(true);
  EXPECT_TRUE(sender.send(Bytes(60, 1)));
  EXPECT_FALSE(sender.send(Bytes(1, 2)));
  EXPECT_EQ(sender.times_full(), 1U);
  EXPECT_EQ(sender.unread(), 64U);
  Error error;
  EXPECT_FALSE(sender.try_send(Bytes(1, 2), std::chrono::milliseconds(2), error));
  EXPECT_FALSE(error) << error.what();
  EXPECT_FALSE(sender.drain(std::chrono::milliseconds(2)));
  std::thread reading([&] {
    EXPECT_EQ(receiver.next(deadline), Bytes(60, 1));
    EXPECT_EQ(receiver.next(deadline), Bytes(1, 2));
  });
  EXPECT_TRUE(sender.send(Bytes(1, 2), deadline));
  EXPECT_TRUE(sender.drain(deadline));
  reading.join();
}

TEST_F(Shmbuf, AMessageThatDoesNotFitStays) {
  auto sender = create();
  auto receiver = attach();
  sender.send(Bytes(9, 7));
  Bytes room(8);
  EXPECT_EQ(kind_of([&] { receiver.next_into(room); }), ErrorKind::TooLarge);
  room.resize(20);
  EXPECT_EQ(receiver.next_into(room), 9U);
  EXPECT_EQ(room[8], 7);
  sender.send(Bytes(3, 1));
  EXPECT_TRUE(receiver.skip());
  EXPECT_FALSE(receiver.skip());
  EXPECT_EQ(receiver.empty(), 0U);
}

TEST_F(Shmbuf, FailuresHaveTheirKinds) {
  EXPECT_EQ(kind_of([&] { attach(); }), ErrorKind::NotFound);
  EXPECT_EQ(kind_of([&] { ShmbufSender::create("ring", sending(0)); }),
            ErrorKind::InvalidArgument);
  const std::string long_name(63, 'n');
  EXPECT_EQ(kind_of([&] { ShmbufSender::create(long_name, sending()); }), ErrorKind::InvalidName);
  auto sender = create();
  Error error;
  EXPECT_FALSE(ShmbufSender::try_create("ring", sending(), error));
  EXPECT_EQ(error.kind(), ErrorKind::AlreadyExists);
  EXPECT_EQ(kind_of([&] { framelane::remove_shmbuf("ring", place); }), ErrorKind::AlreadyExists);
  EXPECT_EQ(kind_of([&] { sender.send(Bytes()); }), ErrorKind::InvalidArgument);
  EXPECT_EQ(kind_of([&] { sender.send(Bytes(sender.longest_message() + 1)); }),
            ErrorKind::TooLarge);
  const auto receiver = attach();
  EXPECT_EQ(kind_of([&] { attach(); }), ErrorKind::TooMany);
  sender.close();
  EXPECT_EQ(kind_of([&] { sender.send(Bytes(1)); }), ErrorKind::Closed);
  EXPECT_FALSE(framelane::try_remove_shmbuf("ring", place, error));
  EXPECT_FALSE(error) << "there is none";
  auto cut = sending();
  cut.directory.push_back('\0');
  EXPECT_EQ(kind_of([&] { ShmbufSender::create("ring", cut); }), ErrorKind::InvalidArgument);
}

TEST_F(Shmbuf, ARestartedSenderIsFoundOrTheEndIsTold) {
  auto first = create();
  auto receiver = attach();
  first.send(Bytes(1, 1));
  first.close();
  auto second = create();
  second.send(Bytes(1, 2));
  EXPECT_EQ(receiver.next(deadline), Bytes(1, 1));
  EXPECT_EQ(receiver.next(deadline), Bytes(1, 2));
  EXPECT_EQ(receiver.restarts(), 1U);
  receiver.close();
  auto options = receiving();
  options.reattach = false;
  auto last = ShmbufReceiver::open("ring", options);
  second.close();
  EXPECT_EQ(kind_of([&] { last.next(deadline); }), ErrorKind::Disconnected);
}
