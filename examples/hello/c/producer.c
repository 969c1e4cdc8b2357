/* Publishes numbered frames: producer [LANE [FRAMES]]. */
#define _POSIX_C_SOURCE 200809L
#include <framelane.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static framelane_error error;

static void must(framelane_status status) {
  if (status != FRAMELANE_ERROR_KIND_OK) {
    fprintf(stderr, "%s\n", error.text);
    exit(1);
  }
}

int main(int count, char **arguments) {
  const char *lane = count > 1 ? arguments[1] : "hello";
  unsigned long frames = count > 2 ? strtoul(arguments[2], NULL, 10) : 30;
  const struct timespec pause = {.tv_nsec = 1000000000 / 30};

  framelane_producer_options options;
  framelane_producer_options_init(&options);
  must(framelane_layout_init(FRAMELANE_PIXEL_FORMAT_NV12, 640, 480, 1, &error, &options.layout));
  framelane_producer *producer;
  must(framelane_producer_create(lane, &options, &error, &producer));

  for (unsigned long number = 1; number <= frames; number++) {
    framelane_frame_mut frame;
    must(framelane_producer_claim(producer, &error, &frame));
    for (size_t index = 0; index < 2; index++) {
      framelane_plane_mut plane;
      must(framelane_frame_mut_plane(&frame, index, &error, &plane));
      plane.data[0] = (uint8_t)number;
    }
    must(framelane_frame_mut_publish(&frame, &error, NULL));
    nanosleep(&pause, NULL);
  }
  framelane_producer_close(producer);
  return 0;
}
