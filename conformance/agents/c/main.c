/* The C agent of the conformance runs: does line by line what conformance/README.md says. */
#define _POSIX_C_SOURCE 200809L
#include "agent.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reset(const struct line *line, struct answer *answer) {
  (void)line, (void)answer;
  reset_consuming(); /* what is held goes before what it is held from */
  reset_producing();
  reset_reading();
  reset_writing();
  reset_messages();
  reset_switching();
  return true;
}

static const struct {
  const char *word;
  handler handle;
} COMMANDS[] = {
    {"create", create},
    {"publish", publish},
    {"claim", claim},
    {"fill", fill},
    {"commit", commit},
    {"abandon", abandon},
    {"publish_external", publish_external},
    {"returned", returned},
    {"recall", recall},
    {"report", report},
    {"close_producer", close_producer},
    {"open", open_consumer},
    {"next", next_frame},
    {"try", try_frame},
    {"latest", latest_frame},
    {"wait", wait_for_frame},
    {"poll", poll_consumer},
    {"read", read_frame},
    {"in_place", read_in_place},
    {"describe", describe},
    {"check", check},
    {"release", release},
    {"count", count},
    {"close", close_consumer},
    {"close_later", close_later},
    {"create_stream", create_stream},
    {"write", write_record},
    {"begin_record", begin_record},
    {"append", append},
    {"commit_record", commit_record},
    {"abandon_record", abandon_record},
    {"set_config", set_config},
    {"key_wanted", key_wanted},
    {"stream_report", stream_report},
    {"close_writer", close_writer},
    {"open_stream", open_stream},
    {"next_record", next_record},
    {"read_record", read_record},
    {"release_record", release_record},
    {"seek", seek_stream},
    {"request_key", request_key},
    {"wait_stream", wait_stream},
    {"poll_stream", poll_stream},
    {"count_stream", count_stream},
    {"close_stream", close_stream},
    {"create_ring", create_ring},
    {"send", send_message},
    {"drain", drain},
    {"count_ring", count_ring},
    {"close_ring", close_ring},
    {"open_ring", open_ring},
    {"receive", receive},
    {"skip", skip_message},
    {"count_received", count_received},
    {"close_receiver", close_receiver},
    {"create_switch", create_switch},
    {"select_lane", select_lane},
    {"propose", propose},
    {"set_automatic", set_automatic},
    {"switch_report", switch_report},
    {"close_switch", close_switch},
    {"open_switch", open_switch},
    {"next_of_switch", next_of_switch},
    {"switch_status", switch_status},
    {"leave_switch", leave_switch},
    {"ask_switch", ask_switch},
    {"decode", fields_decode},
    {"reset", reset},
};

static bool obey(char *text, struct answer *answer) {
  struct line line;
  if (!line_parse(text, &line, answer)) {
    return false;
  }
  for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
    if (strcmp(line.word, COMMANDS[i].word) == 0) {
      return COMMANDS[i].handle(&line, answer);
    }
  }
  return misunderstood(answer, "there is no command %s", line.word);
}

static void answer_line(char *text) {
  static struct answer answer;
  answer.length = 0;
  answer.nothing = false;
  answer.text[0] = '\0';
  if (obey(text, &answer)) {
    printf("ok%s\n", answer.text);
  } else if (answer.nothing) {
    printf("none\n");
  } else {
    printf("error kind=%s text=%s\n", framelane_error_kind_name(answer.status), answer.text);
  }
  fflush(stdout);
}

int main(void) {
  char *text = NULL;
  size_t room = 0;
  if (framelane_layout_hash() != FRAMELANE_LAYOUT_HASH) {
    fprintf(stderr, "the header and the library are of different layouts\n");
    return 1;
  }
  printf("ready language=c\n");
  fflush(stdout);
  while (getline(&text, &room, stdin) > 0 && strcmp(text, "quit\n") != 0) {
    answer_line(text);
  }
  free(text);
  reset(NULL, NULL);
  return 0;
}
