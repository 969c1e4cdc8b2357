/// Looking at lanes from outside, without taking a lease.
#pragma once

#include <cstdint>
#include <framelane/error.hpp>
#include <framelane/layout.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace framelane {

/// A lane that has a socket; whether somebody answers is for `query` to say.
struct LaneEntry {
  std::string name;
  /// Runtime directory its socket is in.
  std::string directory;
};

namespace detail {

inline std::uint32_t find(std::string_view directory, std::vector<LaneEntry>& lanes) {
  rust::Vec<bridge::LaneName> found;
  const auto status = bridge::discover(bytes(directory), found);
  lanes.reserve(found.size());
  for (const auto& lane : found) lanes.push_back({text(lane.name), text(lane.directory)});
  return status;
}

}  // namespace detail

/// Lanes in a runtime directory, or in all that are searched, by name. Throws `PermissionDenied`
/// and `System` when a directory that is there cannot be read.
inline std::vector<LaneEntry> discover(std::string_view directory = {}) {
  std::vector<LaneEntry> lanes;
  detail::check(detail::find(directory, lanes));
  return lanes;
}
inline std::vector<LaneEntry> try_discover(std::string_view directory, Error& error) noexcept {
  std::vector<LaneEntry> lanes;
  detail::told(detail::find(directory, lanes), error);
  return lanes;
}

/// Asks a lane's producer how the lane is. Throws `NotFound` with the places searched,
/// `PermissionDenied`, `LayoutMismatch`, `Protocol`, and `TimedOut`, `TooMany` or `Disconnected`
/// when the time is over.
inline Report query(std::string_view name, Duration timeout, std::string_view directory = {}) {
  Report report{};
  detail::check(bridge::query(detail::bytes(name), detail::bytes(directory), detail::ns(timeout),
                              report));
  return report;
}
inline std::optional<Report> try_query(std::string_view name, Duration timeout,
                                       std::string_view directory, Error& error) noexcept {
  std::optional<Report> report(std::in_place);
  const auto status = bridge::query(detail::bytes(name), detail::bytes(directory),
                                    detail::ns(timeout), *report);
  if (!detail::told(status, error)) report.reset();
  return report;
}

/// CLOCK_MONOTONIC now, the clock of publish times and deadlines.
inline std::uint64_t monotonic_ns() noexcept { return bridge::monotonic_ns(); }

}  // namespace framelane
