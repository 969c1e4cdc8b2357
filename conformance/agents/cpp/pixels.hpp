// What planes are filled with, their checksums, and the memfds of a device lane.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <framelane/framelane.hpp>
#include <string>
#include <vector>

/// Byte `i` of plane `p` is `(i + 31 p + seed) % 251`.
inline void fill(framelane::span<std::uint8_t> bytes, std::size_t plane, std::uint64_t seed) {
  std::uint64_t value = (31 * plane + seed % 251) % 251;
  for (auto& byte : bytes) {
    byte = static_cast<std::uint8_t>(value);
    value = value == 250 ? 0 : value + 1;
  }
}

/// CRC-32 as in zlib.
inline std::uint32_t crc(framelane::span<const std::uint8_t> bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t n = 0; n < made.size(); ++n) {
      made[n] = n;
      for (int bit = 0; bit < 8; ++bit) made[n] = made[n] >> 1 ^ (made[n] & 1) * 0xedb88320;
    }
    return made;
  }();
  std::uint32_t sum = 0xffffffff;
  for (const auto byte : bytes) sum = sum >> 8 ^ table[(sum ^ byte) & 0xff];
  return ~sum;
}

/// The same as it is told.
inline std::string crc_text(framelane::span<const std::uint8_t> bytes) {
  std::array<char, 9> digits{};
  std::snprintf(digits.data(), digits.size(), "%08x", crc(bytes));
  return digits.data();
}

/// A memfd that holds the picture, filled with its number as seed; closed by its destructor.
class DeviceMemory {
 public:
  DeviceMemory(const framelane::FrameLayout& layout, std::uint64_t number, bool writable)
      : fd_(memfd_create("conformance", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
    std::vector<std::uint8_t> bytes(layout.total_bytes);
    for (std::size_t i = 0; i < layout.plane_count; ++i) {
      const auto& plane = layout.planes[i];
      fill({bytes.data() + plane.offset_bytes, plane.size_bytes}, i, number);
    }
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | (writable ? 0 : F_SEAL_FUTURE_WRITE);
    if (write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
        fcntl(fd_, F_ADD_SEALS, seals) != 0) {
      throw framelane::Error(framelane::ErrorKind::System, "a device buffer");
    }
  }
  DeviceMemory(DeviceMemory&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DeviceMemory& operator=(DeviceMemory&&) = delete;
  ~DeviceMemory() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};
