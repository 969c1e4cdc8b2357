package framelane

import (
	"runtime"
	"sync/atomic"

	"github.com/framelane/framelane/go/layout"
)

// RecordMut is the open record of a writer: append its bytes, then commit or abandon it. The zero
// RecordMut is none.
//
// It is a small value, as FrameMut: copies are the same record, and once one is committed or
// abandoned all are. It is used by one goroutine at a time.
type RecordMut struct {
	held       *heldOpen
	generation uint64
}

// HeldOpen is to an open record what heldClaim is to a claimed frame.
type heldOpen struct {
	open  *opened
	shelf *shelf[heldOpen]
}

// Opened is what outlives a forgotten RecordMut.
type opened struct {
	native     nativeOpened
	problem    nativeProblem
	generation atomic.Uint64
	lane       string
	origin     origin
}

func newHeldOpen(lane string, shelf *shelf[heldOpen]) *heldOpen {
	h := &heldOpen{&opened{lane: lane}, shelf}
	runtime.AddCleanup(h, (*opened).forgotten, h.open)
	return h
}

func (o *opened) forgotten() {
	if o.native.live == 0 {
		return // from the shelf
	}
	o.native.abandon()
	tellLeak(Leak{What: "open record", Lane: o.lane, Stack: o.origin.String()})
}

func (r RecordMut) live() *opened {
	if r.held == nil || r.held.open.generation.Load() != r.generation {
		return nil
	}
	return r.held.open
}

func (r RecordMut) none() error {
	return invalid("the record is none, or was committed or abandoned")
}

// End makes all copies of the record none; nil where they are already.
func (r RecordMut) end() *opened {
	if r.held == nil {
		return nil
	}
	if !r.held.open.generation.CompareAndSwap(r.generation, r.generation+1) {
		return nil
	}
	return r.held.open
}

// Info is what the record will say about itself, to be filled in place until Commit: times,
// capture id and flags; the rest is set there. Nil for none.
func (r RecordMut) Info() *RecordInfo {
	if open := r.live(); open != nil {
		return open.native.says()
	}
	return nil
}

// SetKey says whether decoding can start at this record.
func (r RecordMut) SetKey(key bool) {
	if info := r.Info(); info != nil {
		info.Flags &^= layout.RecordFlagKey
		if key {
			info.Flags |= layout.RecordFlagKey
		}
	}
}

// Append appends bytes, counted as bytes the SDK copied. It fails with ErrRecordTooLarge for more
// than the record was begun with, and the record stays as it was.
func (r RecordMut) Append(bytes []byte) error {
	open := r.live()
	if open == nil {
		return r.none()
	}
	defer runtime.KeepAlive(r.held)
	return open.native.add(bytes, &open.problem)
}

// Commit makes the record the newest of its lane; its sequence. Where it fails the record is
// abandoned.
func (r RecordMut) Commit() (uint64, error) {
	open := r.end()
	if open == nil {
		return 0, r.none()
	}
	sequence, err := open.native.commit(&open.problem)
	r.held.shelf.put(r.held)
	return sequence, err
}

// Abandon gives the record up. Doing so again, or after Commit, does nothing.
func (r RecordMut) Abandon() {
	if open := r.end(); open != nil {
		open.native.abandon()
		r.held.shelf.put(r.held)
	}
}
