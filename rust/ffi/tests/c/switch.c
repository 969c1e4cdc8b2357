/* One process with two cameras, a switch and its reader through the C ABI; exit status 0 when all
 * of it holds. */
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

static framelane_producer *camera(const char *directory, const char *name) {
  framelane_producer_options options;
  framelane_producer *producer = NULL;
  framelane_error error;
  DEMAND(framelane_producer_options_init(&options) == 0);
  DEMAND(framelane_layout_init(FRAMELANE_PIXEL_FORMAT_GREY, 64, 16, 1, &error, &options.layout) ==
         0);
  options.directory = directory;
  DEMAND(framelane_producer_create(name, &options, &error, &producer) == 0);
  return producer;
}

static void publish(framelane_producer *producer) {
  framelane_frame_mut frame;
  DEMAND(framelane_producer_claim(producer, NULL, &frame) == 0);
  DEMAND(framelane_frame_mut_publish(&frame, NULL, NULL) == 0);
}

static framelane_switch_controller *control(const char *directory) {
  static const char *const lanes[] = {"day", "night"};
  framelane_switch_controller_options options;
  framelane_switch_controller *controller = NULL;
  framelane_error error;
  DEMAND(framelane_switch_controller_options_init(&options) == 0);
  options.directory = directory;
  options.active = 2;
  DEMAND(framelane_switch_controller_create("switch", lanes, 2, &options, &error, &controller) ==
         FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(strstr(error.text, "lane 2") != NULL);
  options.active = 0;
  DEMAND(framelane_switch_controller_create("switch", lanes, 2, &options, &error, &controller) ==
         0);
  DEMAND(framelane_switch_controller_epoch(controller) != 0);
  return controller;
}

static framelane_switch *open_reader(const char *directory) {
  framelane_consumer_options options;
  framelane_switch *reader = NULL;
  framelane_error error;
  DEMAND(framelane_consumer_options_init(&options) == 0);
  options.directory = directory;
  options.leases = 2;
  DEMAND(framelane_switch_open("nobody", &options, &error, &reader) ==
         FRAMELANE_ERROR_KIND_NOT_FOUND);
  DEMAND(framelane_switch_open("switch", &options, &error, &reader) == 0);
  return reader;
}

static void read_both(framelane_switch *reader, framelane_switch_controller *controller,
                      framelane_producer *day, framelane_producer *night) {
  framelane_frame first, second, none;
  framelane_error error;
  uint64_t epoch = 0;
  publish(day);
  DEMAND(framelane_switch_next(reader, SECOND, &error, &first) == 0);
  DEMAND(first.lane_index == 0 && first.switch_epoch == 1 && !first.switched);
  DEMAND(framelane_switch_controller_select_lane(controller, "night", &error, &epoch) == 0);
  DEMAND(epoch == 2);
  publish(day);
  publish(night);
  DEMAND(framelane_switch_next(reader, SECOND, &error, &second) == 0);
  DEMAND(second.lane_index == 1 && second.switch_epoch == 2 && second.switched);
  DEMAND(framelane_switch_try_next(reader, &error, &none) == FRAMELANE_ERROR_KIND_TIMED_OUT);
  DEMAND(none.live == 0);
  DEMAND(framelane_frame_check(&first) == 1);
  DEMAND(framelane_frame_release(&first, &error) == 0);
  DEMAND(framelane_switch_latest(reader, &error, &first) == 0);
  DEMAND(first.sequence == second.sequence && !first.switched);
  DEMAND(framelane_frame_release(&first, &error) == 0);
  DEMAND(framelane_frame_release(&second, &error) == 0);
  DEMAND(framelane_switch_received(reader) == 2 && framelane_switch_missed(reader) == 0);
  DEMAND(framelane_switch_switches(reader) == 1 && framelane_switch_dropped(reader) == 0);
}

static void look(framelane_switch *reader, framelane_switch_controller *controller) {
  framelane_switch_status status;
  framelane_switch_lane lane;
  struct framelane_report report;
  framelane_error error;
  DEMAND(framelane_switch_get_status(reader, &error, &status) == 0);
  DEMAND(status.controlled && status.active == 1 && status.lane_count == 2 && !status.problem);
  DEMAND(status.controller_epoch == framelane_switch_controller_epoch(controller));
  DEMAND(framelane_switch_get_lane(reader, 1, &error, &lane) == 0);
  DEMAND(strcmp(lane.name, "night") == 0 && lane.attached && !lane.problem);
  DEMAND(framelane_switch_get_lane(reader, 2, &error, &lane) ==
         FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(framelane_switch_controller_report(controller, &error, &report) == 0);
  DEMAND(report.lane_kind == FRAMELANE_LANE_KIND_SWITCH);
  DEMAND(report.switch_report.member_count == 2 && report.switch_report.switches == 1);
  DEMAND(framelane_switch_controller_readers(controller) == 1);
}

static void choose(const char *directory, framelane_switch_controller *controller) {
  framelane_error error;
  uint64_t epoch = 0;
  uint32_t active = 9;
  int32_t is_active = 9;
  DEMAND(framelane_switch_controller_is_held(controller) == 1);
  DEMAND(framelane_switch_controller_propose(controller, 0, &error, &is_active) == 0);
  DEMAND(is_active == 0 && framelane_switch_controller_active(controller) == 1);
  DEMAND(framelane_select("switch", NULL, directory, SECOND, &error, &active, NULL) == 0);
  DEMAND(active == 1 && !framelane_switch_controller_is_held(controller));
  DEMAND(framelane_switch_controller_propose(controller, 0, &error, &is_active) == 0);
  DEMAND(is_active == 1 && framelane_switch_controller_switch_epoch(controller) == 3);
  DEMAND(framelane_select("switch", "night", directory, SECOND, &error, NULL, &epoch) == 0);
  DEMAND(epoch == 4);
  DEMAND(framelane_switch_controller_wait_switched(controller, 3, SECOND, &error, &epoch) == 0);
  DEMAND(epoch == 4);
  DEMAND(framelane_select_index("switch", 7, directory, SECOND, &error, NULL, NULL) ==
         FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(framelane_select("switch", "dusk", directory, SECOND, &error, NULL, NULL) ==
         FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(framelane_switch_controller_select(controller, 0, &error, NULL) == 0);
  DEMAND(framelane_switch_controller_set_automatic(controller, &error) == 0);
}

static void poll_and_close(framelane_switch *reader, framelane_producer *day) {
  struct pollfd polled;
  framelane_closer *closer = NULL;
  framelane_frame frame;
  framelane_error error;
  int32_t ready = 0;
  polled.fd = framelane_switch_fd(reader);
  polled.events = POLLIN;
  while (framelane_switch_try_next(reader, &error, &frame) == 0) {
    DEMAND(framelane_frame_release(&frame, &error) == 0);
  }
  DEMAND(framelane_switch_ready(reader, &error, &ready) == 0 && !ready);
  publish(day);
  DEMAND(poll(&polled, 1, 10000) == 1);
  DEMAND(framelane_switch_wait(reader, SECOND, &error, &ready) == 0 && ready);
  DEMAND(framelane_switch_closer(reader, &error, &closer) == 0);
  framelane_closer_close(closer);
  DEMAND(framelane_switch_next(reader, SECOND, &error, &frame) == FRAMELANE_ERROR_KIND_CLOSED);
  framelane_closer_free(closer);
}

int main(int count, char **arguments) {
  framelane_producer *day, *night;
  framelane_switch_controller *controller;
  framelane_switch *reader;
  DEMAND(count == 2);
  day = camera(arguments[1], "day");
  night = camera(arguments[1], "night");
  controller = control(arguments[1]);
  reader = open_reader(arguments[1]);
  read_both(reader, controller, day, night);
  look(reader, controller);
  choose(arguments[1], controller);
  poll_and_close(reader, day);
  framelane_switch_close(reader);
  framelane_switch_close(NULL);
  framelane_switch_controller_end(controller);
  framelane_switch_controller_end(controller);
  framelane_switch_controller_end(NULL);
  DEMAND(framelane_switch_controller_select(controller, 0, NULL, NULL) ==
         FRAMELANE_ERROR_KIND_CLOSED);
  framelane_switch_controller_close(control(arguments[1])); /* its name is free */
  framelane_switch_controller_close(controller);
  framelane_switch_controller_close(NULL);
  framelane_producer_close(day);
  framelane_producer_close(night);
  DEMAND(framelane_switch_next(NULL, 0, NULL, NULL) == FRAMELANE_ERROR_KIND_INVALID_ARGUMENT);
  DEMAND(framelane_switch_fd(NULL) == -1);
  return 0;
}
