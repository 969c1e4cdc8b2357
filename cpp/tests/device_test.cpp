// Frames in memory outside of the lane, and their owners.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <mutex>
#include <vector>

#include "place.hpp"

using framelane::ErrorKind;
using framelane::Producer;
using framelane::Returned;

namespace {

/// A sealed memfd that holds one picture filled with a number.
class Buffer {
 public:
  Buffer(const framelane::FrameLayout& layout, std::uint8_t value)
      : fd_(memfd_create("device", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
    const std::vector<std::uint8_t> bytes(layout.total_bytes, value);
    const auto size = static_cast<ssize_t>(bytes.size());
    if (write(fd_, bytes.data(), bytes.size()) != size ||
        fcntl(fd_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE) != 0) {
      throw std::runtime_error("a device buffer");
    }
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { close(fd_); }
  int fd() const { return fd_; }

 private:
  int fd_;
};

/// What came back, told by several threads.
struct Book {
  std::mutex lock;
  std::vector<Returned> all;
  void put(Returned returned) {
    const std::lock_guard guard(lock);
    all.push_back(returned);
  }
  std::size_t count() {
    const std::lock_guard guard(lock);
    return all.size();
  }
};

class DeviceLane : public Lane {
 protected:
  framelane::ProducerOptions device() {
    auto options = small();
    options.memory = framelane::MemoryKind::Memfd;
    options.history = 0;
    for (const auto* buffer : {&one_, &two_}) {
      options.device_buffers.push_back({buffer->fd(), framelane::MemoryKind::Memfd});
    }
    return options;
  }
  framelane::FrameInfo picture(std::int32_t buffer) {
    framelane::FrameInfo info{};
    layout_.apply(info);
    info.memory_kind = framelane::MemoryKind::Memfd;
    for (auto& plane : info.planes) plane.buffer_index = buffer;
    return info;
  }

  framelane::FrameLayout layout_{framelane::PixelFormat::Nv12, 8, 4};
  Buffer one_{layout_, 11};
  Buffer two_{layout_, 22};
  Book book_;
};

}  // namespace

TEST_F(DeviceLane, IsReadInPlaceAndComesBack) {
  const auto producer = Producer::create("lane", device());
  auto consumer = open();
  const auto owner = [this](Returned returned) { book_.put(returned); };
  EXPECT_EQ(producer.publish_external(picture(1), owner), 1U);
  auto frame = consumer.next(deadline);
  ASSERT_TRUE(frame);
  const auto plane = frame->plane(0);
  EXPECT_TRUE(plane.revocable());
  EXPECT_EQ(plane[31], 22);
  EXPECT_TRUE(frame->check());
  const int fd = frame->plane_fd(0);
  std::uint8_t byte = 0;
  EXPECT_EQ(pread(fd, &byte, 1, 31), 1) << "it is the buffer's, and the caller's own";
  EXPECT_EQ(byte, 22);
  EXPECT_EQ(close(fd), 0);
  framelane::Error none;
  EXPECT_EQ(frame->try_plane_fd(7, none), -1);
  std::vector<std::uint8_t> copy(32);
  frame->copy_to(0, copy);
  EXPECT_EQ(copy[0], 22);
  EXPECT_EQ(producer.publish_external(picture(0), owner), 2U);
  EXPECT_EQ(book_.count(), 0U) << "the first is held";
  frame->release();
  ASSERT_TRUE(until([this] { return book_.count() == 1; }));
  EXPECT_EQ(book_.all[0].sequence, 1U);
  EXPECT_FALSE(book_.all[0].revoked);
  producer.recall();
  EXPECT_TRUE(until([this] { return book_.count() == 2; })) << "the newest, which nobody holds";
}

TEST_F(DeviceLane, IsRevokedAtItsDeadline) {
  auto options = device();
  options.lease = std::chrono::milliseconds(30);
  const auto producer = Producer::create("lane", options);
  auto consumer = open();
  producer.publish_external(picture(0), [this](Returned returned) { book_.put(returned); });
  auto frame = consumer.next(deadline);
  ASSERT_TRUE(frame);
  producer.publish_external(picture(1));
  ASSERT_TRUE(until([this] { return book_.count() == 1; }));
  EXPECT_TRUE(book_.all[0].revoked);
  EXPECT_FALSE(frame->check());
  EXPECT_EQ(kind_of([&] { frame->release(); }), ErrorKind::Revoked);
}

TEST_F(DeviceLane, AnOwnerThatIsNotNeededIsDestroyedUnrun) {
  const auto producer = Producer::create("lane", device());
  auto counted = std::make_shared<int>(0);
  const std::weak_ptr<int> alive = counted;
  auto wrong = picture(9);
  framelane::Error error;
  EXPECT_FALSE(producer.try_publish_external(
      wrong, [counted = std::move(counted)](Returned) { ++*counted; }, error));
  EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
  EXPECT_TRUE(alive.expired());
  EXPECT_EQ(kind_of([&] { producer.claim(); }), ErrorKind::Unsupported);
}

TEST_F(DeviceLane, PumpedOwnersRunWhereTheSourceWants) {
  auto options = device();
  options.reclaim = framelane::Reclaim::Pump;
  auto producer = Producer::create("lane", options);
  const auto here = std::this_thread::get_id();
  bool right = false;
  producer.publish_external(picture(0),
                            [&](Returned) { right = std::this_thread::get_id() == here; });
  producer.publish_external(picture(1));
  EXPECT_EQ(producer.reclaim(), 1U);
  EXPECT_TRUE(right);
}
