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

	"github.com/framelane/framelane/go/layout"
)

// StreamReader reads one stream lane, record after record. All of its methods may be used by
// several goroutines at once; each record goes to one of them. When its writer is restarted it
// attaches to the new one by itself, begins with the oldest key record there, and the record says
// so.
type StreamReader struct {
	lane    string
	mu      sync.Mutex // of everything below, never held while waiting
	handle  *readerHandle
	problem nativeProblem
	shelf   *shelf[heldRecord]
	last    [3]uint64 // counts at the time of closing
	sleeper sleeper[Record]
	cleanup runtime.Cleanup
}

// ReaderHandle is what outlives a forgotten StreamReader.
type readerHandle struct {
	native *nativeReader
	lane   string
}

// OpenStream attaches to the stream lane, as Open.
func OpenStream(ctx context.Context, lane string, options ...StreamReaderOption,
) (*StreamReader, error) {
	settings := streamReaderSettings{start: StartNewestKey, afterLap: StartNewestKey}
	settings.reattach = true
	for _, option := range options {
		option.forStreamReader(&settings)
	}
	native, err := attach(ctx, settings.wait, func() (*nativeReader, error) {
		return nativeOpenStream(lane, &settings)
	})
	if err != nil {
		return nil, err
	}
	r := &StreamReader{lane: lane, handle: &readerHandle{native, lane}, shelf: new(shelf[heldRecord])}
	r.sleeper.begin(r)
	r.cleanup = runtime.AddCleanup(r, (*readerHandle).forgotten, r.handle)
	return r, nil
}

func (h *readerHandle) forgotten() {
	if h.native != nil {
		nativeCloseReader(h.native)
		tellLeak(Leak{What: "stream reader", Lane: h.lane})
	}
}

// Close stops reading and ends every wait with ErrClosed. Records that are held stay valid. Closing
// again does nothing.
func (r *StreamReader) Close() error {
	r.sleeper.close()
	r.mu.Lock()
	defer r.mu.Unlock()
	if native := r.handle.native; native != nil {
		r.last[0], r.last[1], r.last[2] = nativeStreamCounts(native)
		r.handle.native = nil
		nativeCloseReader(native)
		r.cleanup.Stop()
	}
	return nil
}

func (r *StreamReader) closed() error {
	return closed(fmt.Sprintf("this reader of lane %q is closed", r.lane))
}

// TryNext gives the next record if there is one now. It allocates nothing in Go. It fails with a
// Lapped when records were overwritten before they were read; the next call goes on at a key
// record.
func (r *StreamReader) TryNext() (record Record, found bool, err error) { return r.take() }

func (r *StreamReader) take() (Record, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handle.native == nil {
		return Record{}, false, r.closed()
	}
	h := r.shelf.take()
	if h == nil {
		h = newHeldRecord(r.lane, r.shelf)
	}
	switch code := nativeRead(r.handle.native, &r.problem, &h.loan.native); code {
	case statusOk:
		h.loan.origin.note()
		return Record{h, h.loan.generation.Load()}, true, nil
	case statusTimedOut:
		r.shelf.put(h)
		return Record{}, false, nil
	case statusLapped:
		missed := uint64(h.loan.native.missed)
		r.shelf.put(h)
		return Record{}, false, &Lapped{missed, failure(code, &r.problem)}
	default:
		r.shelf.put(h)
		return Record{}, false, failure(code, &r.problem)
	}
}

// Next gives the next record, and waits for one until the context ends; it then fails with
// ctx.Err(). A record that is there is had whatever the context says. With Lapped as TryNext.
func (r *StreamReader) Next(ctx context.Context) (Record, error) {
	if record, found, err := r.take(); found || err != nil {
		return record, err
	}
	return r.sleeper.sleep(ctx, true)
}

// Wait waits until there may be something to read or the context ends; it then fails with
// ctx.Err().
func (r *StreamReader) Wait(ctx context.Context) error {
	if ready, err := r.ready(); ready || err != nil {
		return err
	}
	_, err := r.sleeper.sleep(ctx, false)
	return err
}

func (r *StreamReader) ready() (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handle.native == nil {
		return false, r.closed()
	}
	return nativeStreamReady(r.handle.native, &r.problem)
}

// Records gives record after record until the context ends or something fails, which comes as the
// last element, without a record. Only a Lapped, which comes without a record too, is not the last:
// a loop that goes on goes on at a key record. Each record has to be released.
func (r *StreamReader) Records(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for {
			record, err := r.Next(ctx)
			if !yield(record, err) || (err != nil && !errors.Is(err, ErrLapped)) {
				return
			}
		}
	}
}

// Seek goes to another place of the stream. It fails with ErrNoKeyFrame when there is no key
// record: the reader stays, and one is asked for; with ErrUnsupported for a lossless reader that
// would have to go back.
func (r *StreamReader) Seek(place StreamStart) error { return r.seek(place, 0) }

// SeekAgo goes to the newest key record that was published so long ago or before, else to the
// oldest there is. It fails as Seek.
func (r *StreamReader) SeekAgo(age time.Duration) error {
	return r.seek(layout.StreamStartKeyBefore, max(age, 0))
}

func (r *StreamReader) seek(place StreamStart, age time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handle.native == nil {
		return r.closed()
	}
	return nativeSeek(r.handle.native, place, uint64(age), &r.problem)
}

// RequestKeyFrame asks the writer for a key record.
func (r *StreamReader) RequestKeyFrame() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handle.native == nil {
		return r.closed()
	}
	return nativeRequestKeyFrame(r.handle.native, &r.problem)
}

// FD is a descriptor that becomes readable when there may be a record, as that of a Consumer.
func (r *StreamReader) FD() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handle.native == nil {
		return -1
	}
	return nativeStreamFd(r.handle.native)
}

func (r *StreamReader) descriptor() (*os.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handle.native == nil {
		return nil, r.closed()
	}
	return duplicate(nativeStreamFd(r.handle.native), r.lane)
}

func (r *StreamReader) counts() (received, missed, epoch uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handle.native == nil {
		return r.last[0], r.last[1], r.last[2]
	}
	return nativeStreamCounts(r.handle.native)
}

// Received is the number of records delivered.
func (r *StreamReader) Received() uint64 { received, _, _ := r.counts(); return received }

// Missed is the number of records that passed without being delivered, seeks left out.
func (r *StreamReader) Missed() uint64 { _, missed, _ := r.counts(); return missed }

// Epoch is the random id of the writer attached to now, 0 while there is none.
func (r *StreamReader) Epoch() uint64 { _, _, epoch := r.counts(); return epoch }

// Held is the number of records that are held in place, earlier epochs included; 0 once closed.
func (r *StreamReader) Held() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handle.native == nil {
		return 0
	}
	return nativeHeld(r.handle.native)
}

// Lane is the name of the lane.
func (r *StreamReader) Lane() string { return r.lane }
