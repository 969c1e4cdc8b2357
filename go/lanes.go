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

// Report is how a lane is, as its producer sees it, or a switch, as its controller does.
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

// How long a question waits where the context has no deadline.
const queryPatience = time.Second

// Asked puts a question to another process, which waits inside the library: it gets a goroutine, so
// that the context can end ours.
func asked[T any](ctx context.Context, ask func(ns uint64) (T, error)) (none T, err error) {
	patience := queryPatience
	if deadline, ok := ctx.Deadline(); ok {
		patience = max(time.Until(deadline), 0)
	}
	type answer struct {
		said T
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		said, err := ask(uint64(patience))
		answers <- answer{said, err}
	}()
	select {
	case got := <-answers:
		return got.said, got.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// Query asks a lane's producer, or a switch's controller, how it is. It takes no lease. Without a
// directory it searches; without a deadline it waits a second.
func Query(ctx context.Context, name, directory string) (*Report, error) {
	return asked(ctx, func(ns uint64) (*Report, error) {
		report := new(Report)
		if err := nativeQuery(name, directory, ns, &report.Report); err != nil {
			return nil, err
		}
		return report, nil
	})
}

// MonotonicNs is the time on the clock of publish times and deadlines.
func MonotonicNs() uint64 { return nativeMonotonicNs() }
