package framelane

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync/atomic"

	"github.com/framelane/framelane/go/layout"
)

// Frame is a frame under lease: its bytes stay as they are until Release. The zero Frame is none.
//
// It is a small value. Copies of it are the same lease: once one is released all are, and calls on
// them fail or do nothing, also when the memory behind them holds another frame by then. Methods
// that read may be used by several goroutines at once.
type Frame struct {
	held       *held
	generation uint64
}

// Held is one frame in use, or one on the shelf to be used again. That it becomes unreachable
// while in use is how a forgotten frame is noticed.
type held struct {
	lease *lease
	shelf *shelf[held]
}

// Lease is what outlives a forgotten frame.
type lease struct {
	native     nativeLease
	generation atomic.Uint64 // goes on with each release
	lane       string
	origin     origin
}

func newHeld(lane string, shelf *shelf[held]) *held {
	h := &held{&lease{lane: lane}, shelf}
	runtime.AddCleanup(h, (*lease).forgotten, h.lease)
	return h
}

func (l *lease) forgotten() {
	if l.native.frame.live == 0 {
		return // from the shelf
	}
	leak := Leak{What: "frame", Lane: l.lane, Sequence: uint64(l.native.frame.sequence)}
	leak.Stack = l.origin.String()
	l.native.release()
	tellLeak(leak)
}

// Lend is what borrow finds, in a frame from the shelf.
func lend(lane string, shelf *shelf[held], problem *nativeProblem,
	borrow func(into *nativeLease) status) (Frame, bool, error) {
	h := shelf.take()
	if h == nil {
		h = newHeld(lane, shelf)
	}
	switch code := borrow(&h.lease.native); code {
	case statusOk:
		h.lease.origin.note()
		return Frame{h, h.lease.generation.Load()}, true, nil
	case statusTimedOut:
		shelf.put(h)
		return Frame{}, false, nil
	default:
		shelf.put(h)
		return Frame{}, false, failure(code, problem)
	}
}

// EachFrame is frame after frame, until the context ends or something fails.
func eachFrame(ctx context.Context, next func(context.Context) (Frame, error),
) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		for {
			frame, err := next(ctx)
			if !yield(frame, err) || err != nil {
				return
			}
		}
	}
}

// Live is nil where the frame is none or was released.
func (f Frame) live() *nativeLease {
	if f.held == nil || f.held.lease.generation.Load() != f.generation {
		return nil
	}
	return &f.held.lease.native
}

func (f Frame) none() error { return invalid("the frame is none, or was released") }

// IsHeld tells whether this is a frame that has not been released.
func (f Frame) IsHeld() bool { return f.live() != nil }

// Release ends the lease. It fails with ErrRevoked where the frame had been taken back, so that
// what was derived from it does not count. Releasing again does nothing.
func (f Frame) Release() error {
	if f.held == nil {
		return nil
	}
	lease := f.held.lease
	if !lease.generation.CompareAndSwap(f.generation, f.generation+1) {
		return nil
	}
	code := lease.native.release()
	sequence := lease.native.frame.sequence
	f.held.shelf.put(f.held)
	if code != statusOk {
		return plain(code, fmt.Sprintf("frame %d was taken back before its release", sequence))
	}
	return nil
}

// Sequence is the number of the frame in its epoch, from 1; 0 for none.
func (f Frame) Sequence() uint64 {
	if l := f.live(); l != nil {
		return uint64(l.frame.sequence)
	}
	return 0
}

// Epoch is the producer incarnation the frame comes from.
func (f Frame) Epoch() uint64 {
	if l := f.live(); l != nil {
		return uint64(l.frame.epoch)
	}
	return 0
}

// Missed is how many frames passed between the one before and this one.
func (f Frame) Missed() uint64 {
	if l := f.live(); l != nil {
		return uint64(l.frame.missed)
	}
	return 0
}

// Slot is where the frame is, a small number to key caches by.
func (f Frame) Slot() int {
	if l := f.live(); l != nil {
		return int(l.frame.slot)
	}
	return 0
}

// NewEpoch tells whether this is the first frame after the producer was restarted.
func (f Frame) NewEpoch() bool {
	l := f.live()
	return l != nil && l.frame.new_epoch != 0
}

// SwitchEpoch is that under which a Switch read the frame; 0 of any other reader.
func (f Frame) SwitchEpoch() uint64 {
	if l := f.live(); l != nil {
		return uint64(l.frame.switch_epoch)
	}
	return 0
}

// LaneIndex is the index of the lane of a Switch that the frame comes from; 0 of any other reader.
func (f Frame) LaneIndex() int {
	if l := f.live(); l != nil {
		return int(l.frame.lane_index)
	}
	return 0
}

// Switched tells whether this is the first frame that a Switch delivers under another selection.
func (f Frame) Switched() bool {
	l := f.live()
	return l != nil && l.frame.switched != 0
}

// Descriptor is what the frame says about itself; nil for none. It is valid until Release, and not
// to be written to.
func (f Frame) Descriptor() *FrameDescriptor {
	if l := f.live(); l != nil {
		return l.says()
	}
	return nil
}

// PlaneCount is the number of planes, at most 4 whatever the descriptor says.
func (f Frame) PlaneCount() int {
	if d := f.Descriptor(); d != nil {
		return min(int(d.PlaneCount), len(d.Planes))
	}
	return 0
}

// Plane is the bytes of one plane, read in place until Release. They are not to be written to.
// Those of a frame in device memory can be taken back after the descriptor's ValidUntilNs: what
// was derived from them counts if a later Check says so.
func (f Frame) Plane(index int) ([]byte, error) {
	l := f.live()
	if l == nil {
		return nil, f.none()
	}
	if count := f.PlaneCount(); index < 0 || index >= count {
		return nil, invalid(fmt.Sprintf("plane %d of a frame with %d", index, count))
	}
	if plane := l.plane(index); plane != nil {
		return plane, nil
	}
	defer runtime.KeepAlive(f.held)
	return nil, l.refusal(index)
}

// IsRevocable tells whether the frame is in device memory that can be taken back.
func (f Frame) IsRevocable() bool {
	d := f.Descriptor()
	return d != nil && d.MemoryKind != layout.MemoryKindInline
}

// Check tells whether everything read from the frame before this call counts.
func (f Frame) Check() bool {
	l := f.live()
	defer runtime.KeepAlive(f.held)
	return l != nil && l.intact()
}

// PlaneFd is a descriptor of the dma-buf or memfd that one plane is in, to import it elsewhere: the
// plane is at the OffsetBytes of its layout. The caller owns and closes it. It fails with
// ErrUnsupported for frames in other memory.
func (f Frame) PlaneFd(index int) (int, error) {
	l := f.live()
	if l == nil {
		return -1, f.none()
	}
	defer runtime.KeepAlive(f.held)
	if index < 0 {
		return -1, invalid(fmt.Sprintf("plane %d", index))
	}
	return l.planeFd(index)
}

// CopyTo copies one plane; into has the plane's size. It fails with ErrRevoked where the copy is
// not whole. Counted as bytes the SDK copied.
func (f Frame) CopyTo(index int, into []byte) error {
	l := f.live()
	if l == nil {
		return f.none()
	}
	defer runtime.KeepAlive(f.held)
	if index < 0 {
		return invalid(fmt.Sprintf("plane %d", index))
	}
	return l.copyTo(index, into)
}
