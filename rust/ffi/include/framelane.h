/*
 * framelane: camera frames shared between processes without copying them.
 *
 * Every function returns a framelane_status: FRAMELANE_ERROR_KIND_OK, or the number of an error
 * kind of framelane_layout.h. `error` may be NULL. Outputs come last. Strings are UTF-8 and end in
 * zero, paths may be other bytes, times are nanoseconds, sizes are bytes. NULL in place of a handle
 * is an error, never a crash; so is a panic inside. A producer, a stream writer and a closer may be
 * used from several threads at once, everything else by one at a time.
 *
 * Printed from rust/ffi by `cargo xtask header`; do not edit.
 */

#ifndef FRAMELANE_H
#define FRAMELANE_H

#include "framelane_layout.h"
#include <stddef.h>
#include <stdint.h>

/**
 * Closes a consumer or stream reader from any thread.
 */
typedef struct framelane_closer framelane_closer;

/**
 * Reads a lane. Used by one thread at a time.
 */
typedef struct framelane_consumer framelane_consumer;

/**
 * Owns a lane. Usable from several threads at once.
 */
typedef struct framelane_producer framelane_producer;

/**
 * Reads the messages of a shmbuf segment. Used by one thread at a time.
 */
typedef struct framelane_shmbuf_receiver framelane_shmbuf_receiver;

/**
 * Writes messages into a shmbuf segment, the byte ring of the older shmbuf programs. Used by one
 * thread at a time.
 */
typedef struct framelane_shmbuf_sender framelane_shmbuf_sender;

/**
 * Reads a stream lane. Used by one thread at a time.
 */
typedef struct framelane_stream_reader framelane_stream_reader;

/**
 * Owns a stream lane. Usable from several threads at once.
 */
typedef struct framelane_stream_writer framelane_stream_writer;

/**
 * Reads the active lane of a switch. Used by one thread at a time.
 */
typedef struct framelane_switch framelane_switch;

/**
 * Owns a switch. Usable from several threads at once.
 */
typedef struct framelane_switch_controller framelane_switch_controller;

/**
 * 0 on success, otherwise a number of `framelane_error_kind` in framelane_layout.h.
 */
typedef uint32_t framelane_status;

/**
 * How to open a lane. Fill it with `framelane_consumer_options_init` first.
 */
typedef struct framelane_consumer_options {
  /**
   * Size of this struct, set by the init function; tells versions apart.
   */
  uint32_t struct_bytes;
  /**
   * Number of `framelane_mode` (latest).
   */
  uint32_t mode;
  /**
   * Frames held at once (1).
   */
  uint32_t leases;
  /**
   * Not 0: attach to the next producer when this one is gone (1).
   */
  uint32_t reattach;
  /**
   * How long to wait for a producer (0).
   */
  uint64_t wait_for_lane_ns;
  /**
   * Not 0: a blocking read ends early when a signal arrives (0).
   */
  uint32_t return_on_signal;
  /**
   * Not 0: accept device buffers that this process could write (0).
   */
  uint32_t wants_writable;
  /**
   * Runtime directory; NULL searches.
   */
  const char *directory;
} framelane_consumer_options;

/**
 * Room for what went wrong. The caller owns it; every function that fails fills it.
 */
typedef struct framelane_error {
  /**
   * The status that was returned with it.
   */
  framelane_status status;
  /**
   * A sentence that says what and why, cut to fit, always ending in zero.
   */
  char text[508];
} framelane_error;

/**
 * A frame under lease, in storage of the caller's: no call allocates. It may be moved by
 * assignment, but only one of two copies may be used. A zeroed one is empty; releasing it is
 * harmless, reading it is refused.
 */
typedef struct framelane_frame {
  /**
   * Not 0 while it holds a frame.
   */
  uint64_t live;
  /**
   * Private.
   */
  uint64_t handle[6];
  /**
   * Number of the frame in its epoch, from 1.
   */
  uint64_t sequence;
  /**
   * Producer incarnation the frame comes from.
   */
  uint64_t epoch;
  /**
   * Frames that passed between the one before and this one.
   */
  uint64_t missed;
  /**
   * Slot the frame is in; a small number to key caches by.
   */
  uint32_t slot;
  /**
   * Not 0 on the first frame after the producer was restarted.
   */
  uint32_t new_epoch;
  /**
   * Of a switch, the switch epoch under which the frame was read; 0 otherwise.
   */
  uint64_t switch_epoch;
  /**
   * Of a switch, the index of the lane that the frame comes from; 0 otherwise.
   */
  uint32_t lane_index;
  /**
   * Not 0 on the first frame that a switch delivers under another selection.
   */
  uint32_t switched;
} framelane_frame;

/**
 * One plane of a frame, read in place. Valid until the frame is released.
 */
typedef struct framelane_plane_view {
  /**
   * First byte.
   */
  const uint8_t *data;
  /**
   * Size in bytes.
   */
  size_t size_bytes;
  /**
   * From one row to the next.
   */
  uint32_t stride_bytes;
  /**
   * Rows.
   */
  uint32_t rows;
  /**
   * Not 0 where the bytes are device memory that can be taken back after the descriptor's
   * `valid_until_ns`: what was derived from them counts if `framelane_frame_check` says so
   * afterwards.
   */
  uint32_t revocable;
  /**
   * Zero.
   */
  uint32_t reserved;
} framelane_plane_view;

/**
 * A claimed frame, in storage of the caller's: no call allocates. It may be moved by assignment,
 * but only one of two copies may be used. Publish or abandon it exactly once (doing so empties it,
 * and an empty one is refused).
 */
typedef struct framelane_frame_mut {
  /**
   * Not 0 while it holds a frame.
   */
  uint64_t live;
  /**
   * Private.
   */
  uint64_t handle[3];
  /**
   * What the frame will say about itself, to be filled in place.
   */
  struct framelane_frame_descriptor *descriptor;
  /**
   * Payload of the slot.
   */
  uint8_t *payload;
  /**
   * Size of the payload.
   */
  size_t payload_bytes;
} framelane_frame_mut;

/**
 * One plane of a claimed frame, to be filled in place. Valid until the frame is published or
 * abandoned.
 */
typedef struct framelane_plane_mut {
  /**
   * First byte.
   */
  uint8_t *data;
  /**
   * Size in bytes.
   */
  size_t size_bytes;
  /**
   * From one row to the next.
   */
  uint32_t stride_bytes;
  /**
   * Rows.
   */
  uint32_t rows;
} framelane_plane_mut;

/**
 * Called for each lane; return 0 to go on, anything else to stop. Both texts end with the call.
 */
typedef int32_t (*framelane_visit)(void *user_data, const char *name, const char *directory);

/**
 * Where the planes of a picture lie in one block of memory. Unused planes are zero.
 */
typedef struct framelane_layout {
  /**
   * DRM four-character code; a number of `framelane_pixel_format`. 0: no layout.
   */
  uint32_t fourcc;
  /**
   * Width in pixels.
   */
  uint32_t width;
  /**
   * Height in pixels.
   */
  uint32_t height;
  /**
   * Planes in use, at most 4.
   */
  uint32_t plane_count;
  /**
   * From the start of the block to each plane.
   */
  uint64_t offset_bytes[4];
  /**
   * Size of each plane.
   */
  uint64_t size_bytes[4];
  /**
   * From one row of a plane to the next.
   */
  uint32_t stride_bytes[4];
  /**
   * Rows of each plane.
   */
  uint32_t rows[4];
  /**
   * Size of the whole picture.
   */
  uint64_t total_bytes;
} framelane_layout;

/**
 * How to make a lane. Fill it with `framelane_producer_options_init` first.
 */
typedef struct framelane_producer_options {
  /**
   * Size of this struct, set by the init function; tells versions apart.
   */
  uint32_t struct_bytes;
  /**
   * Leases that all consumers together may hold (8).
   */
  uint32_t lease_budget;
  /**
   * Frames the producer may hold claimed at once (1).
   */
  uint32_t claims;
  /**
   * Frames before the newest that stay reachable (1).
   */
  uint32_t history;
  /**
   * Geometry each claimed frame starts with; fourcc 0: none.
   */
  struct framelane_layout layout;
  /**
   * Payload of a slot, where it is not the layout's; 0: the layout's.
   */
  uint64_t payload_bytes;
  /**
   * Time a device frame is guaranteed after publication; 0: never revoked.
   */
  uint64_t lease_ns;
  /**
   * Usual time between frames, against which `lease_ns` is checked; 0: unknown.
   */
  uint64_t frame_period_ns;
  /**
   * Number of `framelane_memory_kind` (inline).
   */
  uint32_t memory;
  /**
   * Not 0: lossless consumers are admitted.
   */
  uint32_t lossless;
  /**
   * 0 ordinary pages, 1 huge pages where they are free, 2 huge pages or an error.
   */
  uint32_t huge_pages;
  /**
   * Not 0: lock the lane into memory where the limits allow it.
   */
  uint32_t lock_memory;
  /**
   * NUMA node to bind the lane to; -1: none.
   */
  int32_t numa_node;
  /**
   * 0 the producer's user, 1 a group, 2 everyone.
   */
  uint32_t access;
  /**
   * The group, where access is 1.
   */
  uint32_t access_group;
  /**
   * 0 peers of the same user share bells, 1 only that user is admitted, 2 nobody is trusted.
   */
  uint32_t trust;
  /**
   * 0 owners of returned buffers run on a thread of the producer, 1 in
   * `framelane_producer_reclaim`.
   */
  uint32_t reclaim;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * Runtime directory; NULL searches.
   */
  const char *directory;
  /**
   * External buffers; NULL with a count of 0. The descriptors are duplicated.
   */
  const int32_t *device_fds;
  /**
   * Number of external buffers.
   */
  size_t device_count;
} framelane_producer_options;

/**
 * Runs when the buffer of an external frame may be used again, once, on the producer's return
 * thread or in `framelane_producer_reclaim`. `revoked` is not 0 when it was taken from a consumer.
 */
typedef void (*framelane_owner)(void *user_data, uint64_t sequence, int32_t revoked);

/**
 * A record that was read, in storage of the caller's. It may be moved by assignment, but only one
 * of two copies may be used. A zeroed one is empty; releasing it is harmless.
 */
typedef struct framelane_record {
  /**
   * Not 0 while it holds a record.
   */
  uint64_t live;
  /**
   * Private.
   */
  uint64_t handle[20];
  /**
   * Its bytes, valid until it is released.
   */
  const uint8_t *data;
  /**
   * How many they are.
   */
  size_t size_bytes;
  /**
   * What the stream is, from this record to the next change; valid until it is released.
   */
  const struct framelane_stream_config *config;
  /**
   * What the record is.
   */
  struct framelane_record_info info;
  /**
   * Writer incarnation the record comes from.
   */
  uint64_t epoch;
  /**
   * Records that passed between the one before and this one. Of an empty one that came with
   * `FRAMELANE_LAPPED`: records that were overwritten before they were read.
   */
  uint64_t missed;
  /**
   * Not 0 on the first record after the writer was restarted.
   */
  uint32_t new_epoch;
  /**
   * Not 0 on the first record under its config, of those that were read.
   */
  uint32_t new_config;
} framelane_record;

/**
 * A record being written, in storage of the caller's. It may be moved by assignment, but only one
 * of two copies may be used. Commit or abandon it exactly once, which empties it; an empty one is
 * refused.
 */
typedef struct framelane_record_mut {
  /**
   * Not 0 while it holds a record.
   */
  uint64_t live;
  /**
   * Private.
   */
  uint64_t handle[16];
  /**
   * What the record will say about itself: times, capture id and flags; the rest is set at
   * commit.
   */
  struct framelane_record_info info;
} framelane_record_mut;

/**
 * How to make a shmbuf segment. Fill it with `framelane_shmbuf_sender_options_init` first.
 */
typedef struct framelane_shmbuf_sender_options {
  /**
   * Size of this struct, set by the init function; tells versions apart.
   */
  uint32_t struct_bytes;
  /**
   * Permissions of the segment, whatever the umask (0600). A receiver needs to write, too.
   */
  uint32_t mode;
  /**
   * Bytes wanted: the ring is the largest power of two that fits. To be set. A message needs 4
   * bytes beside its own.
   */
  uint64_t capacity_bytes;
  /**
   * Not 0: the name stays when this sender goes (0).
   */
  uint32_t keep;
  /**
   * Not 0: the receiver is upstream's Python one, which goes deaf after 4 GiB; the counters are
   * set back in time (0). Never with a C++ receiver, which would read far outside its memory.
   */
  uint32_t python_receiver;
  /**
   * Not 0: wake a receiver of ours that asks for the same, and be woken (0).
   */
  uint32_t bell;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * Sleep between two looks at a peer that rings no bell (1 ms), at most 50 ms.
   */
  uint64_t poll_interval_ns;
  /**
   * Folder of the segment; NULL: that of POSIX shared memory.
   */
  const char *directory;
} framelane_shmbuf_sender_options;

/**
 * How to attach to a shmbuf segment. Fill it with `framelane_shmbuf_receiver_options_init` first.
 */
typedef struct framelane_shmbuf_receiver_options {
  /**
   * Size of this struct, set by the init function; tells versions apart.
   */
  uint32_t struct_bytes;
  /**
   * Not 0: go on with the next segment of the name when the sender was restarted (1).
   */
  uint32_t reattach;
  /**
   * How long to wait for a segment that can be read (0).
   */
  uint64_t wait_for_sender_ns;
  /**
   * Not 0: wake a sender of ours that asks for the same, and be woken (0).
   */
  uint32_t bell;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * Sleep between two looks at a peer that rings no bell (1 ms), at most 50 ms.
   */
  uint64_t poll_interval_ns;
  /**
   * Folder of the segment; NULL: that of POSIX shared memory.
   */
  const char *directory;
} framelane_shmbuf_receiver_options;

/**
 * How to make a stream lane. Fill it with `framelane_stream_writer_options_init` first.
 */
typedef struct framelane_stream_writer_options {
  /**
   * Size of this struct, set by the init function; tells versions apart.
   */
  uint32_t struct_bytes;
  /**
   * Records the lane keeps at most, rounded up to a power of two (1024).
   */
  uint32_t index_capacity;
  /**
   * Bytes of the data ring, rounded up to whole pages (8 MiB); half of it is the largest record.
   */
  uint64_t data_bytes;
  /**
   * How often at most a wish for a key record is reported (1 s).
   */
  uint64_t key_request_interval_ns;
  /**
   * Not 0: lossless readers are admitted, for which writing waits.
   */
  uint32_t lossless;
  /**
   * Not 0: lock the lane into memory where the limits allow it.
   */
  uint32_t lock_memory;
  /**
   * NUMA node to bind the lane to; -1: none.
   */
  int32_t numa_node;
  /**
   * 0 the writer's user, 1 a group, 2 everyone.
   */
  uint32_t access;
  /**
   * The group, where access is 1.
   */
  uint32_t access_group;
  /**
   * 0 peers of the same user share bells, 1 only that user is admitted, 2 nobody is trusted.
   */
  uint32_t trust;
  /**
   * Runtime directory; NULL searches.
   */
  const char *directory;
} framelane_stream_writer_options;

/**
 * How to open a stream lane. Fill it with `framelane_stream_reader_options_init` first.
 */
typedef struct framelane_stream_reader_options {
  /**
   * Size of this struct, set by the init function; tells versions apart.
   */
  uint32_t struct_bytes;
  /**
   * Where to begin: a number of `framelane_stream_start` (newest key).
   */
  uint32_t start;
  /**
   * How long ago the record was published that key before means.
   */
  uint64_t start_age_ns;
  /**
   * Where to go on after having been overtaken: newest key or oldest key (newest key).
   */
  uint32_t after_lap;
  /**
   * Not 0: every record, in place; the writer waits.
   */
  uint32_t lossless;
  /**
   * How long to wait for a writer (0).
   */
  uint64_t wait_for_lane_ns;
  /**
   * Not 0: attach to the next writer when this one is gone (1).
   */
  uint32_t reattach;
  /**
   * Not 0: a blocking read ends early when a signal arrives (0).
   */
  uint32_t return_on_signal;
  /**
   * Runtime directory; NULL searches.
   */
  const char *directory;
} framelane_stream_reader_options;

/**
 * Bytes of the caller's.
 */
typedef struct framelane_bytes {
  /**
   * First byte; may be NULL where there are none.
   */
  const uint8_t *data;
  /**
   * How many they are.
   */
  size_t size_bytes;
} framelane_bytes;

/**
 * How a switch is, as its reader sees it.
 */
typedef struct framelane_switch_status {
  /**
   * Random id of the controller seen last.
   */
  uint64_t controller_epoch;
  /**
   * Switch epoch of the selection seen last.
   */
  uint64_t switch_epoch;
  /**
   * Index of the active lane; -1 for none.
   */
  int32_t active;
  /**
   * Lanes behind the switch.
   */
  uint32_t lane_count;
  /**
   * Not 0 while there is a controller. Without one the lane that was active stays so.
   */
  uint32_t controlled;
  /**
   * Status with which a controller that is there refuses; 0: it does not.
   */
  framelane_status problem;
} framelane_switch_status;

/**
 * One lane behind a switch, as its reader sees it.
 */
typedef struct framelane_switch_lane {
  /**
   * Its name, ended by zero.
   */
  char name[72];
  /**
   * Not 0 while its producer is there.
   */
  uint32_t attached;
  /**
   * Status with which a producer that is there refuses; 0: it does not.
   */
  framelane_status problem;
} framelane_switch_lane;

/**
 * How to make a switch. Fill it with `framelane_switch_controller_options_init` first.
 */
typedef struct framelane_switch_controller_options {
  /**
   * Size of this struct, set by the init function; tells versions apart.
   */
  uint32_t struct_bytes;
  /**
   * Index of the lane that is active first (0).
   */
  uint32_t active;
  /**
   * Who may follow the switch: 0 the controller's user, 1 a group, 2 everyone.
   */
  uint32_t access;
  /**
   * The group, where access is 1.
   */
  uint32_t access_group;
  /**
   * 0 peers of the same user share bells, 1 only that user is admitted, 2 nobody is trusted.
   */
  uint32_t trust;
  /**
   * Zero.
   */
  uint32_t reserved;
  /**
   * Runtime directory; NULL searches.
   */
  const char *directory;
} framelane_switch_controller_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Attaches to the lane `name`.
 */
framelane_status framelane_consumer_open(const char *name,
                                         const struct framelane_consumer_options *options,
                                         struct framelane_error *error,
                                         struct framelane_consumer **consumer);

/**
 * Stops reading and frees the handle. NULL is nothing. Held frames stay valid.
 */
void framelane_consumer_close(struct framelane_consumer *consumer);

/**
 * The next frame, waiting up to `timeout_ns`. `FRAMELANE_TIMED_OUT` and an empty frame when there
 * is none.
 */
framelane_status framelane_consumer_next(struct framelane_consumer *consumer,
                                         uint64_t timeout_ns,
                                         struct framelane_error *error,
                                         struct framelane_frame *frame);

/**
 * The next frame if there is one now; else `FRAMELANE_TIMED_OUT` and an empty frame, and the
 * descriptor of `framelane_consumer_fd` is drained and armed.
 */
framelane_status framelane_consumer_try_next(struct framelane_consumer *consumer,
                                             struct framelane_error *error,
                                             struct framelane_frame *frame);

/**
 * The newest valid frame, also one that was delivered before; else `FRAMELANE_TIMED_OUT` and an
 * empty frame.
 */
framelane_status framelane_consumer_latest(struct framelane_consumer *consumer,
                                           struct framelane_error *error,
                                           struct framelane_frame *frame);

/**
 * Waits up to `timeout_ns` until there is something to read; `ready` is 1 if there is.
 */
framelane_status framelane_consumer_wait(struct framelane_consumer *consumer,
                                         uint64_t timeout_ns,
                                         struct framelane_error *error,
                                         int32_t *ready);

/**
 * `ready` is 1 if there is something to read now; else 0, and the descriptor of
 * `framelane_consumer_fd` is drained and armed.
 */
framelane_status framelane_consumer_ready(struct framelane_consumer *consumer,
                                          struct framelane_error *error,
                                          int32_t *ready);

/**
 * A descriptor that becomes readable when there may be a frame; -1 for NULL. It belongs to the
 * consumer: do not read or close it. Call `framelane_consumer_try_next` until it finds nothing
 * before polling.
 */
int32_t framelane_consumer_fd(struct framelane_consumer *consumer);

/**
 * Frames delivered; 0 for NULL.
 */
uint64_t framelane_consumer_received(const struct framelane_consumer *consumer);

/**
 * Frames that passed without being delivered; 0 for NULL.
 */
uint64_t framelane_consumer_missed(const struct framelane_consumer *consumer);

/**
 * Random id of the producer attached to now; 0 while there is none, and for NULL.
 */
uint64_t framelane_consumer_epoch(const struct framelane_consumer *consumer);

/**
 * A handle that closes the consumer from any thread, also after the consumer was freed.
 */
framelane_status framelane_consumer_closer(const struct framelane_consumer *consumer,
                                           struct framelane_error *error,
                                           struct framelane_closer **closer);

/**
 * Closes the consumer: a sleeping read returns `FRAMELANE_CLOSED`, and so does every later one.
 */
void framelane_closer_close(const struct framelane_closer *closer);

/**
 * Frees a closer without closing anything. NULL is nothing.
 */
void framelane_closer_free(struct framelane_closer *closer);

/**
 * Name of a status: `ok`, `no_free_slot`, ... `unknown` for a number that has no meaning. The text
 * lives for ever.
 */
const char *framelane_error_kind_name(framelane_status status);

/**
 * Ends the lease and empties the frame. An empty frame and NULL are answered with `FRAMELANE_OK`,
 * a frame that had been taken back with `FRAMELANE_REVOKED`.
 */
framelane_status framelane_frame_release(struct framelane_frame *frame,
                                         struct framelane_error *error);

/**
 * 1 when everything read from the frame before this call counts, 0 when it was taken back or is
 * empty.
 */
int32_t framelane_frame_check(const struct framelane_frame *frame);

/**
 * What the frame is. The pointer is valid until the frame is released.
 */
framelane_status framelane_frame_descriptor(const struct framelane_frame *frame,
                                            struct framelane_error *error,
                                            const struct framelane_frame_descriptor **descriptor);

/**
 * One plane of the frame.
 */
framelane_status framelane_frame_plane(const struct framelane_frame *frame,
                                       size_t index,
                                       struct framelane_error *error,
                                       struct framelane_plane_view *plane);

/**
 * A descriptor of the dma-buf or memfd that one plane is in, to import it elsewhere: the plane is
 * at the `offset_bytes` of the descriptor's plane. The caller owns and closes it.
 * `FRAMELANE_UNSUPPORTED` for frames in other memory.
 */
framelane_status framelane_frame_plane_fd(const struct framelane_frame *frame,
                                          size_t index,
                                          struct framelane_error *error,
                                          int32_t *fd);

/**
 * Copies one plane; `count` is the plane's size. Says `FRAMELANE_REVOKED` when the copy is not
 * whole. Counted as bytes the SDK copied.
 */
framelane_status framelane_frame_copy_to(const struct framelane_frame *frame,
                                         size_t index,
                                         uint8_t *into,
                                         size_t count,
                                         struct framelane_error *error);

/**
 * One plane of the frame, as its descriptor lays it out now.
 */
framelane_status framelane_frame_mut_plane(struct framelane_frame_mut *frame,
                                           size_t index,
                                           struct framelane_error *error,
                                           struct framelane_plane_mut *plane);

/**
 * Makes the frame the newest of its lane and empties it. `sequence` may be NULL.
 */
framelane_status framelane_frame_mut_publish(struct framelane_frame_mut *frame,
                                             struct framelane_error *error,
                                             uint64_t *sequence);

/**
 * Gives the slot back unpublished and empties the frame. An empty frame and NULL are nothing.
 */
void framelane_frame_mut_abandon(struct framelane_frame_mut *frame);

/**
 * Copies bytes to the start of the payload, counted as bytes the SDK copied.
 */
framelane_status framelane_frame_mut_copy_from(struct framelane_frame_mut *frame,
                                               const uint8_t *bytes,
                                               size_t count,
                                               struct framelane_error *error);

/**
 * Visits the lanes that have a socket, by name. `directory` NULL searches.
 */
framelane_status framelane_discover(const char *directory,
                                    framelane_visit visit,
                                    void *user_data,
                                    struct framelane_error *error);

/**
 * Asks a lane's producer how the lane is, within `timeout_ns`. Takes no lease.
 */
framelane_status framelane_query(const char *name,
                                 const char *directory,
                                 uint64_t timeout_ns,
                                 struct framelane_error *error,
                                 struct framelane_report *report);

/**
 * Hash of the byte layout this library was built with; compare it with
 * `FRAMELANE_LAYOUT_HASH` of the header.
 */
uint64_t framelane_layout_hash(void);

/**
 * CLOCK_MONOTONIC now, the clock of publish times and deadlines.
 */
uint64_t framelane_monotonic_ns(void);

/**
 * Fills the options with their defaults.
 */
framelane_status framelane_producer_options_init(struct framelane_producer_options *options);

/**
 * Fills the options with their defaults.
 */
framelane_status framelane_consumer_options_init(struct framelane_consumer_options *options);

/**
 * Lays out a picture. `stride_align` is a power of two, 1 for rows without padding.
 */
framelane_status framelane_layout_init(uint32_t pixel_format,
                                       uint32_t width,
                                       uint32_t height,
                                       uint32_t stride_align,
                                       struct framelane_error *error,
                                       struct framelane_layout *layout);

/**
 * Number of the pixel format that people call `name`: nv12, i420, grey, ... in either case.
 */
framelane_status framelane_pixel_format_parse(const char *name,
                                              struct framelane_error *error,
                                              uint32_t *pixel_format);

/**
 * Writes a layout into a descriptor, for frames that are published from outside the lane.
 */
framelane_status framelane_layout_apply(const struct framelane_layout *layout,
                                        struct framelane_error *error,
                                        struct framelane_frame_descriptor *descriptor);

/**
 * Makes the lane `name` and starts to admit consumers.
 */
framelane_status framelane_producer_create(const char *name,
                                           const struct framelane_producer_options *options,
                                           struct framelane_error *error,
                                           struct framelane_producer **producer);

/**
 * Ends the lane and frees the handle. NULL is nothing. Frames still claimed may be published or
 * abandoned afterwards; publishing then fails with `FRAMELANE_CLOSED`.
 */
void framelane_producer_close(struct framelane_producer *producer);

/**
 * Claims a slot at once. On failure `frame` is empty; `FRAMELANE_NO_FREE_SLOT` names the holders.
 */
framelane_status framelane_producer_claim(const struct framelane_producer *producer,
                                          struct framelane_error *error,
                                          struct framelane_frame_mut *frame);

/**
 * Claims a slot, waiting for a lossless consumer or an own frame up to `timeout_ns`.
 */
framelane_status framelane_producer_claim_within(const struct framelane_producer *producer,
                                                 uint64_t timeout_ns,
                                                 struct framelane_error *error,
                                                 struct framelane_frame_mut *frame);

/**
 * Publishes `count` claimed frames in order with one wake-up and empties them. `last_sequence` may
 * be NULL.
 */
framelane_status framelane_producer_publish_batch(const struct framelane_producer *producer,
                                                  struct framelane_frame_mut *frames,
                                                  size_t count,
                                                  struct framelane_error *error,
                                                  uint64_t *last_sequence);

/**
 * Publishes a frame that lives in device memory. `owner` may be NULL; it does not run when this
 * fails. `sequence` may be NULL.
 */
framelane_status framelane_producer_publish_external(const struct framelane_producer *producer,
                                                     const struct framelane_frame_descriptor *descriptor,
                                                     framelane_owner owner,
                                                     void *user_data,
                                                     struct framelane_error *error,
                                                     uint64_t *sequence);

/**
 * Runs the owners of returned buffers, on lanes made with `reclaim` 1. `count` may be NULL.
 */
framelane_status framelane_producer_reclaim(const struct framelane_producer *producer,
                                            struct framelane_error *error,
                                            size_t *count);

/**
 * Takes back the device frames that nobody holds, the newest included.
 */
framelane_status framelane_producer_recall(const struct framelane_producer *producer,
                                           struct framelane_error *error);

/**
 * How the lane is: geometry, counts, consumers and what they hold.
 */
framelane_status framelane_producer_report(const struct framelane_producer *producer,
                                           struct framelane_error *error,
                                           struct framelane_report *report);

/**
 * Random id of this producer incarnation; 0 for NULL.
 */
uint64_t framelane_producer_epoch(const struct framelane_producer *producer);

/**
 * Number of consumers attached now; 0 for NULL.
 */
size_t framelane_producer_consumers(const struct framelane_producer *producer);

/**
 * Gives the record back and empties it; a lossless reader's writer may then overwrite it. An empty
 * record and NULL are nothing.
 */
void framelane_record_release(struct framelane_record *record);

/**
 * Appends bytes. `FRAMELANE_RECORD_TOO_LARGE` for more than the record was begun with, which
 * leaves it as it was.
 */
framelane_status framelane_record_mut_append(struct framelane_record_mut *record,
                                             const uint8_t *data,
                                             size_t size_bytes,
                                             struct framelane_error *error);

/**
 * Makes the record the newest of its lane and empties it. `sequence` may be NULL.
 */
framelane_status framelane_record_mut_commit(struct framelane_record_mut *record,
                                             struct framelane_error *error,
                                             uint64_t *sequence);

/**
 * Gives the record up and empties it. An empty record and NULL are nothing.
 */
void framelane_record_mut_abandon(struct framelane_record_mut *record);

/**
 * Fills the options with their defaults; `capacity_bytes` is to be set.
 */
framelane_status framelane_shmbuf_sender_options_init(struct framelane_shmbuf_sender_options *options);

/**
 * Fills the options with their defaults.
 */
framelane_status framelane_shmbuf_receiver_options_init(struct framelane_shmbuf_receiver_options *options);

/**
 * Attaches to the segment `name`, with or without a slash in front. `FRAMELANE_NOT_FOUND`,
 * `FRAMELANE_TIMED_OUT` for one without a header, `FRAMELANE_TOO_MANY` while another receiver of
 * ours reads it, `FRAMELANE_PROTOCOL` for one that is no ring.
 */
framelane_status framelane_shmbuf_receiver_open(const char *name,
                                                const struct framelane_shmbuf_receiver_options *options,
                                                struct framelane_error *error,
                                                struct framelane_shmbuf_receiver **receiver);

/**
 * Stops reading and frees the handle; the segment stays. NULL is nothing.
 */
void framelane_shmbuf_receiver_close(struct framelane_shmbuf_receiver *receiver);

/**
 * Size of the next message, waiting up to `timeout_ns` for it; it stays where it is.
 * `FRAMELANE_TIMED_OUT` when there is none. `FRAMELANE_PROTOCOL` when the segment says something
 * impossible; `FRAMELANE_DISCONNECTED` when the sender is gone and everything is read, where
 * re-attaching is off.
 */
framelane_status framelane_shmbuf_receiver_wait(struct framelane_shmbuf_receiver *receiver,
                                                uint64_t timeout_ns,
                                                struct framelane_error *error,
                                                size_t *size_bytes);

/**
 * Receives into memory of the caller's if there is a message now, else `FRAMELANE_TIMED_OUT`.
 * `FRAMELANE_TOO_LARGE` when the message does not fit; it stays where it is, to be received
 * elsewhere or skipped.
 */
framelane_status framelane_shmbuf_receiver_try_recv(struct framelane_shmbuf_receiver *receiver,
                                                    uint8_t *into,
                                                    size_t room_bytes,
                                                    struct framelane_error *error,
                                                    size_t *size_bytes);

/**
 * The same, waiting up to `timeout_ns` for a message.
 */
framelane_status framelane_shmbuf_receiver_recv(struct framelane_shmbuf_receiver *receiver,
                                                uint8_t *into,
                                                size_t room_bytes,
                                                uint64_t timeout_ns,
                                                struct framelane_error *error,
                                                size_t *size_bytes);

/**
 * Drops the next message unread; `FRAMELANE_TIMED_OUT` when there is none.
 */
framelane_status framelane_shmbuf_receiver_skip(struct framelane_shmbuf_receiver *receiver,
                                                struct framelane_error *error);

/**
 * Bytes of the ring; 0 for NULL.
 */
size_t framelane_shmbuf_receiver_capacity(const struct framelane_shmbuf_receiver *receiver);

/**
 * Messages received; 0 for NULL.
 */
uint64_t framelane_shmbuf_receiver_received(const struct framelane_shmbuf_receiver *receiver);

/**
 * Empty messages that were stepped over; ours never send one. 0 for NULL.
 */
uint64_t framelane_shmbuf_receiver_empty(const struct framelane_shmbuf_receiver *receiver);

/**
 * How often another segment was found at the name: the sender had been restarted. 0 for NULL.
 */
uint64_t framelane_shmbuf_receiver_restarts(const struct framelane_shmbuf_receiver *receiver);

/**
 * Makes the segment `name`, with or without a slash in front, in place of one that a dead sender
 * has left. `FRAMELANE_ALREADY_EXISTS` while another sender of ours has the name; an upstream one
 * cannot be seen, and loses it.
 */
framelane_status framelane_shmbuf_sender_create(const char *name,
                                                const struct framelane_shmbuf_sender_options *options,
                                                struct framelane_error *error,
                                                struct framelane_shmbuf_sender **sender);

/**
 * Ends the segment and frees the handle: the name goes unless it is to be kept, an attached
 * receiver can still read what was sent. NULL is nothing.
 */
void framelane_shmbuf_sender_close(struct framelane_shmbuf_sender *sender);

/**
 * Sends a message if the ring has room for it now; else `FRAMELANE_NO_FREE_SLOT`, and nothing is
 * written. `FRAMELANE_TOO_LARGE` for a message that the ring could never take,
 * `FRAMELANE_INVALID_ARGUMENT` for an empty one, at which upstream receivers would stop for ever.
 */
framelane_status framelane_shmbuf_sender_try_send(struct framelane_shmbuf_sender *sender,
                                                  const uint8_t *data,
                                                  size_t size_bytes,
                                                  struct framelane_error *error);

/**
 * The same, waiting up to `timeout_ns` for room.
 */
framelane_status framelane_shmbuf_sender_send(struct framelane_shmbuf_sender *sender,
                                              const uint8_t *data,
                                              size_t size_bytes,
                                              uint64_t timeout_ns,
                                              struct framelane_error *error);

/**
 * Waits up to `timeout_ns` until everything sent has been read; `drained` is 1 if it has.
 */
framelane_status framelane_shmbuf_sender_drain(struct framelane_shmbuf_sender *sender,
                                               uint64_t timeout_ns,
                                               struct framelane_error *error,
                                               int32_t *drained);

/**
 * Bytes that wait to be read, the 4 before each message included.
 */
framelane_status framelane_shmbuf_sender_unread(const struct framelane_shmbuf_sender *sender,
                                                struct framelane_error *error,
                                                size_t *unread_bytes);

/**
 * `attached` is 1 if a receiver of ours reads the segment; upstream ones cannot be seen.
 */
framelane_status framelane_shmbuf_sender_has_receiver(const struct framelane_shmbuf_sender *sender,
                                                      struct framelane_error *error,
                                                      int32_t *attached);

/**
 * Bytes of the ring, the largest power of two that fits the wish; 0 for NULL.
 */
size_t framelane_shmbuf_sender_capacity(const struct framelane_shmbuf_sender *sender);

/**
 * The longest message that the empty ring can take; 0 for NULL.
 */
size_t framelane_shmbuf_sender_longest_message(const struct framelane_shmbuf_sender *sender);

/**
 * Messages sent; 0 for NULL.
 */
uint64_t framelane_shmbuf_sender_sent(const struct framelane_shmbuf_sender *sender);

/**
 * How often `framelane_shmbuf_sender_try_send` found the ring full; 0 for NULL.
 */
uint64_t framelane_shmbuf_sender_times_full(const struct framelane_shmbuf_sender *sender);

/**
 * Removes a segment by name, as after a crash; `removed` is 0 if there is none, and may be NULL.
 * `directory` NULL: that of POSIX shared memory. `FRAMELANE_ALREADY_EXISTS` while a sender of ours
 * has it.
 */
framelane_status framelane_shmbuf_remove(const char *name,
                                         const char *directory,
                                         struct framelane_error *error,
                                         int32_t *removed);

/**
 * Fills the options with their defaults.
 */
framelane_status framelane_stream_writer_options_init(struct framelane_stream_writer_options *options);

/**
 * Fills the options with their defaults.
 */
framelane_status framelane_stream_reader_options_init(struct framelane_stream_reader_options *options);

/**
 * Fills a config of this codec, a number of `framelane_codec`; everything else is 0, to be filled
 * in.
 */
framelane_status framelane_stream_config_init(uint32_t codec,
                                              struct framelane_error *error,
                                              struct framelane_stream_config *config);

/**
 * Fills what is said of a record: no time known, no flag set.
 */
framelane_status framelane_record_info_init(struct framelane_record_info *info);

/**
 * Attaches to the stream lane `name`.
 */
framelane_status framelane_stream_reader_open(const char *name,
                                              const struct framelane_stream_reader_options *options,
                                              struct framelane_error *error,
                                              struct framelane_stream_reader **reader);

/**
 * Stops reading and frees the handle. NULL is nothing. Records stay valid until released.
 */
void framelane_stream_reader_close(struct framelane_stream_reader *reader);

/**
 * The next record, waiting up to `timeout_ns`. `FRAMELANE_TIMED_OUT` and an empty record when
 * there is none. `FRAMELANE_LAPPED` when records were overwritten before
 * they were read: `record->missed` says how many, and the next call goes on at a key record.
 */
framelane_status framelane_stream_reader_next(struct framelane_stream_reader *reader,
                                              uint64_t timeout_ns,
                                              struct framelane_error *error,
                                              struct framelane_record *record);

/**
 * The next record if there is one now; else `FRAMELANE_TIMED_OUT` and an empty record, and the
 * descriptor of `framelane_stream_reader_fd` is drained and armed.
 */
framelane_status framelane_stream_reader_try_next(struct framelane_stream_reader *reader,
                                                  struct framelane_error *error,
                                                  struct framelane_record *record);

/**
 * Waits up to `timeout_ns` until there may be something to read; `ready` is 1 if there is.
 */
framelane_status framelane_stream_reader_wait(struct framelane_stream_reader *reader,
                                              uint64_t timeout_ns,
                                              struct framelane_error *error,
                                              int32_t *ready);

/**
 * `ready` is 1 if there may be something to read now; else 0, and the descriptor of
 * `framelane_stream_reader_fd` is drained and armed.
 */
framelane_status framelane_stream_reader_ready(struct framelane_stream_reader *reader,
                                               struct framelane_error *error,
                                               int32_t *ready);

/**
 * Goes to a place of the stream, a number of `framelane_stream_start`; `age_ns` is what key before
 * means. `FRAMELANE_NO_KEY_FRAME` when there is none: the reader stays, and one is asked for.
 */
framelane_status framelane_stream_reader_seek(struct framelane_stream_reader *reader,
                                              uint32_t place,
                                              uint64_t age_ns,
                                              struct framelane_error *error);

/**
 * Asks the writer for a key record.
 */
framelane_status framelane_stream_reader_request_key_frame(struct framelane_stream_reader *reader,
                                                           struct framelane_error *error);

/**
 * A descriptor that becomes readable when there may be a record; -1 for NULL. It belongs to the
 * reader: do not read or close it. Call `framelane_stream_reader_try_next` until it finds nothing
 * before polling.
 */
int32_t framelane_stream_reader_fd(struct framelane_stream_reader *reader);

/**
 * Records delivered; 0 for NULL.
 */
uint64_t framelane_stream_reader_received(const struct framelane_stream_reader *reader);

/**
 * Records that passed without being delivered, seeks left out; 0 for NULL.
 */
uint64_t framelane_stream_reader_missed(const struct framelane_stream_reader *reader);

/**
 * Random id of the writer attached to now; 0 while there is none, and for NULL.
 */
uint64_t framelane_stream_reader_epoch(const struct framelane_stream_reader *reader);

/**
 * Records that are held in place; 0 for NULL.
 */
uint32_t framelane_stream_reader_held(const struct framelane_stream_reader *reader);

/**
 * A handle that closes the reader from any thread, also after the reader was freed.
 */
framelane_status framelane_stream_reader_closer(const struct framelane_stream_reader *reader,
                                                struct framelane_error *error,
                                                struct framelane_closer **closer);

/**
 * Makes the stream lane `name`, whose records begin with `config`, and starts to admit readers.
 */
framelane_status framelane_stream_writer_create(const char *name,
                                                const struct framelane_stream_config *config,
                                                const struct framelane_stream_writer_options *options,
                                                struct framelane_error *error,
                                                struct framelane_stream_writer **writer);

/**
 * Ends the lane and frees the handle. NULL is nothing. A record still open may be abandoned
 * afterwards; committing it then fails with `FRAMELANE_CLOSED`.
 */
void framelane_stream_writer_close(struct framelane_stream_writer *writer);

/**
 * Begins a record of up to `room_bytes`, waiting up to `timeout_ns` for lossless readers or for
 * the open record. `FRAMELANE_NO_FREE_SLOT` names who holds what would be overwritten.
 */
framelane_status framelane_stream_writer_begin(const struct framelane_stream_writer *writer,
                                               size_t room_bytes,
                                               uint64_t timeout_ns,
                                               struct framelane_error *error,
                                               struct framelane_record_mut *record);

/**
 * Writes a record from its pieces at once. `info` says its times, capture id and flags.
 * `sequence` may be NULL.
 */
framelane_status framelane_stream_writer_write(const struct framelane_stream_writer *writer,
                                               const struct framelane_record_info *info,
                                               const struct framelane_bytes *pieces,
                                               size_t count,
                                               uint64_t timeout_ns,
                                               struct framelane_error *error,
                                               uint64_t *sequence);

/**
 * Says what the records to come are, waiting up to `timeout_ns` for lossless readers of the oldest
 * config. `id` may be NULL.
 */
framelane_status framelane_stream_writer_set_config(const struct framelane_stream_writer *writer,
                                                    const struct framelane_stream_config *config,
                                                    uint64_t timeout_ns,
                                                    struct framelane_error *error,
                                                    uint32_t *id);

/**
 * `wanted` is 1 when a reader wants a key record, as often as the options allow; waits up to
 * `timeout_ns` for it.
 */
framelane_status framelane_stream_writer_key_frame_wanted(const struct framelane_stream_writer *writer,
                                                          uint64_t timeout_ns,
                                                          struct framelane_error *error,
                                                          int32_t *wanted);

/**
 * How the lane is: sizes, counts and readers.
 */
framelane_status framelane_stream_writer_report(const struct framelane_stream_writer *writer,
                                                struct framelane_error *error,
                                                struct framelane_report *report);

/**
 * Largest record, half of the ring; 0 for NULL.
 */
size_t framelane_stream_writer_record_limit(const struct framelane_stream_writer *writer);

/**
 * Random id of this writer incarnation; 0 for NULL.
 */
uint64_t framelane_stream_writer_epoch(const struct framelane_stream_writer *writer);

/**
 * Number of readers attached now; 0 for NULL.
 */
size_t framelane_stream_writer_readers(const struct framelane_stream_writer *writer);

/**
 * Attaches to the switch `name` and to the lanes behind it, with the options of each lane's
 * consumer. The lanes need not be there; `wait_for_lane_ns` waits for the controller.
 */
framelane_status framelane_switch_open(const char *name,
                                       const struct framelane_consumer_options *options,
                                       struct framelane_error *error,
                                       struct framelane_switch **reader);

/**
 * Stops reading and frees the handle. NULL is nothing. Held frames stay valid.
 */
void framelane_switch_close(struct framelane_switch *reader);

/**
 * The next frame of the active lane, waiting up to `timeout_ns`. `FRAMELANE_TIMED_OUT` and an
 * empty frame when there is none.
 */
framelane_status framelane_switch_next(struct framelane_switch *reader,
                                       uint64_t timeout_ns,
                                       struct framelane_error *error,
                                       struct framelane_frame *frame);

/**
 * The next frame if there is one now; else `FRAMELANE_TIMED_OUT` and an empty frame, and the
 * descriptor of `framelane_switch_fd` is drained and armed.
 */
framelane_status framelane_switch_try_next(struct framelane_switch *reader,
                                           struct framelane_error *error,
                                           struct framelane_frame *frame);

/**
 * The newest valid frame of the active lane, also one that was delivered before; else
 * `FRAMELANE_TIMED_OUT` and an empty frame.
 */
framelane_status framelane_switch_latest(struct framelane_switch *reader,
                                         struct framelane_error *error,
                                         struct framelane_frame *frame);

/**
 * Waits up to `timeout_ns` until there may be something to read; `ready` is 1 if there may.
 */
framelane_status framelane_switch_wait(struct framelane_switch *reader,
                                       uint64_t timeout_ns,
                                       struct framelane_error *error,
                                       int32_t *ready);

/**
 * `ready` is 1 if there may be something to read now; else 0, and the descriptor of
 * `framelane_switch_fd` is drained and armed.
 */
framelane_status framelane_switch_ready(struct framelane_switch *reader,
                                        struct framelane_error *error,
                                        int32_t *ready);

/**
 * A descriptor that becomes readable when there may be a frame or a switch; -1 for NULL. It
 * belongs to the reader: do not read or close it. Call `framelane_switch_try_next` until it finds
 * nothing before polling.
 */
int32_t framelane_switch_fd(struct framelane_switch *reader);

/**
 * How the switch is.
 */
framelane_status framelane_switch_get_status(const struct framelane_switch *reader,
                                             struct framelane_error *error,
                                             struct framelane_switch_status *status);

/**
 * One of the lanes, below `lane_count`.
 */
framelane_status framelane_switch_get_lane(const struct framelane_switch *reader,
                                           uint32_t index,
                                           struct framelane_error *error,
                                           struct framelane_switch_lane *lane);

/**
 * Frames delivered; 0 for NULL.
 */
uint64_t framelane_switch_received(const struct framelane_switch *reader);

/**
 * Frames that passed without being delivered while their lane was active; 0 for NULL.
 */
uint64_t framelane_switch_missed(const struct framelane_switch *reader);

/**
 * Frames not delivered because they were older than the one before the switch, or of the lane that
 * was switched away from; 0 for NULL.
 */
uint64_t framelane_switch_dropped(const struct framelane_switch *reader);

/**
 * Switches this reader has followed; 0 for NULL.
 */
uint64_t framelane_switch_switches(const struct framelane_switch *reader);

/**
 * A handle that closes the reader from any thread, also after the reader was freed.
 */
framelane_status framelane_switch_closer(const struct framelane_switch *reader,
                                         struct framelane_error *error,
                                         struct framelane_closer **closer);

/**
 * Fills the options with their defaults.
 */
framelane_status framelane_switch_controller_options_init(struct framelane_switch_controller_options *options);

/**
 * Makes the switch `name`, behind which the `count` frame lanes `lanes` stand, and starts to admit
 * readers. The lanes need not be there yet.
 */
framelane_status framelane_switch_controller_create(const char *name,
                                                    const char *const *lanes,
                                                    size_t count,
                                                    const struct framelane_switch_controller_options *options,
                                                    struct framelane_error *error,
                                                    struct framelane_switch_controller **controller);

/**
 * Ends the switch and frees the handle. NULL is nothing. Readers go on with the lane that is
 * active.
 */
void framelane_switch_controller_close(struct framelane_switch_controller *controller);

/**
 * Ends the switch while other threads still use the handle, which stays: their waits and later
 * calls fail with closed, and the name is free. NULL is nothing.
 */
void framelane_switch_controller_end(const struct framelane_switch_controller *controller);

/**
 * Makes a lane active. The choice stands against a policy until it is taken back. `switch_epoch`
 * may be NULL.
 */
framelane_status framelane_switch_controller_select(const struct framelane_switch_controller *controller,
                                                    uint32_t index,
                                                    struct framelane_error *error,
                                                    uint64_t *switch_epoch);

/**
 * The same, by the name of the lane.
 */
framelane_status framelane_switch_controller_select_lane(const struct framelane_switch_controller *controller,
                                                         const char *lane,
                                                         struct framelane_error *error,
                                                         uint64_t *switch_epoch);

/**
 * What a policy wants: makes a lane active unless somebody has chosen. `active` is 1 if it is, and
 * may be NULL.
 */
framelane_status framelane_switch_controller_propose(const struct framelane_switch_controller *controller,
                                                     uint32_t index,
                                                     struct framelane_error *error,
                                                     int32_t *active);

/**
 * Takes a choice back: from now on a policy chooses.
 */
framelane_status framelane_switch_controller_set_automatic(const struct framelane_switch_controller *controller,
                                                           struct framelane_error *error);

/**
 * 1 when somebody has chosen and no policy is to choose otherwise; 0 for NULL.
 */
int32_t framelane_switch_controller_is_held(const struct framelane_switch_controller *controller);

/**
 * Index of the active lane; 0 for NULL.
 */
uint32_t framelane_switch_controller_active(const struct framelane_switch_controller *controller);

/**
 * How many-th selection this is, from 1; 0 for NULL.
 */
uint64_t framelane_switch_controller_switch_epoch(const struct framelane_switch_controller *controller);

/**
 * Waits up to `timeout_ns` while the switch epoch is `switch_epoch`; `now` is the epoch of now,
 * the same when the time is over.
 */
framelane_status framelane_switch_controller_wait_switched(const struct framelane_switch_controller *controller,
                                                           uint64_t switch_epoch,
                                                           uint64_t timeout_ns,
                                                           struct framelane_error *error,
                                                           uint64_t *now);

/**
 * Number of readers attached now; 0 for NULL.
 */
size_t framelane_switch_controller_readers(const struct framelane_switch_controller *controller);

/**
 * Random id of this controller incarnation; 0 for NULL.
 */
uint64_t framelane_switch_controller_epoch(const struct framelane_switch_controller *controller);

/**
 * How the switch is: lanes, selection, counts and readers.
 */
framelane_status framelane_switch_controller_report(const struct framelane_switch_controller *controller,
                                                    struct framelane_error *error,
                                                    struct framelane_report *report);

/**
 * Selects a lane of a switch whose controller is another process, within `timeout_ns`; `lane` NULL
 * takes an earlier choice back instead. `active` and `switch_epoch` may be NULL. `directory` NULL
 * searches. Only the controller's user and root may.
 */
framelane_status framelane_select(const char *switch_name,
                                  const char *lane,
                                  const char *directory,
                                  uint64_t timeout_ns,
                                  struct framelane_error *error,
                                  uint32_t *active,
                                  uint64_t *switch_epoch);

/**
 * The same, by the index of the lane.
 */
framelane_status framelane_select_index(const char *switch_name,
                                        uint32_t index,
                                        const char *directory,
                                        uint64_t timeout_ns,
                                        struct framelane_error *error,
                                        uint32_t *active,
                                        uint64_t *switch_epoch);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FRAMELANE_H */
