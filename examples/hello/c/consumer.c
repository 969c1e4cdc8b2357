/* Prints what it reads: consumer [LANE [FRAMES]]. */
#include <framelane.h>
#include <stdio.h>
#include <stdlib.h>

#define PATIENCE_NS (10 * UINT64_C(1000000000))

static framelane_error error;

static void must(framelane_status status) {
  if (status != FRAMELANE_ERROR_KIND_OK) {
    fprintf(stderr, "%s\n", status == FRAMELANE_ERROR_KIND_TIMED_OUT ? "no frame for 10 s"
                                                                     : error.text);
    exit(1);
  }
}

int main(int count, char **arguments) {
  const char *lane = count > 1 ? arguments[1] : "hello";
  unsigned long frames = count > 2 ? strtoul(arguments[2], NULL, 10) : 30;
  setvbuf(stdout, NULL, _IOLBF, 0); /* each line at once, also into a pipe */

  framelane_consumer_options options;
  framelane_consumer_options_init(&options);
  options.mode = FRAMELANE_MODE_ORDERED;
  options.wait_for_lane_ns = PATIENCE_NS;
  framelane_consumer *consumer;
  must(framelane_consumer_open(lane, &options, &error, &consumer));

  while (frames-- > 0) {
    framelane_frame frame;
    const struct framelane_frame_descriptor *what;
    framelane_plane_view plane;
    must(framelane_consumer_next(consumer, PATIENCE_NS, &error, &frame));
    must(framelane_frame_descriptor(&frame, &error, &what));
    must(framelane_frame_plane(&frame, 0, &error, &plane));
    printf("frame %llu %ux%u first byte %u\n", (unsigned long long)frame.sequence,
           (unsigned)what->width, (unsigned)what->height, plane.data[0]);
    must(framelane_frame_release(&frame, &error));
  }
  framelane_consumer_close(consumer);
  return 0;
}
