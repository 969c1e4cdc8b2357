// Server shows a stream lane to browsers: WebRTC and fragmented MP4 from one reader, snapshots from
// a frame lane, metrics and health.
//
//	server -stream LANE -frames LANE [-listen ADDRESS] [-allow-origin ORIGIN]
//
// It prints the address it listens on as its first line, and ends well at SIGINT and SIGTERM.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// staleS is the age in seconds from which a watched stream counts as down.
const staleS = 5

func main() {
	stream := flag.String("stream", "pet_camera_stream", "stream lane of H.264 (or H.265) to show")
	frames := flag.String("frames", "pet_camera_active_zc", "frame lane or switch of the snapshots")
	listen := flag.String("listen", "127.0.0.1:0", "address; port 0 takes a free one")
	origin := flag.String("allow-origin", "", "origin of a page elsewhere that may use this server")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *stream, *frames, *listen, *origin); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, stream, frames, listen, origin string) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	service, err := newService(ctx, newHub(stream, newMetrics()), newSnapshots(frames), origin)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return service.serve(ctx, listener)
}

// service is everything behind one listener.
type service struct {
	hub    *hub
	peers  *peers
	server *http.Server
	ended  chan struct{} // the hub
	cancel context.CancelFunc
}

func newService(ctx context.Context, hub *hub, snapshots *snapshots, origin string,
) (*service, error) {
	ctx, cancel := context.WithCancel(ctx)
	peers, err := newPeers(ctx, hub)
	if err != nil {
		cancel()
		return nil, err
	}
	made := &service{hub: hub, peers: peers, ended: make(chan struct{}), cancel: cancel}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /video.mp4", hub.serveMP4)
	mux.HandleFunc("POST /whep", peers.serveOffer)
	mux.HandleFunc("DELETE /whep/{session}", peers.serveEnd)
	mux.HandleFunc("GET /snapshot.jpg", snapshots.handler("image/jpeg", encodeJPEG))
	mux.HandleFunc("GET /snapshot.png", snapshots.handler("image/png", png.Encode))
	mux.HandleFunc("GET /healthz", made.serveHealth)
	mux.Handle("GET /metrics", hub.metrics.handler())
	made.server = &http.Server{
		Handler:           allow(origin, mux),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	go func() {
		defer close(made.ended)
		hub.run(ctx)
	}()
	return made, nil
}

// serve ends when the context does, with nothing left running.
func (s *service) serve(ctx context.Context, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- s.server.Serve(listener) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	s.cancel()
	within, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if stopped := s.server.Shutdown(within); stopped != nil {
		err = errors.Join(err, stopped, s.server.Close())
	}
	s.peers.close()
	<-s.ended
	return err
}

// serveHealth answers 200 where pictures come as they should, or nobody asks for any.
func (s *service) serveHealth(w http.ResponseWriter, _ *http.Request) {
	told := s.hub.status()
	w.Header().Set("Content-Type", "application/json")
	if told.Viewers > 0 && (!told.Reading || told.AgeS > staleS) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(told)
}

// allow lets a page of another origin read the answers.
func allow(origin string, next http.Handler) http.Handler {
	if origin == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Expose-Headers", "Location, X-Frame-Sequence, X-Capture-Id")
		if r.Method == http.MethodOptions {
			header.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
			header.Set("Access-Control-Allow-Headers", "Content-Type")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func init() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
}
