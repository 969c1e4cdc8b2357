/* The commands of both sides of a shmbuf ring. */
#define _POSIX_C_SOURCE 200809L
#include "agent.h"
#include <stdlib.h>

static framelane_shmbuf_sender *sender;
static framelane_shmbuf_receiver *receiver;

void reset_messages(void) {
  framelane_shmbuf_receiver_close(receiver);
  framelane_shmbuf_sender_close(sender);
  receiver = NULL;
  sender = NULL;
}

static bool the_sender(struct answer *answer) {
  return sender || misunderstood(answer, "there is no ring");
}

static bool the_receiver(struct answer *answer) {
  return receiver || misunderstood(answer, "there is no receiver");
}

static bool time_read(const struct line *line, const char *key, uint64_t *time_ns,
                      struct answer *answer) {
  uint64_t time = 0;
  bool well = line_number(line, key, MOST_MILLISECONDS, &time, answer);
  *time_ns = time * MILLISECOND;
  return well;
}

/* `none` where there was no room or no message. */
static bool done(framelane_status status, framelane_status none, const framelane_error *error,
                 struct answer *answer) {
  answer->nothing = status == none;
  return !answer->nothing && sdk(answer, status, error);
}

bool create_ring(const struct line *line, struct answer *answer) {
  framelane_shmbuf_sender_options options;
  framelane_shmbuf_sender *made = NULL;
  framelane_error error;
  const char *ring;
  framelane_shmbuf_sender_options_init(&options);
  options.directory = getenv("FRAMELANE_DIR");
  if (!line_number(line, "capacity", UINT64_MAX, &options.capacity_bytes, answer) ||
      !line_u32(line, "keep", &options.keep, answer) ||
      !line_u32(line, "bell", &options.bell, answer) ||
      !line_need_text(line, "ring", &ring, answer) ||
      !sdk(answer, framelane_shmbuf_sender_create(ring, &options, &error, &made), &error)) {
    return false;
  }
  framelane_shmbuf_sender_close(sender);
  sender = made;
  say(answer, " capacity=%zu longest=%zu", framelane_shmbuf_sender_capacity(sender),
      framelane_shmbuf_sender_longest_message(sender));
  return true;
}

bool send_message(const struct line *line, struct answer *answer) {
  framelane_error error;
  framelane_status status;
  uint64_t size = 0, seed = 0, time = 0;
  uint8_t *bytes;
  if (!the_sender(answer) || !line_number(line, "size", SIZE_MAX, &size, answer) ||
      !line_number(line, "seed", UINT64_MAX, &seed, answer) ||
      !time_read(line, "timeout_ms", &time, answer)) {
    return false;
  }
  bytes = malloc(size + 1);
  if (!bytes) {
    return misunderstood(answer, "no memory for %zu bytes", (size_t)size);
  }
  pixels_fill(bytes, size, 0, seed);
  status = time ? framelane_shmbuf_sender_send(sender, bytes, size, time, &error)
                : framelane_shmbuf_sender_try_send(sender, bytes, size, &error);
  free(bytes);
  return done(status, FRAMELANE_ERROR_KIND_NO_FREE_SLOT, &error, answer);
}

bool drain(const struct line *line, struct answer *answer) {
  framelane_error error;
  uint64_t time = 0;
  int32_t drained = 0;
  if (!the_sender(answer) || !time_read(line, "timeout_ms", &time, answer) ||
      !sdk(answer, framelane_shmbuf_sender_drain(sender, time, &error, &drained), &error)) {
    return false;
  }
  say(answer, " drained=%d", (int)drained);
  return true;
}

bool count_ring(const struct line *line, struct answer *answer) {
  framelane_error error;
  size_t unread = 0;
  (void)line;
  if (!the_sender(answer) ||
      !sdk(answer, framelane_shmbuf_sender_unread(sender, &error, &unread), &error)) {
    return false;
  }
  say(answer, " sent=%llu full=%llu unread=%zu",
      (unsigned long long)framelane_shmbuf_sender_sent(sender),
      (unsigned long long)framelane_shmbuf_sender_times_full(sender), unread);
  return true;
}

bool close_ring(const struct line *line, struct answer *answer) {
  (void)line;
  if (!the_sender(answer)) {
    return false;
  }
  framelane_shmbuf_sender_close(sender);
  sender = NULL;
  return true;
}

bool open_ring(const struct line *line, struct answer *answer) {
  framelane_shmbuf_receiver_options options;
  framelane_shmbuf_receiver *opened = NULL;
  framelane_error error;
  const char *ring;
  framelane_shmbuf_receiver_options_init(&options);
  options.directory = getenv("FRAMELANE_DIR");
  if (!time_read(line, "wait_ms", &options.wait_for_sender_ns, answer) ||
      !line_u32(line, "reattach", &options.reattach, answer) ||
      !line_u32(line, "bell", &options.bell, answer) ||
      !line_need_text(line, "ring", &ring, answer) ||
      !sdk(answer, framelane_shmbuf_receiver_open(ring, &options, &error, &opened), &error)) {
    return false;
  }
  framelane_shmbuf_receiver_close(receiver);
  receiver = opened;
  say(answer, " capacity=%zu", framelane_shmbuf_receiver_capacity(receiver));
  return true;
}

bool receive(const struct line *line, struct answer *answer) {
  framelane_error error;
  framelane_status status;
  uint64_t time = 0, room = 0;
  uint8_t *bytes;
  size_t size = 0;
  if (!the_receiver(answer) || !time_read(line, "timeout_ms", &time, answer) ||
      !line_number(line, "room", SIZE_MAX, &room, answer)) {
    return false;
  }
  status = framelane_shmbuf_receiver_wait(receiver, time, &error, &size);
  if (!done(status, FRAMELANE_ERROR_KIND_TIMED_OUT, &error, answer)) {
    return false;
  }
  size = line_text(line, "room") ? (size_t)room : size;
  bytes = malloc(size + 1);
  if (!bytes) {
    return misunderstood(answer, "no memory for %zu bytes", size);
  }
  status = framelane_shmbuf_receiver_try_recv(receiver, bytes, size, &error, &size);
  if (done(status, FRAMELANE_ERROR_KIND_TIMED_OUT, &error, answer)) {
    say(answer, " size=%zu crc=%08x", size, pixels_crc(bytes, size));
  }
  free(bytes);
  return status == FRAMELANE_ERROR_KIND_OK;
}

bool skip_message(const struct line *line, struct answer *answer) {
  framelane_error error;
  framelane_status status;
  (void)line;
  if (!the_receiver(answer)) {
    return false;
  }
  status = framelane_shmbuf_receiver_skip(receiver, &error);
  return done(status, FRAMELANE_ERROR_KIND_TIMED_OUT, &error, answer);
}

bool count_received(const struct line *line, struct answer *answer) {
  (void)line;
  if (!the_receiver(answer)) {
    return false;
  }
  say(answer, " received=%llu empty=%llu restarts=%llu",
      (unsigned long long)framelane_shmbuf_receiver_received(receiver),
      (unsigned long long)framelane_shmbuf_receiver_empty(receiver),
      (unsigned long long)framelane_shmbuf_receiver_restarts(receiver));
  return true;
}

bool close_receiver(const struct line *line, struct answer *answer) {
  (void)line;
  if (!the_receiver(answer)) {
    return false;
  }
  framelane_shmbuf_receiver_close(receiver);
  receiver = NULL;
  return true;
}
