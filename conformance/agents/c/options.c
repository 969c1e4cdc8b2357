/* Options of a producer. */
#include "agent.h"
#include <string.h>

/* One of the words, which stand for the numbers from 0. */
static bool choice(const struct line *line, const char *key, const char *const *words,
                   uint32_t *number, struct answer *answer) {
  const char *text = line_text(line, key);
  for (uint32_t i = 0; text && words[i]; i++) {
    if (strcmp(text, words[i]) == 0) {
      *number = i;
      return true;
    }
  }
  return !text || misunderstood(answer, "%s=%s", key, text);
}

static bool lay_out(const struct line *line, framelane_layout *into, struct answer *answer) {
  const char *name = line_text(line, "format");
  framelane_error error;
  uint32_t format;
  uint64_t width = 0, height = 0, align = 1;
  return !name ||
         (line_need_number(line, "width", UINT32_MAX, &width, answer) &&
          line_need_number(line, "height", UINT32_MAX, &height, answer) &&
          line_number(line, "align", UINT32_MAX, &align, answer) &&
          sdk(answer, framelane_pixel_format_parse(name, &error, &format), &error) &&
          sdk(answer,
              framelane_layout_init(format, (uint32_t)width, (uint32_t)height, (uint32_t)align,
                                    &error, into),
              &error));
}

static bool choose(const struct line *line, framelane_producer_options *options,
                   struct answer *answer) {
  static const char *const access[] = {"owner", "", "everyone", NULL};
  static const char *const trust[] = {"same_user", "trusted_only", "untrusted", NULL};
  static const char *const memory[] = {"", "memfd", "", "hb_mem", NULL};
  uint64_t lease_ms = 0;
  bool well = lay_out(line, &options->layout, answer) &&
              line_number(line, "payload_bytes", UINT64_MAX, &options->payload_bytes, answer) &&
              line_u32(line, "lease_budget", &options->lease_budget, answer) &&
              line_u32(line, "claims", &options->claims, answer) &&
              line_u32(line, "history", &options->history, answer) &&
              line_u32(line, "lossless", &options->lossless, answer) &&
              line_number(line, "lease_ms", MOST_MILLISECONDS, &lease_ms, answer) &&
              choice(line, "access", access, &options->access, answer) &&
              choice(line, "trust", trust, &options->trust, answer) &&
              choice(line, "memory", memory, &options->memory, answer);
  options->lease_ns = lease_ms * MILLISECOND;
  return well;
}

/* The lane duplicates the buffers' descriptors, so they are closed by the caller. */
static bool make_buffers(const struct line *line, framelane_producer_options *options,
                         int32_t *fds, struct answer *answer) {
  uint64_t wanted = 0, writable = 0;
  if (!line_number(line, "buffers", MOST_BUFFERS, &wanted, answer) ||
      !line_number(line, "writable", 1, &writable, answer)) {
    return false;
  }
  options->device_fds = fds;
  for (uint64_t i = 0; i < wanted && options->layout.fourcc; i++) {
    fds[i] = pixels_buffer(&options->layout, i, writable != 0);
    if (fds[i] < 0) {
      return misunderstood(answer, "no device buffer");
    }
    options->device_count++;
  }
  return true;
}

/* The options, filled in also where the line is refused: `device_count` buffers were made. */
bool options_read(const struct line *line, framelane_producer_options *options, int32_t *fds,
                  struct answer *answer) {
  framelane_producer_options_init(options);
  return choose(line, options, answer) && make_buffers(line, options, fds, answer);
}
