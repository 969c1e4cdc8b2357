// What a frame costs in Go; see bench/README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	framelane "github.com/framelane/framelane/go"
)

// Where a plane is looked at, so that the look is not left out.
var seen []byte

func main() {
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(words []string) error {
	if len(words) == 3 {
		frames, err := strconv.Atoi(words[2])
		switch {
		case err != nil || frames <= 0:
		case words[0] == "cost":
			return cost(words[1], frames)
		case words[0] == "paced":
			return paced(words[1], frames)
		}
	}
	return errors.New("per-frame cost|paced LANE FRAMES")
}

func cost(lane string, frames int) error {
	producer, err := framelane.Create(lane, framelane.WithPicture(framelane.NV12, 640, 480))
	if err != nil {
		return err
	}
	defer producer.Close()
	ctx := context.Background()
	consumer, err := framelane.Open(ctx, lane, framelane.Latest)
	if err != nil {
		return err
	}
	defer consumer.Close()
	both := func() error { return handOver(ctx, producer, consumer) }
	if _, err := timed(frames, both); err != nil {
		return err
	}
	first, err := timed(frames, func() error { return publish(ctx, producer) })
	if err != nil {
		return err
	}
	second, err := timed(frames, both)
	count := time.Duration(frames)
	fmt.Printf("producer_ns=%d consumer_ns=%d\n", first/count, max(second-first, 0)/count)
	return err
}

func timed(frames int, step func() error) (time.Duration, error) {
	start := processTime()
	for range frames {
		if err := step(); err != nil {
			return 0, err
		}
	}
	return processTime() - start, nil
}

// ProcessTime is that of all threads, the collector's too.
func processTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func publish(ctx context.Context, producer *framelane.Producer) error {
	frame, err := producer.Claim(ctx)
	if err != nil {
		return err
	}
	if seen, err = frame.Plane(0); err != nil {
		return err
	}
	_, err = frame.Publish()
	return err
}

func handOver(ctx context.Context, p *framelane.Producer, c *framelane.Consumer) error {
	if err := publish(ctx, p); err != nil {
		return err
	}
	frame, err := c.Next(ctx)
	if err != nil {
		return err
	}
	if seen, err = frame.Plane(0); err != nil {
		return err
	}
	return frame.Release()
}

func paced(lane string, frames int) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(frames)*5*time.Second)
	defer cancel()
	consumer, err := framelane.Open(ctx, lane, framelane.Latest,
		framelane.WithWaitForLane(10*time.Second))
	if err != nil {
		return err
	}
	defer consumer.Close()
	var times []uint64
	for frame, err := range consumer.Frames(ctx) {
		if err != nil {
			return err
		}
		times = append(times, framelane.MonotonicNs()-frame.Descriptor().PublishNs)
		if err := frame.Release(); err != nil {
			return err
		}
		if len(times) == frames {
			break
		}
	}
	slices.Sort(times)
	fmt.Printf("p50_ns=%d\n", times[len(times)/2])
	return nil
}
