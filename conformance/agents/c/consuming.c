/* The commands of a consumer. */
#define _POSIX_C_SOURCE 200809L
#include "agent.h"
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONSUMERS 16
#define FRAMES 64

static framelane_consumer *consumers[CONSUMERS];
static framelane_frame frames[FRAMES];

/* Where the line's consumer is or will be; NULL for a number out of range. */
static framelane_consumer **place(const struct line *line, struct answer *answer) {
  uint64_t number = 0;
  bool well = line_number(line, "consumer", CONSUMERS - 1, &number, answer);
  return well ? &consumers[number] : NULL;
}

static framelane_consumer *the_consumer(const struct line *line, struct answer *answer) {
  framelane_consumer **at = place(line, answer);
  if (at && !*at) {
    misunderstood(answer, "there is no consumer %zu", (size_t)(at - consumers));
  }
  return at ? *at : NULL;
}

static framelane_frame *the_frame(const struct line *line, struct answer *answer) {
  uint64_t number = 0;
  if (!line_number(line, "frame", FRAMES - 1, &number, answer)) {
    return NULL;
  }
  if (!frames[number].live) {
    misunderstood(answer, "there is no frame %u", (unsigned)number);
    return NULL;
  }
  return &frames[number];
}

bool parse_mode(const char *name, uint32_t *mode) {
  static const char *const names[] = {[FRAMELANE_MODE_LATEST] = "latest",
                                      [FRAMELANE_MODE_ORDERED] = "ordered",
                                      [FRAMELANE_MODE_LOSSLESS] = "lossless"};
  for (uint32_t i = 1; i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(names[i], name) == 0) {
      *mode = i;
      return true;
    }
  }
  return false;
}

bool open_consumer(const struct line *line, struct answer *answer) {
  framelane_consumer_options options;
  framelane_consumer *consumer = NULL, **at = place(line, answer);
  framelane_error error;
  const char *lane, *mode;
  uint64_t wait_ms = 0;
  framelane_consumer_options_init(&options);
  if (!at || !line_need_text(line, "mode", &mode, answer) ||
      !line_u32(line, "leases", &options.leases, answer) ||
      !line_u32(line, "reattach", &options.reattach, answer) ||
      !line_u32(line, "writable", &options.wants_writable, answer) ||
      !line_number(line, "wait_ms", MOST_MILLISECONDS, &wait_ms, answer) ||
      !line_need_text(line, "lane", &lane, answer)) {
    return false;
  }
  if (!parse_mode(mode, &options.mode)) {
    return misunderstood(answer, "mode=%s", mode);
  }
  options.wait_for_lane_ns = wait_ms * MILLISECOND;
  if (!sdk(answer, framelane_consumer_open(lane, &options, &error, &consumer), &error)) {
    return false;
  }
  framelane_consumer_close(*at);
  *at = consumer;
  say(answer, " epoch=%llu", (unsigned long long)framelane_consumer_epoch(consumer));
  return true;
}

/* Keeps a frame that was asked for, or says why there is none. */
static bool keep(const struct line *line, struct answer *answer, framelane_status status,
                 const framelane_error *error, const framelane_frame *frame) {
  uint64_t number = 0;
  answer->nothing = status == FRAMELANE_ERROR_KIND_TIMED_OUT;
  if (answer->nothing || !sdk(answer, status, error) ||
      !line_number(line, "frame", FRAMES - 1, &number, answer)) {
    return false;
  }
  framelane_frame_release(&frames[number], NULL);
  frames[number] = *frame;
  say(answer, " sequence=%llu missed=%llu new_epoch=%u", (unsigned long long)frame->sequence,
      (unsigned long long)frame->missed, frame->new_epoch ? 1u : 0u);
  return true;
}

bool next_frame(const struct line *line, struct answer *answer) {
  framelane_consumer *consumer = the_consumer(line, answer);
  framelane_frame frame;
  framelane_error error;
  uint64_t time = 0;
  if (!consumer || !line_need_number(line, "timeout_ms", MOST_MILLISECONDS, &time, answer)) {
    return false;
  }
  framelane_status status =
      framelane_consumer_next(consumer, time * MILLISECOND, &error, &frame);
  return keep(line, answer, status, &error, &frame);
}

bool try_frame(const struct line *line, struct answer *answer) {
  framelane_consumer *consumer = the_consumer(line, answer);
  framelane_frame frame;
  framelane_error error;
  return consumer && keep(line, answer, framelane_consumer_try_next(consumer, &error, &frame),
                          &error, &frame);
}

bool latest_frame(const struct line *line, struct answer *answer) {
  framelane_consumer *consumer = the_consumer(line, answer);
  framelane_frame frame;
  framelane_error error;
  return consumer && keep(line, answer, framelane_consumer_latest(consumer, &error, &frame),
                          &error, &frame);
}

bool wait_for_frame(const struct line *line, struct answer *answer) {
  framelane_consumer *consumer = the_consumer(line, answer);
  framelane_error error;
  uint64_t time = 0;
  int32_t ready = 0;
  if (!consumer || !line_need_number(line, "timeout_ms", MOST_MILLISECONDS, &time, answer) ||
      !sdk(answer, framelane_consumer_wait(consumer, time * MILLISECOND, &error, &ready),
           &error)) {
    return false;
  }
  say(answer, " ready=%d", ready != 0);
  return true;
}

bool poll_consumer(const struct line *line, struct answer *answer) {
  framelane_consumer *consumer = the_consumer(line, answer);
  uint64_t time = 0;
  if (!consumer || !line_need_number(line, "timeout_ms", INT32_MAX, &time, answer)) {
    return false;
  }
  struct pollfd polled = {.fd = framelane_consumer_fd(consumer), .events = POLLIN};
  int ready = poll(&polled, 1, (int)time);
  if (ready < 0) {
    return misunderstood(answer, "poll failed");
  }
  say(answer, " ready=%d", ready);
  return true;
}

/* The checksum of a plane: in place, or of a copy where device memory may be taken back. */
static bool checksum(const framelane_frame *frame, size_t index, bool in_device, uint32_t *crc,
                     struct answer *answer) {
  framelane_plane_view plane;
  framelane_error error;
  if (!sdk(answer, framelane_frame_plane(frame, index, &error, &plane), &error)) {
    return false;
  }
  if (!in_device) {
    *crc = pixels_crc(plane.data, plane.size_bytes);
    return true;
  }
  uint8_t *copy = malloc(plane.size_bytes);
  if (!copy) {
    return misunderstood(answer, "no memory for a copy");
  }
  framelane_status status =
      framelane_frame_copy_to(frame, index, copy, plane.size_bytes, &error);
  *crc = status == FRAMELANE_ERROR_KIND_OK ? pixels_crc(copy, plane.size_bytes) : 0;
  free(copy);
  return sdk(answer, status, &error);
}

bool read_frame(const struct line *line, struct answer *answer) {
  const struct framelane_frame_descriptor *d;
  const framelane_frame *frame = the_frame(line, answer);
  framelane_error error;
  uint32_t crc = 0;
  if (!frame || !sdk(answer, framelane_frame_descriptor(frame, &error, &d), &error)) {
    return false;
  }
  say(answer, " format=%lu width=%lu height=%lu planes=%u", (unsigned long)d->fourcc,
      (unsigned long)d->width, (unsigned long)d->height, d->plane_count);
  for (unsigned i = 0; i < d->plane_count; i++) {
    if (!checksum(frame, i, d->memory_kind != FRAMELANE_MEMORY_KIND_INLINE, &crc, answer)) {
      return false;
    }
    say(answer, " size%u=%llu stride%u=%lu rows%u=%lu crc%u=%08lx", i,
        (unsigned long long)d->planes[i].size_bytes, i,
        (unsigned long)d->planes[i].stride_bytes, i, (unsigned long)d->planes[i].rows, i,
        (unsigned long)crc);
  }
  return true;
}

/* Which file a plane is in, by a descriptor of the caller's own. */
static bool file_of(const framelane_frame *frame, size_t index, uint64_t *file,
                    struct answer *answer) {
  struct stat status;
  framelane_error error;
  int32_t fd = -1;
  if (!sdk(answer, framelane_frame_plane_fd(frame, index, &error, &fd), &error)) {
    return false;
  }
  int known = fstat(fd, &status);
  close(fd);
  *file = status.st_ino;
  return known == 0 || misunderstood(answer, "fstat failed");
}

bool read_in_place(const struct line *line, struct answer *answer) {
  const struct framelane_frame_descriptor *d;
  const framelane_frame *frame = the_frame(line, answer);
  framelane_error error;
  uint64_t file = 0;
  uint32_t crc = 0;
  if (!frame || !sdk(answer, framelane_frame_descriptor(frame, &error, &d), &error)) {
    return false;
  }
  for (unsigned i = 0; i < d->plane_count; i++) {
    if (!checksum(frame, i, false, &crc, answer) || !file_of(frame, i, &file, answer)) {
      return false;
    }
    say(answer, " crc%u=%08lx file%u=%llu", i, (unsigned long)crc, i, (unsigned long long)file);
  }
  return true;
}

bool describe(const struct line *line, struct answer *answer) {
  const struct framelane_frame_descriptor *descriptor;
  const framelane_frame *frame = the_frame(line, answer);
  framelane_error error;
  if (!frame || !sdk(answer, framelane_frame_descriptor(frame, &error, &descriptor), &error)) {
    return false;
  }
  fields_say(descriptor, answer);
  return true;
}

bool check(const struct line *line, struct answer *answer) {
  const framelane_frame *frame = the_frame(line, answer);
  if (frame) {
    say(answer, " intact=%d", framelane_frame_check(frame) != 0);
  }
  return frame;
}

bool release(const struct line *line, struct answer *answer) {
  framelane_frame *frame = the_frame(line, answer);
  framelane_error error;
  return frame && sdk(answer, framelane_frame_release(frame, &error), &error);
}

bool count(const struct line *line, struct answer *answer) {
  const framelane_consumer *consumer = the_consumer(line, answer);
  if (consumer) {
    say(answer, " received=%llu missed=%llu",
        (unsigned long long)framelane_consumer_received(consumer),
        (unsigned long long)framelane_consumer_missed(consumer));
  }
  return consumer;
}

bool close_consumer(const struct line *line, struct answer *answer) {
  framelane_consumer **at = place(line, answer);
  if (!the_consumer(line, answer)) {
    return false;
  }
  framelane_consumer_close(*at);
  *at = NULL;
  return true;
}

struct later {
  framelane_closer *closer;
  struct timespec after;
};

static void *close_now(void *argument) {
  struct later later = *(struct later *)argument;
  free(argument);
  nanosleep(&later.after, NULL);
  framelane_closer_close(later.closer);
  framelane_closer_free(later.closer);
  return NULL;
}

bool close_later(const struct line *line, struct answer *answer) {
  const framelane_consumer *consumer = the_consumer(line, answer);
  framelane_error error;
  uint64_t time = 0;
  pthread_t thread;
  if (!consumer || !line_need_number(line, "after_ms", INT32_MAX, &time, answer)) {
    return false;
  }
  struct later *later = malloc(sizeof *later);
  if (!later) {
    return misunderstood(answer, "no memory for a thread");
  }
  later->after.tv_sec = (time_t)(time / 1000);
  later->after.tv_nsec = (long)(time % 1000 * MILLISECOND);
  if (!sdk(answer, framelane_consumer_closer(consumer, &error, &later->closer), &error)) {
    free(later);
    return false;
  }
  if (pthread_create(&thread, NULL, close_now, later) != 0) {
    framelane_closer_free(later->closer);
    free(later);
    return misunderstood(answer, "no thread");
  }
  pthread_detach(thread);
  return true;
}

void reset_consuming(void) {
  for (size_t i = 0; i < FRAMES; i++) {
    framelane_frame_release(&frames[i], NULL);
  }
  for (size_t i = 0; i < CONSUMERS; i++) {
    framelane_consumer_close(consumers[i]);
    consumers[i] = NULL;
  }
}
