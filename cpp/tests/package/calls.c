#include <framelane.h>

int read_with_c(const char *lane, uint8_t *first);

int read_with_c(const char *lane, uint8_t *first) {
  framelane_consumer_options options;
  framelane_consumer *consumer = NULL;
  framelane_frame frame;
  framelane_plane_view plane;
  if (framelane_consumer_options_init(&options) != 0 ||
      framelane_consumer_open(lane, &options, NULL, &consumer) != 0) {
    return 1;
  }
  if (framelane_consumer_next(consumer, 10000000000u, NULL, &frame) != 0 ||
      framelane_frame_plane(&frame, 0, NULL, &plane) != 0) {
    return 2;
  }
  *first = plane.data[0];
  framelane_frame_release(&frame, NULL);
  framelane_consumer_close(consumer);
  return 0;
}
