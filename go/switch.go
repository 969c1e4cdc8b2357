package framelane

import (
	"context"
	"fmt"
	"iter"
	"os"
	"runtime"
	"sync"
)

// Switch reads the active one of the frame lanes that stand behind one name. All of its methods may
// be used by several goroutines at once; each frame goes to one of them. A selection shows on the
// very next frame, which says so, and wakes a waiting Next. Lanes, and the controller too, may come
// late, die and come again; without a controller the lane that was active stays so.
type Switch struct {
	name    string
	mu      sync.Mutex // of everything below, never held while waiting
	handle  *switchHandle
	problem nativeProblem
	shelf   *shelf[held]
	last    switchCounts // at the time of closing
	sleeper sleeper[Frame]
	cleanup runtime.Cleanup
}

// SwitchHandle is what outlives a forgotten Switch.
type switchHandle struct {
	native *nativeSwitch
	name   string
}

type switchCounts struct{ received, missed, dropped, switches uint64 }

// SwitchStatus is how a switch is, as its reader sees it.
type SwitchStatus struct {
	// Controlled tells whether there is a controller now.
	Controlled bool
	// ControllerEpoch is the random id of the controller seen last.
	ControllerEpoch uint64
	// SwitchEpoch is that of the selection seen last.
	SwitchEpoch uint64
	// Active is the index of the active lane; -1 for none.
	Active int
	// Lanes are by index.
	Lanes []SwitchLane
	// Problem is why a controller that is there is not followed; 0 where it is.
	Problem ErrorKind
}

// SwitchLane is one lane behind a switch, as its reader sees it.
type SwitchLane struct {
	Name string
	// Attached tells whether its producer is there.
	Attached bool
	// Problem is why a producer that is there is not attached to; 0 where it is.
	Problem ErrorKind
}

// OpenSwitch attaches to the switch and to the lanes behind it, which need not be there. The mode
// and the options are those of each lane's consumer; WithWaitForLane waits for a controller. It
// fails as Open, for the controller as for the active lane; with ErrUnsupported when the name is
// not that of a switch, and for Lossless.
func OpenSwitch(ctx context.Context, name string, mode Mode, options ...ConsumerOption,
) (*Switch, error) {
	settings := newConsumerSettings(mode, options)
	native, err := attach(ctx, settings.wait, func() (*nativeSwitch, error) {
		return nativeOpenSwitch(name, &settings)
	})
	if err != nil {
		return nil, err
	}
	s := &Switch{name: name, handle: &switchHandle{native, name}, shelf: new(shelf[held])}
	s.sleeper.begin(s)
	s.cleanup = runtime.AddCleanup(s, (*switchHandle).forgotten, s.handle)
	return s, nil
}

func (h *switchHandle) forgotten() {
	if h.native != nil {
		nativeCloseSwitch(h.native)
		tellLeak(Leak{What: "switch", Lane: h.name})
	}
}

// Close stops reading and ends every wait with ErrClosed. Frames that are held stay valid. Closing
// again does nothing.
func (s *Switch) Close() error {
	s.sleeper.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if native := s.handle.native; native != nil {
		s.last = nativeSwitchCounts(native)
		s.handle.native = nil
		nativeCloseSwitch(native)
		s.cleanup.Stop()
	}
	return nil
}

func (s *Switch) closed() error {
	return closed(fmt.Sprintf("this reader of switch %q is closed", s.name))
}

// TryNext gives the next frame of the active lane if there is one now. It allocates nothing.
func (s *Switch) TryNext() (frame Frame, found bool, err error) { return s.borrow(false) }

// Latest gives the newest valid frame of the active lane, also one that was delivered before, if
// there is one, and none where that is older than what was delivered before the switch.
func (s *Switch) Latest() (frame Frame, found bool, err error) { return s.borrow(true) }

func (s *Switch) borrow(newest bool) (Frame, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handle.native == nil {
		return Frame{}, false, s.closed()
	}
	return lend(s.name, s.shelf, &s.problem, func(into *nativeLease) status {
		return nativeFollow(s.handle.native, newest, &s.problem, into)
	})
}

// Next gives the next frame of the active lane, and waits for one until the context ends; it then
// fails with ctx.Err(). A frame that is there is had whatever the context says.
func (s *Switch) Next(ctx context.Context) (Frame, error) {
	if frame, found, err := s.borrow(false); found || err != nil {
		return frame, err
	}
	return s.sleeper.sleep(ctx, true)
}

// Wait waits until there may be something to read or the context ends; it then fails with
// ctx.Err().
func (s *Switch) Wait(ctx context.Context) error {
	if ready, err := s.ready(); ready || err != nil {
		return err
	}
	_, err := s.sleeper.sleep(ctx, false)
	return err
}

// Take is what the sleeper takes.
func (s *Switch) take() (Frame, bool, error) { return s.borrow(false) }

func (s *Switch) ready() (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handle.native == nil {
		return false, s.closed()
	}
	return nativeSwitchReady(s.handle.native, &s.problem)
}

// Frames gives frame after frame until the context ends or something fails, which comes as the
// last element, without a frame. Each frame has to be released.
func (s *Switch) Frames(ctx context.Context) iter.Seq2[Frame, error] {
	return eachFrame(ctx, s.Next)
}

// FD is a descriptor that becomes readable when there may be a frame or a switch, as that of a
// Consumer.
func (s *Switch) FD() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handle.native == nil {
		return -1
	}
	return nativeSwitchFd(s.handle.native)
}

func (s *Switch) descriptor() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handle.native == nil {
		return nil, s.closed()
	}
	return duplicate(nativeSwitchFd(s.handle.native), s.name)
}

// Status is how the switch was at the last read.
func (s *Switch) Status() (SwitchStatus, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handle.native == nil {
		return SwitchStatus{}, s.closed()
	}
	return nativeSwitchStatus(s.handle.native)
}

func (s *Switch) counts() switchCounts {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handle.native == nil {
		return s.last
	}
	return nativeSwitchCounts(s.handle.native)
}

// Received is the number of frames delivered.
func (s *Switch) Received() uint64 { return s.counts().received }

// Missed is the number of frames that passed without being delivered while their lane was active.
func (s *Switch) Missed() uint64 { return s.counts().missed }

// Dropped is the number of frames not delivered because they were older than the one before the
// switch, or of the lane that was switched away from.
func (s *Switch) Dropped() uint64 { return s.counts().dropped }

// Switches is the number of switches that this reader has followed.
func (s *Switch) Switches() uint64 { return s.counts().switches }

// Name is the name of the switch.
func (s *Switch) Name() string { return s.name }
