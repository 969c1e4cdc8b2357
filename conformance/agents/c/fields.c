/* Descriptor fields as d.<name>=<value>. */
#include "agent.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { U8, U32, U64, I32, F32 };

struct field {
  const char *name;
  size_t offset;
  enum type type;
};

#define DESCRIPTOR(name, type) {#name, offsetof(struct framelane_frame_descriptor, name), type}
#define PLANE(name, type) {#name, offsetof(struct framelane_plane, name), type}
#define LENGTH(array) (sizeof(array) / sizeof(array)[0])
#define PLANES LENGTH(((struct framelane_frame_descriptor *)NULL)->planes)

static const struct field DESCRIPTOR_FIELDS[] = {
    DESCRIPTOR(sequence, U64),        DESCRIPTOR(capture_id, U64),
    DESCRIPTOR(capture_ns, U64),      DESCRIPTOR(publish_ns, U64),
    DESCRIPTOR(valid_until_ns, U64),  DESCRIPTOR(modifier, U64),
    DESCRIPTOR(switch_epoch, U64),    DESCRIPTOR(exposure_ns, U64),
    DESCRIPTOR(fourcc, U32),          DESCRIPTOR(width, U32),
    DESCRIPTOR(height, U32),          DESCRIPTOR(crop_x, U32),
    DESCRIPTOR(crop_y, U32),          DESCRIPTOR(crop_width, U32),
    DESCRIPTOR(crop_height, U32),     DESCRIPTOR(sensor_width, U32),
    DESCRIPTOR(sensor_height, U32),   DESCRIPTOR(camera_id, U32),
    DESCRIPTOR(flags, U32),           DESCRIPTOR(analog_gain, F32),
    DESCRIPTOR(digital_gain, F32),    DESCRIPTOR(brightness_avg, F32),
    DESCRIPTOR(correction_applied, U32), DESCRIPTOR(capture_clock, U8),
    DESCRIPTOR(memory_kind, U8),      DESCRIPTOR(color_matrix, U8),
    DESCRIPTOR(color_range, U8),      DESCRIPTOR(color_transfer, U8),
    DESCRIPTOR(plane_count, U8),      DESCRIPTOR(vendor_tag, U32),
    DESCRIPTOR(vendor_bytes, U32),
};

static const struct field PLANE_FIELDS[] = {
    PLANE(offset_bytes, U64), PLANE(size_bytes, U64), PLANE(physical_address, U64),
    PLANE(stride_bytes, U32), PLANE(rows, U32),       PLANE(share_id, I32),
    PLANE(buffer_index, I32),
};

static void put(const struct field *field, const void *from, struct answer *answer) {
  const uint8_t *bytes = (const uint8_t *)from + field->offset;
  union {
    uint8_t u8;
    uint32_t u32;
    uint64_t u64;
    int32_t i32;
    float f32;
  } value;
  static const size_t sizes[] = {[U8] = 1, [U32] = 4, [U64] = 8, [I32] = 4, [F32] = 4};
  memcpy(&value, bytes, sizes[field->type]);
  say(answer, "%s=", field->name);
  switch (field->type) {
  case U8: say(answer, "%u", value.u8); break;
  case U32: say(answer, "%lu", (unsigned long)value.u32); break;
  case U64: say(answer, "%llu", (unsigned long long)value.u64); break;
  case I32: say(answer, "%ld", (long)value.i32); break;
  case F32: say(answer, "%.9g", (double)value.f32); break;
  }
}

static void put_hex(const char *name, const uint8_t *bytes, size_t count, struct answer *answer) {
  say(answer, " d.%s=", name);
  for (size_t i = 0; i < count; i++) {
    say(answer, "%02x", bytes[i]);
  }
}

/* All fields but the reserved ones. */
void fields_say(const struct framelane_frame_descriptor *descriptor, struct answer *answer) {
  for (size_t i = 0; i < LENGTH(DESCRIPTOR_FIELDS); i++) {
    say(answer, " d.");
    put(&DESCRIPTOR_FIELDS[i], descriptor, answer);
  }
  for (size_t plane = 0; plane < PLANES; plane++) {
    for (size_t i = 0; i < LENGTH(PLANE_FIELDS); i++) {
      say(answer, " d.planes.%zu.", plane);
      put(&PLANE_FIELDS[i], &descriptor->planes[plane], answer);
    }
  }
  put_hex("vendor_data", descriptor->vendor_data, sizeof descriptor->vendor_data, answer);
  put_hex("user_data", descriptor->user_data, sizeof descriptor->user_data, answer);
}

static bool set_value(enum type type, uint8_t *into, const char *text) {
  static const uint64_t most[] = {[U8] = UINT8_MAX, [U32] = UINT32_MAX, [U64] = UINT64_MAX,
                                  [I32] = INT32_MAX};
  uint64_t number = 0;
  char *end = NULL;
  if (type == F32) {
    float value = strtof(text, &end);
    memcpy(into, &value, sizeof value);
    return *text && !*end;
  }
  if (type == I32 && *text == '-') {
    int32_t value;
    if (!number_parse(text + 1, UINT64_C(1) << 31, &number)) {
      return false;
    }
    value = (int32_t)-(int64_t)number;
    memcpy(into, &value, sizeof value);
    return true;
  }
  if (!number_parse(text, most[type], &number)) {
    return false;
  }
  if (type == U64) {
    memcpy(into, &number, sizeof number);
  } else if (type == U8) {
    *into = (uint8_t)number;
  } else {
    uint32_t value = (uint32_t)number;
    memcpy(into, &value, sizeof value);
  }
  return true;
}

static bool set_in(const struct field *fields, size_t count, void *into, const char *name,
                   const char *text) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(fields[i].name, name) == 0) {
      return set_value(fields[i].type, (uint8_t *)into + fields[i].offset, text);
    }
  }
  return false;
}

static bool unhex(const char *text, uint8_t *into, size_t count) {
  if (strlen(text) != 2 * count || strspn(text, "0123456789abcdefABCDEF") != 2 * count) {
    return false;
  }
  for (size_t i = 0; i < count; i++) {
    char digits[3] = {text[2 * i], text[2 * i + 1], '\0'};
    into[i] = (uint8_t)strtoul(digits, NULL, 16);
  }
  return true;
}

static bool set(struct framelane_frame_descriptor *descriptor, const char *name,
                const char *text) {
  static const char planes[] = "planes.";
  if (strncmp(name, planes, strlen(planes)) == 0) {
    size_t plane = (size_t)(name[strlen(planes)] - '0');
    return plane < PLANES && name[strlen(planes) + 1] == '.' &&
           set_in(PLANE_FIELDS, LENGTH(PLANE_FIELDS), &descriptor->planes[plane],
                  name + strlen(planes) + 2, text);
  }
  if (strcmp(name, "vendor_data") == 0) {
    return unhex(text, descriptor->vendor_data, sizeof descriptor->vendor_data);
  }
  if (strcmp(name, "user_data") == 0) {
    return unhex(text, descriptor->user_data, sizeof descriptor->user_data);
  }
  return set_in(DESCRIPTOR_FIELDS, LENGTH(DESCRIPTOR_FIELDS), descriptor, name, text);
}

/* Sets the fields that a line names. */
bool fields_apply(const struct line *line, struct framelane_frame_descriptor *descriptor,
                  struct answer *answer) {
  for (size_t i = 0; i < line->count; i++) {
    const char *key = line->pairs[i].key, *value = line->pairs[i].value;
    if (strncmp(key, "d.", 2) == 0 && !set(descriptor, key + 2, value)) {
      return misunderstood(answer, "%s=%s has no meaning", key, value);
    }
  }
  return true;
}

/* Reads a file that holds one descriptor. */
bool fields_decode(const struct line *line, struct answer *answer) {
  struct framelane_frame_descriptor descriptor;
  const char *path;
  if (!line_need_text(line, "file", &path, answer)) {
    return false;
  }
  FILE *file = fopen(path, "rb");
  if (!file) {
    return misunderstood(answer, "%s cannot be opened", path);
  }
  bool whole = fread(&descriptor, sizeof descriptor, 1, file) == 1 && fgetc(file) == EOF;
  fclose(file);
  if (!whole) {
    return misunderstood(answer, "%s is no descriptor", path);
  }
  fields_say(&descriptor, answer);
  return true;
}
