package framelane

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestMain has every other test fail together where one of them forgets something.
func TestMain(m *testing.M) {
	if directory := os.Getenv(producerVariable); directory != "" {
		producing(directory)
	}
	if directory := os.Getenv(controllerVariable); directory != "" {
		controlling(directory)
	}
	OnLeak(careless)
	code := m.Run()
	for range 3 {
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	if carelessness.Load() && code == 0 {
		code = 1
	}
	os.Exit(code)
}

var carelessness atomic.Bool

func careless(leak Leak) {
	carelessness.Store(true)
	fmt.Fprintf(os.Stderr, "a test has forgotten %+v\n", leak)
}

// Leaks has leaks told to the test, one at a time.
func leaks(t *testing.T) <-chan Leak {
	told := make(chan Leak, 16)
	OnLeak(func(leak Leak) { told <- leak })
	TraceLeaks(true)
	t.Cleanup(func() { OnLeak(careless); TraceLeaks(false) })
	return told
}

func collected(t *testing.T, told <-chan Leak) Leak {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		runtime.GC()
		select {
		case leak := <-told:
			return leak
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Fatal("no leak was told")
	return Leak{}
}

func TestForgottenFramesAreToldAndReleased(t *testing.T) {
	producer, consumer := pair(t, Ordered)
	told := leaks(t)
	forget(t, producer, consumer)
	leak := collected(t, told)
	if leak.What != "frame" || leak.Lane != "lane" || leak.Sequence != 1 {
		t.Fatalf("told is %+v", leak)
	}
	if !strings.Contains(leak.Stack, "forget") {
		t.Fatalf("the stack is %q", leak.Stack)
	}
	report, err := producer.Report()
	must(t, err)
	if report.Attached()[0].HeldSlots != 0 {
		t.Fatal("the frame is still held")
	}
	must(t, taken(t, consumer).Release())
}

//go:noinline
func forget(t *testing.T, producer *Producer, consumer *Consumer) {
	publish(t, producer, 1)
	if frame := taken(t, consumer); first(t, frame) != 1 {
		t.Fatal("the wrong frame")
	}
	publish(t, producer, 2)
}

func TestForgottenClaimsAreToldAndAbandoned(t *testing.T) {
	producer, _ := pair(t, Ordered)
	told := leaks(t)
	func() {
		_, err := producer.TryClaim()
		must(t, err)
	}()
	if leak := collected(t, told); leak.What != "claimed frame" {
		t.Fatalf("told is %+v", leak)
	}
	publish(t, producer, 1)
}

func TestForgottenHandlesAreToldAndClosed(t *testing.T) {
	at := place(t)
	told := leaks(t)
	ctx := within(t, patience)
	func() {
		_, err := Create("lane", at, WithLayout(picture(t, Grey, 16, 4)))
		must(t, err)
		consumer, err := Open(ctx, "lane", Latest, at)
		must(t, err)
		// It waits once, so that the poller and the context know of it.
		short, cancel := context.WithCancel(ctx)
		time.AfterFunc(5*time.Millisecond, cancel)
		expect(t, consumer.Wait(short), context.Canceled)
		_, found, err := consumer.TryNext()
		if must(t, err); found {
			t.Fatal("a frame out of nothing")
		}
	}()
	seen := map[string]bool{collected(t, told).What: true}
	seen[collected(t, told).What] = true
	if !seen["producer"] || !seen["consumer"] {
		t.Fatalf("told is %v", seen)
	}
	producer, err := Create("lane", at, WithLayout(picture(t, Grey, 16, 4)))
	must(t, err)
	must(t, producer.Close())
}
