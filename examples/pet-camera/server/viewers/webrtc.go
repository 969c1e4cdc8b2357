package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"
)

// watchWebRTC asks as WHEP says and counts pictures by their last packets.
func watchWebRTC(ctx context.Context, server string, book *book) (err error) {
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	peer, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings)).NewPeerConnection(
		webrtc.Configuration{})
	if err != nil {
		return err
	}
	read := make(chan error, 1)
	defer func() {
		// The reader ends with the connection; nobody counts once we have returned.
		err = errors.Join(err, peer.Close())
	}()
	_, err = peer.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo,
		webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	if err != nil {
		return err
	}
	peer.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		read <- gather(track, book)
	})
	session, err := negotiate(ctx, peer, server)
	if err != nil {
		return ended(ctx, err)
	}
	select {
	case <-ctx.Done():
		return leave(server + session)
	case err := <-read:
		return ended(ctx, err)
	}
}

func gather(track *webrtc.TrackRemote, book *book) error {
	var bytes int
	var next uint16
	for begun := false; ; begun = true {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return err
		}
		if begun && packet.SequenceNumber != next {
			book.gap()
		}
		next = packet.SequenceNumber + 1
		bytes += len(packet.Payload)
		if packet.Marker {
			book.picture(packet.Timestamp, bytes)
			bytes = 0
		}
	}
}

func negotiate(ctx context.Context, peer *webrtc.PeerConnection, server string) (string, error) {
	offer, err := peer.CreateOffer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(offer); err != nil {
		return "", err
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	body := strings.NewReader(peer.LocalDescription().SDP)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/whep", body)
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/sdp")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	sdp, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("%s: %s", answer.Status, sdp)
	}
	description := webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(sdp)}
	return answer.Header.Get("Location"), peer.SetRemoteDescription(description)
}

// leave says that we go: the server need not find out.
func leave(session string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodDelete, session, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}
