package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"time"

	framelane "github.com/framelane/framelane/go"
)

const (
	snapshotWait = 3 * time.Second
	// snapshotsAtOnce bounds the leases and the encoders of a crowd.
	snapshotsAtOnce = 2
)

// snapshots encodes single frames of a frame lane or switch: GET /snapshot.jpg, /snapshot.png.
type snapshots struct {
	lane    string
	options []framelane.ConsumerOption
	turn    chan struct{}
}

func newSnapshots(lane string, options ...framelane.ConsumerOption) *snapshots {
	return &snapshots{lane: lane, options: options, turn: make(chan struct{}, snapshotsAtOnce)}
}

type encoder func(io.Writer, image.Image) error

func encodeJPEG(to io.Writer, picture image.Image) error {
	return jpeg.Encode(to, picture, &jpeg.Options{Quality: 85})
}

func (s *snapshots) handler(kind string, encode encoder) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), snapshotWait)
		defer cancel()
		select {
		case s.turn <- struct{}{}:
			defer func() { <-s.turn }()
		case <-ctx.Done():
			http.Error(w, "too many snapshots at once", http.StatusServiceUnavailable)
			return
		}
		var out bytes.Buffer
		info, err := s.take(ctx, &out, encode)
		if err != nil {
			http.Error(w, fmt.Sprintf("no snapshot of %s: %v", s.lane, err),
				http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Frame-Sequence", fmt.Sprint(info.Sequence))
		w.Header().Set("X-Capture-Id", fmt.Sprint(info.CaptureID))
		_, _ = out.WriteTo(w)
	}
}

// take encodes the newest frame, from where the camera put it. A frame in device memory that was
// taken back meanwhile is no picture: the next one is copied first, for encoding may take longer
// than any lease.
func (s *snapshots) take(ctx context.Context, out *bytes.Buffer, encode encoder,
) (framelane.FrameDescriptor, error) {
	options := append([]framelane.ConsumerOption{framelane.WithWaitForLane(time.Second)}, s.options...)
	frames, err := openFrames(ctx, s.lane, options...)
	if err != nil {
		return framelane.FrameDescriptor{}, err
	}
	defer frames.Close()
	for inPlace := true; ; inPlace = false {
		out.Reset()
		info, err := once(ctx, frames, out, encode, inPlace)
		if !errors.Is(err, framelane.ErrRevoked) {
			return info, err
		}
	}
}

// frameReader reads a lane, or whatever lane of a switch is active.
type frameReader interface {
	Next(ctx context.Context) (framelane.Frame, error)
	Close() error
}

func openFrames(ctx context.Context, name string, options ...framelane.ConsumerOption,
) (frameReader, error) {
	consumer, err := framelane.Open(ctx, name, framelane.Latest, options...)
	if !errors.Is(err, framelane.ErrUnsupported) {
		return consumer, err
	}
	active, refused := framelane.OpenSwitch(ctx, name, framelane.Latest, options...)
	if errors.Is(refused, framelane.ErrUnsupported) {
		// It is no switch but a lane that cannot be read.
		return nil, err
	}
	return active, refused
}

func once(ctx context.Context, frames frameReader, out *bytes.Buffer, encode encoder, inPlace bool,
) (framelane.FrameDescriptor, error) {
	frame, err := frames.Next(ctx)
	if err != nil {
		return framelane.FrameDescriptor{}, err
	}
	info := *frame.Descriptor()
	picture, err := frame.Image()
	if lent, ok := picture.(*framelane.SemiPlanar); ok && !inPlace {
		own := copied(lent)
		if err := frame.Release(); err != nil {
			return info, err
		}
		return info, encode(out, own)
	}
	if err == nil {
		err = encode(out, picture)
	}
	return info, errors.Join(err, frame.Release())
}

// copied is the same picture in memory that nobody takes back. Cameras write no other kind to
// memory of theirs.
func copied(lent *framelane.SemiPlanar) *framelane.SemiPlanar {
	own := *lent
	own.Y, own.UV = bytes.Clone(lent.Y), bytes.Clone(lent.UV)
	return &own
}
