package framelane

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/framelane/framelane/go/layout"
)

// Source is what a sleeper waits for: a consumer or a stream reader.
type source[T any] interface {
	take() (T, bool, error)
	ready() (bool, error)
	// Descriptor gives a duplicate of the lane's descriptor.
	descriptor() (*os.File, error)
	closed() error
}

// Sleeper waits for a lane's descriptor by the runtime's poller. One goroutine at a time does;
// others queue for their turn, where their contexts can end them too.
type sleeper[T any] struct {
	source source[T]
	turn   chan struct{}
	alarm  *alarm
	raw    syscall.RawConn
	// Sleeper.glance, bound once: the poller calls it, and waits while it says false.
	look func(uintptr) bool
	// What the one in turn wants, and what came of it.
	takes bool
	taken T
	err   error
}

func (s *sleeper[T]) begin(from source[T]) {
	s.source, s.turn, s.alarm = from, make(chan struct{}, 1), new(alarm)
	s.look = s.glance
}

func (s *sleeper[T]) close() { s.alarm.close() }

// Sleep waits for what the lane has next, or until there is something to be had.
func (s *sleeper[T]) sleep(ctx context.Context, takes bool) (none T, err error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	defer func() { <-s.turn }()
	if err := s.prepare(); err != nil {
		return none, err
	}
	s.takes = takes
	s.alarm.follow(ctx)
	for {
		if ctx.Err() != nil {
			// A last look: what came until now counts.
			if !s.look(0) {
				return none, ctx.Err()
			}
			return s.outcome()
		}
		err := s.raw.Read(s.look)
		switch {
		case err == nil:
			return s.outcome()
		case errors.Is(err, os.ErrDeadlineExceeded):
			s.alarm.follow(ctx) // rung for this context, which is asked above, or an earlier one
		case s.alarm.isClosed():
			return none, s.source.closed()
		default:
			text := "waiting for the lane's descriptor: " + err.Error()
			return none, plain(status(layout.ErrorKindSystem), text)
		}
	}
}

func (s *sleeper[T]) outcome() (T, error) {
	var none T
	taken, err := s.taken, s.err
	s.taken, s.err = none, nil
	return taken, err
}

// Glance looks at the lane; whether there is anything to tell.
func (s *sleeper[T]) glance(uintptr) (done bool) {
	if s.takes {
		s.taken, done, s.err = s.source.take()
	} else {
		done, s.err = s.source.ready()
	}
	return done || s.err != nil
}

// Prepare gives the runtime a duplicate of the descriptor, at the first wait.
func (s *sleeper[T]) prepare() error {
	if s.raw != nil {
		return nil
	}
	file, err := s.source.descriptor()
	if err != nil {
		return err
	}
	if !s.alarm.have(file) {
		return s.source.closed()
	}
	s.raw, err = file.SyscallConn()
	return err
}

func duplicate(fd int, name string) (*os.File, error) {
	arg := uintptr(syscall.F_DUPFD_CLOEXEC)
	copied, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), arg, 0)
	if errno != 0 {
		return nil, noDescriptor(errno)
	}
	// Only what does not block goes to the poller.
	if err := syscall.SetNonblock(int(copied), true); err != nil {
		_ = syscall.Close(int(copied))
		return nil, noDescriptor(err)
	}
	return os.NewFile(copied, name), nil
}

func noDescriptor(err error) error {
	text := "the lane's descriptor: " + os.NewSyscallError("fcntl", err).Error()
	return plain(status(layout.ErrorKindSystem), text)
}

// Alarm ends a wait when its context ends, by a deadline in the past. It stays with a context from
// one wait to the next, so that waiting with the same one again allocates nothing. It does not
// know its source, which a context would otherwise keep alive.
type alarm struct {
	mu     sync.Mutex
	file   *os.File
	closed bool
	done   <-chan struct{}
	stop   func() bool
	rung   bool
}

func (a *alarm) have(file *os.File) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		_ = file.Close()
		return false
	}
	a.file = file
	return true
}

func (a *alarm) follow(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	if done := ctx.Done(); done != a.done {
		a.leave()
		if done != nil {
			a.done = done
			a.stop = context.AfterFunc(ctx, func() { a.ring(done) })
		}
	}
	if a.rung {
		a.rung = false
		_ = a.file.SetReadDeadline(time.Time{})
	}
}

func (a *alarm) leave() {
	if a.stop != nil {
		a.stop()
	}
	a.done, a.stop = nil, nil
}

func (a *alarm) ring(done <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.done == done && !a.closed {
		a.rung = true
		_ = a.file.SetReadDeadline(time.Unix(1, 0))
	}
}

func (a *alarm) isClosed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closed
}

// Close ends the wait, and all later ones.
func (a *alarm) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.leave()
	if a.file != nil {
		_ = a.file.Close()
	}
}
