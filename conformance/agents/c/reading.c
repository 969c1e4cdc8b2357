/* The commands of stream readers. */
#define _POSIX_C_SOURCE 200809L
#include "agent.h"
#include <poll.h>
#include <string.h>

#define READERS 16
#define RECORDS 64

static framelane_stream_reader *readers[READERS];
static framelane_record records[RECORDS];

void reset_reading(void) {
  for (size_t i = 0; i < RECORDS; i++) {
    framelane_record_release(&records[i]);
  }
  for (size_t i = 0; i < READERS; i++) {
    framelane_stream_reader_close(readers[i]);
    readers[i] = NULL;
  }
}

static framelane_stream_reader **place(const struct line *line, struct answer *answer) {
  uint64_t number = 0;
  bool well = line_number(line, "reader", READERS - 1, &number, answer);
  return well ? &readers[number] : NULL;
}

static framelane_stream_reader *the_reader(const struct line *line, struct answer *answer) {
  framelane_stream_reader **at = place(line, answer);
  if (at && !*at) {
    misunderstood(answer, "there is no reader %zu", (size_t)(at - readers));
  }
  return at ? *at : NULL;
}

static framelane_record *the_record(const struct line *line, struct answer *answer) {
  uint64_t number = 0;
  if (!line_number(line, "record", RECORDS - 1, &number, answer)) {
    return NULL;
  }
  if (!records[number].live) {
    misunderstood(answer, "there is no record %u", (unsigned)number);
    return NULL;
  }
  return &records[number];
}

/* A place of the stream; it stays as it is where the line has none. */
static bool start_read(const struct line *line, const char *key, uint32_t *start,
                       struct answer *answer) {
  static const char *const names[] = {[FRAMELANE_STREAM_START_NEWEST_KEY] = "newest_key",
                                      [FRAMELANE_STREAM_START_OLDEST_KEY] = "oldest_key",
                                      [FRAMELANE_STREAM_START_KEY_BEFORE] = "key_before",
                                      [FRAMELANE_STREAM_START_NEXT] = "next"};
  const char *name = line_text(line, key);
  for (uint32_t i = 1; name && i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(names[i], name) == 0) {
      *start = i;
      return true;
    }
  }
  return !name || misunderstood(answer, "%s=%s", key, name);
}

bool open_stream(const struct line *line, struct answer *answer) {
  framelane_stream_reader_options options;
  framelane_stream_reader *reader = NULL, **at = place(line, answer);
  framelane_error error;
  const char *lane;
  uint64_t wait_ms = 0, age_ms = 0;
  framelane_stream_reader_options_init(&options);
  if (!at || !start_read(line, "start", &options.start, answer) ||
      !start_read(line, "after_lap", &options.after_lap, answer) ||
      !line_number(line, "age_ms", MOST_MILLISECONDS, &age_ms, answer) ||
      !line_u32(line, "lossless", &options.lossless, answer) ||
      !line_u32(line, "reattach", &options.reattach, answer) ||
      !line_number(line, "wait_ms", MOST_MILLISECONDS, &wait_ms, answer) ||
      !line_need_text(line, "lane", &lane, answer)) {
    return false;
  }
  options.start_age_ns = age_ms * MILLISECOND;
  options.wait_for_lane_ns = wait_ms * MILLISECOND;
  if (!sdk(answer, framelane_stream_reader_open(lane, &options, &error, &reader), &error)) {
    return false;
  }
  framelane_stream_reader_close(*at);
  *at = reader;
  say(answer, " epoch=%llu", (unsigned long long)framelane_stream_reader_epoch(reader));
  return true;
}

bool next_record(const struct line *line, struct answer *answer) {
  framelane_stream_reader *reader = the_reader(line, answer);
  framelane_record record;
  framelane_error error;
  framelane_status status;
  uint64_t time = 0, number = 0;
  if (!reader || !line_number(line, "timeout_ms", MOST_MILLISECONDS, &time, answer) ||
      !line_number(line, "record", RECORDS - 1, &number, answer)) {
    return false;
  }
  status = line_text(line, "timeout_ms")
               ? framelane_stream_reader_next(reader, time * MILLISECOND, &error, &record)
               : framelane_stream_reader_try_next(reader, &error, &record);
  if (status == FRAMELANE_ERROR_KIND_LAPPED) {
    say(answer, " lapped=%llu", (unsigned long long)record.missed);
    return true;
  }
  answer->nothing = status == FRAMELANE_ERROR_KIND_TIMED_OUT;
  if (answer->nothing || !sdk(answer, status, &error)) {
    return false;
  }
  framelane_record_release(&records[number]);
  records[number] = record;
  say(answer, " sequence=%llu missed=%llu new_epoch=%u key=%u config=%u new_config=%u",
      (unsigned long long)record.info.sequence, (unsigned long long)record.missed,
      record.new_epoch ? 1u : 0u, record.info.flags & FRAMELANE_RECORD_FLAG_KEY ? 1u : 0u,
      (unsigned)record.info.config_id, record.new_config ? 1u : 0u);
  return true;
}

bool read_record(const struct line *line, struct answer *answer) {
  const framelane_record *record = the_record(line, answer);
  if (!record) {
    return false;
  }
  const struct framelane_record_info *info = &record->info;
  const struct framelane_stream_config *config = record->config;
  say(answer, " size=%zu crc=%08x pts=%lld dts=%lld capture_id=%llu", record->size_bytes,
      (unsigned)pixels_crc(record->data, record->size_bytes), (long long)info->pts_ns,
      (long long)info->dts_ns, (unsigned long long)info->capture_id);
  say(answer, " codec=%u width=%u height=%u parameters=%u parameters_crc=%08x",
      (unsigned)config->codec, (unsigned)config->width, (unsigned)config->height,
      (unsigned)config->parameter_bytes,
      (unsigned)pixels_crc(config->parameters, config->parameter_bytes));
  return true;
}

bool release_record(const struct line *line, struct answer *answer) {
  framelane_record *record = the_record(line, answer);
  framelane_record_release(record);
  return record != NULL;
}

bool seek_stream(const struct line *line, struct answer *answer) {
  framelane_stream_reader *reader = the_reader(line, answer);
  framelane_error error;
  uint32_t start = 0;
  uint64_t age = 0;
  return reader && start_read(line, "place", &start, answer) &&
         line_number(line, "age_ms", MOST_MILLISECONDS, &age, answer) &&
         sdk(answer, framelane_stream_reader_seek(reader, start, age * MILLISECOND, &error),
             &error);
}

bool request_key(const struct line *line, struct answer *answer) {
  framelane_stream_reader *reader = the_reader(line, answer);
  framelane_error error;
  return reader && sdk(answer, framelane_stream_reader_request_key_frame(reader, &error), &error);
}

bool wait_stream(const struct line *line, struct answer *answer) {
  framelane_stream_reader *reader = the_reader(line, answer);
  framelane_error error;
  uint64_t time = 0;
  int32_t ready = 0;
  if (!reader || !line_need_number(line, "timeout_ms", MOST_MILLISECONDS, &time, answer) ||
      !sdk(answer, framelane_stream_reader_wait(reader, time * MILLISECOND, &error, &ready),
           &error)) {
    return false;
  }
  say(answer, " ready=%d", (int)ready);
  return true;
}

bool poll_stream(const struct line *line, struct answer *answer) {
  framelane_stream_reader *reader = the_reader(line, answer);
  uint64_t time = 0;
  if (!reader || !line_need_number(line, "timeout_ms", INT32_MAX, &time, answer)) {
    return false;
  }
  struct pollfd polled = {framelane_stream_reader_fd(reader), POLLIN, 0};
  say(answer, " ready=%d", poll(&polled, 1, (int)time));
  return true;
}

bool count_stream(const struct line *line, struct answer *answer) {
  framelane_stream_reader *reader = the_reader(line, answer);
  if (!reader) {
    return false;
  }
  say(answer, " received=%llu missed=%llu held=%u",
      (unsigned long long)framelane_stream_reader_received(reader),
      (unsigned long long)framelane_stream_reader_missed(reader),
      (unsigned)framelane_stream_reader_held(reader));
  return true;
}

bool close_stream(const struct line *line, struct answer *answer) {
  framelane_stream_reader **at = place(line, answer);
  if (!the_reader(line, answer)) {
    return false;
  }
  framelane_stream_reader_close(*at);
  *at = NULL;
  return true;
}
