package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"

	framelane "github.com/framelane/framelane/go"
)

const (
	patience = 30 * time.Second
	width    = 320
	height   = 240
	gop      = 15
)

// clip is one second and a bit of real H.264, one element for each picture; it begins with a key.
var clip = sync.OnceValues(func() ([][]byte, error) {
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi",
		"-i", "testsrc=size=320x240:rate=30", "-frames:v", "45", "-pix_fmt", "yuv420p", "-c:v", "libx264",
		"-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline",
		"-x264-params", "keyint=15:min-keyint=15:scenecut=0:aud=1:repeat-headers=1",
		"-f", "h264", "-").Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return nil, fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: install ffmpeg, or run `cargo xtask test --tier pet-camera`", err)
	}
	delimiter := []byte{0, 0, 0, 1, 9}
	var units [][]byte
	for _, unit := range bytes.Split(out, delimiter)[1:] {
		units = append(units, append(bytes.Clone(delimiter), unit...))
	}
	return units, nil
})

// camera publishes the clip round and round, at 30 pictures a second.
type camera struct {
	lane   string
	at     string
	stop   context.CancelFunc
	done   chan struct{}
	writer *framelane.StreamWriter
}

func startCamera(t *testing.T, at, lane string) *camera {
	t.Helper()
	units, err := clip()
	if err != nil {
		t.Fatalf("no clip: %v", err)
	}
	config := framelane.VideoConfig(framelane.CodecH264, width, height)
	config.FpsNumerator, config.FpsDenominator = 30, 1
	writer, err := framelane.CreateStream(lane, config, framelane.WithDirectory(at))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	made := &camera{lane, at, stop, make(chan struct{}), writer}
	go made.run(ctx, t, units)
	t.Cleanup(made.end)
	return made
}

func (c *camera) end() {
	c.stop()
	<-c.done
	c.writer.Close()
}

func (c *camera) run(ctx context.Context, t *testing.T, units [][]byte) {
	defer close(c.done)
	tick := time.NewTicker(time.Second / 30)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		info := framelane.NewRecordInfo()
		if n%gop == 0 {
			info = framelane.KeyInfo(0)
		}
		info.PtsNs, info.CaptureID = int64(framelane.MonotonicNs()), uint64(n+1)
		if _, err := c.writer.TryWrite(&info, units[n%len(units)]); err != nil {
			t.Errorf("picture %d: %v", n, err)
			return
		}
	}
}

// publishFrames publishes grey frames, each of its own brightness, until the test ends.
func publishFrames(t *testing.T, at, lane string) {
	t.Helper()
	producer, err := framelane.Create(lane, framelane.WithDirectory(at),
		framelane.WithPicture(framelane.NV12, width, height))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() { stop(); <-done; producer.Close() })
	go func() {
		defer close(done)
		for n := uint64(1); ctx.Err() == nil; n++ {
			frame, err := producer.TryClaim()
			if err != nil {
				t.Error(err)
				return
			}
			payload := frame.Payload()
			for i := range payload {
				payload[i] = 128
			}
			frame.Descriptor().CaptureID = n
			if _, err := frame.Publish(); err != nil {
				t.Error(err)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
}

// boxes are the types of the boxes at the top of an MP4, as far as they are whole.
func boxes(mp4 []byte) (types []string) {
	for len(mp4) >= 8 {
		size := int(binary.BigEndian.Uint32(mp4))
		if size < 8 || size > len(mp4) {
			return types
		}
		types = append(types, string(mp4[4:8]))
		mp4 = mp4[size:]
	}
	return types
}
