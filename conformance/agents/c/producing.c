/* The commands of a producer. */
#define _POSIX_C_SOURCE 200809L
#include "agent.h"
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define CLAIMS 16

static framelane_producer *producer;
static framelane_layout layout;
static framelane_frame_mut claims[CLAIMS];

/* Owners that have run. A lane has a tally of its own: owners of an earlier one may still come. */
static struct tally {
  _Atomic uint64_t count, revoked;
} tallies[64];
static struct tally *tally = tallies;

static void owner(void *of, uint64_t sequence, int32_t was_revoked) {
  (void)sequence;
  atomic_fetch_add(&((struct tally *)of)->revoked, was_revoked != 0);
  atomic_fetch_add(&((struct tally *)of)->count, 1);
}

static void next_tally(void) {
  tally = tally + 1 < tallies + sizeof tallies / sizeof tallies[0] ? tally + 1 : tallies;
  atomic_store(&tally->count, 0);
  atomic_store(&tally->revoked, 0);
}

void reset_producing(void) {
  for (size_t i = 0; i < CLAIMS; i++) {
    framelane_frame_mut_abandon(&claims[i]);
  }
  framelane_producer_close(producer);
  producer = NULL;
  memset(&layout, 0, sizeof layout);
  next_tally();
}

bool create(const struct line *line, struct answer *answer) {
  framelane_producer_options options;
  framelane_producer *made = NULL;
  framelane_error error;
  const char *lane;
  int32_t fds[MOST_BUFFERS];
  bool well =
      options_read(line, &options, fds, answer) && line_need_text(line, "lane", &lane, answer) &&
      sdk(answer, framelane_producer_create(lane, &options, &error, &made), &error);
  for (size_t i = 0; i < options.device_count; i++) {
    close(fds[i]);
  }
  if (well) {
    reset_producing();
    producer = made;
    layout = options.layout;
    say(answer, " epoch=%llu", (unsigned long long)framelane_producer_epoch(made));
  }
  return well;
}

static bool have_producer(struct answer *answer) {
  return producer || misunderstood(answer, "there is no producer");
}

/* Sets the fields that the line names, then fills the planes. */
static bool fill_frame(const struct line *line, framelane_frame_mut *frame,
                       struct answer *answer) {
  uint64_t seed = 0;
  framelane_plane_mut plane;
  framelane_error error;
  if (!fields_apply(line, frame->descriptor, answer) ||
      !line_number(line, "seed", UINT64_MAX, &seed, answer)) {
    return false;
  }
  for (size_t i = 0; line_text(line, "seed") && i < frame->descriptor->plane_count; i++) {
    if (!sdk(answer, framelane_frame_mut_plane(frame, i, &error, &plane), &error)) {
      return false;
    }
    pixels_fill(plane.data, plane.size_bytes, i, seed);
  }
  return true;
}

static bool published(bool well, uint64_t sequence, struct answer *answer) {
  if (well) {
    say(answer, " sequence=%llu", (unsigned long long)sequence);
  }
  return well;
}

bool publish(const struct line *line, struct answer *answer) {
  framelane_frame_mut frame;
  framelane_error error;
  uint64_t sequence = 0;
  if (!have_producer(answer) ||
      !sdk(answer, framelane_producer_claim(producer, &error, &frame), &error)) {
    return false;
  }
  bool well = fill_frame(line, &frame, answer) &&
              sdk(answer, framelane_frame_mut_publish(&frame, &error, &sequence), &error);
  framelane_frame_mut_abandon(&frame);
  return published(well, sequence, answer);
}

bool claim(const struct line *line, struct answer *answer) {
  uint64_t number = 0, time = 0;
  framelane_frame_mut frame;
  framelane_error error;
  if (!have_producer(answer) || !line_number(line, "claim", CLAIMS - 1, &number, answer) ||
      !line_number(line, "timeout_ms", MOST_MILLISECONDS, &time, answer)) {
    return false;
  }
  framelane_status status =
      line_text(line, "timeout_ms")
          ? framelane_producer_claim_within(producer, time * MILLISECOND, &error, &frame)
          : framelane_producer_claim(producer, &error, &frame);
  if (!sdk(answer, status, &error)) {
    return false;
  }
  framelane_frame_mut_abandon(&claims[number]);
  claims[number] = frame;
  return true;
}

static framelane_frame_mut *claimed(const struct line *line, struct answer *answer) {
  uint64_t number = 0;
  if (!line_number(line, "claim", CLAIMS - 1, &number, answer)) {
    return NULL;
  }
  if (!claims[number].live) {
    misunderstood(answer, "there is no claim %u", (unsigned)number);
    return NULL;
  }
  return &claims[number];
}

bool fill(const struct line *line, struct answer *answer) {
  framelane_frame_mut *frame = claimed(line, answer);
  return frame && fill_frame(line, frame, answer);
}

/* Moves the frames that the text numbers into a row. */
static bool gather(const char *text, framelane_frame_mut *row, size_t *length,
                   struct answer *answer) {
  char copy[256], *place = NULL;
  uint64_t number;
  if (strlen(text) >= sizeof copy) {
    return misunderstood(answer, "claims=%s is too long", text);
  }
  strcpy(copy, text);
  for (char *word = strtok_r(copy, ",", &place); word; word = strtok_r(NULL, ",", &place)) {
    if (!number_parse(word, CLAIMS - 1, &number) || !claims[number].live) {
      return misunderstood(answer, "there is no claim %s", word);
    }
    row[(*length)++] = claims[number];
    claims[number].live = 0;
  }
  return true;
}

bool commit(const struct line *line, struct answer *answer) {
  framelane_frame_mut row[CLAIMS];
  framelane_error error;
  const char *text;
  uint64_t sequence = 0;
  size_t length = 0;
  bool well =
      line_need_text(line, "claims", &text, answer) && gather(text, row, &length, answer) &&
      have_producer(answer) &&
      sdk(answer,
          length == 1
              ? framelane_frame_mut_publish(row, &error, &sequence)
              : framelane_producer_publish_batch(producer, row, length, &error, &sequence),
          &error);
  for (size_t i = 0; i < length; i++) {
    framelane_frame_mut_abandon(&row[i]);
  }
  return published(well, sequence, answer);
}

bool abandon(const struct line *line, struct answer *answer) {
  framelane_frame_mut *frame = claimed(line, answer);
  framelane_frame_mut_abandon(frame);
  return frame;
}

bool publish_external(const struct line *line, struct answer *answer) {
  struct framelane_frame_descriptor descriptor;
  framelane_error error;
  uint64_t sequence = 0, buffer = 0;
  memset(&descriptor, 0, sizeof descriptor);
  if (!have_producer(answer) ||
      !line_number(line, "buffer", INT32_MAX, &buffer, answer) ||
      (layout.fourcc &&
       !sdk(answer, framelane_layout_apply(&layout, &error, &descriptor), &error))) {
    return false;
  }
  for (size_t i = 0; i < sizeof descriptor.planes / sizeof descriptor.planes[0]; i++) {
    descriptor.planes[i].buffer_index = (int32_t)buffer;
  }
  bool well = fields_apply(line, &descriptor, answer) &&
              sdk(answer,
                  framelane_producer_publish_external(producer, &descriptor, owner, tally, &error,
                                                      &sequence),
                  &error);
  return published(well, sequence, answer);
}

bool returned(const struct line *line, struct answer *answer) {
  (void)line;
  say(answer, " count=%llu", (unsigned long long)atomic_load(&tally->count));
  say(answer, " revoked=%llu", (unsigned long long)atomic_load(&tally->revoked));
  return true;
}

bool recall(const struct line *line, struct answer *answer) {
  framelane_error error;
  (void)line;
  return have_producer(answer) && sdk(answer, framelane_producer_recall(producer, &error), &error);
}

bool report(const struct line *line, struct answer *answer) {
  struct framelane_report seen;
  framelane_error error;
  (void)line;
  if (!have_producer(answer) ||
      !sdk(answer, framelane_producer_report(producer, &error, &seen), &error)) {
    return false;
  }
  say(answer, " consumers=%lu published=%llu abandoned=%llu", (unsigned long)seen.consumer_count,
      (unsigned long long)seen.published, (unsigned long long)seen.abandoned);
  say(answer, " no_free_slot=%llu revoked=%llu leases_granted=%lu slots=%lu",
      (unsigned long long)seen.no_free_slot, (unsigned long long)seen.revoked,
      (unsigned long)seen.leases_granted, (unsigned long)seen.slot_count);
  return true;
}

bool close_producer(const struct line *line, struct answer *answer) {
  (void)line;
  if (!have_producer(answer)) {
    return false;
  }
  framelane_producer_close(producer);
  producer = NULL;
  return true;
}
