// No allocation for a frame: malloc and its kin are counted, and with them operator new and what
// the library itself allocates.
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <vector>

#include "place.hpp"

namespace {
std::atomic<unsigned long> allocations{0};
/// Where an allocation of so many bytes fails, or shows that somebody makes room for them.
std::atomic<std::size_t> watched{0};
std::atomic<bool> refused{false};
std::function<void()> when_seen;
}  // namespace

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  ++allocations;
  if (size == watched && watched.exchange(0) != 0) {
    if (refused) return nullptr;
    when_seen();
  }
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  ++allocations;
  return __libc_realloc(old, size);
}
void* memalign(std::size_t align, std::size_t size) {
  ++allocations;
  return __libc_memalign(align, size);
}
void* aligned_alloc(std::size_t align, std::size_t size) { return memalign(align, size); }
int posix_memalign(void** out, std::size_t align, std::size_t size) {
  *out = memalign(align, size);
  return *out == nullptr ? ENOMEM : 0;
}
}

using framelane::Error;
using framelane::Producer;

namespace {

constexpr int frames = 1000;

/// Allocations of a call that was made once before.
template <class F>
unsigned long counted(F&& call) {
  call();
  const auto before = allocations.load();
  for (int n = 0; n < frames; ++n) call();
  return allocations.load() - before;
}

}  // namespace

TEST(Counting, SeesEveryKindOfAllocation) {
  EXPECT_EQ(counted([] { delete new int(3); }), 1UL * frames);
  EXPECT_EQ(counted([] { std::string(100, 'x'); }), 1UL * frames);
  EXPECT_GE(counted([] { framelane::discover("/nowhere"); }), 1UL * frames) << "the library's own";
}

TEST_F(Lane, AFrameCostsNoAllocation) {
  const auto producer = Producer::create("lane", small());
  auto consumer = open();
  unsigned long seen = 0;
  const auto thrown = counted([&] {
    auto filled = producer.claim();
    filled.info().capture_id = 1;
    filled.plane(0)[0] = 1;
    filled.publish();
    auto frame = consumer.next(std::chrono::seconds(1));
    seen += frame->plane(0)[0] + frame->info().capture_id;
    frame->release();
  });
  EXPECT_EQ(thrown, 0U);
  EXPECT_EQ(seen, 2UL * (frames + 1));
}

TEST_F(Lane, AFrameWithoutExceptionsCostsNoAllocation) {
  const auto producer = Producer::create("lane", small());
  auto consumer = open();
  Error error;
  const auto told = counted([&] {
    auto filled = producer.try_claim(error);
    filled->try_plane(0, error)[0] = 1;
    filled->try_publish(error);
    auto frame = consumer.try_next(error);
    frame->try_release(error);
    consumer.try_next(std::chrono::nanoseconds(1), error);
    consumer.try_latest(error);
  });
  EXPECT_EQ(told, 0U);
  EXPECT_FALSE(error);
}

/// A ring with one message of so many bytes, longer than anything else that is allocated.
class Message : public Lane {
 protected:
  static constexpr std::size_t size = 70'001;

  Message() : sender(send()), receiver(attach()) {
    EXPECT_TRUE(sender.send(std::vector<std::uint8_t>(size, 7)));
  }
  ~Message() override { watched = 0; }

  framelane::ShmbufSender send() const {
    framelane::ShmbufSenderOptions options;
    options.capacity_bytes = 2 * size;
    options.directory = place;
    return framelane::ShmbufSender::create("ring", options);
  }
  framelane::ShmbufReceiver attach() const {
    framelane::ShmbufReceiverOptions options;
    options.directory = place;
    return framelane::ShmbufReceiver::open("ring", options);
  }

  framelane::ShmbufSender sender;
  framelane::ShmbufReceiver receiver;
};

TEST_F(Message, WithoutMemoryForItStays) {
  std::vector<std::uint8_t> read;
  Error error;
  refused = true;
  watched = size;
  EXPECT_FALSE(receiver.try_next(read, deadline, error));
  EXPECT_EQ(error.kind(), framelane::ErrorKind::OutOfMemory) << error.what();
  watched = size;
  EXPECT_FALSE(receiver.try_next(deadline, error));
  EXPECT_EQ(error.kind(), framelane::ErrorKind::OutOfMemory) << error.what();
  watched = size;
  EXPECT_EQ(kind_of([&] { receiver.next(read, deadline); }), framelane::ErrorKind::OutOfMemory);
  EXPECT_EQ(watched, 0U) << "nobody made room";
  EXPECT_TRUE(receiver.try_next(read, deadline, error));
  EXPECT_EQ(read, std::vector<std::uint8_t>(size, 7));
}

TEST_F(Message, ShortenedUnderItsReaderIsShort) {
  std::fstream ring(place + "/ring", std::ios::in | std::ios::out | std::ios::binary);
  ring.seekp(16);  // behind the header
  when_seen = [&] {
    const std::uint32_t shorter = 1000;
    ring.write(reinterpret_cast<const char*>(&shorter), sizeof shorter).flush();
  };
  refused = false;
  watched = size;
  std::vector<std::uint8_t> read;
  ASSERT_TRUE(receiver.next(read, deadline));
  EXPECT_TRUE(ring) << "the segment is elsewhere";
  EXPECT_EQ(watched, 0U) << "nobody made room";
  EXPECT_EQ(read, std::vector<std::uint8_t>(1000, 7));
}
