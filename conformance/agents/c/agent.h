/* What the parts of the C agent share; conformance/README.md says what it does. */
#ifndef AGENT_H
#define AGENT_H

#include "framelane.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MILLISECOND UINT64_C(1000000)
#define MOST_MILLISECONDS (UINT64_MAX / MILLISECOND)

/* One command: a word, then key=value. The texts point into the line that was read. */
struct line {
  const char *word;
  size_t count;
  struct {
    const char *key;
    const char *value;
  } pairs[128];
};

/* What follows `ok`; after a failure the reason. Functions that fill one return whether all is
 * well. */
struct answer {
  size_t length;
  framelane_status status;
  bool nothing;
  char text[16384];
};

typedef bool (*handler)(const struct line *line, struct answer *answer);

/* line.c */
bool line_parse(char *text, struct line *line, struct answer *answer);
const char *line_text(const struct line *line, const char *key);
bool line_need_text(const struct line *line, const char *key, const char **value,
                    struct answer *answer);
/* Leaves the value as it is where the line has no such key. */
bool line_number(const struct line *line, const char *key, uint64_t most, uint64_t *value,
                 struct answer *answer);
bool line_need_number(const struct line *line, const char *key, uint64_t most, uint64_t *value,
                      struct answer *answer);
/* The same for numbers of 32 bits, flags among them. */
bool line_u32(const struct line *line, const char *key, uint32_t *value, struct answer *answer);
bool number_parse(const char *text, uint64_t most, uint64_t *value);
void say(struct answer *answer, const char *format, ...);
bool misunderstood(struct answer *answer, const char *format, ...);
bool sdk(struct answer *answer, framelane_status status, const framelane_error *error);

/* fields.c */
void fields_say(const struct framelane_frame_descriptor *descriptor, struct answer *answer);
bool fields_apply(const struct line *line, struct framelane_frame_descriptor *descriptor,
                  struct answer *answer);
bool fields_decode(const struct line *line, struct answer *answer);

/* pixels.c */
void pixels_fill(uint8_t *bytes, size_t count, size_t plane, uint64_t seed);
uint32_t pixels_crc(const uint8_t *bytes, size_t count);
/* A memfd that holds the picture, filled with its number as seed; -1 when that fails. */
int pixels_buffer(const framelane_layout *layout, uint64_t number, bool writable);

/* options.c */
#define MOST_BUFFERS 256
bool options_read(const struct line *line, framelane_producer_options *options, int32_t *fds,
                  struct answer *answer);

/* producing.c */
bool create(const struct line *line, struct answer *answer);
bool publish(const struct line *line, struct answer *answer);
bool claim(const struct line *line, struct answer *answer);
bool fill(const struct line *line, struct answer *answer);
bool commit(const struct line *line, struct answer *answer);
bool abandon(const struct line *line, struct answer *answer);
bool publish_external(const struct line *line, struct answer *answer);
bool returned(const struct line *line, struct answer *answer);
bool recall(const struct line *line, struct answer *answer);
bool report(const struct line *line, struct answer *answer);
bool close_producer(const struct line *line, struct answer *answer);
void reset_producing(void);

/* consuming.c */
bool parse_mode(const char *name, uint32_t *mode);
bool open_consumer(const struct line *line, struct answer *answer);
bool next_frame(const struct line *line, struct answer *answer);
bool try_frame(const struct line *line, struct answer *answer);
bool latest_frame(const struct line *line, struct answer *answer);
bool wait_for_frame(const struct line *line, struct answer *answer);
bool poll_consumer(const struct line *line, struct answer *answer);
bool read_frame(const struct line *line, struct answer *answer);
bool read_in_place(const struct line *line, struct answer *answer);
bool describe(const struct line *line, struct answer *answer);
bool check(const struct line *line, struct answer *answer);
bool release(const struct line *line, struct answer *answer);
bool count(const struct line *line, struct answer *answer);
bool close_consumer(const struct line *line, struct answer *answer);
bool close_later(const struct line *line, struct answer *answer);
void reset_consuming(void);

/* writing.c */
bool create_stream(const struct line *line, struct answer *answer);
bool write_record(const struct line *line, struct answer *answer);
bool begin_record(const struct line *line, struct answer *answer);
bool append(const struct line *line, struct answer *answer);
bool commit_record(const struct line *line, struct answer *answer);
bool abandon_record(const struct line *line, struct answer *answer);
bool set_config(const struct line *line, struct answer *answer);
bool key_wanted(const struct line *line, struct answer *answer);
bool stream_report(const struct line *line, struct answer *answer);
bool close_writer(const struct line *line, struct answer *answer);
void reset_writing(void);

/* reading.c */
bool open_stream(const struct line *line, struct answer *answer);
bool next_record(const struct line *line, struct answer *answer);
bool read_record(const struct line *line, struct answer *answer);
bool release_record(const struct line *line, struct answer *answer);
bool seek_stream(const struct line *line, struct answer *answer);
bool request_key(const struct line *line, struct answer *answer);
bool wait_stream(const struct line *line, struct answer *answer);
bool poll_stream(const struct line *line, struct answer *answer);
bool count_stream(const struct line *line, struct answer *answer);
bool close_stream(const struct line *line, struct answer *answer);
void reset_reading(void);

/* messages.c */
bool create_ring(const struct line *line, struct answer *answer);
bool send_message(const struct line *line, struct answer *answer);
bool drain(const struct line *line, struct answer *answer);
bool count_ring(const struct line *line, struct answer *answer);
bool close_ring(const struct line *line, struct answer *answer);
bool open_ring(const struct line *line, struct answer *answer);
bool receive(const struct line *line, struct answer *answer);
bool skip_message(const struct line *line, struct answer *answer);
bool count_received(const struct line *line, struct answer *answer);
bool close_receiver(const struct line *line, struct answer *answer);
void reset_messages(void);

/* switching.c */
bool create_switch(const struct line *line, struct answer *answer);
bool select_lane(const struct line *line, struct answer *answer);
bool propose(const struct line *line, struct answer *answer);
bool set_automatic(const struct line *line, struct answer *answer);
bool switch_report(const struct line *line, struct answer *answer);
bool close_switch(const struct line *line, struct answer *answer);
bool open_switch(const struct line *line, struct answer *answer);
bool next_of_switch(const struct line *line, struct answer *answer);
bool switch_status(const struct line *line, struct answer *answer);
bool leave_switch(const struct line *line, struct answer *answer);
bool ask_switch(const struct line *line, struct answer *answer);
void reset_switching(void);

#endif
