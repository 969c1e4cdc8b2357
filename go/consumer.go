package framelane

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime"
	"sync"
	"time"
)

// Consumer reads one lane. All of its methods may be used by several goroutines at once; each
// frame goes to one of them. When its producer is restarted it attaches to the new one by itself,
// and the next frame says so.
type Consumer struct {
	lane    string
	mu      sync.Mutex // of everything below, never held while waiting
	handle  *consumerHandle
	problem nativeProblem
	shelf   *shelf[held]
	last    [3]uint64 // counts at the time of closing
	sleeper sleeper[Frame]
	cleanup runtime.Cleanup
}

// ConsumerHandle is what outlives a forgotten Consumer.
type consumerHandle struct {
	native *nativeConsumer
	lane   string
}

// Pauses between two looks for a lane that is not there yet.
const (
	firstPause = 2 * time.Millisecond
	lastPause  = 50 * time.Millisecond
)

// Open attaches to the lane. It fails with ErrNotFound where no producer is there, see
// WithWaitForLane; with ctx.Err() where the context ends first; with what the producer refuses
// with.
func Open(ctx context.Context, lane string, mode Mode, options ...ConsumerOption,
) (*Consumer, error) {
	settings := newConsumerSettings(mode, options)
	native, err := attach(ctx, settings.wait, func() (*nativeConsumer, error) {
		return nativeOpen(lane, &settings)
	})
	if err != nil {
		return nil, err
	}
	c := &Consumer{
		lane: lane, handle: &consumerHandle{native, lane}, shelf: new(shelf[held]),
	}
	c.sleeper.begin(c)
	c.cleanup = runtime.AddCleanup(c, (*consumerHandle).forgotten, c.handle)
	return c, nil
}

// One look for the lane, and more where that was asked for. Each look takes no time worth
// waiting for elsewhere; the pauses are Go's.
func attach[H any](ctx context.Context, wait time.Duration, look func() (H, error)) (H, error) {
	deadline := time.Now().Add(wait)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		native, err := look()
		left := time.Until(deadline)
		if err == nil || !passes(err) || left <= 0 {
			return native, err
		}
		timer := time.NewTimer(min(pause, left))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return native, ended(ctx, err)
		}
	}
}

// Whether another moment may cure this.
func passes(err error) bool {
	return errors.Is(err, ErrNotFound) || errors.Is(err, ErrTooMany) || errors.Is(err, ErrTimedOut)
}

// The error of a context that ended a wait, together with what was waited for.
func ended(ctx context.Context, err error) error {
	return fmt.Errorf("%w: %w", ctx.Err(), err)
}

func (h *consumerHandle) forgotten() {
	if h.native != nil {
		nativeCloseConsumer(h.native)
		tellLeak(Leak{What: "consumer", Lane: h.lane})
	}
}

// Close stops reading and ends every wait with ErrClosed. Frames that are held stay valid. Closing
// again does nothing.
func (c *Consumer) Close() error {
	c.sleeper.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if native := c.handle.native; native != nil {
		c.last[0], c.last[1], c.last[2] = nativeCounts(native)
		c.handle.native = nil
		nativeCloseConsumer(native)
		c.cleanup.Stop()
	}
	return nil
}

func (c *Consumer) closed() error {
	return closed(fmt.Sprintf("this consumer of lane %q is closed", c.lane))
}

// TryNext gives the next frame of this consumer's mode if there is one now. It allocates nothing.
func (c *Consumer) TryNext() (frame Frame, found bool, err error) { return c.borrow(false) }

// Latest gives the newest valid frame, also one that was delivered before, if there is one.
func (c *Consumer) Latest() (frame Frame, found bool, err error) { return c.borrow(true) }

func (c *Consumer) borrow(newest bool) (Frame, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle.native == nil {
		return Frame{}, false, c.closed()
	}
	return lend(c.lane, c.shelf, &c.problem, func(into *nativeLease) status {
		return nativeBorrow(c.handle.native, newest, &c.problem, into)
	})
}

// Next gives the next frame of this consumer's mode, and waits for one until the context ends; it
// then fails with ctx.Err(). A frame that is there is had whatever the context says.
func (c *Consumer) Next(ctx context.Context) (Frame, error) {
	if frame, found, err := c.borrow(false); found || err != nil {
		return frame, err
	}
	return c.sleeper.sleep(ctx, true)
}

// Wait waits until there is something to read or the context ends; it then fails with ctx.Err().
func (c *Consumer) Wait(ctx context.Context) error {
	if ready, err := c.ready(); ready || err != nil {
		return err
	}
	_, err := c.sleeper.sleep(ctx, false)
	return err
}

// Take is what the sleeper takes.
func (c *Consumer) take() (Frame, bool, error) { return c.borrow(false) }

func (c *Consumer) ready() (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle.native == nil {
		return false, c.closed()
	}
	return nativeReady(c.handle.native, &c.problem)
}

// Frames gives frame after frame until the context ends or something fails, which comes as the
// last element, without a frame. Each frame has to be released.
func (c *Consumer) Frames(ctx context.Context) iter.Seq2[Frame, error] {
	return eachFrame(ctx, c.Next)
}

// FD is a descriptor that becomes readable when there may be a frame, for an epoll instance of the
// program's own. Each time, call TryNext until it finds nothing. It belongs to the consumer; -1
// once that is closed.
func (c *Consumer) FD() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle.native == nil {
		return -1
	}
	return nativeFd(c.handle.native)
}

func (c *Consumer) descriptor() (*os.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle.native == nil {
		return nil, c.closed()
	}
	return duplicate(nativeFd(c.handle.native), c.lane)
}

func (c *Consumer) counts() (received, missed, epoch uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle.native == nil {
		return c.last[0], c.last[1], c.last[2]
	}
	return nativeCounts(c.handle.native)
}

// Received is the number of frames delivered.
func (c *Consumer) Received() uint64 { received, _, _ := c.counts(); return received }

// Missed is the number of frames that passed without being delivered.
func (c *Consumer) Missed() uint64 { _, missed, _ := c.counts(); return missed }

// Epoch is the random id of the producer attached to now, 0 while there is none.
func (c *Consumer) Epoch() uint64 { _, _, epoch := c.counts(); return epoch }

// Lane is the name of the lane.
func (c *Consumer) Lane() string { return c.lane }
