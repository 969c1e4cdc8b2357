package framelane

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// StreamWriter owns a stream lane: records of any size, H.264 access units for instance. All of its
// methods may be used by several goroutines at once; one record is open at a time.
type StreamWriter struct {
	lane    string
	handle  *writerHandle
	shelf   *shelf[heldOpen]
	turn    chan struct{} // of the one goroutine that waits for lossless readers
	asking  chan struct{} // of the one that waits for a wish
	epoch   uint64
	limit   int
	cleanup runtime.Cleanup
}

// WriterHandle is what outlives a forgotten StreamWriter.
type writerHandle struct {
	gate   gate
	native *nativeWriter
	lane   string
}

// CreateStream makes the lane, whose records begin with this config, and starts to admit readers.
func CreateStream(lane string, config *StreamConfig, options ...StreamWriterOption,
) (*StreamWriter, error) {
	native, err := nativeCreateStream(lane, config, options)
	if err != nil {
		return nil, err
	}
	w := &StreamWriter{
		lane: lane, handle: &writerHandle{native: native, lane: lane}, shelf: new(shelf[heldOpen]),
		turn: make(chan struct{}, 1), asking: make(chan struct{}, 1),
	}
	w.epoch, w.limit = nativeWriterFacts(native)
	w.cleanup = runtime.AddCleanup(w, (*writerHandle).forgotten, w.handle)
	return w, nil
}

func (h *writerHandle) forgotten() {
	if h.gate.close() {
		nativeCloseWriter(h.native)
		tellLeak(Leak{What: "stream writer", Lane: h.lane})
	}
}

// Close ends the lane. A record that is open can only be abandoned then. Closing again does
// nothing.
func (w *StreamWriter) Close() error {
	w.cleanup.Stop()
	if w.handle.gate.close() {
		nativeCloseWriter(w.handle.native)
	}
	return nil
}

func (w *StreamWriter) enter() (*nativeWriter, error) {
	if !w.handle.gate.enter() {
		return nil, closed(fmt.Sprintf("this writer of lane %q is closed", w.lane))
	}
	return w.handle.native, nil
}

func (w *StreamWriter) leave() {
	if w.handle.gate.leave() {
		nativeCloseWriter(w.handle.native)
	}
}

func (w *StreamWriter) take() *heldOpen {
	if h := w.shelf.take(); h != nil {
		return h
	}
	return newHeldOpen(w.lane, w.shelf)
}

// TryBegin begins a record of up to room bytes at once. It fails with ErrRecordTooLarge for more
// than RecordLimit; with ErrNoFreeSlot where a record is open already, or naming the lossless
// reader that holds what would be overwritten.
func (w *StreamWriter) TryBegin(room int) (RecordMut, error) { return w.begin(room, 0) }

// Begin begins a record, and waits for lossless readers or for the open record until the context
// ends; it then fails with ErrNoFreeSlot, which is ctx.Err() as well.
func (w *StreamWriter) Begin(ctx context.Context, room int) (record RecordMut, err error) {
	err = w.patiently(ctx, func(slice time.Duration) (err error) {
		record, err = w.begin(room, slice)
		return err
	})
	return record, err
}

func (w *StreamWriter) begin(room int, slice time.Duration) (RecordMut, error) {
	native, err := w.enter()
	if err != nil {
		return RecordMut{}, err
	}
	defer w.leave()
	if room < 0 {
		return RecordMut{}, invalid(fmt.Sprintf("a record of %d bytes", room))
	}
	h := w.take()
	code := nativeBegin(native, room, uint64(slice), &h.open.problem, &h.open.native)
	if code != statusOk {
		err := failure(code, &h.open.problem) // before somebody else has h
		w.shelf.put(h)
		return RecordMut{}, err
	}
	h.open.origin.note()
	return RecordMut{h, h.open.generation.Load()}, nil
}

// TryWrite writes a record from its pieces at once; its sequence. Of info, which may be nil, count
// the times, the capture id and the flags. It fails as TryBegin, and allocates nothing.
func (w *StreamWriter) TryWrite(info *RecordInfo, pieces ...[]byte) (uint64, error) {
	return w.write(info, pieces, 0)
}

// Write writes a record from its pieces, and waits as Begin.
func (w *StreamWriter) Write(ctx context.Context, info *RecordInfo, pieces ...[]byte,
) (sequence uint64, err error) {
	err = w.patiently(ctx, func(slice time.Duration) (err error) {
		sequence, err = w.write(info, pieces, slice)
		return err
	})
	return sequence, err
}

func (w *StreamWriter) write(info *RecordInfo, pieces [][]byte, slice time.Duration,
) (uint64, error) {
	if len(pieces) > 1 {
		return w.gather(info, pieces, slice)
	}
	native, err := w.enter()
	if err != nil {
		return 0, err
	}
	defer w.leave()
	var bytes []byte
	if len(pieces) == 1 {
		bytes = pieces[0]
	}
	h := w.take() // for its room for a problem
	sequence, err := nativeWrite(native, info, bytes, uint64(slice), &h.open.problem)
	w.shelf.put(h)
	return sequence, err
}

// Gather writes several pieces, each in a call of its own: C may not see a list of Go's pointers.
func (w *StreamWriter) gather(info *RecordInfo, pieces [][]byte, slice time.Duration,
) (uint64, error) {
	room := 0
	for _, piece := range pieces {
		room += len(piece)
	}
	record, err := w.begin(room, slice)
	if err != nil {
		return 0, err
	}
	if info != nil {
		*record.Info() = *info
	}
	for _, piece := range pieces {
		if err := record.Append(piece); err != nil {
			record.Abandon()
			return 0, err
		}
	}
	return record.Commit()
}

// TrySetConfig says at once what the records to come are; the number of that config. Readers get
// it with the first record that needs it. Saying the same again changes nothing. The ninth config
// back is given up, with every record that needs it.
func (w *StreamWriter) TrySetConfig(config *StreamConfig) (uint32, error) {
	return w.setConfig(config, 0)
}

// SetConfig is TrySetConfig that waits for lossless readers of the oldest config, as Begin.
func (w *StreamWriter) SetConfig(ctx context.Context, config *StreamConfig) (id uint32, err error) {
	err = w.patiently(ctx, func(slice time.Duration) (err error) {
		id, err = w.setConfig(config, slice)
		return err
	})
	return id, err
}

func (w *StreamWriter) setConfig(config *StreamConfig, slice time.Duration) (uint32, error) {
	native, err := w.enter()
	if err != nil {
		return 0, err
	}
	defer w.leave()
	return nativeSetConfig(native, config, uint64(slice))
}

// Patiently tries at once, and then for some time inside the library, one goroutine at a time,
// until the context ends: what lossless readers release has no descriptor to wait for.
func (w *StreamWriter) patiently(ctx context.Context, try func(time.Duration) error) error {
	err := try(0)
	for err != nil && errors.Is(err, ErrNoFreeSlot) {
		select {
		case w.turn <- struct{}{}:
		case <-ctx.Done():
			return noSlot(ctx, err)
		}
		err = try(claimSlice)
		<-w.turn
		if ctx.Err() != nil && errors.Is(err, ErrNoFreeSlot) {
			return noSlot(ctx, err)
		}
	}
	return err
}

// KeyFrameWanted tells whether a reader wants a key record, again after an interval until one is
// committed. An encoder asks before each picture. No once closed.
func (w *StreamWriter) KeyFrameWanted() bool {
	wanted, _ := w.wanted(0)
	return wanted
}

// WaitKeyFrameWanted waits until a reader wants a key record or the context ends; it then fails
// with ctx.Err(). As in Begin one goroutine at a time waits inside the library.
func (w *StreamWriter) WaitKeyFrameWanted(ctx context.Context) error {
	for slice := time.Duration(0); ; slice = claimSlice {
		select {
		case w.asking <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		wanted, err := w.wanted(slice)
		<-w.asking
		if wanted || err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func (w *StreamWriter) wanted(slice time.Duration) (bool, error) {
	native, err := w.enter()
	if err != nil {
		return false, err
	}
	defer w.leave()
	return nativeKeyFrameWanted(native, uint64(slice)), nil
}

// RecordLimit is the largest record in bytes, half of the ring.
func (w *StreamWriter) RecordLimit() int { return w.limit }

// Epoch is the random id of this writer incarnation.
func (w *StreamWriter) Epoch() uint64 { return w.epoch }

// Lane is the name of the lane.
func (w *StreamWriter) Lane() string { return w.lane }

// Readers is the number of readers attached now; 0 once closed.
func (w *StreamWriter) Readers() int {
	native, err := w.enter()
	if err != nil {
		return 0
	}
	defer w.leave()
	return nativeReaders(native)
}

// Report is how the lane is: sizes, counts and readers.
func (w *StreamWriter) Report() (*Report, error) {
	native, err := w.enter()
	if err != nil {
		return nil, err
	}
	defer w.leave()
	report := new(Report)
	return report, nativeStreamReport(native, &report.Report)
}
