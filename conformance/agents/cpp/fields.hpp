// Descriptor fields as d.<name>=<value>.
#pragma once

#include <iomanip>
#include <limits>
#include <ostream>
#include <type_traits>

#include "line.hpp"

/// Calls `each(name, field)` for every number of a plane.
template <class P, class F>
void plane_fields(P& p, F&& each) {
#define FIELD(name) each(#name, p.name)
  FIELD(offset_bytes), FIELD(size_bytes), FIELD(physical_address), FIELD(stride_bytes);
  FIELD(rows), FIELD(share_id), FIELD(buffer_index);
#undef FIELD
}

/// The same for the descriptor itself.
template <class D, class F>
void info_fields(D& d, F&& each) {
#define FIELD(name) each(#name, d.name)
  FIELD(sequence), FIELD(capture_id), FIELD(capture_ns), FIELD(publish_ns);
  FIELD(valid_until_ns), FIELD(modifier), FIELD(switch_epoch), FIELD(exposure_ns);
  FIELD(fourcc), FIELD(width), FIELD(height), FIELD(crop_x), FIELD(crop_y), FIELD(crop_width);
  FIELD(crop_height), FIELD(sensor_width), FIELD(sensor_height), FIELD(camera_id), FIELD(flags);
  FIELD(analog_gain), FIELD(digital_gain), FIELD(brightness_avg), FIELD(correction_applied);
  FIELD(capture_clock), FIELD(memory_kind), FIELD(color_matrix), FIELD(color_range);
  FIELD(color_transfer), FIELD(plane_count), FIELD(vendor_tag), FIELD(vendor_bytes);
#undef FIELD
}

/// The number that a field is told as.
template <class T>
auto told(T value) {
  if constexpr (std::is_enum_v<T>) {
    return static_cast<unsigned>(value);
  } else if constexpr (sizeof(T) == 1) {
    return unsigned{value};
  } else {
    return value;
  }
}

template <std::size_t N>
void tell_bytes(std::ostream& out, const char* name, const std::uint8_t (&bytes)[N]) {
  out << " d." << name << '=' << std::hex << std::setfill('0');
  for (const unsigned byte : bytes) out << std::setw(2) << byte;
  out << std::dec;
}

/// All fields but the reserved ones.
inline void tell(std::ostream& out, const framelane::FrameInfo& info) {
  out << std::setprecision(std::numeric_limits<float>::max_digits10);
  info_fields(info, [&](const char* name, auto value) {
    out << " d." << name << '=' << told(value);
  });
  for (std::size_t i = 0; i < std::size(info.planes); ++i) {
    plane_fields(info.planes[i], [&](const char* name, auto value) {
      out << " d.planes." << i << '.' << name << '=' << told(value);
    });
  }
  tell_bytes(out, "vendor_data", info.vendor_data);
  tell_bytes(out, "user_data", info.user_data);
}

/// Sets a field to what a text says; whether the text is a number of that kind.
template <class T>
bool read_field(std::string_view text, T& field) {
  if constexpr (std::is_enum_v<T>) {
    std::underlying_type_t<T> value{};
    if (!read_field(text, value)) return false;
    field = static_cast<T>(value);
    return true;
  } else {
    const auto value = number<T>(text);
    if (value) field = *value;
    return value.has_value();
  }
}

template <std::size_t N>
bool read_bytes(std::string_view text, std::uint8_t (&bytes)[N]) {
  if (text.size() != 2 * N) return false;
  for (std::size_t i = 0; i < N; ++i) {
    const char* from = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(from, from + 2, bytes[i], 16);
    if (error != std::errc() || end != from + 2) return false;
  }
  return true;
}

inline bool set_field(framelane::FrameInfo& info, std::string_view name, std::string_view value) {
  bool set = false;
  const auto offer = [&](std::string_view known, auto& field) {
    if (known == name) set = read_field(value, field);
  };
  if (name == "vendor_data") return read_bytes(value, info.vendor_data);
  if (name == "user_data") return read_bytes(value, info.user_data);
  constexpr std::string_view planes = "planes.";
  if (name.substr(0, planes.size()) != planes) {
    info_fields(info, offer);
    return set;
  }
  name.remove_prefix(planes.size());
  const auto dot = std::min(name.find('.'), name.size());
  const auto index = number<std::size_t>(name.substr(0, dot));
  if (!index || *index >= std::size(info.planes) || dot == name.size()) return false;
  name.remove_prefix(dot + 1);
  plane_fields(info.planes[*index], offer);
  return set;
}

/// Sets the fields that a line names.
inline void apply(const Line& line, framelane::FrameInfo& info) {
  for (const auto& [key, value] : line.pairs) {
    if (key.substr(0, 2) == "d." && !set_field(info, key.substr(2), value)) {
      throw misunderstood(std::string(key) + "=" + std::string(value));
    }
  }
}
