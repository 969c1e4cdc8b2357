// Things that the agent holds by number.
#pragma once

#include <poll.h>

#include <map>

#include "line.hpp"

/// Handles by the number that a line gives, 0 where it gives none.
template <class T>
class Numbered {
 public:
  explicit Numbered(std::string_view what) : what_(what) {}

  T& at(const Line& line) {
    const auto found = all_.find(number(line));
    if (found == all_.end()) throw misunderstood("there is no such " + std::string(what_));
    return found->second;
  }
  /// What was there before goes.
  void put(const Line& line, T thing) { all_.insert_or_assign(number(line), std::move(thing)); }
  T take(const Line& line) {
    T taken = std::move(at(line));
    all_.erase(number(line));
    return taken;
  }

 private:
  unsigned number(const Line& line) const { return line.get<unsigned>(what_).value_or(0); }

  std::string_view what_;
  std::map<unsigned, T> all_;
};

/// Whether the descriptor is readable within the time of the line.
inline int polled(const Line& line, int fd) {
  pollfd watched{fd, POLLIN, 0};
  const int ready = ::poll(&watched, 1, line.need<std::int32_t>("timeout_ms"));
  if (ready < 0) throw misunderstood("poll failed");
  return ready;
}
