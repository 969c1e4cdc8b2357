package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	framelane "github.com/framelane/framelane/go"
)

// start runs a server on a free port of this machine until the test ends.
func start(t *testing.T, at string) (address string, service *service) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	directory := framelane.WithDirectory(at)
	service, err = newService(ctx, newHub("stream", newMetrics(), directory),
		newSnapshots("frames", directory), "*")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- service.serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("server: %v", err)
			}
		case <-time.After(patience):
			t.Error("the server does not end")
		}
	})
	return "http://" + listener.Addr().String(), service
}

// get fetches at most this much of a path.
func get(t *testing.T, url string, most int64) (*http.Response, []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, most))
	if err != nil {
		t.Fatal(err)
	}
	return answer, body
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

func TestMP4BeginsWithAKeyAndDecodes(t *testing.T) {
	at := t.TempDir()
	startCamera(t, at, "stream")
	address, _ := start(t, at)
	answer, video := get(t, address+"/video.mp4", 100_000)
	kind := answer.Header.Get("Content-Type")
	if !strings.HasPrefix(kind, `video/mp4; codecs="avc1.42`) {
		t.Errorf("content type %q", kind)
	}
	found := boxes(video)
	if len(found) < 6 || strings.Join(found[:4], " ") != "ftyp moov moof mdat" {
		t.Fatalf("boxes %v", found)
	}
	whole := video[:wholeBytes(video)]
	decodes(t, whole, "-f", "mp4")
}

// decodes has ffmpeg decode a video; its time base is fine enough for times as they come.
func decodes(t *testing.T, video []byte, format ...string) {
	t.Helper()
	arguments := append([]string{"-v", "error", "-xerror"}, format...)
	arguments = append(arguments, "-i", "-", "-enc_time_base", "1:90000", "-f", "null", "-")
	decode := exec.Command("ffmpeg", arguments...)
	decode.Stdin = bytes.NewReader(video)
	if said, err := decode.CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("ffmpeg: %v: %s", err, said)
	}
}

// wholeBytes is how many bytes of an MP4 end with a whole mdat.
func wholeBytes(mp4 []byte) (whole int) {
	at := 0
	for len(mp4)-at >= 8 {
		size := int(mp4[at])<<24 | int(mp4[at+1])<<16 | int(mp4[at+2])<<8 | int(mp4[at+3])
		if size < 8 || at+size > len(mp4) {
			break
		}
		kind := string(mp4[at+4 : at+8])
		at += size
		if kind == "mdat" {
			whole = at
		}
	}
	return whole
}

func TestLateViewerGetsAPictureFromTheCachedGroup(t *testing.T) {
	at := t.TempDir()
	camera := startCamera(t, at, "stream")
	address, service := start(t, at)
	get(t, address+"/video.mp4", 50_000)
	camera.stop() // no key frame comes any more
	<-camera.done
	_, video := get(t, address+"/video.mp4", 2_000)
	if found := boxes(video); len(found) < 2 || found[1] != "moov" {
		t.Errorf("boxes %v", found)
	}
	if told := service.hub.status(); told.Width != width || told.Height != height {
		t.Errorf("status %+v", told)
	}
}

func TestWithoutStreamEveryViewerIsTold(t *testing.T) {
	address, _ := start(t, t.TempDir())
	for path, lane := range map[string]string{"/video.mp4": "stream", "/snapshot.jpg": "frames"} {
		answer, said := get(t, address+path, 10_000)
		told := strings.Contains(string(said), lane)
		if answer.StatusCode != http.StatusServiceUnavailable || !told {
			t.Errorf("%v: %s", answer.Status, said)
		}
	}
}

func TestHealthFollowsTheStream(t *testing.T) {
	at := t.TempDir()
	address, service := start(t, at)
	health := func() (int, status) {
		answer, body := get(t, address+"/healthz", 10_000)
		var told status
		if err := json.Unmarshal(body, &told); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		return answer.StatusCode, told
	}
	if code, told := health(); code != http.StatusOK || told.Reading {
		t.Errorf("idle: %v %+v", code, told)
	}
	viewer := service.hub.join("test")
	defer service.hub.leave(viewer)
	until(t, "a missing stream is a fault", func() bool {
		code, told := health()
		return code == http.StatusServiceUnavailable && told.Problem != ""
	})
	startCamera(t, at, "stream")
	until(t, "the stream is read once it is there", func() bool {
		code, told := health()
		return code == http.StatusOK && told.Reading && told.Codec != ""
	})
}

func TestStreamRestartGoesOn(t *testing.T) {
	at := t.TempDir()
	camera := startCamera(t, at, "stream")
	_, service := start(t, at)
	viewer := service.hub.join("test")
	defer service.hub.leave(viewer)
	receive(t, viewer)
	camera.end()
	startCamera(t, at, "stream")
	before := framelane.MonotonicNs()
	until(t, "pictures of the new writer", func() bool {
		return receive(t, viewer).publishNs > before
	})
}

func receive(t *testing.T, viewer *viewer) *unit {
	t.Helper()
	select {
	case unit := <-viewer.units:
		return unit
	case <-time.After(patience):
		t.Fatal("no picture")
		return nil
	}
}

func TestSlowViewerLosesPicturesUpToAKeyAndDelaysNobody(t *testing.T) {
	hub := newHub("none", newMetrics())
	slow, quick := hub.join("slow"), hub.join("quick")
	var last uint64
	for n := range uint64(3 * queued) {
		hub.give(&unit{video: &video{}, key: n%gop == 0, ticks: n})
		if got := receive(t, quick); got.ticks != n {
			t.Fatalf("picture %d instead of %d", got.ticks, n)
		}
	}
	for range queued {
		last = receive(t, slow).ticks
	}
	hub.give(&unit{video: &video{}, key: true, ticks: 3 * queued})
	if next := receive(t, slow); !next.key || next.ticks != 3*queued || last != queued-1 {
		t.Errorf("after %d comes %d, key %v", last, next.ticks, next.key)
	}
}

func TestSnapshotsArePictures(t *testing.T) {
	at := t.TempDir()
	publishFrames(t, at, "frames")
	address, _ := start(t, at)
	answer, body := get(t, address+"/snapshot.jpg", 1<<20)
	picture, err := jpeg.Decode(bytes.NewReader(body))
	if err != nil || picture.Bounds().Dx() != width {
		t.Errorf("jpeg: %v", err)
	}
	if answer.Header.Get("X-Capture-Id") == "" {
		t.Error("no capture id")
	}
	_, body = get(t, address+"/snapshot.png", 1<<20)
	picture, err = png.Decode(bytes.NewReader(body))
	if err != nil || picture.Bounds().Dy() != height {
		t.Errorf("png: %v", err)
	}
}

func TestASnapshotOfASwitchIsOfItsActiveLane(t *testing.T) {
	at := t.TempDir()
	publishFrames(t, at, "frames")
	controller, err := framelane.CreateSwitch("front", []string{"none", "frames"},
		framelane.WithActive(1), framelane.WithDirectory(at))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = controller.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var out bytes.Buffer
	snapshots := newSnapshots("front", framelane.WithDirectory(at))
	if _, err := snapshots.take(ctx, &out, encodeJPEG); err != nil {
		t.Fatal(err)
	}
	if picture, err := jpeg.Decode(&out); err != nil || picture.Bounds().Dx() != width {
		t.Errorf("jpeg: %v", err)
	}
}

// watch connects by WebRTC and gives whole pictures, as Annex B, until the test ends.
func watch(t *testing.T, address string) (<-chan []byte, func()) {
	t.Helper()
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	connection, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(
		webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := connection.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	pictures := make(chan []byte, 1000)
	connection.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		gather(track.ReadRTP, pictures)
	})
	offer, err := connection.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(connection)
	if err := connection.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	answer, err := http.Post(address+"/whep", "application/sdp",
		strings.NewReader(connection.LocalDescription().SDP))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	sdp, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s", answer.Status, sdp)
	}
	description := webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(sdp)}
	if err := connection.SetRemoteDescription(description); err != nil {
		t.Fatal(err)
	}
	session := answer.Header.Get("Location")
	return pictures, func() {
		request, _ := http.NewRequest(http.MethodDelete, address+session, nil)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Error(err)
		} else {
			answer.Body.Close()
		}
		connection.Close()
	}
}

type readRTP[A any] func() (*rtp.Packet, A, error)

func gather[A any](read readRTP[A], pictures chan<- []byte) {
	var depacketizer codecs.H264Packet
	var picture []byte
	for {
		packet, _, err := read()
		if err != nil {
			return
		}
		piece, err := depacketizer.Unmarshal(packet.Payload)
		if err != nil {
			return
		}
		picture = append(picture, piece...)
		if packet.Marker {
			pictures <- picture
			picture = nil
		}
	}
}

func TestWebRTCDeliversPicturesThatDecode(t *testing.T) {
	at := t.TempDir()
	startCamera(t, at, "stream")
	address, service := start(t, at)
	pictures, end := watch(t, address)
	var stream bytes.Buffer
	for range 2 * gop {
		select {
		case picture := <-pictures:
			stream.Write(picture)
		case <-time.After(patience):
			t.Fatal("no picture")
		}
	}
	decodes(t, stream.Bytes(), "-f", "h264")
	end()
	until(t, "the viewer is gone", func() bool { return service.hub.status().Viewers == 0 })
}

func TestGarbageOffersAreRefused(t *testing.T) {
	address, _ := start(t, t.TempDir())
	post := func(kind, body string) int {
		answer, err := http.Post(address+"/whep", kind, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	for body, want := range map[string]int{
		"":                                 http.StatusBadRequest,
		"v=0\r\nnonsense":                  http.StatusBadRequest,
		strings.Repeat("x", offerLimit+10): http.StatusRequestEntityTooLarge,
	} {
		if got := post("application/sdp", body); got != want {
			t.Errorf("%.20q: %d instead of %d", body, got, want)
		}
	}
	if got := post("text/plain", "v=0"); got != http.StatusUnsupportedMediaType {
		t.Errorf("text: %d", got)
	}
}

func TestNothingIsLeftRunning(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("viewers", func(t *testing.T) {
		at := t.TempDir()
		startCamera(t, at, "stream")
		address, _ := start(t, at)
		for range 3 {
			pictures, end := watch(t, address)
			select {
			case <-pictures:
			case <-time.After(patience):
				t.Fatal("no picture")
			}
			end()
			get(t, address+"/video.mp4", 20_000)
		}
		// One is still there when the server ends.
		pictures, _ := watch(t, address)
		<-pictures
	})
	http.DefaultClient.CloseIdleConnections()
	until(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= before+8 })
}

func TestAPortInUseIsAnError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	err = run(context.Background(), "stream", "frames", listener.Addr().String(), "")
	var problem *net.OpError
	if !errors.As(err, &problem) {
		t.Errorf("%v", err)
	}
}

func TestMetricsTellOfViewers(t *testing.T) {
	at := t.TempDir()
	startCamera(t, at, "stream")
	address, _ := start(t, filepath.Clean(at))
	get(t, address+"/video.mp4", 50_000)
	_, said := get(t, address+"/metrics", 1<<20)
	for _, name := range []string{
		`framelane_server_viewers{kind="mp4"} 0`, `framelane_server_sent_bytes_total{kind="mp4"}`,
		"framelane_server_latency_seconds_bucket", "framelane_server_units_total",
	} {
		if !strings.Contains(string(said), name) {
			t.Errorf("%s is missing in %s", name, said)
		}
	}
}

func TestACopiedPictureIsTheSameInMemoryOfItsOwn(t *testing.T) {
	lent := &framelane.SemiPlanar{Y: []byte{1, 2, 3, 4}, UV: []byte{5, 6}, YStride: 2, UVStride: 2,
		Rect: image.Rect(0, 0, 2, 2)}
	own := copied(lent)
	before := own.At(1, 1)
	lent.Y[3], lent.UV[0] = 90, 90
	if own.At(1, 1) != before || lent.At(1, 1) == before {
		t.Fatalf("%v, then %v", before, own.At(1, 1))
	}
}
