/* Feeds a hardware watchdog for as long as pictures come: watchdog LANE [DEVICE [SILENCE_MS]].
 *
 * LANE is a frame lane or a switch. A camera that hangs so badly that nothing helps but a restart
 * of the board gets one: DEVICE (/dev/watchdog) is not fed any more when no frame has come for
 * SILENCE_MS (5000). It is opened at the first frame, for opening starts its clock, and a board
 * without a camera must not restart for ever. SIGINT and SIGTERM end it well: the device is told
 * so. See "The Linux Watchdog driver API" of the kernel.
 */
#include <framelane.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS UINT64_C(1000000)
#define FEED_NS (1000 * MS)
#define TOUR_MS 250

/* A reader of either. */
struct source {
  framelane_consumer *lane;
  framelane_switch *active;
};

static framelane_error error;
static volatile sig_atomic_t ended;

static void end(int signal) {
  (void)signal;
  ended = 1;
}

/* A lane that cannot be read is no switch for that: then the first reason counts. */
static framelane_status open_source(const char *name, struct source *source) {
  framelane_consumer_options options;
  framelane_consumer_options_init(&options);
  framelane_status status = framelane_consumer_open(name, &options, &error, &source->lane);
  if (status != FRAMELANE_ERROR_KIND_UNSUPPORTED) return status;
  framelane_error refused = error;
  status = framelane_switch_open(name, &options, &error, &source->active);
  if (status == FRAMELANE_ERROR_KIND_UNSUPPORTED) error = refused;
  return status;
}

/* Whether trying again may help: nobody is there yet, or is busy with others. */
static int passes(framelane_status status) {
  return status == FRAMELANE_ERROR_KIND_NOT_FOUND || status == FRAMELANE_ERROR_KIND_TIMED_OUT ||
         status == FRAMELANE_ERROR_KIND_TOO_MANY;
}

/* Whether frames came since it was last asked; -1 where reading fails. Afterwards the descriptor
 * tells of the next one. */
static int frames_came(struct source *source) {
  for (int came = 0;; came = 1) {
    framelane_frame frame;
    framelane_status status =
        source->lane != NULL ? framelane_consumer_try_next(source->lane, &error, &frame)
                             : framelane_switch_try_next(source->active, &error, &frame);
    if (status == FRAMELANE_ERROR_KIND_TIMED_OUT) return came;
    if (status != FRAMELANE_ERROR_KIND_OK) return -1;
    /* It came; that it may have been taken back since is no matter. */
    framelane_frame_release(&frame, &error);
  }
}

/* Sleeps until there may be a frame, a signal, or a look at the clock is due. */
static void sleep_until_frame(struct source *source) {
  struct pollfd poller = {.fd = -1, .events = POLLIN};
  if (source->lane != NULL) poller.fd = framelane_consumer_fd(source->lane);
  if (source->active != NULL) poller.fd = framelane_switch_fd(source->active);
  poll(&poller, 1, TOUR_MS);
}

/* The device, and what it is to know. */
struct dog {
  const char *lane;
  const char *path;
  uint64_t silence_ns;
  uint64_t last; /* when a frame came */
  uint64_t fed;  /* when it was fed */
  int device;    /* -1: not opened yet */
  int silent;
};

static int complain(const struct dog *dog, const char *what) {
  fprintf(stderr, "watchdog: cannot %s %s: %s\n", what, dog->path, strerror(errno));
  return -1;
}

static int arm(struct dog *dog) {
  dog->device = open(dog->path, O_WRONLY | O_CLOEXEC);
  if (dog->device < 0) return complain(dog, "open");
  fprintf(stderr, "watchdog: %s brings pictures, %s is fed\n", dog->lane, dog->path);
  return 0;
}

/* Feeds it where that is due; -1 where it cannot. */
static int tend(struct dog *dog, int came) {
  uint64_t now = framelane_monotonic_ns();
  if (came) dog->last = now;
  if (dog->device < 0 && (!came || arm(dog) < 0)) return came ? -1 : 0;
  int silent = now - dog->last > dog->silence_ns;
  if (silent != dog->silent) {
    fprintf(stderr, "watchdog: %s %s\n", dog->lane,
            silent ? "is silent: the board will restart" : "brings pictures again");
  }
  dog->silent = silent;
  if (silent || now - dog->fed < FEED_NS) return 0;
  dog->fed = now;
  return write(dog->device, "\n", 1) == 1 ? 0 : complain(dog, "feed");
}

/* Told so, the device stops its clock; when this fails it goes on, and the board restarts. */
static int disarm(struct dog *dog) {
  if (dog->device < 0) return 0;
  int told = write(dog->device, "V", 1) == 1 ? 0 : complain(dog, "stop");
  close(dog->device);
  return told;
}

/* Frames that came since the last look, once there is somebody to ask; -1 where that fails. */
static int look(const char *name, struct source *source) {
  int came = 0;
  if (source->lane != NULL || source->active != NULL) {
    came = frames_came(source);
  } else {
    framelane_status status = open_source(name, source);
    if (status != FRAMELANE_ERROR_KIND_OK && !passes(status)) came = -1;
  }
  if (came < 0) fprintf(stderr, "watchdog: %s: %s\n", name, error.text);
  return came;
}

/* Until a signal ends it; the exit status. */
static int guard(struct dog *dog) {
  struct source source = {NULL, NULL};
  int status = 0;
  while (!ended && status == 0) {
    int came = look(dog->lane, &source);
    status = came < 0 || tend(dog, came) < 0;
    if (status == 0) sleep_until_frame(&source);
  }
  framelane_consumer_close(source.lane);
  framelane_switch_close(source.active);
  /* What failed is not told: then the restart is what the device is there for. */
  return status != 0 || disarm(dog) < 0;
}

int main(int count, char **arguments) {
  if (count < 2 || count > 4) {
    fprintf(stderr, "usage: watchdog LANE [DEVICE [SILENCE_MS]]\n");
    return 2;
  }
  const char *path = count > 2 ? arguments[2] : "/dev/watchdog";
  char *rest = "";
  long silence_ms = count > 3 ? strtol(arguments[3], &rest, 10) : 5000;
  if (*rest != '\0' || silence_ms < 1 || silence_ms > 3600 * 1000) {
    fprintf(stderr, "watchdog: SILENCE_MS is 1 to 3600000, not %s\n", arguments[3]);
    return 2;
  }
  struct sigaction action = {.sa_handler = end};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  struct dog dog = {
      .lane = arguments[1], .path = path, .silence_ns = (uint64_t)silence_ms * MS, .device = -1};
  return guard(&dog);
}
