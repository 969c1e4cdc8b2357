package framelane

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

func TestFramesAreHandedOver(t *testing.T) {
	producer, consumer := pair(t, Ordered)
	for number := byte(1); number <= 5; number++ {
		sequence := publish(t, producer, number)
		frame := taken(t, consumer)
		if frame.Sequence() != sequence || frame.Missed() != 0 || first(t, frame) != number {
			t.Fatalf("frame %d has %d, after %d", frame.Sequence(), first(t, frame), frame.Missed())
		}
		if d := frame.Descriptor(); d.Width != 16 || d.Height != 4 || d.PlaneCount != 1 {
			t.Fatalf("it is %dx%d", d.Width, d.Height)
		}
		if frame.Epoch() != producer.Epoch() || !frame.Check() || frame.IsRevocable() {
			t.Fatal("it is not of this producer, or not intact")
		}
		must(t, frame.Release())
	}
	if consumer.Received() != 5 || consumer.Missed() != 0 {
		t.Fatalf("received %d, missed %d", consumer.Received(), consumer.Missed())
	}
}

func TestLatestSkipsAndCounts(t *testing.T) {
	producer, consumer := pair(t, Latest)
	for number := byte(1); number <= 4; number++ {
		publish(t, producer, number)
	}
	frame := taken(t, consumer)
	if first(t, frame) != 4 {
		t.Fatalf("the newest frame has %d", first(t, frame))
	}
	again, found, err := consumer.Latest()
	must(t, err)
	if !found || again.Sequence() != frame.Sequence() {
		t.Fatal("the newest frame cannot be had again")
	}
	must(t, again.Release())
	must(t, frame.Release())
	if _, found, _ := consumer.TryNext(); found {
		t.Fatal("a frame was delivered twice")
	}
}

func TestReleasedFramesAreNoFramesAnyMore(t *testing.T) {
	producer, consumer := pair(t, Ordered)
	publish(t, producer, 1)
	old := taken(t, consumer)
	must(t, old.Release())
	publish(t, producer, 2)
	frame := taken(t, consumer) // in the same memory
	if frame.held != old.held {
		t.Fatal("the memory of a released frame is not used again")
	}
	must(t, old.Release())
	if !frame.IsHeld() || first(t, frame) != 2 || !frame.Check() {
		t.Fatal("releasing an old frame again has released another one")
	}
	_, err := old.Plane(0)
	expect(t, err, ErrInvalidArgument)
	_, err = old.Image()
	expect(t, err, ErrInvalidArgument)
	expect(t, old.CopyTo(0, make([]byte, 64)), ErrInvalidArgument)
	if old.IsHeld() || old.Sequence() != 0 || old.Descriptor() != nil || old.Check() {
		t.Fatal("a released frame still tells something")
	}
	must(t, frame.Release())
	var none Frame
	must(t, none.Release())
	if none.IsHeld() || none.Missed() != 0 || none.Slot() != 0 || none.NewEpoch() {
		t.Fatal("no frame is something")
	}
}

func TestClaimsEndOnce(t *testing.T) {
	producer, consumer := pair(t, Ordered)
	frame, err := producer.TryClaim()
	must(t, err)
	_, err = producer.TryClaim()
	expect(t, err, ErrNoFreeSlot)
	ctx := within(t, 30*time.Millisecond)
	_, err = producer.Claim(ctx)
	expect(t, err, ErrNoFreeSlot)
	expect(t, err, context.DeadlineExceeded)
	must(t, frame.CopyFrom([]byte{7}))
	expect(t, frame.CopyFrom(make([]byte, 1000)), ErrTooLarge)
	_, err = frame.Publish()
	must(t, err)
	_, err = frame.Publish()
	expect(t, err, ErrInvalidArgument)
	frame.Abandon()
	if frame.Descriptor() != nil || frame.Payload() != nil {
		t.Fatal("a published frame can still be filled")
	}
	read := taken(t, consumer)
	if first(t, read) != 7 {
		t.Fatalf("the frame has %d", first(t, read))
	}
	must(t, read.Release())
	frame, err = producer.Claim(context.Background())
	must(t, err)
	frame.Abandon()
	report, err := producer.Report()
	must(t, err)
	if report.Abandoned != 1 || report.Published != 1 {
		t.Fatalf("%d abandoned, %d published", report.Abandoned, report.Published)
	}
}

func TestBatchesArePublishedInOrder(t *testing.T) {
	producer, consumer := pair(t, Ordered, WithClaims(3), WithHistory(3))
	var batch []FrameMut
	for range 3 {
		frame, err := producer.TryClaim()
		must(t, err)
		batch = append(batch, frame)
	}
	_, err := producer.PublishBatch(batch[0], batch[0])
	expect(t, err, ErrInvalidArgument)
	_, err = producer.PublishBatch()
	expect(t, err, ErrInvalidArgument)
	last, err := producer.PublishBatch(batch...)
	must(t, err)
	if last != 3 {
		t.Fatalf("the last frame is %d", last)
	}
	_, err = producer.PublishBatch(batch...)
	expect(t, err, ErrInvalidArgument)
	for sequence := uint64(1); sequence <= 3; sequence++ {
		frame := taken(t, consumer)
		if frame.Sequence() != sequence {
			t.Fatalf("frame %d instead of %d", frame.Sequence(), sequence)
		}
		must(t, frame.Release())
	}
}

func TestFramesEndWithTheContext(t *testing.T) {
	producer, consumer := pair(t, Ordered)
	ctx, cancel := context.WithCancel(within(t, patience))
	defer cancel()
	publish(t, producer, 1)
	var seen int
	var last error
	for frame, err := range consumer.Frames(ctx) {
		if err != nil {
			last = err
			continue
		}
		must(t, frame.Release())
		if seen++; seen == 3 {
			cancel()
		} else {
			publish(t, producer, 1)
		}
	}
	if seen != 3 || !errors.Is(last, context.Canceled) {
		t.Fatalf("%d frames, then %v", seen, last)
	}
}

func TestClosedHandlesSaySo(t *testing.T) {
	producer, consumer := pair(t, Latest)
	publish(t, producer, 1)
	frame := taken(t, consumer)
	must(t, consumer.Close())
	must(t, consumer.Close())
	if !frame.Check() || first(t, frame) != 1 {
		t.Fatal("closing a consumer took its frame")
	}
	must(t, frame.Release())
	_, _, err := consumer.TryNext()
	expect(t, err, ErrClosed)
	expect(t, err, os.ErrClosed)
	_, err = consumer.Next(context.Background())
	expect(t, err, ErrClosed)
	expect(t, consumer.Wait(context.Background()), ErrClosed)
	if consumer.FD() != -1 || consumer.Received() != 1 {
		t.Fatal("a closed consumer has a descriptor, or has forgotten its counts")
	}
	claimed, err := producer.TryClaim()
	must(t, err)
	must(t, producer.Close())
	must(t, producer.Close())
	_, err = claimed.Publish()
	expect(t, err, ErrClosed)
	_, err = producer.TryClaim()
	expect(t, err, ErrClosed)
	_, err = producer.Claim(context.Background())
	expect(t, err, ErrClosed)
	_, err = producer.Report()
	expect(t, err, ErrClosed)
}

func TestLanesAreListedAndAsked(t *testing.T) {
	directory := t.TempDir()
	at := WithDirectory(directory)
	producer, err := Create("lane", at, WithLayout(picture(t, Grey, 16, 4)))
	must(t, err)
	defer producer.Close()
	consumer, err := Open(context.Background(), "lane", Latest, at)
	must(t, err)
	defer consumer.Close()
	lanes, err := List(directory)
	must(t, err)
	if len(lanes) != 1 || lanes[0] != (Lane{"lane", directory}) {
		t.Fatalf("the lanes are %v", lanes)
	}
	report, err := Query(within(t, patience), "lane", directory)
	must(t, err)
	attached := report.Attached()
	if report.Epoch != producer.Epoch() || len(attached) != 1 {
		t.Fatalf("epoch %d, %d consumers", report.Epoch, len(attached))
	}
	if int(attached[0].PID) != os.Getpid() || Text(attached[0].Command[:]) == "" {
		t.Fatalf("the consumer is %q of %d", Text(attached[0].Command[:]), attached[0].PID)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Query(ended, "nowhere", directory); err == nil {
		t.Fatal("a lane that is not there has answered")
	}
	_, err = Query(within(t, patience), "nowhere", directory)
	expect(t, err, ErrNotFound)
}
