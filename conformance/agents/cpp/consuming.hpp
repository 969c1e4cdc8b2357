// The commands of a consumer.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "fields.hpp"
#include "numbered.hpp"
#include "pixels.hpp"

class Consuming {
 public:
  void open(const Line& line, std::ostream& out) {
    using framelane::Mode;
    framelane::ConsumerOptions options;
    const auto mode = line.choice<Mode>("mode", {{"latest", Mode::Latest},
                                                 {"ordered", Mode::Ordered},
                                                 {"lossless", Mode::Lossless}});
    if (!mode) throw misunderstood("open needs mode=");
    options.mode = *mode;
    options.leases = line.get<std::uint32_t>("leases").value_or(options.leases);
    options.wait_for_lane = line.time("wait_ms").value_or(options.wait_for_lane);
    options.reattach = line.get<unsigned>("reattach").value_or(options.reattach);
    options.wants_writable = line.get<unsigned>("writable").value_or(options.wants_writable);
    auto consumer = framelane::Consumer::open(line.need_text("lane"), options);
    out << " epoch=" << consumer.epoch();
    consumers_.put(line, std::move(consumer));
  }

  void next(const Line& line, std::ostream& out) {
    const auto time = line.need_time("timeout_ms");
    keep(line, consumer(line).next(time), out);
  }
  void next_now(const Line& line, std::ostream& out) { keep(line, consumer(line).next(), out); }
  void latest(const Line& line, std::ostream& out) { keep(line, consumer(line).latest(), out); }

  void wait(const Line& line, std::ostream& out) {
    out << " ready=" << consumer(line).wait(line.need_time("timeout_ms"));
  }

  void poll(const Line& line, std::ostream& out) {
    out << " ready=" << polled(line, consumer(line).fd());
  }

  void read(const Line& line, std::ostream& out) {
    const framelane::Frame& f = frame(line);
    const auto& info = f.info();
    out << " format=" << info.fourcc << " width=" << info.width << " height=" << info.height
        << " planes=" << f.plane_count();
    for (std::size_t i = 0; i < f.plane_count(); ++i) {
      const auto plane = f.plane(i);
      std::vector<std::uint8_t> copy;
      if (plane.revocable()) {
        copy.resize(plane.size());
        f.copy_to(i, copy);
      }
      const auto sum = plane.revocable() ? crc_text(copy) : crc_text(plane);
      out << " size" << i << '=' << plane.size() << " stride" << i << '=' << plane.stride_bytes()
          << " rows" << i << '=' << plane.rows() << " crc" << i << '=' << sum;
    }
  }

  void in_place(const Line& line, std::ostream& out) {
    const framelane::Frame& f = frame(line);
    for (std::size_t i = 0; i < f.plane_count(); ++i) {
      out << " crc" << i << '=' << crc_text(f.plane(i)) << " file" << i << '=' << file_of(f, i);
    }
  }

  void describe(const Line& line, std::ostream& out) {
    const framelane::Frame& f = frame(line);
    tell(out, f.info());
  }

  void check(const Line& line, std::ostream& out) { out << " intact=" << frame(line).check(); }

  void release(const Line& line, std::ostream&) { frames_.take(line).release(); }

  void count(const Line& line, std::ostream& out) {
    out << " received=" << consumer(line).received() << " missed=" << consumer(line).missed();
  }

  void close(const Line& line, std::ostream&) { consumers_.take(line).close(); }

  void close_later(const Line& line, std::ostream&) {
    const auto time = line.need_time("after_ms");
    std::thread([closer = consumer(line).closer(), time] {
      std::this_thread::sleep_for(time);
      closer.close();
    }).detach();
  }

 private:
  framelane::Consumer& consumer(const Line& line) { return consumers_.at(line); }
  framelane::Frame& frame(const Line& line) { return frames_.at(line); }

  /// Which file a plane is in, by a descriptor of the caller's own.
  static ino_t file_of(const framelane::Frame& frame, std::size_t plane) {
    struct stat status {};
    const int fd = frame.plane_fd(plane);
    const int known = fstat(fd, &status);
    ::close(fd);
    if (known != 0) throw misunderstood("fstat failed");
    return status.st_ino;
  }

  void keep(const Line& line, std::optional<framelane::Frame> found, std::ostream& out) {
    if (!found) throw Nothing();
    out << " sequence=" << found->sequence() << " missed=" << found->missed()
        << " new_epoch=" << found->new_epoch();
    frames_.put(line, std::move(*found));
  }

  Numbered<framelane::Consumer> consumers_{"consumer"};
  // After the consumers, and so given back before them.
  Numbered<framelane::Frame> frames_{"frame"};
};
