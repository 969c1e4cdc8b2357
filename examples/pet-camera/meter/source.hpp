/// Frames of a lane, or of whatever lane of a switch is active.
#pragma once

#include <framelane/framelane.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>

class Source {
 public:
  /// Attaches; nothing where there is no producer or controller of that name within `patience`.
  static std::optional<Source> open(const std::string& name, framelane::Duration patience) {
    framelane::ConsumerOptions options;
    options.wait_for_lane = patience;
    options.return_on_signal = true;
    framelane::Error error;
    auto lane = framelane::Consumer::try_open(name, options, error);
    if (lane) return Source(std::move(*lane));
    if (error.kind() == framelane::ErrorKind::NotFound) return std::nullopt;
    if (error.kind() != framelane::ErrorKind::Unsupported) throw error;
    return Source(framelane::Switch::open(name, options));
  }

  std::optional<framelane::Frame> next(framelane::Duration timeout) {
    return std::visit([&](auto& reader) { return reader.next(timeout); }, reader_);
  }

 private:
  template <class Reader>
  explicit Source(Reader reader) : reader_(std::move(reader)) {}
  std::variant<framelane::Consumer, framelane::Switch> reader_;
};
