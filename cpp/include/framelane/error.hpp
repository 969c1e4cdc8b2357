/// What goes wrong, and how it is told.
#pragma once

#include <framelane/bridge.rs.h>

#include <cstdint>
#include <framelane/layout.hpp>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>

// Where argument-dependent lookup finds them.
namespace framelane::layout {

/// Name of a kind, `no_free_slot` for instance.
inline std::string_view name(ErrorKind kind) noexcept {
  const auto text = bridge::error_kind_name(static_cast<std::uint32_t>(kind));
  return {text.data(), text.size()};
}

inline std::ostream& operator<<(std::ostream& out, ErrorKind kind) { return out << name(kind); }

}  // namespace framelane::layout

namespace framelane {

using layout::name;

/// Every call on a lane that can fail comes twice: `verb(...)` throws this; `try_verb(..., error)`
/// throws nothing and puts it into `error`, whose kind is `ErrorKind::Ok` after success. The kind
/// says what to do next, `what()` what happened and why.
class Error : public std::runtime_error {
 public:
  /// Success.
  Error() : Error(ErrorKind::Ok, {}) {}
  Error(ErrorKind kind, const std::string& text, std::uint64_t missed = 0)
      : std::runtime_error(text), kind_(kind), missed_(missed) {}

  ErrorKind kind() const noexcept { return kind_; }
  /// Of kind `Lapped`: records that were overwritten before they were read.
  std::uint64_t missed() const noexcept { return missed_; }
  /// Whether something went wrong.
  explicit operator bool() const noexcept { return kind_ != ErrorKind::Ok; }

 private:
  ErrorKind kind_;
  std::uint64_t missed_;
};

/// Private: between the bridge and the classes.
namespace detail {

/// Beside the numbers of ErrorKind: the object was closed, released or moved away.
inline constexpr std::uint32_t no_handle = ~std::uint32_t{0};
/// The headers are not those of the library.
inline constexpr std::uint32_t other_headers = no_handle - 1;
/// A directory that C would cut.
inline constexpr std::uint32_t cut_path = no_handle - 2;
/// No memory of the caller's kind for what is there.
inline constexpr std::uint32_t no_memory = no_handle - 3;

/// What the bridge says about its last failure on this thread.
inline Error last_error(std::uint32_t status) {
  if (status == no_handle) {
    return {ErrorKind::Closed, "this object was closed or moved away"};
  }
  if (status == other_headers) {
    return {ErrorKind::LayoutMismatch, "the headers are of another version than the library"};
  }
  if (status == cut_path) {
    return {ErrorKind::InvalidArgument, "the directory's name has a zero in it"};
  }
  if (status == no_memory) {
    return {ErrorKind::OutOfMemory, "there is no memory for the message, which stays"};
  }
  const auto text = bridge::error_text();
  const auto missed = bridge::error_missed();
  return {static_cast<ErrorKind>(status), std::string(text.data(), text.size()), missed};
}

/// Whether the headers a program was compiled with are those of the library it was linked with.
inline std::uint32_t same_layout() noexcept {
  return bridge::layout_hash() == layout::layout_hash ? 0 : other_headers;
}

/// A directory as C takes it, NULL for none; checked by `can_make`.
inline const char* path(const std::string& directory) noexcept {
  return directory.empty() ? nullptr : directory.c_str();
}

/// Whether something can be made or opened there with these headers.
inline std::uint32_t can_make(const std::string& directory) noexcept {
  return directory.find('\0') == std::string::npos ? same_layout() : cut_path;
}

[[noreturn]] inline void raise(std::uint32_t status) { throw last_error(status); }

/// Throws unless the status is success.
inline void check(std::uint32_t status) {
  if (status != 0) raise(status);
}

/// Puts the status into `error`; whether it is success. Allocates only where there is a text.
inline bool told(std::uint32_t status, Error& error) noexcept {
  if (status != 0 || error) error = status == 0 ? Error() : last_error(status);
  return status == 0;
}

inline rust::Slice<const std::uint8_t> bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string text(const rust::String& text) { return {text.data(), text.size()}; }

inline std::string text(const rust::Vec<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Times before now are now.
inline std::uint64_t ns(Duration time) noexcept {
  return time.count() < 0 ? 0 : static_cast<std::uint64_t>(time.count());
}

}  // namespace detail
}  // namespace framelane
