package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	framelane "github.com/framelane/framelane/go"
)

const (
	// queued is how many pictures a viewer may fall behind: two seconds at 60 a second.
	queued = 120
	// gopLimit bounds what is kept for late viewers.
	gopLimit = 600
	// linger is how long the stream is read after the last viewer has left.
	linger = 10 * time.Second
	// pause follows a failed attempt to read.
	pause = time.Second
)

// hub reads the stream once, and only while somebody watches, and gives each unit to every viewer.
type hub struct {
	lane    string
	options []framelane.StreamReaderOption
	metrics *metrics

	mu      sync.Mutex
	viewers map[*viewer]struct{}
	gop     []*unit // from the newest key unit on
	reader  *framelane.StreamReader
	lastNs  uint64 // publish time of the newest unit
	problem string // why there is no reader
	arrived chan struct{}
	left    time.Time
}

// viewer is one who watches. A viewer that falls behind loses pictures up to the next key unit, and
// nobody waits for it.
type viewer struct {
	kind    string
	units   chan *unit
	waiting bool // for a key unit; guarded by the hub
}

func newHub(lane string, metrics *metrics, options ...framelane.StreamReaderOption) *hub {
	return &hub{
		lane:    lane,
		options: options,
		metrics: metrics,
		viewers: map[*viewer]struct{}{},
		arrived: make(chan struct{}, 1),
	}
}

// join adds a viewer, who gets the pictures since the newest key unit at once. It must leave.
func (h *hub) join(kind string) *viewer {
	h.mu.Lock()
	defer h.mu.Unlock()
	made := &viewer{kind: kind, units: make(chan *unit, len(h.gop)+queued), waiting: len(h.gop) == 0}
	for _, unit := range h.gop {
		made.units <- unit
	}
	h.viewers[made] = struct{}{}
	h.metrics.viewers.WithLabelValues(kind).Inc()
	select {
	case h.arrived <- struct{}{}:
	default:
	}
	if len(h.gop) != 1 {
		h.ask() // a long group of pictures takes the viewer long to go through
	}
	return made
}

func (h *hub) leave(viewer *viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, there := h.viewers[viewer]; !there {
		return
	}
	delete(h.viewers, viewer)
	h.left = time.Now()
	h.metrics.viewers.WithLabelValues(viewer.kind).Dec()
}

// requestKey asks the encoder for a key frame; the lane limits how often it is told.
func (h *hub) requestKey() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ask()
}

func (h *hub) ask() {
	if h.reader != nil && h.reader.RequestKeyFrame() == nil {
		h.metrics.keyRequests.Inc()
	}
}

// run reads until the context ends.
func (h *hub) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-h.arrived:
		}
		for h.watched() && ctx.Err() == nil {
			err := h.read(ctx)
			if err == nil || ctx.Err() != nil {
				break
			}
			h.failed(err)
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		}
	}
}

// watched tells whether there are viewers, or were a moment ago.
func (h *hub) watched() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.viewers) > 0 || time.Since(h.left) < linger
}

func (h *hub) failed(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.problem != err.Error() {
		slog.Warn("stream is not read", "lane", h.lane, "error", err)
	}
	h.problem = err.Error()
}

// read gives units to viewers until nobody watches any more (nil) or the stream fails.
func (h *hub) read(ctx context.Context) error {
	options := append([]framelane.StreamReaderOption{
		framelane.WithStart(framelane.StartNewestKey), framelane.WithAfterLap(framelane.StartNewestKey),
	}, h.options...)
	reader, err := framelane.OpenStream(ctx, h.lane, options...)
	if err != nil {
		return err
	}
	defer reader.Close()
	h.attach(reader)
	defer h.attach(nil)
	var splitter splitter
	for h.watched() {
		unit, err := h.next(ctx, reader, &splitter)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			continue // nothing now: look again whether somebody watches
		case err != nil:
			return err
		case unit != nil:
			h.give(unit)
		}
	}
	return nil
}

// next is the next unit; nil where a record was none or some were lost.
func (h *hub) next(ctx context.Context, reader *framelane.StreamReader, splitter *splitter,
) (*unit, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	record, err := reader.Next(ctx)
	var lapped *framelane.Lapped
	if errors.As(err, &lapped) {
		h.metrics.lapped.Add(float64(lapped.Missed))
		h.broken()
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer record.Release()
	if record.NewEpoch() || record.NewConfig() {
		h.broken()
	}
	unit, err := splitter.unit(record)
	if err != nil {
		h.metrics.refused.Inc()
		if errors.Is(err, errNoParameters) {
			h.requestKey()
		}
		slog.Debug("record passed over", "lane", h.lane, "error", err)
		h.broken()
		return nil, nil
	}
	return unit, nil
}

// broken says that what comes next does not continue what came before.
func (h *hub) broken() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gop = nil
	for viewer := range h.viewers {
		viewer.waiting = true
	}
}

func (h *hub) attach(reader *framelane.StreamReader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reader, h.gop = reader, nil
	if reader != nil {
		h.problem = ""
		h.ask()
	}
}

func (h *hub) give(unit *unit) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.metrics.units.Inc()
	h.lastNs = unit.publishNs
	switch {
	case unit.key:
		h.gop = append(h.gop[:0:0], unit)
	case len(h.gop) >= gopLimit:
		h.gop = nil
	case len(h.gop) > 0:
		h.gop = append(h.gop, unit)
	}
	for viewer := range h.viewers {
		h.offer(viewer, unit)
	}
}

func (h *hub) offer(viewer *viewer, unit *unit) {
	if viewer.waiting && !unit.key {
		h.metrics.dropped.WithLabelValues(viewer.kind).Inc()
		return
	}
	select {
	case viewer.units <- unit:
		viewer.waiting = false
	default:
		viewer.waiting = true
		h.metrics.dropped.WithLabelValues(viewer.kind).Inc()
	}
}

// status is what the health page shows of the stream.
type status struct {
	Lane    string  `json:"lane"`
	Reading bool    `json:"reading"`
	Viewers int     `json:"viewers"`
	AgeS    float64 `json:"newest_unit_age_s"`
	Codec   string  `json:"codec,omitempty"`
	Width   uint32  `json:"width,omitempty"`
	Height  uint32  `json:"height,omitempty"`
	Problem string  `json:"problem,omitempty"`
}

func (h *hub) status() status {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := status{Lane: h.lane, Reading: h.reader != nil, Viewers: len(h.viewers), Problem: h.problem,
		AgeS: -1}
	if h.lastNs > 0 {
		told.AgeS = (time.Duration(framelane.MonotonicNs() - h.lastNs)).Seconds()
	}
	if len(h.gop) > 0 {
		video := h.gop[0].video
		told.Codec, told.Width, told.Height = video.name, video.width, video.height
	}
	return told
}
