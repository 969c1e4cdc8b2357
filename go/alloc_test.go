//go:build !asan

// AddressSanitizer puts more on the heap than there is without it.

package framelane

import (
	"context"
	"testing"
)

// Nothing here makes garbage once the first frame has come.
func TestAFrameCostsNoGarbage(t *testing.T) {
	producer, consumer := pair(t, Latest)
	ctx := within(t, patience)
	step := func() {
		frame, err := producer.Claim(ctx)
		must(t, err)
		frame.Descriptor().CaptureID = 1
		plane, err := frame.Plane(0)
		must(t, err)
		plane[0]++
		_, err = frame.Publish()
		must(t, err)
		read, err := consumer.Next(ctx)
		must(t, err)
		bytes, err := read.Plane(0)
		must(t, err)
		if bytes[0] != plane[0] || read.Descriptor().CaptureID != 1 || !read.Check() {
			t.Fatal("a wrong frame")
		}
		must(t, read.Release())
		_, found, err := consumer.TryNext()
		if must(t, err); found {
			t.Fatal("a frame out of nothing")
		}
	}
	if garbage := testing.AllocsPerRun(1000, step); garbage != 0 {
		t.Fatalf("a frame costs %v allocations", garbage)
	}
}

// Sleeping makes none either, as long as the context stays the same.
func TestSleepingCostsNoGarbage(t *testing.T) {
	producer, consumer := pair(t, Ordered)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	wanted := make(chan struct{})
	defer close(wanted)
	go func() {
		for range wanted {
			frame, err := producer.TryClaim()
			if err == nil {
				_, err = frame.Publish()
			}
			if err != nil {
				t.Error(err)
			}
		}
	}()
	garbage := testing.AllocsPerRun(200, func() {
		wanted <- struct{}{}
		must(t, consumer.Wait(ctx))
		frame, err := consumer.Next(ctx)
		must(t, err)
		must(t, frame.Release())
	})
	if garbage != 0 {
		t.Fatalf("a wait costs %v allocations", garbage)
	}
}

func TestAFrameOfASwitchCostsNoGarbage(t *testing.T) {
	s := startSwitch(t)
	reader := s.follow(t, Latest)
	ctx := within(t, patience)
	step := func() {
		for _, producer := range []*Producer{s.day, s.night} {
			frame, err := producer.Claim(ctx)
			must(t, err)
			_, err = frame.Publish()
			must(t, err)
		}
		read, err := reader.Next(ctx)
		must(t, err)
		if read.LaneIndex() != 0 || read.SwitchEpoch() != 1 {
			t.Fatal("a wrong frame")
		}
		must(t, read.Release())
		nothing(t, reader)
	}
	if garbage := testing.AllocsPerRun(500, step); garbage != 0 {
		t.Fatalf("a frame costs %v allocations", garbage)
	}
}

func TestARecordCostsNoGarbage(t *testing.T) {
	writer, reader := stream(t, nil, WithStart(StartNext)) // which asks for no key record
	ctx := within(t, patience)
	var bytes [100]byte
	step := func() {
		info := KeyInfo(7)
		_, err := writer.Write(ctx, &info, bytes[:])
		must(t, err)
		_, err = writer.TryWrite(nil, bytes[:1], bytes[1:])
		must(t, err)
		open, err := writer.Begin(ctx, 10)
		must(t, err)
		must(t, open.Append(bytes[:10]))
		_, err = open.Commit()
		must(t, err)
		for range 3 {
			record, err := reader.Next(ctx)
			must(t, err)
			if len(record.Bytes()) < 10 || record.Config().Width != 640 {
				t.Fatal("a wrong record")
			}
			record.Release()
		}
		_, found, err := reader.TryNext()
		if must(t, err); found || writer.KeyFrameWanted() {
			t.Fatal("a record out of nothing")
		}
	}
	if garbage := testing.AllocsPerRun(1000, step); garbage != 0 {
		t.Fatalf("three records cost %v allocations", garbage)
	}
}

// Helpers of package testing cost more than a frame: here nothing is called but what is measured.

func BenchmarkClaimPublish(b *testing.B) {
	producer, _ := pair(b, Latest)
	b.ReportAllocs()
	for b.Loop() {
		frame, err := producer.TryClaim()
		if err == nil {
			_, err = frame.Publish()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBorrowRelease(b *testing.B) {
	producer, consumer := pair(b, Latest)
	publish(b, producer, 1)
	b.ReportAllocs()
	for b.Loop() {
		frame, _, err := consumer.Latest()
		if err == nil {
			err = frame.Release()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHandOver(b *testing.B) {
	producer, consumer := pair(b, Latest)
	ctx := within(b, patience)
	b.ReportAllocs()
	for b.Loop() {
		claimed, err := producer.TryClaim()
		if err == nil {
			_, err = claimed.Publish()
		}
		if err != nil {
			b.Fatal(err)
		}
		frame, err := consumer.Next(ctx)
		if err == nil {
			err = frame.Release()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
