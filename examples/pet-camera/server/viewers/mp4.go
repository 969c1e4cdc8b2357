package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
)

// fragmentLimit bounds what a server can have us keep.
const fragmentLimit = 16 << 20

// watchMP4 reads fragments, of which each is a picture.
func watchMP4(ctx context.Context, server string, book *book) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/video.mp4", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return ended(ctx, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the server says %s", answer.Status)
	}
	var fragment []byte
	var last uint64
	for {
		kind, whole, err := nextBox(answer.Body)
		if err != nil {
			return ended(ctx, err)
		}
		if kind != "moof" && kind != "mdat" {
			continue
		}
		fragment = append(fragment, whole...)
		if kind == "moof" {
			continue
		}
		var parts fmp4.Parts
		if err := parts.Unmarshal(fragment); err != nil {
			return err
		}
		if len(parts) == 0 || len(parts[0].Tracks) == 0 {
			return errors.New("a fragment without a picture")
		}
		track := parts[0].Tracks[0]
		// A picture lasts one period; whole seconds that are missing were dropped by the server.
		if last > 0 && track.BaseTime > last+clockRate {
			book.gap()
		}
		last = track.BaseTime
		book.picture(uint32(track.BaseTime), len(fragment))
		fragment = nil
	}
}

// nextBox reads one box of an MP4, with its head.
func nextBox(from io.Reader) (kind string, whole []byte, err error) {
	head := make([]byte, 8)
	if _, err := io.ReadFull(from, head); err != nil {
		return "", nil, err
	}
	size := int(binary.BigEndian.Uint32(head))
	if size < len(head) || size > fragmentLimit {
		return "", nil, fmt.Errorf("a box of %d bytes", size)
	}
	whole = make([]byte, size)
	copy(whole, head)
	_, err = io.ReadFull(from, whole[len(head):])
	return string(head[4:]), whole, err
}
