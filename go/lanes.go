package framelane

import (
	"bytes"
	"context"
	"time"

	"github.com/framelane/framelane/go/layout"
)

// Lane is a lane that has a socket.
type Lane struct {
	Name      string
	Directory string
}

// List tells which lanes have a socket, by name. Without a directory it searches.
func List(directory string) ([]Lane, error) {
	var lanes []Lane
	err := nativeDiscover(directory, func(lane Lane) { lanes = append(lanes, lane) })
	return lanes, err
}

// Report is how a lane is, as its producer sees it.
type Report struct{ layout.Report }

// Attached are the consumers.
func (r *Report) Attached() []layout.ConsumerReport {
	return r.Consumers[:min(int(r.ConsumerCount), len(r.Consumers))]
}

// Text reads a text of fixed size, as the Command of a ConsumerReport.
func Text(padded []byte) string {
	text, _, _ := bytes.Cut(padded, []byte{0})
	return string(text)
}

// How long Query waits where the context has no deadline.
const queryPatience = time.Second

// Query asks a lane's producer how the lane is. It takes no lease. Without a directory it
// searches; without a deadline it waits a second.
func Query(ctx context.Context, name, directory string) (*Report, error) {
	patience := queryPatience
	if deadline, ok := ctx.Deadline(); ok {
		patience = max(time.Until(deadline), 0)
	}
	type answer struct {
		report *Report
		err    error
	}
	// The wait is inside the library: it gets a goroutine, so that the context can end ours.
	answers := make(chan answer, 1)
	go func() {
		report := new(Report)
		err := nativeQuery(name, directory, uint64(patience), &report.Report)
		answers <- answer{report, err}
	}()
	select {
	case got := <-answers:
		if got.err != nil {
			return nil, got.err
		}
		return got.report, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// MonotonicNs is the time on the clock of publish times and deadlines.
func MonotonicNs() uint64 { return nativeMonotonicNs() }
