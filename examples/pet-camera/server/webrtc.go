package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	framelane "github.com/framelane/framelane/go"
)

const (
	// packetBytes of RTP fit the usual Ethernet with room for SRTP, UDP and IPv6.
	packetBytes = 1200
	// offerLimit bounds what a stranger can have us read.
	offerLimit = 64 << 10
	// connectLimit ends a viewer who offers and never comes.
	connectLimit = 20 * time.Second
	// peerLimit bounds the viewers by WebRTC.
	peerLimit = 200
)

// peers are the viewers by WebRTC, spoken to as WHEP says: POST an offer, DELETE the session.
type peers struct {
	hub *hub
	api *webrtc.API
	ctx context.Context

	mu       sync.Mutex
	sessions map[string]*webrtc.PeerConnection
	running  sync.WaitGroup
}

func newPeers(ctx context.Context, hub *hub) (*peers, error) {
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true) // a viewer on this machine may have nothing else
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeQueryOnly)
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(settings))
	return &peers{hub: hub, api: api, ctx: ctx, sessions: map[string]*webrtc.PeerConnection{}}, nil
}

func (p *peers) serveOffer(w http.ResponseWriter, r *http.Request) {
	if kind := r.Header.Get("Content-Type"); kind != "application/sdp" {
		http.Error(w, fmt.Sprintf("an offer is application/sdp, not %q", kind),
			http.StatusUnsupportedMediaType)
		return
	}
	offer, err := io.ReadAll(http.MaxBytesReader(w, r.Body, offerLimit))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	id, answer, status, err := p.connect(r.Context(), string(offer))
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	w.Header().Set("Content-Type", "application/sdp")
	w.Header().Set("Location", "/whep/"+id)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer)
}

func (p *peers) serveEnd(w http.ResponseWriter, r *http.Request) {
	if !p.end(r.PathValue("session")) {
		http.Error(w, "there is no such session", http.StatusNotFound)
	}
}

// connect answers an offer; the session sends until either side ends it.
func (p *peers) connect(ctx context.Context, offer string,
) (id, answer string, status int, err error) {
	connection, err := p.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return "", "", http.StatusInternalServerError, err
	}
	id = rand.Text()
	if !p.admit(id, connection) {
		return "", "", http.StatusServiceUnavailable,
			errors.Join(fmt.Errorf("%d viewers are the limit", peerLimit), connection.Close())
	}
	answer, sender, track, err := negotiate(ctx, connection, offer)
	if err != nil {
		p.end(id)
		return "", "", http.StatusBadRequest, err
	}
	p.start(id, connection, sender, track)
	return id, answer, http.StatusCreated, nil
}

func negotiate(ctx context.Context, connection *webrtc.PeerConnection, offer string,
) (string, *webrtc.RTPSender, *webrtc.TrackLocalStaticRTP, error) {
	capability := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: clockRate}
	track, err := webrtc.NewTrackLocalStaticRTP(capability, "video", "framelane")
	if err != nil {
		return "", nil, nil, err
	}
	sender, err := connection.AddTrack(track)
	if err != nil {
		return "", nil, nil, err
	}
	description := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}
	if err := connection.SetRemoteDescription(description); err != nil {
		return "", nil, nil, fmt.Errorf("the offer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(connection)
	made, err := connection.CreateAnswer(nil)
	if err != nil {
		return "", nil, nil, fmt.Errorf("the answer: %w", err)
	}
	if err := connection.SetLocalDescription(made); err != nil {
		return "", nil, nil, fmt.Errorf("the answer: %w", err)
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", nil, nil, ctx.Err()
	}
	return connection.LocalDescription().SDP, sender, track, nil
}

// start sends once the viewer is connected, until the connection ends or the server does.
func (p *peers) start(id string, connection *webrtc.PeerConnection, sender *webrtc.RTPSender,
	track *webrtc.TrackLocalStaticRTP) {
	ctx, cancel := context.WithCancel(p.ctx)
	connected := make(chan struct{})
	var once sync.Once
	connection.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		switch state {
		case webrtc.PeerConnectionStateConnected:
			once.Do(func() { close(connected) })
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			cancel()
		}
	})
	p.running.Go(func() { p.hearKeyRequests(sender) })
	p.running.Go(func() {
		defer p.end(id)
		defer cancel()
		select {
		case <-connected:
			p.send(ctx, track)
		case <-time.After(connectLimit):
			slog.Debug("viewer never connected", "session", id)
		case <-ctx.Done():
		}
	})
}

// hearKeyRequests passes on what the viewer's decoder asks for, until the sender ends.
func (p *peers) hearKeyRequests(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			switch packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				p.hub.requestKey()
			}
		}
	}
}

func (p *peers) send(ctx context.Context, track *webrtc.TrackLocalStaticRTP) {
	viewer := p.hub.join("webrtc")
	defer p.hub.leave(viewer)
	var packets packetizer
	for {
		select {
		case <-ctx.Done():
			return
		case unit := <-viewer.units:
			if unit.video.codec != framelane.CodecH264 {
				slog.Warn("browsers play only H.264 by WebRTC", "codec", unit.video.name)
				return
			}
			bytes, err := packets.send(track, unit)
			if err != nil {
				return
			}
			p.hub.metrics.sent("webrtc", bytes, unit)
		}
	}
}

// packetizer cuts units into RTP packets (RFC 6184), times as the lane has them.
type packetizer struct {
	payloader codecs.H264Payloader
	sequence  uint16
}

func (p *packetizer) send(track *webrtc.TrackLocalStaticRTP, u *unit) (sent int, err error) {
	nalus := u.nalus
	if u.key {
		nalus = slices.Concat(u.video.parameters, nalus)
	}
	var payloads [][]byte
	for _, nalu := range nalus {
		payloads = append(payloads, p.payloader.Payload(packetBytes, nalu)...)
	}
	for i, payload := range payloads {
		packet := rtp.Packet{
			Header: rtp.Header{
				Version:        2,
				Marker:         i == len(payloads)-1,
				SequenceNumber: p.sequence,
				Timestamp:      uint32(u.ticks),
			},
			Payload: payload,
		}
		p.sequence++
		if err := track.WriteRTP(&packet); err != nil {
			return sent, err
		}
		sent += len(payload)
	}
	return sent, nil
}

func (p *peers) admit(id string, connection *webrtc.PeerConnection) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.sessions) >= peerLimit || p.ctx.Err() != nil {
		return false
	}
	p.sessions[id] = connection
	return true
}

func (p *peers) end(id string) bool {
	p.mu.Lock()
	connection, there := p.sessions[id]
	delete(p.sessions, id)
	p.mu.Unlock()
	if there {
		if err := connection.Close(); err != nil {
			slog.Debug("viewer", "session", id, "error", err)
		}
	}
	return there
}

// close ends all sessions and waits for what they ran.
func (p *peers) close() {
	p.mu.Lock()
	var all []string
	for id := range p.sessions {
		all = append(all, id)
	}
	p.mu.Unlock()
	for _, id := range all {
		p.end(id)
	}
	p.running.Wait()
}
