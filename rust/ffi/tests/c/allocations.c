/* Counts every allocation of the process, the library's included: a frame costs none. */
#define _GNU_SOURCE
#include "framelane.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES 1000
#define WARM_UP 10

/* The allocator of the C library under its own names, beneath ours. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static _Atomic unsigned long allocations;

void *malloc(size_t size) {
  atomic_fetch_add(&allocations, 1);
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  atomic_fetch_add(&allocations, 1);
  return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
  atomic_fetch_add(&allocations, 1);
  return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  atomic_fetch_add(&allocations, 1);
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **into, size_t alignment, size_t size) {
  atomic_fetch_add(&allocations, 1);
  *into = __libc_memalign(alignment, size);
  return *into ? 0 : ENOMEM;
}

static framelane_error error;

static void must(framelane_status status) {
  if (status != FRAMELANE_ERROR_KIND_OK) {
    fprintf(stderr, "status %u: %s\n", (unsigned)status, error.text);
    exit(1);
  }
}

static void one_frame(framelane_producer *producer, framelane_consumer *consumer, uint8_t value) {
  const struct framelane_frame_descriptor *descriptor;
  framelane_plane_mut filled;
  framelane_plane_view seen;
  framelane_frame_mut claimed;
  framelane_frame frame;
  must(framelane_producer_claim(producer, &error, &claimed));
  must(framelane_frame_mut_plane(&claimed, 0, &error, &filled));
  memset(filled.data, value, filled.size_bytes);
  must(framelane_frame_mut_publish(&claimed, &error, NULL));
  must(framelane_consumer_next(consumer, UINT64_C(10000000000), &error, &frame));
  must(framelane_frame_descriptor(&frame, &error, &descriptor));
  must(framelane_frame_plane(&frame, 0, &error, &seen));
  if (seen.data[seen.size_bytes - 1] != value || descriptor->width != 64) {
    fprintf(stderr, "another frame was read\n");
    exit(1);
  }
  must(framelane_frame_release(&frame, &error));
  if (framelane_consumer_try_next(consumer, NULL, &frame) != FRAMELANE_ERROR_KIND_TIMED_OUT) {
    fprintf(stderr, "a frame too many\n");
    exit(1);
  }
}

int main(int count, char **arguments) {
  framelane_producer_options making;
  framelane_consumer_options reading;
  framelane_producer *producer;
  framelane_consumer *consumer;
  unsigned long before;
  framelane_producer_options_init(&making);
  framelane_consumer_options_init(&reading);
  making.directory = reading.directory = count > 1 ? arguments[1] : NULL;
  must(framelane_layout_init(FRAMELANE_PIXEL_FORMAT_GREY, 64, 48, 1, &error, &making.layout));
  must(framelane_producer_create("allocations", &making, &error, &producer));
  must(framelane_consumer_open("allocations", &reading, &error, &consumer));
  if (allocations == 0) {
    fprintf(stderr, "the allocations of the library are not counted\n");
    return 1;
  }
  for (int i = 0; i < WARM_UP; i++) {
    one_frame(producer, consumer, (uint8_t)i);
  }
  before = allocations;
  for (int i = 0; i < FRAMES; i++) {
    one_frame(producer, consumer, (uint8_t)i);
  }
  before = allocations - before;
  framelane_consumer_close(consumer);
  framelane_producer_close(producer);
  if (before != 0) {
    fprintf(stderr, "%lu allocations for %d frames\n", before, FRAMES);
    return 1;
  }
  return 0;
}
