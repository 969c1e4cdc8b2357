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

// Sleeper waits for a consumer's descriptor by the runtime's poller. One goroutine at a time does;
// others queue for their turn, where their contexts can end them too.
type sleeper struct {
	turn  chan struct{}
	alarm *alarm
	raw   syscall.RawConn
	// Consumer.look, bound once: the poller calls it, and waits while it says false.
	look func(uintptr) bool
	// What the one in turn wants, and what came of it.
	wantsFrame bool
	frame      Frame
	err        error
}

func newSleeper() sleeper { return sleeper{turn: make(chan struct{}, 1), alarm: new(alarm)} }

func (s *sleeper) close() { s.alarm.close() }

// Sleep waits for a frame, or until there is one to be had.
func (c *Consumer) sleep(ctx context.Context, wantsFrame bool) (Frame, error) {
	s := &c.sleeper
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return Frame{}, ctx.Err()
	}
	defer func() { <-s.turn }()
	if err := c.prepare(); err != nil {
		return Frame{}, err
	}
	s.wantsFrame = wantsFrame
	s.alarm.follow(ctx)
	for {
		if ctx.Err() != nil {
			// A last look: what came until now counts.
			if !c.look(0) {
				return Frame{}, ctx.Err()
			}
			return s.taken()
		}
		err := s.raw.Read(s.look)
		switch {
		case err == nil:
			return s.taken()
		case errors.Is(err, os.ErrDeadlineExceeded):
			s.alarm.follow(ctx) // rung for this context, which is asked above, or an earlier one
		case s.alarm.isClosed():
			return Frame{}, c.closed()
		default:
			text := "waiting for the lane's descriptor: " + err.Error()
			return Frame{}, plain(status(layout.ErrorKindSystem), text)
		}
	}
}

func (s *sleeper) taken() (Frame, error) {
	frame, err := s.frame, s.err
	s.frame, s.err = Frame{}, nil
	return frame, err
}

// Look looks at the lane; whether there is anything to tell.
func (c *Consumer) look(uintptr) (done bool) {
	s := &c.sleeper
	if s.wantsFrame {
		s.frame, done, s.err = c.borrow(false)
	} else {
		done, s.err = c.ready()
	}
	return done || s.err != nil
}

// Prepare gives the runtime a duplicate of the descriptor, at the first wait.
func (c *Consumer) prepare() error {
	if c.sleeper.raw != nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.handle.native == nil {
		return c.closed()
	}
	file, err := duplicate(nativeFd(c.handle.native), c.lane)
	if err != nil {
		return plain(status(layout.ErrorKindSystem), "the lane's descriptor: "+err.Error())
	}
	if !c.sleeper.alarm.have(file) {
		return c.closed()
	}
	c.sleeper.raw, err = file.SyscallConn()
	return err
}

func duplicate(fd int, name string) (*os.File, error) {
	arg := uintptr(syscall.F_DUPFD_CLOEXEC)
	copied, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), arg, 0)
	if errno != 0 {
		return nil, os.NewSyscallError("fcntl", errno)
	}
	// Only what does not block goes to the poller.
	if err := syscall.SetNonblock(int(copied), true); err != nil {
		_ = syscall.Close(int(copied))
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(copied, name), nil
}

// Alarm ends a wait when its context ends, by a deadline in the past. It stays with a context from
// one wait to the next, so that waiting with the same one again allocates nothing. It does not
// know its consumer, which a context would otherwise keep alive.
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
