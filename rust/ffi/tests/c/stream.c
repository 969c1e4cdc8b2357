/* One process that writes and reads a stream through the C ABI; exit status 0 when all of it
 * holds. */
#include "framelane.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define LAPPED FRAMELANE_ERROR_KIND_LAPPED

static void demand_at(int holds, const char *what, int line) {
  if (!holds) {
    fprintf(stderr, "line %d: %s\n", line, what);
    exit(1);
  }
}
#define DEMAND(condition) demand_at((condition), #condition, __LINE__)

static framelane_stream_writer *create(const char *directory, uint32_t lossless) {
  framelane_stream_writer_options options;
  struct framelane_stream_config config;
  framelane_error error;
  framelane_stream_writer *writer = NULL;
  DEMAND(framelane_stream_writer_options_init(&options) == 0);
  options.directory = directory;
  options.data_bytes = 8192;
  options.lossless = lossless;
  DEMAND(framelane_stream_config_init(99, &error, &config) ==
         FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(framelane_stream_config_init(FRAMELANE_CODEC_H264, NULL, &config) == 0);
  config.width = 640;
  config.height = 480;
  DEMAND(framelane_stream_writer_create("c", &config, &options, &error, &writer) == 0);
  DEMAND(framelane_stream_writer_epoch(writer) != 0);
  DEMAND(framelane_stream_writer_record_limit(writer) >= 4096);
  return writer;
}

static framelane_stream_reader *open_reader(const char *directory, uint32_t lossless) {
  framelane_stream_reader_options options;
  framelane_error error;
  framelane_stream_reader *reader = NULL;
  DEMAND(framelane_stream_reader_options_init(&options) == 0);
  options.directory = directory;
  options.start = FRAMELANE_STREAM_START_OLDEST_KEY;
  options.lossless = lossless;
  DEMAND(framelane_stream_reader_open("c", &options, &error, &reader) == 0);
  return reader;
}

/* A key record in pieces. */
static uint64_t write_record(framelane_stream_writer *writer, size_t size, char value) {
  framelane_record_mut record;
  uint64_t sequence = 0;
  size_t at;
  DEMAND(framelane_stream_writer_begin(writer, size, 0, NULL, &record) == 0);
  record.info.flags = FRAMELANE_RECORD_FLAG_KEY;
  record.info.pts_ns = 42;
  for (at = 0; at < size; at++) {
    DEMAND(framelane_record_mut_append(&record, (const uint8_t *)&value, 1, NULL) == 0);
  }
  DEMAND(framelane_record_mut_append(&record, (const uint8_t *)&value, 1, NULL) ==
         FRAMELANE_ERROR_KIND_RECORD_TOO_LARGE);
  DEMAND(framelane_record_mut_commit(&record, NULL, &sequence) == 0 && record.live == 0);
  DEMAND(framelane_record_mut_commit(&record, NULL, NULL) ==
         FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  framelane_record_mut_abandon(&record);
  return sequence;
}

static void live(const char *directory) {
  framelane_stream_writer *writer = create(directory, 0);
  framelane_stream_reader *reader = open_reader(directory, 0);
  struct framelane_record_info info;
  struct framelane_stream_config config;
  framelane_bytes pieces[2] = {{(const uint8_t *)"ab", 2}, {(const uint8_t *)"cde", 3}};
  framelane_record record;
  struct pollfd polled;
  uint64_t sequence = 0;
  uint32_t id = 0;
  int32_t wanted = 0;
  int n;
  DEMAND(framelane_stream_writer_key_frame_wanted(writer, SECOND, NULL, &wanted) == 0 && wanted);
  DEMAND(framelane_stream_reader_try_next(reader, NULL, &record) ==
         FRAMELANE_ERROR_KIND_TIMED_OUT);
  DEMAND(record.live == 0);
  DEMAND(framelane_record_info_init(&info) == 0);
  info.flags = FRAMELANE_RECORD_FLAG_KEY;
  info.capture_id = 7;
  DEMAND(framelane_stream_writer_write(writer, &info, pieces, 2, 0, NULL, &sequence) == 0);
  DEMAND(sequence == 1);
  polled.fd = framelane_stream_reader_fd(reader);
  polled.events = POLLIN;
  DEMAND(poll(&polled, 1, 5000) == 1);
  DEMAND(framelane_stream_reader_next(reader, SECOND, NULL, &record) == 0);
  DEMAND(record.size_bytes == 5 && memcmp(record.data, "abcde", 5) == 0);
  DEMAND(record.info.sequence == 1 && record.info.capture_id == 7 && record.new_config == 1);
  DEMAND(record.config->width == 640 && record.config->codec == FRAMELANE_CODEC_H264);
  framelane_record_release(&record);
  framelane_record_release(&record);
  DEMAND(framelane_stream_config_init(FRAMELANE_CODEC_H265, NULL, &config) == 0);
  DEMAND(framelane_stream_writer_set_config(writer, &config, 0, NULL, &id) == 0 && id == 2);
  for (n = 0; n < 50; n++) {
    write_record(writer, 500, (char)n);
  }
  DEMAND(framelane_stream_reader_next(reader, SECOND, NULL, &record) == LAPPED);
  DEMAND(record.live == 0 && record.missed == 49);
  DEMAND(framelane_stream_reader_next(reader, SECOND, NULL, &record) == 0);
  DEMAND(record.info.sequence == 51 && record.data[499] == 49 && record.info.pts_ns == 42);
  DEMAND(record.new_config == 1 && record.config->codec == FRAMELANE_CODEC_H265);
  framelane_record_release(&record);
  DEMAND(framelane_stream_reader_seek(reader, FRAMELANE_STREAM_START_OLDEST_KEY, 0, NULL) == 0);
  DEMAND(framelane_stream_reader_next(reader, SECOND, NULL, &record) == 0);
  framelane_stream_reader_close(reader);
  framelane_stream_writer_close(writer);
  DEMAND(record.size_bytes == 500 && record.data[0] == record.data[499]);
  framelane_record_release(&record);
}

static void lossless(const char *directory) {
  framelane_stream_writer *writer = create(directory, 1);
  framelane_stream_reader *reader = open_reader(directory, 1);
  framelane_record_mut open;
  framelane_record record;
  framelane_error error;
  framelane_closer *closer = NULL;
  write_record(writer, 4096, 'a');
  write_record(writer, 4096, 'b');
  DEMAND(framelane_stream_writer_begin(writer, 1, 1000000, &error, &open) ==
         FRAMELANE_ERROR_KIND_NO_FREE_SLOT);
  DEMAND(strstr(error.text, "has not released record 1") != NULL);
  DEMAND(framelane_stream_reader_next(reader, SECOND, NULL, &record) == 0);
  DEMAND(record.data[4095] == 'a' && framelane_stream_reader_held(reader) == 1);
  framelane_record_release(&record);
  DEMAND(framelane_stream_writer_begin(writer, 1, SECOND, NULL, &open) == 0);
  framelane_record_mut_abandon(&open);
  DEMAND(framelane_stream_reader_closer(reader, NULL, &closer) == 0);
  framelane_closer_close(closer);
  framelane_closer_free(closer);
  DEMAND(framelane_stream_reader_next(reader, SECOND, NULL, &record) ==
         FRAMELANE_ERROR_KIND_CLOSED);
  framelane_stream_reader_close(reader);
  framelane_stream_writer_close(writer);
}

static void nothing(void) {
  DEMAND(framelane_stream_reader_next(NULL, 0, NULL, NULL) ==
         FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(framelane_stream_writer_begin(NULL, 1, 0, NULL, NULL) ==
         FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(framelane_stream_reader_fd(NULL) == -1);
  framelane_stream_reader_close(NULL);
  framelane_stream_writer_close(NULL);
  framelane_record_release(NULL);
  framelane_record_mut_abandon(NULL);
}

int main(int count, char **arguments) {
  DEMAND(count == 2);
  live(arguments[1]);
  lossless(arguments[1]);
  nothing();
  return 0;
}
