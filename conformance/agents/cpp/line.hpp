// A command line: a word, then key=value.
#pragma once

#include <charconv>
#include <framelane/framelane.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

/// Answered with `none`.
struct Nothing {};

/// An error of the line itself.
inline framelane::Error misunderstood(const std::string& text) {
  return {framelane::ErrorKind::InvalidArgument, text};
}

/// Reads all of a text as a number.
template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// One command. Views the text it was read from.
class Line {
 public:
  explicit Line(std::string_view text) {
    for (std::size_t start = 0; start < text.size();) {
      const std::size_t end = std::min(text.find(' ', start), text.size());
      if (end > start) take(text.substr(start, end - start));
      start = end + 1;
    }
  }

  std::string_view word;
  std::vector<std::pair<std::string_view, std::string_view>> pairs;

  std::optional<std::string_view> text(std::string_view key) const {
    for (const auto& [name, value] : pairs) {
      if (name == key) return value;
    }
    return std::nullopt;
  }
  std::string_view need_text(std::string_view key) const { return needed(text(key), key); }

  /// A number, if the line has it.
  template <class T>
  std::optional<T> get(std::string_view key) const {
    const auto found = text(key);
    if (!found) return std::nullopt;
    const auto value = number<T>(*found);
    if (!value) throw misunderstood(std::string(key) + "=" + std::string(*found));
    return value;
  }
  template <class T>
  T need(std::string_view key) const {
    return needed(get<T>(key), key);
  }
  /// A time in milliseconds.
  std::optional<framelane::Duration> time(std::string_view key) const {
    const auto ms = get<std::uint32_t>(key);
    if (!ms) return std::nullopt;
    return std::chrono::milliseconds(*ms);
  }
  framelane::Duration need_time(std::string_view key) const { return needed(time(key), key); }

  /// Which of these words a key has, if the line has it.
  template <class T>
  std::optional<T> choice(std::string_view key,
                          std::initializer_list<std::pair<std::string_view, T>> of) const {
    const auto found = text(key);
    if (!found) return std::nullopt;
    for (const auto& [name, value] : of) {
      if (name == *found) return value;
    }
    throw misunderstood(std::string(key) + "=" + std::string(*found));
  }

 private:
  void take(std::string_view piece) {
    if (word.empty()) {
      word = piece;
      return;
    }
    const auto equals = piece.find('=');
    if (equals == piece.npos) throw misunderstood(std::string(piece) + " is no key=value");
    pairs.emplace_back(piece.substr(0, equals), piece.substr(equals + 1));
  }
  template <class T>
  T needed(std::optional<T> found, std::string_view key) const {
    if (!found) throw misunderstood(std::string(word) + " needs " + std::string(key) + "=");
    return *found;
  }
};
