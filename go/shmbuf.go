package framelane

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"time"
)

// ShmbufCounts are what a side of a ring has counted.
type shmbufCounts [3]uint64

// ShmbufSide is what both sides of a ring have in common: one call at a time inside the library,
// where a wait takes at most 20 ms, and then the next.
type shmbufSide[T comparable] struct {
	mu      sync.Mutex // of everything below
	handle  *shmbufHandle[T]
	problem nativeProblem
	last    shmbufCounts // at the time of closing
	counts  func(T) shmbufCounts
}

// ShmbufHandle is what outlives a forgotten side.
type shmbufHandle[T comparable] struct {
	native     T // a pointer of C, which no type parameter may point to
	free       func(T)
	what, name string
}

// Take gives the pointer, once; whether it was there.
func (h *shmbufHandle[T]) take() (native T, there bool) {
	var none T
	native, h.native = h.native, none
	return native, native != none
}

func (h *shmbufHandle[T]) isClosed() bool {
	var none T
	return h.native == none
}

func (h *shmbufHandle[T]) forgotten() {
	if native, there := h.take(); there {
		h.free(native)
		tellLeak(Leak{What: h.what, Lane: h.name})
	}
}

func (s *shmbufSide[T]) use(do func(native T, problem *nativeProblem) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handle.isClosed() {
		return closed(fmt.Sprintf("this %s of %q is closed", s.handle.what, s.handle.name))
	}
	return do(s.handle.native, &s.problem)
}

// Patiently tries at once, and then for some time inside the library, again and again until it is
// done or the context ends.
func (s *shmbufSide[T]) patiently(ctx context.Context,
	try func(native T, ns uint64, problem *nativeProblem) (bool, error)) (bool, error) {
	for slice := time.Duration(0); ; slice = claimSlice {
		done := false
		err := s.use(func(native T, problem *nativeProblem) (err error) {
			done, err = try(native, uint64(slice), problem)
			return err
		})
		if done || err != nil || ctx.Err() != nil {
			return done, err
		}
	}
}

func (s *shmbufSide[T]) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.handle.isClosed() {
		s.last = s.counts(s.handle.native)
		native, _ := s.handle.take()
		s.handle.free(native)
	}
}

func (s *shmbufSide[T]) count(which int) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handle.isClosed() {
		return s.last[which]
	}
	return s.counts(s.handle.native)[which]
}

// ShmbufSender writes messages into a segment of its own: the byte ring in named shared memory of
// the older shmbuf programs, layout 2, for talking with them until they have moved to a lane. All
// of its methods may be used by several goroutines at once.
type ShmbufSender struct {
	side              shmbufSide[*nativeShmbufSender]
	capacity, longest int
	cleanup           runtime.Cleanup
}

// CreateShmbuf makes the segment, with or without a slash in front of its name, in place of one
// that a dead sender has left. The ring takes the largest power of two that fits capacity, and a
// message needs 4 bytes beside its own. It fails with ErrAlreadyExists while another sender of ours
// has the name; an upstream one cannot be seen, and loses it.
func CreateShmbuf(name string, capacity uint64, options ...ShmbufSenderOption,
) (*ShmbufSender, error) {
	native, err := nativeCreateShmbuf(name, capacity, options)
	if err != nil {
		return nil, err
	}
	handle := &shmbufHandle[*nativeShmbufSender]{
		native, nativeCloseShmbufSender, "shmbuf sender", name,
	}
	s := new(ShmbufSender)
	s.side.handle, s.side.counts = handle, nativeShmbufSent
	s.capacity, s.longest = nativeShmbufSizes(native)
	s.cleanup = runtime.AddCleanup(s, (*shmbufHandle[*nativeShmbufSender]).forgotten, handle)
	return s, nil
}

// Close ends the segment: its name goes unless WithKeep was given, an attached receiver can still
// read what was sent. Closing again does nothing.
func (s *ShmbufSender) Close() error {
	s.cleanup.Stop()
	s.side.close()
	return nil
}

// TrySend sends a message if the ring has room for it now; else it fails with ErrNoFreeSlot, and
// nothing is written. It fails with ErrTooLarge for a message that the ring could never take, and
// with ErrInvalidArgument for an empty one, at which upstream receivers would stop for ever.
func (s *ShmbufSender) TrySend(message []byte) error {
	return s.side.use(func(native *nativeShmbufSender, problem *nativeProblem) error {
		return nativeShmbufSend(native, message, 0, problem)
	})
}

// Send sends a message, and waits for room until the context ends; it then fails with
// ErrNoFreeSlot, which is ctx.Err() as well.
func (s *ShmbufSender) Send(ctx context.Context, message []byte) error {
	var full error
	sent, err := s.side.patiently(ctx,
		func(native *nativeShmbufSender, ns uint64, problem *nativeProblem) (bool, error) {
			// Only TrySend counts a full ring.
			full = nativeShmbufSend(native, message, max(ns, 1), problem)
			if errors.Is(full, ErrNoFreeSlot) {
				return false, nil
			}
			return full == nil, full
		})
	if err == nil && !sent {
		return noSlot(ctx, full)
	}
	return err
}

// Drain waits until everything sent has been read or the context ends; it then fails with
// ctx.Err().
func (s *ShmbufSender) Drain(ctx context.Context) error {
	drained, err := s.side.patiently(ctx, nativeShmbufDrain)
	if err == nil && !drained {
		return ctx.Err()
	}
	return err
}

// Unread is how many bytes wait to be read, the 4 before each message included.
func (s *ShmbufSender) Unread() (unread int, err error) {
	err = s.side.use(func(native *nativeShmbufSender, problem *nativeProblem) (err error) {
		unread, err = nativeShmbufUnread(native, problem)
		return err
	})
	return unread, err
}

// HasReceiver tells whether a receiver of ours is attached; upstream ones cannot be seen.
func (s *ShmbufSender) HasReceiver() (attached bool, err error) {
	err = s.side.use(func(native *nativeShmbufSender, problem *nativeProblem) (err error) {
		attached, err = nativeShmbufHasReceiver(native, problem)
		return err
	})
	return attached, err
}

// Capacity is the size of the ring in bytes.
func (s *ShmbufSender) Capacity() int { return s.capacity }

// LongestMessage is the longest that the empty ring can take.
func (s *ShmbufSender) LongestMessage() int { return s.longest }

// Name is the name of the segment, as it was given.
func (s *ShmbufSender) Name() string { return s.side.handle.name }

// Sent is the number of messages sent.
func (s *ShmbufSender) Sent() uint64 { return s.side.count(0) }

// TimesFull is how often TrySend found the ring full.
func (s *ShmbufSender) TimesFull() uint64 { return s.side.count(1) }

// ShmbufReceiver reads the messages of a segment. All of its methods may be used by several
// goroutines at once; each message goes to one of them.
type ShmbufReceiver struct {
	side    shmbufSide[*nativeShmbufReceiver]
	cleanup runtime.Cleanup
}

// OpenShmbuf attaches to the segment, with or without a slash in front of its name. It fails with
// ErrNotFound, with ErrTimedOut for one without a header, and with ErrTooMany while another
// receiver of ours reads it, all after the time of WithWaitForLane; with ErrProtocol for one that
// is no ring. It goes on with the next segment of the name when the sender was restarted;
// WithReattach(false) ends it with ErrDisconnected instead. That an upstream sender is gone cannot
// be seen.
func OpenShmbuf(ctx context.Context, name string, options ...ShmbufReceiverOption,
) (*ShmbufReceiver, error) {
	var settings shmbufReceiverSettings
	settings.reattach = true
	for _, option := range options {
		option.forShmbufReceiver(&settings)
	}
	native, err := attach(ctx, settings.wait, func() (*nativeShmbufReceiver, error) {
		return nativeOpenShmbuf(name, &settings)
	})
	if err != nil {
		return nil, err
	}
	handle := &shmbufHandle[*nativeShmbufReceiver]{
		native, nativeCloseShmbufReceiver, "shmbuf receiver", name,
	}
	r := new(ShmbufReceiver)
	r.side.handle, r.side.counts = handle, nativeShmbufReceived
	r.cleanup = runtime.AddCleanup(r, (*shmbufHandle[*nativeShmbufReceiver]).forgotten, handle)
	return r, nil
}

// Close stops reading; the segment stays. Waits end with ErrClosed within 20 ms. Closing again does
// nothing.
func (r *ShmbufReceiver) Close() error {
	r.cleanup.Stop()
	r.side.close()
	return nil
}

// TryNext gives the next message if there is one now.
func (r *ShmbufReceiver) TryNext() (message []byte, found bool, err error) {
	err = r.side.use(func(native *nativeShmbufReceiver, problem *nativeProblem) (err error) {
		message, found, err = takeMessage(native, 0, problem)
		return err
	})
	return message, found, err
}

func takeMessage(native *nativeShmbufReceiver, ns uint64, problem *nativeProblem,
) ([]byte, bool, error) {
	size, found, err := nativeShmbufWait(native, ns, problem)
	if err != nil || !found {
		return nil, false, err
	}
	message := make([]byte, size)
	size, found, err = nativeShmbufTake(native, message, problem)
	return message[:size], found, err
}

// Next gives the next message, and waits for it until the context ends; it then fails with
// ctx.Err(). A message that is there is had whatever the context says.
func (r *ShmbufReceiver) Next(ctx context.Context) (message []byte, err error) {
	found, err := r.side.patiently(ctx,
		func(native *nativeShmbufReceiver, ns uint64, p *nativeProblem) (found bool, err error) {
			message, found, err = takeMessage(native, ns, p)
			return found, err
		})
	if err == nil && !found {
		return nil, ctx.Err()
	}
	return message, err
}

// NextInto reads the next message into memory of the caller's; its size. It fails with ErrTooLarge
// when it does not fit, and the message stays, to be read elsewhere or skipped. It waits as Next.
func (r *ShmbufReceiver) NextInto(ctx context.Context, into []byte) (size int, err error) {
	found, err := r.side.patiently(ctx,
		func(native *nativeShmbufReceiver, ns uint64, p *nativeProblem) (found bool, err error) {
			if _, found, err = nativeShmbufWait(native, ns, p); err != nil || !found {
				return false, err
			}
			size, found, err = nativeShmbufTake(native, into, p)
			return found, err
		})
	if err == nil && !found {
		return 0, ctx.Err()
	}
	return size, err
}

// Wait waits for a message as Next; its size. The message stays.
func (r *ShmbufReceiver) Wait(ctx context.Context) (size int, err error) {
	found, err := r.side.patiently(ctx,
		func(native *nativeShmbufReceiver, ns uint64, p *nativeProblem) (found bool, err error) {
			size, found, err = nativeShmbufWait(native, ns, p)
			return found, err
		})
	if err == nil && !found {
		return 0, ctx.Err()
	}
	return size, err
}

// Skip drops the next message unread; whether there was one.
func (r *ShmbufReceiver) Skip() (skipped bool, err error) {
	err = r.side.use(func(native *nativeShmbufReceiver, problem *nativeProblem) (err error) {
		skipped, err = nativeShmbufSkip(native, problem)
		return err
	})
	return skipped, err
}

// Messages are all that come, until the context ends or reading fails; the last pair is the error.
func (r *ShmbufReceiver) Messages(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			message, err := r.Next(ctx)
			if !yield(message, err) || err != nil {
				return
			}
		}
	}
}

// Capacity is the size of the ring in bytes; 0 once closed.
func (r *ShmbufReceiver) Capacity() (capacity int) {
	_ = r.side.use(func(native *nativeShmbufReceiver, _ *nativeProblem) error {
		capacity = nativeShmbufRing(native)
		return nil
	})
	return capacity
}

// Name is the name of the segment, as it was given.
func (r *ShmbufReceiver) Name() string { return r.side.handle.name }

// Received is the number of messages received.
func (r *ShmbufReceiver) Received() uint64 { return r.side.count(0) }

// Empty is the number of empty messages that were stepped over; ours never send one.
func (r *ShmbufReceiver) Empty() uint64 { return r.side.count(1) }

// Restarts is how often another segment was found at the name: the sender had been restarted.
func (r *ShmbufReceiver) Restarts() uint64 { return r.side.count(2) }

// RemoveShmbuf removes a segment by name, as after a crash; false if there is none. An empty
// directory is that of POSIX shared memory. It fails with ErrAlreadyExists while a sender of ours
// has it.
func RemoveShmbuf(name, directory string) (bool, error) {
	return nativeRemoveShmbuf(name, directory)
}
