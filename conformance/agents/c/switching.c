/* The commands of both sides of a switch. */
#define _POSIX_C_SOURCE 200809L
#include "agent.h"
#include <stdlib.h>
#include <string.h>

#define LANES 32

static framelane_switch_controller *controller;
static framelane_switch *reader;

void reset_switching(void) {
  framelane_switch_close(reader);
  framelane_switch_controller_close(controller);
  reader = NULL;
  controller = NULL;
}

static bool the_controller(struct answer *answer) {
  return controller || misunderstood(answer, "there is no controller");
}

static bool the_reader(struct answer *answer) {
  return reader || misunderstood(answer, "there is no reader of a switch");
}

/* Parts the names at their commas, in place. */
static size_t part(char *names, const char *lanes[LANES]) {
  size_t count = 0;
  for (char *name = names; name && count < LANES;) {
    char *comma = strchr(name, ',');
    lanes[count++] = name;
    if (comma) {
      *comma = '\0';
    }
    name = comma ? comma + 1 : NULL;
  }
  return count;
}

bool create_switch(const struct line *line, struct answer *answer) {
  framelane_switch_controller_options options;
  framelane_switch_controller *made = NULL;
  framelane_error error;
  const char *name, *names, *lanes[LANES];
  framelane_switch_controller_options_init(&options);
  if (!line_need_text(line, "switch", &name, answer) ||
      !line_need_text(line, "lanes", &names, answer) ||
      !line_u32(line, "active", &options.active, answer)) {
    return false;
  }
  char *copy = strdup(names);
  if (!copy) {
    return misunderstood(answer, "no memory for names");
  }
  size_t count = part(copy, lanes);
  framelane_status status =
      framelane_switch_controller_create(name, lanes, count, &options, &error, &made);
  free(copy);
  if (!sdk(answer, status, &error)) {
    return false;
  }
  framelane_switch_controller_close(controller);
  controller = made;
  say(answer, " epoch=%llu", (unsigned long long)framelane_switch_controller_epoch(made));
  return true;
}

bool select_lane(const struct line *line, struct answer *answer) {
  framelane_error error;
  framelane_status status;
  const char *lane = line_text(line, "lane");
  uint64_t index = 0, epoch = 0;
  if (!the_controller(answer) ||
      (!lane && !line_need_number(line, "index", UINT32_MAX, &index, answer))) {
    return false;
  }
  status = lane ? framelane_switch_controller_select_lane(controller, lane, &error, &epoch)
                : framelane_switch_controller_select(controller, (uint32_t)index, &error, &epoch);
  if (!sdk(answer, status, &error)) {
    return false;
  }
  say(answer, " switch_epoch=%llu", (unsigned long long)epoch);
  return true;
}

bool propose(const struct line *line, struct answer *answer) {
  framelane_error error;
  uint64_t index = 0;
  int32_t active = 0;
  if (!the_controller(answer) || !line_need_number(line, "index", UINT32_MAX, &index, answer) ||
      !sdk(answer,
           framelane_switch_controller_propose(controller, (uint32_t)index, &error, &active),
           &error)) {
    return false;
  }
  say(answer, " active=%d", (int)active);
  return true;
}

bool set_automatic(const struct line *line, struct answer *answer) {
  framelane_error error;
  (void)line;
  return the_controller(answer) &&
         sdk(answer, framelane_switch_controller_set_automatic(controller, &error), &error);
}

bool switch_report(const struct line *line, struct answer *answer) {
  (void)line;
  if (!the_controller(answer)) {
    return false;
  }
  say(answer, " active=%lu switch_epoch=%llu held=%d readers=%zu",
      (unsigned long)framelane_switch_controller_active(controller),
      (unsigned long long)framelane_switch_controller_switch_epoch(controller),
      (int)framelane_switch_controller_is_held(controller),
      framelane_switch_controller_readers(controller));
  return true;
}

bool close_switch(const struct line *line, struct answer *answer) {
  (void)line;
  if (!the_controller(answer)) {
    return false;
  }
  framelane_switch_controller_close(controller);
  controller = NULL;
  return true;
}

bool open_switch(const struct line *line, struct answer *answer) {
  framelane_consumer_options options;
  framelane_switch *opened = NULL;
  framelane_error error;
  const char *name, *mode;
  uint64_t wait_ms = 0;
  framelane_consumer_options_init(&options);
  if (!line_need_text(line, "switch", &name, answer) ||
      !line_need_text(line, "mode", &mode, answer) ||
      !line_number(line, "wait_ms", MOST_MILLISECONDS, &wait_ms, answer)) {
    return false;
  }
  if (!parse_mode(mode, &options.mode)) {
    return misunderstood(answer, "mode=%s", mode);
  }
  options.wait_for_lane_ns = wait_ms * MILLISECOND;
  if (!sdk(answer, framelane_switch_open(name, &options, &error, &opened), &error)) {
    return false;
  }
  framelane_switch_close(reader);
  reader = opened;
  return true;
}

bool next_of_switch(const struct line *line, struct answer *answer) {
  framelane_frame frame;
  framelane_plane_view plane;
  framelane_error error;
  uint64_t time = 0;
  if (!the_reader(answer) ||
      !line_need_number(line, "timeout_ms", MOST_MILLISECONDS, &time, answer)) {
    return false;
  }
  framelane_status status = framelane_switch_next(reader, time * MILLISECOND, &error, &frame);
  answer->nothing = status == FRAMELANE_ERROR_KIND_TIMED_OUT;
  if (answer->nothing || !sdk(answer, status, &error)) {
    return false;
  }
  status = framelane_frame_plane(&frame, 0, &error, &plane);
  if (status == FRAMELANE_ERROR_KIND_OK) {
    say(answer, " sequence=%llu lane=%lu switch_epoch=%llu switched=%d crc=%08lx",
        (unsigned long long)frame.sequence, (unsigned long)frame.lane_index,
        (unsigned long long)frame.switch_epoch, frame.switched != 0,
        (unsigned long)pixels_crc(plane.data, plane.size_bytes));
  }
  framelane_frame_release(&frame, NULL);
  return sdk(answer, status, &error);
}

bool switch_status(const struct line *line, struct answer *answer) {
  framelane_switch_status now;
  framelane_error error;
  int32_t ready = 0;
  (void)line;
  if (!the_reader(answer) ||
      !sdk(answer, framelane_switch_wait(reader, 0, &error, &ready), &error) ||
      !sdk(answer, framelane_switch_get_status(reader, &error, &now), &error)) {
    return false;
  }
  say(answer, " active=%d switch_epoch=%llu controlled=%d received=%llu switches=%llu",
      (int)now.active, (unsigned long long)now.switch_epoch, now.controlled != 0,
      (unsigned long long)framelane_switch_received(reader),
      (unsigned long long)framelane_switch_switches(reader));
  return true;
}

bool leave_switch(const struct line *line, struct answer *answer) {
  (void)line;
  if (!the_reader(answer)) {
    return false;
  }
  framelane_switch_close(reader);
  reader = NULL;
  return true;
}

/* Without a lane it takes an earlier choice back. */
bool ask_switch(const struct line *line, struct answer *answer) {
  framelane_error error;
  const char *name, *lane = line_text(line, "lane");
  uint64_t time = 0, epoch = 0;
  uint32_t active = 0;
  if (!line_need_text(line, "switch", &name, answer) ||
      !line_need_number(line, "timeout_ms", MOST_MILLISECONDS, &time, answer) ||
      !sdk(answer,
           framelane_select(name, lane, NULL, time * MILLISECOND, &error, &active, &epoch),
           &error)) {
    return false;
  }
  say(answer, " active=%lu switch_epoch=%llu", (unsigned long)active, (unsigned long long)epoch);
  return true;
}
