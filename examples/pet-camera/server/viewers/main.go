// Viewers is many viewers of a server at once, by WebRTC or by fragmented MP4.
//
//	viewers -server URL [-count 50] [-kind webrtc|mp4] [-for 10s]
//
// All of them watch for as long, from when the last one has its first picture, or until SIGTERM;
// then one line of JSON says what they got. Latency is from the exposure, whose time the pictures
// carry, until the last byte of the picture was here; it means something on the camera's own
// machine only.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	framelane "github.com/framelane/framelane/go"
)

// arriveLimit is how long the first pictures of all may take together.
const arriveLimit = 60 * time.Second

// clockRate is ticks a second, of RTP video and of the server's MP4.
const clockRate = 90_000

// book is what one viewer got.
type book struct {
	mu                    sync.Mutex // a connection may read on for a moment after its viewer left
	pictures, gaps, bytes int
	latencyMs             []float64

	first     chan struct{} // closed at the first picture
	beginOnce sync.Once
	counting  func() bool
}

// picture notes one whole picture, of which the low 32 bits of its time are known.
func (b *book) picture(ticks uint32, bytes int) {
	b.beginOnce.Do(func() { close(b.first) })
	if !b.counting() {
		return
	}
	now := uint32(framelane.MonotonicNs() / 1000 * 9 / 100)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pictures++
	b.bytes += bytes
	b.latencyMs = append(b.latencyMs, float64(int32(now-ticks))*1000/clockRate)
}

// gap notes that something is missing.
func (b *book) gap() {
	if b.counting() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.gaps++
	}
}

// watcher watches until the context ends, which is no error.
type watcher func(ctx context.Context, server string, book *book) error

func main() {
	server := flag.String("server", "", "address of the server, as it prints it")
	count := flag.Int("count", 50, "how many watch")
	kind := flag.String("kind", "webrtc", "webrtc or mp4")
	span := flag.Duration("for", 10*time.Second, "how long all of them watch")
	flag.Parse()
	watch := map[string]watcher{"webrtc": watchWebRTC, "mp4": watchMP4}[*kind]
	if watch == nil || *server == "" || *count < 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	books, err := run(ctx, watch, *server, *count, *span)
	if err != nil {
		fmt.Fprintln(os.Stderr, "viewers:", err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(sum(*kind, books))
}

// run has them all watch, and ends when the last one has left.
func run(ctx context.Context, watch watcher, server string, count int, span time.Duration,
) ([]*book, error) {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	begun := make(chan struct{})
	counting := func() bool {
		select {
		case <-begun:
			return ctx.Err() == nil
		default:
			return false
		}
	}
	books := make([]*book, count)
	failed := make(chan error, count)
	var watching sync.WaitGroup
	for i := range books {
		books[i] = &book{first: make(chan struct{}), counting: counting}
		watching.Go(func() {
			if err := watch(ctx, server, books[i]); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("viewer %d: %w", i, err)
			}
		})
	}
	err := arrived(ctx, books, failed)
	if err == nil {
		close(begun)
		select {
		case err = <-failed:
		case <-time.After(span):
		case <-ctx.Done():
		}
	}
	leave()
	watching.Wait()
	return books, err
}

// arrived waits until each has its first picture.
func arrived(ctx context.Context, books []*book, failed <-chan error) error {
	late := time.After(arriveLimit)
	for i, book := range books {
		select {
		case <-book.first:
		case err := <-failed:
			return err
		case <-ctx.Done():
			return nil
		case <-late:
			return fmt.Errorf("viewer %d of %d has no picture after %v", i, len(books), arriveLimit)
		}
	}
	return nil
}

// summary is what all of them got together.
type summary struct {
	Kind     string  `json:"kind"`
	Viewers  int     `json:"viewers"`
	Pictures int     `json:"pictures"`
	Least    int     `json:"least"` // of one viewer
	Most     int     `json:"most"`
	Gaps     int     `json:"gaps"` // packets or fragments that are missing between others
	Bytes    int     `json:"bytes"`
	P50Ms    float64 `json:"p50_ms"`
	P99Ms    float64 `json:"p99_ms"`
	MaxMs    float64 `json:"max_ms"`
}

func sum(kind string, books []*book) summary {
	told := summary{Kind: kind, Viewers: len(books), Least: math.MaxInt}
	var all []float64
	for _, book := range books {
		book.mu.Lock()
		defer book.mu.Unlock()
		told.Pictures += book.pictures
		told.Least = min(told.Least, book.pictures)
		told.Most = max(told.Most, book.pictures)
		told.Gaps += book.gaps
		told.Bytes += book.bytes
		all = append(all, book.latencyMs...)
	}
	slices.Sort(all)
	if n := len(all); n > 0 {
		told.P50Ms, told.P99Ms, told.MaxMs = all[n/2], all[n*99/100], all[n-1]
	}
	return told
}

// ended is nil where the context's end is why something failed.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
