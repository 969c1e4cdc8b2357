package framelane

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

func TestNextWaitsForAFrame(t *testing.T) {
	producer, consumer := pair(t, Ordered)
	ctx := within(t, patience)
	for number := byte(1); number <= 20; number++ {
		got := make(chan Frame)
		go func() {
			frame, err := consumer.Next(ctx)
			if err != nil {
				t.Error(err)
			}
			got <- frame
		}()
		time.Sleep(time.Millisecond)
		publish(t, producer, number)
		frame := <-got
		if first(t, frame) != number {
			t.Fatalf("the frame has %d instead of %d", first(t, frame), number)
		}
		must(t, frame.Release())
	}
}

func TestAContextEndsAWait(t *testing.T) {
	producer, consumer := pair(t, Ordered)
	_, err := consumer.Next(within(t, 20*time.Millisecond))
	expect(t, err, context.DeadlineExceeded)
	expect(t, consumer.Wait(within(t, 20*time.Millisecond)), context.DeadlineExceeded)
	// The alarm of a context that ended does not end the next wait.
	long := within(t, patience)
	ended, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err = consumer.Next(ended)
	expect(t, err, context.Canceled)
	_, err = consumer.Next(ended)
	expect(t, err, context.Canceled)
	time.AfterFunc(20*time.Millisecond, func() { publish(t, producer, 1) })
	frame, err := consumer.Next(long)
	must(t, err)
	must(t, frame.Release())
	// What is there is had, whatever the context says.
	publish(t, producer, 2)
	must(t, consumer.Wait(ended))
	frame, err = consumer.Next(ended)
	must(t, err)
	must(t, frame.Release())
}

func TestWaitTakesNothing(t *testing.T) {
	producer, consumer := pair(t, Ordered)
	time.AfterFunc(20*time.Millisecond, func() { publish(t, producer, 1) })
	ctx := within(t, patience)
	must(t, consumer.Wait(ctx))
	must(t, consumer.Wait(ctx))
	if consumer.Received() != 0 {
		t.Fatal("waiting has taken a frame")
	}
	must(t, taken(t, consumer).Release())
}

func TestCloseEndsAWait(t *testing.T) {
	_, consumer := pair(t, Ordered)
	failed := make(chan error, 3)
	for range 2 {
		go func() { _, err := consumer.Next(context.Background()); failed <- err }()
	}
	go func() { failed <- consumer.Wait(context.Background()) }()
	time.Sleep(20 * time.Millisecond)
	must(t, consumer.Close())
	for range 3 {
		expect(t, <-failed, ErrClosed)
	}
}

func TestOpenWaitsForALane(t *testing.T) {
	at := place(t)
	_, err := Open(context.Background(), "late", Latest, at)
	expect(t, err, ErrNotFound)
	expect(t, err, os.ErrNotExist)
	_, err = Open(context.Background(), "late", Latest, at, WithWaitForLane(10*time.Millisecond))
	expect(t, err, ErrNotFound)
	ctx := within(t, 20*time.Millisecond)
	_, err = Open(ctx, "late", Latest, at, WithWaitForLane(patience))
	expect(t, err, ErrNotFound)
	expect(t, err, context.DeadlineExceeded)
	made := make(chan *Producer)
	time.AfterFunc(20*time.Millisecond, func() {
		producer, err := Create("late", at, WithLayout(picture(t, Grey, 16, 4)))
		if err != nil {
			t.Error(err)
		}
		made <- producer
	})
	consumer, err := Open(within(t, patience), "late", Latest, at, WithWaitForLane(patience))
	must(t, err)
	must(t, consumer.Close())
	must(t, (<-made).Close())
}

func TestARestartedProducerIsFound(t *testing.T) {
	at := place(t)
	make := func() *Producer {
		producer, err := Create("lane", at, WithLayout(picture(t, Grey, 16, 4)))
		must(t, err)
		return producer
	}
	producer := make()
	consumer, err := Open(context.Background(), "lane", Ordered, at)
	must(t, err)
	defer consumer.Close()
	must(t, producer.Close())
	got := waiting(t, consumer)
	time.Sleep(20 * time.Millisecond)
	producer = make()
	defer producer.Close()
	for producer.Consumers() == 0 {
		time.Sleep(time.Millisecond)
	}
	publish(t, producer, 9)
	frame := <-got
	if !frame.NewEpoch() || frame.Epoch() != producer.Epoch() || first(t, frame) != 9 {
		t.Fatal("the frame is not of the new producer")
	}
	must(t, frame.Release())
}

// Waiting has the next frame come from a goroutine.
func waiting(t *testing.T, consumer *Consumer) <-chan Frame {
	got := make(chan Frame, 1)
	ctx := within(t, patience)
	go func() {
		frame, err := consumer.Next(ctx)
		if err != nil {
			t.Error(err)
		}
		got <- frame
	}()
	return got
}

func TestManyWaitersNeedFewThreads(t *testing.T) {
	const lanes, consumers, waiters = 8, 8, 200
	at := place(t)
	var producers []*Producer
	var readers []*Consumer
	for number := range lanes {
		name := fmt.Sprint("lane", number)
		producer, err := Create(name, at, WithLayout(picture(t, Grey, 16, 4)),
			WithLeaseBudget(2*consumers))
		must(t, err)
		defer producer.Close()
		producers = append(producers, producer)
		for range consumers {
			consumer, err := Open(context.Background(), name, Latest, at, WithLeases(2))
			must(t, err)
			defer consumer.Close()
			readers = append(readers, consumer)
		}
	}
	before := threads(t)
	ctx := within(t, patience)
	var all sync.WaitGroup
	for number := range waiters {
		all.Add(1)
		go func() {
			defer all.Done()
			if number < len(readers) {
				frame, err := readers[number].Next(ctx)
				if err != nil {
					t.Error(err)
				}
				_ = frame.Release()
			} else if err := readers[number%len(readers)].Wait(ctx); err != nil {
				t.Error(err)
			}
		}()
	}
	time.Sleep(100 * time.Millisecond)
	if more := threads(t) - before; more > 20 {
		t.Errorf("%d waiting goroutines have made %d threads", waiters, more)
	}
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for { // who takes a frame leaves none for those who wait beside it
			for _, producer := range producers {
				frame, err := producer.TryClaim()
				if err != nil {
					return
				}
				_, _ = frame.Publish()
			}
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	all.Wait()
}

func threads(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	must(t, err)
	return len(tasks)
}
