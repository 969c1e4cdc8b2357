package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"syscall"
	"time"

	framelane "github.com/framelane/framelane/go"
)

// Consuming is the consumers and the frames they hold.
type consuming struct {
	consumers map[uint64]*framelane.Consumer
	frames    map[uint64]framelane.Frame
}

func newConsuming() consuming {
	return consuming{map[uint64]*framelane.Consumer{}, map[uint64]framelane.Frame{}}
}

func (c *consuming) drop() error {
	var failed []error
	for _, frame := range c.frames {
		// A frame that was taken back is given back like any other.
		if err := frame.Release(); !errors.Is(err, framelane.ErrRevoked) {
			failed = append(failed, err)
		}
	}
	for _, consumer := range c.consumers {
		failed = append(failed, consumer.Close())
	}
	return errors.Join(failed...)
}

var modes = map[string]framelane.Mode{
	"latest": framelane.Latest, "ordered": framelane.Ordered, "lossless": framelane.Lossless,
}

func (c *consuming) open(l line) (string, error) {
	name, _ := l.get("mode")
	mode, known := modes[name]
	if !known {
		return "", misunderstood("mode=%s", name)
	}
	var options []framelane.ConsumerOption
	if leases, said, err := l.small("leases"); err != nil {
		return "", err
	} else if said {
		options = append(options, framelane.WithLeases(leases))
	}
	if _, said := l.get("wait_ms"); said {
		time, err := l.milliseconds("wait_ms")
		if err != nil {
			return "", err
		}
		options = append(options, framelane.WithWaitForLane(time))
	}
	if reattach, said := l.get("reattach"); said {
		options = append(options, framelane.WithReattach(reattach != "0"))
	}
	if writable, _ := l.get("writable"); writable == "1" {
		options = append(options, framelane.WithWritable())
	}
	lane, err := l.need("lane")
	if err != nil {
		return "", err
	}
	number, err := l.number("consumer", 0)
	if err != nil {
		return "", err
	}
	consumer, err := framelane.Open(context.Background(), lane, mode, options...)
	if err != nil {
		return "", err
	}
	if before := c.consumers[number]; before != nil {
		_ = before.Close()
	}
	c.consumers[number] = consumer
	return fmt.Sprintf(" epoch=%d", consumer.Epoch()), nil
}

func (c *consuming) consumer(l line) (*framelane.Consumer, error) {
	consumer, _, err := numbered(l, "consumer", c.consumers)
	return consumer, err
}

func (c *consuming) frame(l line) (framelane.Frame, uint64, error) {
	return numbered(l, "frame", c.frames)
}

func (c *consuming) ask(l line) (string, error) {
	consumer, err := c.consumer(l)
	if err != nil {
		return "", err
	}
	number, err := l.number("frame", 0)
	if err != nil {
		return "", err
	}
	frame, err := one(l, consumer)
	if err != nil {
		return "", err
	}
	_ = c.frames[number].Release() // the one that this replaces
	c.frames[number] = frame
	return fmt.Sprintf(" sequence=%d missed=%d new_epoch=%d", frame.Sequence(), frame.Missed(),
		number01(frame.NewEpoch())), nil
}

func number01(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func one(l line, consumer *framelane.Consumer) (framelane.Frame, error) {
	if l.word == "next" {
		limit, err := l.milliseconds("timeout_ms")
		if err != nil {
			return framelane.Frame{}, err
		}
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		frame, err := consumer.Next(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = errNothing
		}
		return frame, err
	}
	read := consumer.TryNext
	if l.word == "latest" {
		read = consumer.Latest
	}
	frame, found, err := read()
	if err == nil && !found {
		err = errNothing
	}
	return frame, err
}

func (c *consuming) wait(l line) (string, error) {
	consumer, err := c.consumer(l)
	if err != nil {
		return "", err
	}
	return inTime(l, "ready", consumer.Wait)
}

func (c *consuming) poll(l line) (string, error) {
	consumer, err := c.consumer(l)
	if err != nil {
		return "", err
	}
	limit, err := l.milliseconds("timeout_ms")
	if err != nil {
		return "", err
	}
	ready, err := readable(consumer.FD(), limit)
	return fmt.Sprintf(" ready=%d", ready), err
}

func (c *consuming) read(l line) (string, error) {
	frame, _, err := c.frame(l)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	d := frame.Descriptor()
	fmt.Fprintf(&out, " format=%d width=%d height=%d planes=%d", d.Fourcc, d.Width, d.Height,
		frame.PlaneCount())
	for i, plane := range d.Planes[:frame.PlaneCount()] {
		var bytes []byte
		if frame.IsRevocable() {
			bytes = make([]byte, plane.SizeBytes)
			err = frame.CopyTo(i, bytes)
		} else {
			bytes, err = frame.Plane(i)
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, " size%d=%d stride%d=%d rows%d=%d crc%d=%08x", i, plane.SizeBytes,
			i, plane.StrideBytes, i, plane.Rows, i, crc32.ChecksumIEEE(bytes))
	}
	return out.String(), nil
}

func (c *consuming) inPlace(l line) (string, error) {
	frame, _, err := c.frame(l)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for i := range frame.PlaneCount() {
		bytes, err := frame.Plane(i)
		if err != nil {
			return "", err
		}
		file, err := fileOf(frame, i)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&out, " crc%d=%08x file%d=%d", i, crc32.ChecksumIEEE(bytes), i, file)
	}
	return out.String(), nil
}

// FileOf says which file a plane is in, by a descriptor of the caller's own.
func fileOf(frame framelane.Frame, plane int) (uint64, error) {
	fd, err := frame.PlaneFd(plane)
	if err != nil {
		return 0, err
	}
	defer syscall.Close(fd)
	var status syscall.Stat_t
	if err := syscall.Fstat(fd, &status); err != nil {
		return 0, misunderstood("fstat: %v", err)
	}
	return status.Ino, nil
}

func (c *consuming) describe(l line) (string, error) {
	frame, _, err := c.frame(l)
	if err != nil {
		return "", err
	}
	return fieldText(frame.Descriptor()), nil
}

func (c *consuming) check(l line) (string, error) {
	frame, _, err := c.frame(l)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(" intact=%d", number01(frame.Check())), nil
}

func (c *consuming) release(l line) (string, error) {
	frame, number, err := c.frame(l)
	if err != nil {
		return "", err
	}
	delete(c.frames, number)
	return "", frame.Release()
}

func (c *consuming) count(l line) (string, error) {
	consumer, err := c.consumer(l)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(" received=%d missed=%d", consumer.Received(), consumer.Missed()), nil
}

func (c *consuming) close(l line) (string, error) {
	consumer, err := c.consumer(l)
	if err != nil {
		return "", err
	}
	number, _ := l.number("consumer", 0)
	delete(c.consumers, number)
	return "", consumer.Close()
}

func (c *consuming) closeLater(l line) (string, error) {
	consumer, err := c.consumer(l)
	if err != nil {
		return "", err
	}
	after, err := l.milliseconds("after_ms")
	time.AfterFunc(after, func() { _ = consumer.Close() })
	return "", err
}
