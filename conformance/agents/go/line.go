package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	framelane "github.com/framelane/framelane/go"
	"github.com/framelane/framelane/go/layout"
)

// Line is one command: a word, then key=value.
type line struct {
	word  string
	pairs [][2]string
}

// Misunderstood is an error of the line itself.
func misunderstood(format string, values ...any) error {
	text := fmt.Sprintf(format, values...)
	return &framelane.Error{Kind: layout.ErrorKindInvalidArgument, Text: text}
}

func parse(text string) (line, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return line{}, misunderstood("an empty line")
	}
	l := line{word: words[0]}
	for _, word := range words[1:] {
		key, value, found := strings.Cut(word, "=")
		if !found {
			return line{}, misunderstood("%q is no key=value", word)
		}
		l.pairs = append(l.pairs, [2]string{key, value})
	}
	return l, nil
}

func (l line) get(key string) (string, bool) {
	for _, pair := range l.pairs {
		if pair[0] == key {
			return pair[1], true
		}
	}
	return "", false
}

func (l line) need(key string) (string, error) {
	value, found := l.get(key)
	if !found {
		return "", misunderstood("%s needs %s=", l.word, key)
	}
	return value, nil
}

// Number is a number that stands for usual where the line does not say.
func (l line) number(key string, usual uint64) (uint64, error) {
	value, found := l.get(key)
	if !found {
		return usual, nil
	}
	number, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return 0, misunderstood("%s=%s has no meaning", key, value)
	}
	return number, nil
}

// Small is a number of 32 bits, or not said.
func (l line) small(key string) (number uint32, said bool, err error) {
	wide, err := l.number(key, 0)
	_, said = l.get(key)
	if err == nil && wide > 1<<32-1 {
		err = misunderstood("%s=%d has no meaning", key, wide)
	}
	return uint32(wide), said, err
}

func (l line) milliseconds(key string) (time.Duration, error) {
	if _, err := l.need(key); err != nil {
		return 0, err
	}
	number, err := l.number(key, 0)
	return time.Duration(number) * time.Millisecond, err
}

// Numbered is the thing that a line means by its number, and that number.
func numbered[T any](l line, key string, things map[uint64]T) (T, uint64, error) {
	var none T
	number, err := l.number(key, 0)
	if err != nil {
		return none, 0, err
	}
	thing, found := things[number]
	if !found {
		return none, 0, misunderstood("there is no %s %d", key, number)
	}
	return thing, number, nil
}

// InTime answers whether something happened within the line's time.
func inTime(l line, what string, happens func(context.Context) error) (string, error) {
	limit, err := l.milliseconds("timeout_ms")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	switch err := happens(ctx); {
	case err == nil:
		return fmt.Sprintf(" %s=1", what), nil
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf(" %s=0", what), nil
	default:
		return "", err
	}
}
