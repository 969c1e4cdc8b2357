package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
)

const (
	// firstWait is how long a new viewer waits for the first key unit.
	firstWait = 5 * time.Second
	// writeLimit ends viewers that take nothing at all.
	writeLimit = 10 * time.Second
)

// mux makes one fragment of one unit, so that it can be shown as soon as it is there.
func mux(u *unit) ([]byte, error) {
	sample := &fmp4.Sample{Duration: u.video.frameTicks}
	// Both codecs are framed alike; only what makes a key differs, and the record says that.
	if err := sample.FillH264(0, u.nalus); err != nil {
		return nil, err
	}
	sample.IsNonSyncSample = !u.key
	var out seekablebuffer.Buffer
	err := fmp4.Part{
		SequenceNumber: uint32(u.ticks / uint64(u.video.frameTicks)),
		Tracks: []*fmp4.PartTrack{
			{ID: 1, BaseTime: u.ticks, Samples: []*fmp4.Sample{sample}},
		},
	}.Marshal(&out)
	return out.Bytes(), err
}

func (v *video) head() ([]byte, error) {
	var out seekablebuffer.Buffer
	track := &fmp4.InitTrack{ID: 1, TimeScale: clockRate, Codec: v.track}
	err := fmp4.Init{Tracks: []*fmp4.InitTrack{track}}.Marshal(&out)
	return out.Bytes(), err
}

// serveMP4 sends fragmented MP4 for as long as the viewer listens, for Media Source Extensions or
// any player: GET /video.mp4. It ends when the parameters change; the viewer asks again.
func (h *hub) serveMP4(w http.ResponseWriter, r *http.Request) {
	viewer := h.join("mp4")
	defer h.leave(viewer)
	var first *unit
	select {
	case first = <-viewer.units:
	case <-r.Context().Done():
		return
	case <-time.After(firstWait):
		told := h.status()
		http.Error(w, fmt.Sprintf("no picture from %s: %s", told.Lane, orElse(told.Problem,
			"the encoder sends no key frame")), http.StatusServiceUnavailable)
		return
	}
	head, err := first.video.head()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", fmt.Sprintf("video/mp4; codecs=%q", first.video.name))
	w.Header().Set("Cache-Control", "no-store")
	sender := mp4Sender{hub: h, out: w, control: http.NewResponseController(w)}
	if sender.send(head) != nil || sender.unit(first) != nil {
		return
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case unit := <-viewer.units:
			if unit.video != first.video || sender.unit(unit) != nil {
				return
			}
		}
	}
}

type mp4Sender struct {
	hub     *hub
	out     http.ResponseWriter
	control *http.ResponseController
}

func (s *mp4Sender) unit(unit *unit) error {
	fragment, err := unit.fragment()
	if err != nil {
		return err
	}
	if err := s.send(fragment); err != nil {
		return err
	}
	s.hub.metrics.sent("mp4", len(fragment), unit)
	return nil
}

func (s *mp4Sender) send(bytes []byte) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	if _, err := s.out.Write(bytes); err != nil {
		return err
	}
	return s.control.Flush()
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
