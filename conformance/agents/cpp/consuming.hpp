// The commands of a consumer.
#pragma once

#include <poll.h>

#include <map>
#include <thread>

#include "fields.hpp"
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
    consumers_.insert_or_assign(key(line, "consumer"), std::move(consumer));
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
    pollfd watched{consumer(line).fd(), POLLIN, 0};
    const int ready = ::poll(&watched, 1, line.need<std::int32_t>("timeout_ms"));
    if (ready < 0) throw misunderstood("poll failed");
    out << " ready=" << ready;
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
      const auto sum = plane.revocable() ? crc(copy) : crc(plane);
      out << " size" << i << '=' << plane.size() << " stride" << i << '=' << plane.stride_bytes()
          << " rows" << i << '=' << plane.rows() << " crc" << i << '=' << std::hex
          << std::setfill('0') << std::setw(8) << sum << std::dec;
    }
  }

  void describe(const Line& line, std::ostream& out) {
    const framelane::Frame& f = frame(line);
    tell(out, f.info());
  }

  void check(const Line& line, std::ostream& out) { out << " intact=" << frame(line).check(); }

  void release(const Line& line, std::ostream&) {
    auto taken = std::move(frame(line));
    frames_.erase(key(line, "frame"));
    taken.release();
  }

  void count(const Line& line, std::ostream& out) {
    out << " received=" << consumer(line).received() << " missed=" << consumer(line).missed();
  }

  void close(const Line& line, std::ostream&) {
    consumer(line);
    consumers_.erase(key(line, "consumer"));
  }

  void close_later(const Line& line, std::ostream&) {
    const auto time = line.need_time("after_ms");
    std::thread([closer = consumer(line).closer(), time] {
      std::this_thread::sleep_for(time);
      closer.close();
    }).detach();
  }

 private:
  static unsigned key(const Line& line, std::string_view what) {
    return line.get<unsigned>(what).value_or(0);
  }
  template <class T>
  static T& at(std::map<unsigned, T>& all, const Line& line, std::string_view what) {
    const auto found = all.find(key(line, what));
    if (found == all.end()) throw misunderstood("there is no such " + std::string(what));
    return found->second;
  }
  framelane::Consumer& consumer(const Line& line) { return at(consumers_, line, "consumer"); }
  framelane::Frame& frame(const Line& line) { return at(frames_, line, "frame"); }

  void keep(const Line& line, std::optional<framelane::Frame> found, std::ostream& out) {
    if (!found) throw Nothing();
    out << " sequence=" << found->sequence() << " missed=" << found->missed()
        << " new_epoch=" << found->new_epoch();
    frames_[key(line, "frame")] = std::move(*found);
  }

  std::map<unsigned, framelane::Consumer> consumers_;
  // After the consumers, and so given back before them.
  std::map<unsigned, framelane::Frame> frames_;
};
