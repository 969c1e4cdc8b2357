/* Command lines, and answers to them. */
#define _POSIX_C_SOURCE 200809L
#include "agent.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void say_more(struct answer *answer, const char *format, va_list values) {
  size_t room = sizeof answer->text - answer->length;
  int written = vsnprintf(answer->text + answer->length, room, format, values);
  if (written > 0) {
    answer->length += (size_t)written < room ? (size_t)written : room - 1;
  }
}

void say(struct answer *answer, const char *format, ...) {
  va_list values;
  va_start(values, format);
  say_more(answer, format, values);
  va_end(values);
}

/* An error of the line itself. */
bool misunderstood(struct answer *answer, const char *format, ...) {
  va_list values;
  answer->status = FRAMELANE_ERROR_KIND_INVALID_ARGUMENT;
  answer->length = 0;
  va_start(values, format);
  say_more(answer, format, values);
  va_end(values);
  return false;
}

/* What a call of the SDK has returned. */
bool sdk(struct answer *answer, framelane_status status, const framelane_error *error) {
  if (status != FRAMELANE_ERROR_KIND_OK) {
    answer->status = status;
    answer->length = 0;
    say(answer, "%s", error->text);
  }
  return status == FRAMELANE_ERROR_KIND_OK;
}

bool line_parse(char *text, struct line *line, struct answer *answer) {
  char *place = NULL;
  char *word = strtok_r(text, " \t\n", &place);
  line->count = 0;
  line->word = word ? word : "";
  while ((word = strtok_r(NULL, " \t\n", &place)) != NULL) {
    char *sign = strchr(word, '=');
    if (!sign) {
      return misunderstood(answer, "%s is no key=value", word);
    }
    if (line->count == sizeof line->pairs / sizeof line->pairs[0]) {
      return misunderstood(answer, "more than %zu values", line->count);
    }
    *sign = '\0';
    line->pairs[line->count].key = word;
    line->pairs[line->count++].value = sign + 1;
  }
  return true;
}

const char *line_text(const struct line *line, const char *key) {
  for (size_t i = 0; i < line->count; i++) {
    if (strcmp(line->pairs[i].key, key) == 0) {
      return line->pairs[i].value;
    }
  }
  return NULL;
}

bool line_need_text(const struct line *line, const char *key, const char **value,
                    struct answer *answer) {
  *value = line_text(line, key);
  return *value || misunderstood(answer, "%s needs %s=", line->word, key);
}

/* Decimal digits alone; strtoull would take signs and blanks, too. */
bool number_parse(const char *text, uint64_t most, uint64_t *value) {
  uint64_t number = 0;
  if (!*text) {
    return false;
  }
  for (; *text; text++) {
    uint64_t digit = (uint64_t)(*text - '0');
    if (*text < '0' || *text > '9' || number > (UINT64_MAX - digit) / 10) {
      return false;
    }
    number = 10 * number + digit;
  }
  *value = number;
  return number <= most;
}

bool line_number(const struct line *line, const char *key, uint64_t most, uint64_t *value,
                 struct answer *answer) {
  const char *text = line_text(line, key);
  return !text || number_parse(text, most, value) ||
         misunderstood(answer, "%s=%s has no meaning", key, text);
}

bool line_need_number(const struct line *line, const char *key, uint64_t most, uint64_t *value,
                      struct answer *answer) {
  const char *text;
  return line_need_text(line, key, &text, answer) && line_number(line, key, most, value, answer);
}

bool line_u32(const struct line *line, const char *key, uint32_t *value, struct answer *answer) {
  uint64_t number = *value;
  bool well = line_number(line, key, UINT32_MAX, &number, answer);
  *value = (uint32_t)number;
  return well;
}
