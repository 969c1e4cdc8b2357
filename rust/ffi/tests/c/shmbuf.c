/* One process that sends and receives over a shmbuf ring through the C ABI; exit status 0 when all
 * of it holds. */
#include "framelane.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)
#define NOTHING FRAMELANE_ERROR_KIND_TIMED_OUT
#define INVALID FRAMELANE_ERROR_KIND_INVALID_ARGUMENT

static void demand_at(int holds, const char *what, int line) {
  if (!holds) {
    fprintf(stderr, "line %d: %s\n", line, what);
    exit(1);
  }
}
#define DEMAND(condition) demand_at((condition), #condition, __LINE__)

static framelane_shmbuf_sender *create(const char *directory) {
  framelane_shmbuf_sender_options options;
  framelane_error error;
  framelane_shmbuf_sender *sender = NULL;
  DEMAND(framelane_shmbuf_sender_options_init(&options) == 0);
  options.directory = directory;
  options.bell = 1;
  DEMAND(framelane_shmbuf_sender_create("ring", &options, &error, &sender) == INVALID);
  DEMAND(strstr(error.text, "0 bytes") != NULL);
  options.capacity_bytes = 100;
  DEMAND(framelane_shmbuf_sender_create("/ring", &options, &error, &sender) == 0);
  DEMAND(framelane_shmbuf_sender_capacity(sender) == 64);
  DEMAND(framelane_shmbuf_sender_longest_message(sender) == 60);
  return sender;
}

static framelane_shmbuf_receiver *attach(const char *directory, uint32_t reattach) {
  framelane_shmbuf_receiver_options options;
  framelane_error error;
  framelane_shmbuf_receiver *receiver = NULL;
  DEMAND(framelane_shmbuf_receiver_options_init(&options) == 0);
  options.directory = directory;
  options.bell = 1;
  options.reattach = reattach;
  DEMAND(framelane_shmbuf_receiver_open("ring", &options, &error, &receiver) == 0);
  DEMAND(framelane_shmbuf_receiver_capacity(receiver) == 64);
  return receiver;
}

static void hand_over(const char *directory) {
  framelane_shmbuf_sender *sender = create(directory);
  framelane_shmbuf_receiver *receiver = attach(directory, 1);
  framelane_error error;
  uint8_t message[64], read[64];
  size_t size = 99, unread = 99;
  int round, truth = -1;
  memset(message, 7, sizeof message);
  DEMAND(framelane_shmbuf_sender_has_receiver(sender, NULL, &truth) == 0 && truth == 1);
  DEMAND(framelane_shmbuf_receiver_wait(receiver, 0, &error, &size) == NOTHING && size == 99);
  for (round = 0; round < 20; round++) {
    message[0] = (uint8_t)round;
    DEMAND(framelane_shmbuf_sender_try_send(sender, message, 41, NULL) == 0);
    DEMAND(framelane_shmbuf_sender_try_send(sender, message, 41, &error) ==
           FRAMELANE_ERROR_KIND_NO_FREE_SLOT);
    DEMAND(framelane_shmbuf_sender_unread(sender, NULL, &unread) == 0 && unread == 45);
    DEMAND(framelane_shmbuf_receiver_wait(receiver, SECOND, NULL, &size) == 0 && size == 41);
    DEMAND(framelane_shmbuf_receiver_try_recv(receiver, read, 40, &error, &size) ==
           FRAMELANE_ERROR_KIND_TOO_LARGE);
    DEMAND(framelane_shmbuf_receiver_recv(receiver, read, 64, SECOND, NULL, &size) == 0);
    DEMAND(size == 41 && read[0] == round && read[40] == 7);
    DEMAND(framelane_shmbuf_receiver_try_recv(receiver, read, 64, NULL, &size) == NOTHING);
  }
  DEMAND(framelane_shmbuf_sender_send(sender, message, 60, SECOND, NULL) == 0);
  DEMAND(framelane_shmbuf_sender_send(sender, message, 1, 1000, &error) ==
         FRAMELANE_ERROR_KIND_NO_FREE_SLOT);
  DEMAND(framelane_shmbuf_sender_drain(sender, 1000, NULL, &truth) == 0 && truth == 0);
  DEMAND(framelane_shmbuf_receiver_skip(receiver, NULL) == 0);
  DEMAND(framelane_shmbuf_receiver_skip(receiver, NULL) == NOTHING);
  DEMAND(framelane_shmbuf_sender_drain(sender, SECOND, NULL, &truth) == 0 && truth == 1);
  DEMAND(framelane_shmbuf_sender_try_send(sender, message, 61, &error) ==
         FRAMELANE_ERROR_KIND_TOO_LARGE);
  DEMAND(framelane_shmbuf_sender_try_send(sender, message, 0, &error) == INVALID);
  DEMAND(framelane_shmbuf_sender_sent(sender) == 21);
  DEMAND(framelane_shmbuf_sender_times_full(sender) == 20);
  DEMAND(framelane_shmbuf_receiver_received(receiver) == 20);
  DEMAND(framelane_shmbuf_receiver_empty(receiver) == 0);
  DEMAND(framelane_shmbuf_receiver_restarts(receiver) == 0);
  framelane_shmbuf_receiver_close(receiver);
  framelane_shmbuf_sender_close(sender);
}

static void ends(const char *directory) {
  framelane_shmbuf_sender *sender = create(directory);
  framelane_shmbuf_receiver *receiver = attach(directory, 0);
  framelane_error error;
  const uint8_t message = 9;
  uint8_t read = 0;
  size_t size = 0;
  int32_t removed = -1;
  DEMAND(framelane_shmbuf_remove("ring", directory, &error, &removed) ==
         FRAMELANE_ERROR_KIND_ALREADY_EXISTS);
  DEMAND(framelane_shmbuf_sender_try_send(sender, &message, 1, NULL) == 0);
  framelane_shmbuf_sender_close(sender);
  DEMAND(framelane_shmbuf_receiver_recv(receiver, &read, 1, SECOND, NULL, &size) == 0);
  DEMAND(size == 1 && read == 9);
  DEMAND(framelane_shmbuf_receiver_recv(receiver, &read, 1, SECOND, &error, &size) ==
         FRAMELANE_ERROR_KIND_DISCONNECTED);
  framelane_shmbuf_receiver_close(receiver);
  DEMAND(framelane_shmbuf_remove("ring", directory, &error, &removed) == 0 && removed == 0);
}

static void nothing(void) {
  size_t size = 0;
  DEMAND(framelane_shmbuf_sender_try_send(NULL, NULL, 0, NULL) == INVALID);
  DEMAND(framelane_shmbuf_receiver_wait(NULL, 0, NULL, &size) == INVALID);
  DEMAND(framelane_shmbuf_remove(NULL, NULL, NULL, NULL) == INVALID);
  DEMAND(framelane_shmbuf_sender_sent(NULL) == 0);
  DEMAND(framelane_shmbuf_receiver_received(NULL) == 0);
  framelane_shmbuf_receiver_close(NULL);
  framelane_shmbuf_sender_close(NULL);
}

int main(int count, char **arguments) {
  DEMAND(count == 2);
  hand_over(arguments[1]);
  ends(arguments[1]);
  nothing();
  return 0;
}
