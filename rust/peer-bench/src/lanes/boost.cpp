// Boost.Interprocess message_queue behind a few C functions.

#include <boost/interprocess/ipc/message_queue.hpp>

#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <cstddef>

using boost::interprocess::message_queue;

namespace {

boost::posix_time::ptime in(unsigned milliseconds) {
  return boost::posix_time::microsec_clock::universal_time() +
         boost::posix_time::milliseconds(milliseconds);
}

}  // namespace

extern "C" {

// Null where it cannot be made.
void* bench_queue_create(const char* name, std::size_t depth, std::size_t bytes) {
  try {
    message_queue::remove(name);
    return new message_queue(boost::interprocess::create_only, name, depth, bytes);
  } catch (...) {
    return nullptr;
  }
}

// Null where there is none.
void* bench_queue_open(const char* name) {
  try {
    return new message_queue(boost::interprocess::open_only, name);
  } catch (...) {
    return nullptr;
  }
}

// Whether it was sent in time.
bool bench_queue_send(void* queue, const void* bytes, std::size_t size, unsigned milliseconds) {
  try {
    return static_cast<message_queue*>(queue)->timed_send(bytes, size, 0, in(milliseconds));
  } catch (...) {
    return false;
  }
}

// Bytes received; 0 where none came in time.
std::size_t bench_queue_receive(void* queue, void* bytes, std::size_t size, unsigned milliseconds) {
  try {
    message_queue::size_type received = 0;
    unsigned priority = 0;
    const bool came = static_cast<message_queue*>(queue)->timed_receive(bytes, size, received,
                                                                      priority, in(milliseconds));
    return came ? received : 0;
  } catch (...) {
    return 0;
  }
}

void bench_queue_close(void* queue) { delete static_cast<message_queue*>(queue); }

void bench_queue_remove(const char* name) { message_queue::remove(name); }

}
