/* One process that publishes and reads through the C ABI; exit status 0 when all of it holds. */
#include "framelane.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

static void demand_at(int holds, const char *what, int line) {
  if (!holds) {
    fprintf(stderr, "line %d: %s\n", line, what);
    exit(1);
  }
}
#define DEMAND(condition) demand_at((condition), #condition, __LINE__)

static framelane_producer *create(const char *directory) {
  framelane_producer_options options;
  framelane_error error;
  framelane_producer *producer = NULL;
  DEMAND(framelane_producer_options_init(&options) == FRAMELANE_ERROR_KIND_OK);
  options.directory = directory;
  DEMAND(framelane_layout_init(FRAMELANE_PIXEL_FORMAT_NV12, 64, 48, 1, &error,
                               &options.layout) == 0);
  DEMAND(options.layout.total_bytes == 64 * 48 * 3 / 2);
  options.memory = FRAMELANE_MEMORY_KIND_MEMFD;
  options.lease_ns = 50000000;
  options.frame_period_ns = 33000000;
  DEMAND(framelane_producer_create("c", &options, &error, &producer) ==
         FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(strstr(error.text, "two frame periods") != NULL);
  options.memory = FRAMELANE_MEMORY_KIND_INLINE;
  options.lease_ns = 0;
  DEMAND(framelane_producer_create("c", &options, &error, &producer) == 0);
  DEMAND(framelane_producer_epoch(producer) != 0);
  return producer;
}

static framelane_consumer *open_reader(const char *directory) {
  framelane_consumer_options options;
  framelane_error error;
  framelane_consumer *consumer = NULL;
  DEMAND(framelane_consumer_options_init(&options) == 0);
  options.directory = directory;
  options.mode = FRAMELANE_MODE_ORDERED;
  DEMAND(framelane_consumer_open("c", &options, &error, &consumer) == 0);
  return consumer;
}

static void publish(framelane_producer *producer, int value) {
  framelane_frame_mut frame;
  framelane_plane_mut plane;
  uint64_t sequence = 0;
  DEMAND(framelane_producer_claim(producer, NULL, &frame) == 0);
  DEMAND(frame.payload_bytes >= 64 * 48 * 3 / 2);
  memset(frame.payload, value, frame.payload_bytes);
  frame.descriptor->capture_id = (uint64_t)value;
  DEMAND(framelane_frame_mut_plane(&frame, 1, NULL, &plane) == 0);
  DEMAND(plane.data == frame.payload + 64 * 48 && plane.size_bytes == 64 * 24);
  DEMAND(plane.stride_bytes == 64 && plane.rows == 24);
  DEMAND(framelane_frame_mut_plane(&frame, 2, NULL, &plane) ==
         FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(framelane_frame_mut_publish(&frame, NULL, &sequence) == 0);
  DEMAND(sequence > 0 && frame.live == 0);
  DEMAND(framelane_frame_mut_publish(&frame, NULL, NULL) == FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
}

static void read_one(framelane_consumer *consumer, int value) {
  framelane_frame frame;
  framelane_plane_view plane;
  const struct framelane_frame_descriptor *descriptor = NULL;
  framelane_error error;
  DEMAND(framelane_consumer_next(consumer, 10 * SECOND, &error, &frame) == 0);
  DEMAND(framelane_frame_descriptor(&frame, &error, &descriptor) == 0);
  DEMAND(descriptor->capture_id == (uint64_t)value && descriptor->width == 64);
  DEMAND(framelane_frame_plane(&frame, 1, &error, &plane) == 0);
  DEMAND(plane.stride_bytes == 64 && plane.rows == 24 && plane.revocable == 0);
  DEMAND(plane.data[plane.size_bytes - 1] == (uint8_t)value);
  DEMAND(framelane_frame_plane(&frame, 2, &error, &plane) == FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(strlen(error.text) > 0);
  int fd = -1;
  DEMAND(framelane_frame_plane_fd(&frame, 0, &error, &fd) == FRAMELANE_ERROR_KIND_UNSUPPORTED);
  DEMAND(fd == -1 && framelane_frame_plane_fd(&frame, 0, &error, NULL) != 0);
  DEMAND(framelane_frame_check(&frame) == 1);
  DEMAND(framelane_frame_release(&frame, &error) == 0);
  DEMAND(framelane_frame_release(&frame, &error) == 0);
  DEMAND(framelane_frame_check(&frame) == 0);
}

static void nothing_is_an_answer(framelane_consumer *consumer) {
  framelane_frame frame;
  framelane_error error;
  int32_t ready = 7;
  memset(&frame, 0xff, sizeof frame);
  memset(&error, 0xff, sizeof error);
  DEMAND(framelane_consumer_next(consumer, 0, &error, &frame) == FRAMELANE_ERROR_KIND_TIMED_OUT);
  DEMAND(error.status == FRAMELANE_ERROR_KIND_TIMED_OUT && strlen(error.text) > 0);
  DEMAND(framelane_consumer_try_next(consumer, NULL, &frame) == FRAMELANE_ERROR_KIND_TIMED_OUT);
  DEMAND(frame.live == 0);
  DEMAND(framelane_consumer_ready(consumer, NULL, &ready) == 0 && ready == 0);
  DEMAND(framelane_consumer_ready(NULL, NULL, &ready) == FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
}

static void null_is_an_error(void) {
  framelane_error error;
  framelane_frame frame;
  DEMAND(framelane_consumer_next(NULL, 0, &error, &frame) == FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(strstr(error.text, "consumer is NULL") != NULL);
  DEMAND(framelane_consumer_next(NULL, 0, NULL, NULL) == FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(framelane_producer_create(NULL, NULL, NULL, NULL) ==
         FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(framelane_frame_release(NULL, NULL) == 0);
  framelane_producer_close(NULL);
  framelane_consumer_close(NULL);
  framelane_closer_free(NULL);
}

static void numbers_have_names(void) {
  framelane_layout layout;
  struct framelane_frame_descriptor descriptor;
  uint32_t format = 0;
  DEMAND(strcmp(framelane_error_kind_name(FRAMELANE_ERROR_KIND_NO_LEASES), "no_leases") == 0);
  DEMAND(strcmp(framelane_error_kind_name(0), "ok") == 0);
  DEMAND(strcmp(framelane_error_kind_name(12345), "unknown") == 0);
  DEMAND(framelane_pixel_format_parse("I420", NULL, &format) == 0);
  DEMAND(format == FRAMELANE_PIXEL_FORMAT_I420);
  DEMAND(framelane_pixel_format_parse("mauve", NULL, &format) != 0);
  DEMAND(framelane_layout_init(format, 5, 3, 1, NULL, &layout) == 0);
  memset(&descriptor, 0, sizeof descriptor);
  DEMAND(framelane_layout_apply(&layout, NULL, &descriptor) == 0);
  DEMAND(descriptor.plane_count == 3 && descriptor.planes[2].offset_bytes == 15 + 6);
  DEMAND(descriptor.planes[3].share_id == -1 && descriptor.fourcc == format);
  layout.fourcc = 0;
  DEMAND(framelane_layout_apply(&layout, NULL, &descriptor) != 0);
}

static int count_lane(void *user_data, const char *name, const char *directory) {
  (void)directory;
  *(int *)user_data += strcmp(name, "c") == 0;
  return 0;
}

static void the_lane_is_seen(const char *directory) {
  struct framelane_report report;
  int lanes = 0;
  DEMAND(framelane_discover(directory, count_lane, &lanes, NULL) == 0 && lanes == 1);
  DEMAND(framelane_query("c", directory, 10 * SECOND, NULL, &report) == 0);
  DEMAND(report.published == 3 && report.consumer_count == 1);
  DEMAND(report.consumers[0].received == 3);
}

int main(int count, char **arguments) {
  framelane_producer *producer;
  framelane_consumer *consumer;
  framelane_closer *closer = NULL;
  framelane_frame frame;
  struct pollfd polled;
  DEMAND(count == 2);
  DEMAND(framelane_layout_hash() == FRAMELANE_LAYOUT_HASH);
  null_is_an_error();
  numbers_have_names();
  producer = create(arguments[1]);
  consumer = open_reader(arguments[1]);
  nothing_is_an_answer(consumer);
  publish(producer, 1);
  publish(producer, 2);
  read_one(consumer, 1);
  read_one(consumer, 2);
  polled.fd = framelane_consumer_fd(consumer);
  polled.events = POLLIN;
  nothing_is_an_answer(consumer);
  publish(producer, 3);
  DEMAND(poll(&polled, 1, 10000) == 1);
  read_one(consumer, 3);
  the_lane_is_seen(arguments[1]);
  DEMAND(framelane_consumer_received(consumer) == 3 && framelane_consumer_missed(consumer) == 0);
  DEMAND(framelane_consumer_closer(consumer, NULL, &closer) == 0);
  framelane_closer_close(closer);
  DEMAND(framelane_consumer_next(consumer, SECOND, NULL, &frame) == FRAMELANE_ERROR_KIND_CLOSED);
  framelane_consumer_close(consumer);
  framelane_closer_close(closer);
  framelane_closer_free(closer);
  framelane_producer_close(producer);
  return 0;
}
