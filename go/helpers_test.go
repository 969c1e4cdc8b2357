package framelane

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// Place is a runtime directory of the test's own.
func place(t testing.TB) Option { return WithDirectory(t.TempDir()) }

func within(t testing.TB, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func picture(t testing.TB, format PixelFormat, width, height uint32) FrameLayout {
	t.Helper()
	made, err := NewFrameLayout(format, width, height)
	must(t, err)
	return made
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expect(t testing.TB, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("the error is %v and should be %v", err, target)
	}
}

// Pair is a producer and a consumer of one lane of small grey frames.
func pair(t testing.TB, mode Mode, options ...ProducerOption) (*Producer, *Consumer) {
	t.Helper()
	at := place(t)
	options = append(options, at, WithLayout(picture(t, Grey, 16, 4)))
	producer, err := Create("lane", options...)
	must(t, err)
	t.Cleanup(func() { must(t, producer.Close()) })
	consumer, err := Open(context.Background(), "lane", mode, at, WithLeases(2))
	must(t, err)
	t.Cleanup(func() { must(t, consumer.Close()) })
	return producer, consumer
}

// Publish publishes a frame that begins with this byte.
func publish(t testing.TB, producer *Producer, first byte) uint64 {
	t.Helper()
	frame, err := producer.TryClaim()
	must(t, err)
	plane, err := frame.Plane(0)
	must(t, err)
	plane[0] = first
	sequence, err := frame.Publish()
	must(t, err)
	return sequence
}

// Taken is the next frame, which must be there.
func taken(t testing.TB, consumer *Consumer) Frame {
	t.Helper()
	frame, found, err := consumer.TryNext()
	must(t, err)
	if !found {
		t.Fatal("there is no frame")
	}
	return frame
}

func first(t testing.TB, frame Frame) byte {
	t.Helper()
	plane, err := frame.Plane(0)
	must(t, err)
	return plane[0]
}
