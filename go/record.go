package framelane

import (
	"runtime"
	"sync/atomic"

	"github.com/framelane/framelane/go/layout"
)

// Record is a record that was read: a copy of its own of what a live reader read, or of a lossless
// one the bytes in place, which stay as they are until Release. The zero Record is none.
//
// It is a small value, as Frame: copies are the same record, and once one is released all are. It
// outlives its reader and its writer. Methods that read may be used by several goroutines at once.
type Record struct {
	held       *heldRecord
	generation uint64
}

// HeldRecord is to a record what held is to a frame under lease.
type heldRecord struct {
	loan  *loan
	shelf *shelf[heldRecord]
}

// Loan is what outlives a forgotten record.
type loan struct {
	native     nativeRecord
	generation atomic.Uint64 // goes on with each release
	lane       string
	origin     origin
}

func newHeldRecord(lane string, shelf *shelf[heldRecord]) *heldRecord {
	h := &heldRecord{&loan{lane: lane}, shelf}
	runtime.AddCleanup(h, (*loan).forgotten, h.loan)
	return h
}

func (l *loan) forgotten() {
	if l.native.live == 0 {
		return // from the shelf
	}
	leak := Leak{What: "record", Lane: l.lane, Sequence: l.native.says().Sequence}
	leak.Stack = l.origin.String()
	l.native.release()
	tellLeak(leak)
}

// Live is nil where the record is none or was released.
func (r Record) live() *nativeRecord {
	if r.held == nil || r.held.loan.generation.Load() != r.generation {
		return nil
	}
	return &r.held.loan.native
}

// IsHeld tells whether this is a record that has not been released.
func (r Record) IsHeld() bool { return r.live() != nil }

// Release gives the record back, so that a lossless reader's writer may overwrite it. Doing so
// again does nothing.
func (r Record) Release() {
	if r.held == nil {
		return
	}
	if loan := r.held.loan; loan.generation.CompareAndSwap(r.generation, r.generation+1) {
		loan.native.release()
		r.held.shelf.put(r.held)
	}
}

// Bytes are the record's own, until Release; nil for none. They are not to be written to.
func (r Record) Bytes() []byte {
	if l := r.live(); l != nil {
		return l.bytes()
	}
	return nil
}

// Info is what the record says about itself, until Release; nil for none.
func (r Record) Info() *RecordInfo {
	if l := r.live(); l != nil {
		return l.says()
	}
	return nil
}

// Config is what the stream is, from this record to the next change; valid until Release, and not
// to be written to. Nil for none.
func (r Record) Config() *StreamConfig {
	if l := r.live(); l != nil {
		return l.configured()
	}
	return nil
}

// Sequence is the number of the record in its epoch, from 1; 0 for none.
func (r Record) Sequence() uint64 {
	if info := r.Info(); info != nil {
		return info.Sequence
	}
	return 0
}

// IsKey tells whether decoding can start here.
func (r Record) IsKey() bool {
	info := r.Info()
	return info != nil && info.Flags&layout.RecordFlagKey != 0
}

// Pts is when the record is to be shown, in nanoseconds, where that is known.
func (r Record) Pts() (ns int64, known bool) {
	if info := r.Info(); info != nil && info.PtsNs != NoTime {
		return info.PtsNs, true
	}
	return 0, false
}

// Dts is when the record is to be decoded, in nanoseconds, where that is known.
func (r Record) Dts() (ns int64, known bool) {
	if info := r.Info(); info != nil && info.DtsNs != NoTime {
		return info.DtsNs, true
	}
	return 0, false
}

// Epoch is the writer incarnation the record comes from.
func (r Record) Epoch() uint64 {
	if l := r.live(); l != nil {
		return uint64(l.epoch)
	}
	return 0
}

// Missed is how many records passed between the one before and this one, without those that a
// Lapped told of and those that a seek passed over.
func (r Record) Missed() uint64 {
	if l := r.live(); l != nil {
		return uint64(l.missed)
	}
	return 0
}

// NewEpoch tells whether this is the first record after the writer was restarted.
func (r Record) NewEpoch() bool {
	l := r.live()
	return l != nil && l.new_epoch != 0
}

// NewConfig tells whether this is the first record under its config, of those that were read.
func (r Record) NewConfig() bool {
	l := r.live()
	return l != nil && l.new_config != 0
}
