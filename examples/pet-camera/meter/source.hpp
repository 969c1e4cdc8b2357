/// Frames of a lane, or of whatever lane of a switch is active.
#pragma once

#include <framelane/framelane.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>

class Source {
 public:
  /// Attaches; nothing where no producer or controller of that name has answered within `patience`.
  static std::optional<Source> open(const std::string& name, framelane::Duration patience) {
    framelane::ConsumerOptions options;
    options.wait_for_lane = patience;
    options.return_on_signal = true;
    framelane::Error refused, error;
    auto lane = framelane::Consumer::try_open(name, options, refused);
    if (lane) return Source(std::move(*lane));
    if (refused.kind() == framelane::ErrorKind::Unsupported) {
      auto active = framelane::Switch::try_open(name, options, error);
      if (active) return Source(std::move(*active));
      // A lane that cannot be read is no switch for that: then the first reason counts.
      if (error.kind() != framelane::ErrorKind::Unsupported) refused = error;
    }
    if (!passes(refused.kind())) throw refused;
    return std::nullopt;
  }

  std::optional<framelane::Frame> next(framelane::Duration timeout) {
    return std::visit([&](auto& reader) { return reader.next(timeout); }, reader_);
  }

 private:
  /// Whether trying again may help: nobody is there yet, or is busy with others.
  static bool passes(framelane::ErrorKind kind) {
    using framelane::ErrorKind;
    return kind == ErrorKind::NotFound || kind == ErrorKind::TimedOut || kind == ErrorKind::TooMany;
  }

  template <class Reader>
  explicit Source(Reader reader) : reader_(std::move(reader)) {}
  std::variant<framelane::Consumer, framelane::Switch> reader_;
};
