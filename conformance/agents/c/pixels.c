/* What planes are filled with, their checksum, and the memfds of a device lane. */
#define _GNU_SOURCE
#include "agent.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PERIOD 251

/* Byte i of plane p is (i + 31 p + seed) % 251. */
void pixels_fill(uint8_t *bytes, size_t count, size_t plane, uint64_t seed) {
  uint8_t period[PERIOD];
  for (size_t i = 0; i < PERIOD; i++) {
    period[i] = (uint8_t)((i + 31 * plane + seed % PERIOD) % PERIOD);
  }
  for (size_t done = 0; done < count; done += PERIOD) {
    memcpy(bytes + done, period, count - done < PERIOD ? count - done : PERIOD);
  }
}

/* CRC-32 with the reflected polynomial, as in zlib. */
uint32_t pixels_crc(const uint8_t *bytes, size_t count) {
  static uint32_t table[256];
  uint32_t crc = UINT32_MAX;
  if (table[1] == 0) {
    for (uint32_t i = 0; i < 256; i++) {
      table[i] = i;
      for (int bit = 0; bit < 8; bit++) {
        table[i] = table[i] >> 1 ^ (table[i] & 1 ? UINT32_C(0xEDB88320) : 0);
      }
    }
  }
  for (size_t i = 0; i < count; i++) {
    crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 255];
  }
  return ~crc;
}

static bool fill_planes(int fd, const framelane_layout *layout, uint64_t number) {
  bool well = true;
  for (size_t plane = 0; well && plane < layout->plane_count; plane++) {
    size_t size = layout->size_bytes[plane];
    uint8_t *bytes = malloc(size);
    if (!bytes) {
      return false;
    }
    pixels_fill(bytes, size, plane, number);
    well = pwrite(fd, bytes, size, (off_t)layout->offset_bytes[plane]) == (ssize_t)size;
    free(bytes);
  }
  return well;
}

int pixels_buffer(const framelane_layout *layout, uint64_t number, bool writable) {
  int seals = F_SEAL_SHRINK | F_SEAL_GROW | (writable ? 0 : F_SEAL_FUTURE_WRITE);
  int fd = memfd_create("conformance", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd >= 0 && (ftruncate(fd, (off_t)layout->total_bytes) != 0 ||
                  !fill_planes(fd, layout, number) || fcntl(fd, F_ADD_SEALS, seals) != 0)) {
    close(fd);
    return -1;
  }
  return fd;
}
