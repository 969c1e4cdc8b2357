/* The commands of a stream writer. */
#define _POSIX_C_SOURCE 200809L
#include "agent.h"
#include <stdlib.h>
#include <string.h>

#define MOST_PIECES 64

static framelane_stream_writer *writer;
static framelane_record_mut record;

void reset_writing(void) {
  framelane_record_mut_abandon(&record);
  framelane_stream_writer_close(writer);
  writer = NULL;
}

static bool there(struct answer *answer) {
  return writer || misunderstood(answer, "there is no stream writer");
}

static bool timeout(const struct line *line, uint64_t *time_ns, struct answer *answer) {
  uint64_t time = 0;
  bool well = line_number(line, "timeout_ms", MOST_MILLISECONDS, &time, answer);
  *time_ns = time * MILLISECOND;
  return well;
}

static bool codec(const struct line *line, uint32_t *number, struct answer *answer) {
  static const char *const names[] = {
      [FRAMELANE_CODEC_OPAQUE] = "opaque", [FRAMELANE_CODEC_H264] = "h264",
      [FRAMELANE_CODEC_H265] = "h265",     [FRAMELANE_CODEC_JPEG] = "jpeg",
      [FRAMELANE_CODEC_AAC] = "aac",       [FRAMELANE_CODEC_OPUS] = "opus",
      [FRAMELANE_CODEC_JSON] = "json"};
  const char *name = line_text(line, "codec");
  *number = FRAMELANE_CODEC_OPAQUE;
  for (uint32_t i = 0; name && i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(names[i], name) == 0) {
      *number = i;
      return true;
    }
  }
  return !name || misunderstood(answer, "codec=%s", name);
}

static bool config_read(const struct line *line, struct framelane_stream_config *config,
                        struct answer *answer) {
  uint32_t number;
  uint64_t parameters = 0, seed = 0;
  framelane_error error;
  if (!codec(line, &number, answer) ||
      !sdk(answer, framelane_stream_config_init(number, &error, config), &error) ||
      !line_u32(line, "width", &config->width, answer) ||
      !line_u32(line, "height", &config->height, answer) ||
      !line_number(line, "parameters", sizeof config->parameters, &parameters, answer) ||
      !line_number(line, "parameters_seed", UINT64_MAX, &seed, answer)) {
    return false;
  }
  config->parameter_bytes = (uint32_t)parameters;
  pixels_fill(config->parameters, parameters, 0, seed);
  return true;
}

bool create_stream(const struct line *line, struct answer *answer) {
  framelane_stream_writer_options options;
  struct framelane_stream_config config;
  framelane_stream_writer *made = NULL;
  framelane_error error;
  const char *lane, *trust = line_text(line, "trust");
  framelane_stream_writer_options_init(&options);
  uint64_t interval = options.key_request_interval_ns / MILLISECOND;
  if (!config_read(line, &config, answer) || !line_need_text(line, "lane", &lane, answer) ||
      !line_number(line, "data_bytes", UINT64_MAX, &options.data_bytes, answer) ||
      !line_u32(line, "index_capacity", &options.index_capacity, answer) ||
      !line_u32(line, "lossless", &options.lossless, answer) ||
      !line_number(line, "key_interval_ms", MOST_MILLISECONDS, &interval, answer)) {
    return false;
  }
  options.key_request_interval_ns = interval * MILLISECOND;
  options.trust = trust && strcmp(trust, "untrusted") == 0 ? 2 : 0;
  if (!sdk(answer, framelane_stream_writer_create(lane, &config, &options, &error, &made),
           &error)) {
    return false;
  }
  reset_writing();
  writer = made;
  say(answer, " epoch=%llu limit=%zu", (unsigned long long)framelane_stream_writer_epoch(made),
      framelane_stream_writer_record_limit(made));
  return true;
}

/* A signed number; the value stays where the line has none. */
static bool time_read(const struct line *line, const char *key, int64_t *value,
                      struct answer *answer) {
  const char *text = line_text(line, key);
  char *end = NULL;
  if (!text) {
    return true;
  }
  *value = strtoll(text, &end, 10);
  return (*text && !*end) || misunderstood(answer, "%s=%s has no meaning", key, text);
}

static bool info_read(const struct line *line, struct framelane_record_info *info,
                      struct answer *answer) {
  uint32_t key = 0;
  framelane_record_info_init(info);
  bool well = line_u32(line, "key", &key, answer) &&
              time_read(line, "pts", &info->pts_ns, answer) &&
              time_read(line, "dts", &info->dts_ns, answer) &&
              line_number(line, "capture_id", UINT64_MAX, &info->capture_id, answer);
  info->flags = key ? FRAMELANE_RECORD_FLAG_KEY : 0;
  return well;
}

/* Filled bytes that the caller frees; NULL when the line is wrong. */
static uint8_t *filled(const struct line *line, uint64_t *size, struct answer *answer) {
  uint64_t seed = 0;
  *size = 0;
  if (!line_number(line, "size", UINT32_MAX, size, answer) ||
      !line_number(line, "seed", UINT64_MAX, &seed, answer)) {
    return NULL;
  }
  uint8_t *bytes = malloc(*size ? *size : 1);
  if (!bytes) {
    misunderstood(answer, "no memory for %llu bytes", (unsigned long long)*size);
    return NULL;
  }
  pixels_fill(bytes, *size, 0, seed);
  return bytes;
}

bool write_record(const struct line *line, struct answer *answer) {
  framelane_bytes pieces[MOST_PIECES];
  struct framelane_record_info info;
  framelane_error error;
  uint64_t size, count = 1, time_ns, sequence = 0;
  if (!there(answer) || !info_read(line, &info, answer) || !timeout(line, &time_ns, answer) ||
      !line_number(line, "pieces", MOST_PIECES, &count, answer)) {
    return false;
  }
  uint8_t *bytes = filled(line, &size, answer);
  if (!bytes) {
    return false;
  }
  size_t at = 0;
  for (size_t i = 0; i < count; i++) {
    size_t until = i + 1 == count ? size : size / count * (i + 1);
    pieces[i].data = bytes + at;
    pieces[i].size_bytes = until - at;
    at = until;
  }
  bool well = sdk(answer, framelane_stream_writer_write(writer, &info, pieces, count, time_ns,
                                                        &error, &sequence), &error);
  free(bytes);
  if (well) {
    say(answer, " sequence=%llu", (unsigned long long)sequence);
  }
  return well;
}

bool begin_record(const struct line *line, struct answer *answer) {
  framelane_record_mut begun;
  framelane_error error;
  uint64_t room, time_ns;
  if (!there(answer) || !timeout(line, &time_ns, answer) ||
      !line_need_number(line, "room", SIZE_MAX, &room, answer) ||
      !sdk(answer, framelane_stream_writer_begin(writer, room, time_ns, &error, &begun),
           &error)) {
    return false;
  }
  framelane_record_mut_abandon(&record);
  record = begun;
  return true;
}

bool append(const struct line *line, struct answer *answer) {
  framelane_error error;
  uint64_t size;
  uint8_t *bytes = filled(line, &size, answer);
  bool well = bytes && sdk(answer, framelane_record_mut_append(&record, bytes, size, &error),
                           &error);
  free(bytes);
  return well;
}

bool commit_record(const struct line *line, struct answer *answer) {
  framelane_error error;
  uint64_t sequence = 0;
  if (!info_read(line, &record.info, answer) ||
      !sdk(answer, framelane_record_mut_commit(&record, &error, &sequence), &error)) {
    return false;
  }
  say(answer, " sequence=%llu", (unsigned long long)sequence);
  return true;
}

bool abandon_record(const struct line *line, struct answer *answer) {
  (void)line;
  if (!record.live) {
    return misunderstood(answer, "no record is begun");
  }
  framelane_record_mut_abandon(&record);
  return true;
}

bool set_config(const struct line *line, struct answer *answer) {
  struct framelane_stream_config config;
  framelane_error error;
  uint64_t time_ns;
  uint32_t id = 0;
  if (!there(answer) || !config_read(line, &config, answer) ||
      !timeout(line, &time_ns, answer) ||
      !sdk(answer, framelane_stream_writer_set_config(writer, &config, time_ns, &error, &id),
           &error)) {
    return false;
  }
  say(answer, " config=%u", (unsigned)id);
  return true;
}

bool key_wanted(const struct line *line, struct answer *answer) {
  framelane_error error;
  uint64_t time_ns;
  int32_t wanted = 0;
  if (!there(answer) || !timeout(line, &time_ns, answer) ||
      !sdk(answer, framelane_stream_writer_key_frame_wanted(writer, time_ns, &error, &wanted),
           &error)) {
    return false;
  }
  say(answer, " wanted=%d", (int)wanted);
  return true;
}

bool stream_report(const struct line *line, struct answer *answer) {
  static struct framelane_report report;
  framelane_error error;
  (void)line;
  if (!there(answer) ||
      !sdk(answer, framelane_stream_writer_report(writer, &error, &report), &error)) {
    return false;
  }
  say(answer, " consumers=%u published=%llu abandoned=%llu no_free_slot=%llu oldest=%llu keys=%llu",
      (unsigned)report.consumer_count, (unsigned long long)report.published,
      (unsigned long long)report.abandoned, (unsigned long long)report.no_free_slot,
      (unsigned long long)report.stream.oldest, (unsigned long long)report.stream.key_records);
  return true;
}

bool close_writer(const struct line *line, struct answer *answer) {
  (void)line;
  if (!there(answer)) {
    return false;
  }
  framelane_stream_writer_close(writer);
  writer = NULL;
  return true;
}
