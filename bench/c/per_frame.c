/* What a frame costs in C; see bench/README.md. */

#define _POSIX_C_SOURCE 200809L

#include <framelane.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND UINT64_C(1000000000)

static framelane_error error;
/* Where a plane is looked at, so that the look is not left out. */
const uint8_t *volatile seen;

static void must(framelane_status status) {
  if (status != FRAMELANE_ERROR_KIND_OK) {
    fprintf(stderr, "per-frame: %s\n", error.text);
    exit(1);
  }
}

static uint64_t now_ns(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

static void publish(framelane_producer *producer) {
  framelane_frame_mut frame;
  must(framelane_producer_claim(producer, &error, &frame));
  seen = frame.payload + frame.descriptor->planes[0].offset_bytes;
  must(framelane_frame_mut_publish(&frame, &error, NULL));
}

static void hand_over(framelane_producer *producer, framelane_consumer *consumer) {
  framelane_frame frame;
  framelane_plane_view plane;
  publish(producer);
  must(framelane_consumer_try_next(consumer, &error, &frame));
  must(framelane_frame_plane(&frame, 0, &error, &plane));
  seen = plane.data;
  must(framelane_frame_release(&frame, &error));
}

static void cost(const char *lane, uint64_t frames) {
  framelane_producer_options producing;
  framelane_consumer_options consuming;
  framelane_producer *producer;
  framelane_consumer *consumer;
  uint64_t start, middle, first, second;
  must(framelane_producer_options_init(&producing));
  must(framelane_layout_init(FRAMELANE_PIXEL_FORMAT_NV12, 640, 480, 1, &error, &producing.layout));
  must(framelane_producer_create(lane, &producing, &error, &producer));
  must(framelane_consumer_options_init(&consuming));
  must(framelane_consumer_open(lane, &consuming, &error, &consumer));
  for (uint64_t i = 0; i < frames; i++)
    hand_over(producer, consumer);
  start = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (uint64_t i = 0; i < frames; i++)
    publish(producer);
  middle = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (uint64_t i = 0; i < frames; i++)
    hand_over(producer, consumer);
  second = now_ns(CLOCK_PROCESS_CPUTIME_ID) - middle;
  first = middle - start;
  printf("producer_ns=%llu consumer_ns=%llu\n", (unsigned long long)(first / frames),
         (unsigned long long)((second > first ? second - first : 0) / frames));
  framelane_consumer_close(consumer);
  framelane_producer_close(producer);
}

static int by_size(const void *left, const void *right) {
  uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
  return (a > b) - (a < b);
}

static void paced(const char *lane, size_t frames) {
  framelane_consumer_options options;
  framelane_consumer *consumer;
  uint64_t *times = calloc(frames, sizeof *times);
  must(framelane_consumer_options_init(&options));
  options.wait_for_lane_ns = 10 * SECOND;
  must(framelane_consumer_open(lane, &options, &error, &consumer));
  for (size_t i = 0; i < frames; i++) {
    framelane_frame frame;
    const struct framelane_frame_descriptor *descriptor;
    must(framelane_consumer_next(consumer, 5 * SECOND, &error, &frame));
    must(framelane_frame_descriptor(&frame, &error, &descriptor));
    times[i] = now_ns(CLOCK_MONOTONIC) - descriptor->publish_ns;
    must(framelane_frame_release(&frame, &error));
  }
  qsort(times, frames, sizeof *times, by_size);
  printf("p50_ns=%llu\n", (unsigned long long)times[frames / 2]);
  free(times);
  framelane_consumer_close(consumer);
}

int main(int count, char **words) {
  unsigned long long frames = count == 4 ? strtoull(words[3], NULL, 10) : 0;
  if (frames > 0 && strcmp(words[1], "cost") == 0) {
    cost(words[2], frames);
  } else if (frames > 0 && strcmp(words[1], "paced") == 0) {
    paced(words[2], frames);
  } else {
    fprintf(stderr, "per-frame cost|paced LANE FRAMES\n");
    return 2;
  }
  return 0;
}
