package main

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	framelane "github.com/framelane/framelane/go"
)

// clockRate is ticks a second of RTP video and of our MP4 tracks (RFC 6184, section 8.2.1).
const clockRate = 90_000

// unit is one picture, as all viewers of it share it: nobody writes to it once it is made.
type unit struct {
	video     *video
	nalus     [][]byte
	key       bool
	ticks     uint64 // presentation time, in ticks of clockRate
	publishNs uint64 // CLOCK_MONOTONIC, as the lane has it

	fragment func() ([]byte, error) // muxed once, by the first who wants it
}

// video is what stays the same from one change of the stream's parameters to the next.
type video struct {
	codec         framelane.Codec
	name          string // RFC 6381, for the browser
	parameters    [][]byte
	track         codecs.Codec
	width, height uint32
	frameTicks    uint32
}

// splitter makes units of records, and keeps the video they belong to.
type splitter struct {
	video *video
}

var errNoParameters = errors.New("no parameter sets came before the picture")

// unit copies the record: what viewers get outlives it.
func (s *splitter) unit(record framelane.Record) (*unit, error) {
	config := record.Config()
	var nalus h264.AnnexB // the same framing for both codecs
	if err := nalus.Unmarshal(bytes.Clone(record.Bytes())); err != nil {
		return nil, fmt.Errorf("record %d: %w", record.Sequence(), err)
	}
	if s.video == nil || record.IsKey() || record.NewConfig() {
		if err := s.learn(config, nalus); err != nil {
			return nil, fmt.Errorf("record %d: %w", record.Sequence(), err)
		}
	}
	ns, known := record.Pts()
	if !known || ns < 0 {
		ns = int64(record.Info().PublishNs)
	}
	made := &unit{
		video:     s.video,
		nalus:     withoutParameters(s.video.codec, nalus),
		key:       record.IsKey(),
		ticks:     uint64(ns) / 1000 * 9 / 100,
		publishNs: record.Info().PublishNs,
	}
	made.fragment = sync.OnceValues(func() ([]byte, error) { return mux(made) })
	return made, nil
}

// learn takes parameter sets from the picture itself, else from the stream's config.
func (s *splitter) learn(config *framelane.StreamConfig, nalus [][]byte) error {
	parameters := parametersOf(config.Codec, nalus)
	if len(parameters) == 0 {
		var sets h264.AnnexB
		if bytes := config.ParameterSets(); len(bytes) > 0 {
			if err := sets.Unmarshal(bytes); err != nil {
				return fmt.Errorf("parameter sets of the stream: %w", err)
			}
		}
		parameters = parametersOf(config.Codec, sets)
	}
	if s.video != nil && s.video.codec == config.Codec &&
		(len(parameters) == 0 || equal(parameters, s.video.parameters)) {
		return nil
	}
	made, err := newVideo(config, parameters)
	if err != nil {
		return err
	}
	s.video = made
	return nil
}

func newVideo(config *framelane.StreamConfig, parameters [][]byte) (*video, error) {
	made := &video{codec: config.Codec, parameters: parameters, frameTicks: clockRate / 30}
	if config.FpsNumerator > 0 && config.FpsDenominator > 0 {
		ticks := uint64(clockRate) * uint64(config.FpsDenominator) / uint64(config.FpsNumerator)
		made.frameTicks = uint32(min(max(ticks, 1), 10*clockRate))
	}
	switch config.Codec {
	case framelane.CodecH264:
		return made, made.h264()
	case framelane.CodecH265:
		return made, made.h265()
	}
	return nil, fmt.Errorf("the stream is %v; this server sends H.264 and H.265", config.Codec)
}

func (v *video) h264() error {
	sets := make([][]byte, 2)
	for _, set := range v.parameters {
		sets[int(h264.NALUType(set[0]&0x1f)-h264.NALUTypeSPS)] = set
	}
	if sets[0] == nil || sets[1] == nil || len(sets[0]) < 4 {
		return errNoParameters
	}
	var sps h264.SPS
	if err := sps.Unmarshal(sets[0]); err != nil {
		return fmt.Errorf("sequence parameters: %w", err)
	}
	v.name = fmt.Sprintf("avc1.%02x%02x%02x", sets[0][1], sets[0][2], sets[0][3])
	v.track = &codecs.H264{SPS: sets[0], PPS: sets[1]}
	v.width, v.height = uint32(sps.Width()), uint32(sps.Height())
	return nil
}

func (v *video) h265() error {
	sets := make([][]byte, 3)
	for _, set := range v.parameters {
		sets[int(h265Type(set)-h265.NALUType_VPS_NUT)] = set
	}
	if sets[0] == nil || sets[1] == nil || sets[2] == nil {
		return errNoParameters
	}
	var sps h265.SPS
	if err := sps.Unmarshal(sets[1]); err != nil {
		return fmt.Errorf("sequence parameters: %w", err)
	}
	level := sps.ProfileTierLevel
	v.name = fmt.Sprintf("hvc1.%d.6.L%d.B0", level.GeneralProfileIdc, level.GeneralLevelIdc)
	v.track = &codecs.H265{VPS: sets[0], SPS: sets[1], PPS: sets[2]}
	v.width, v.height = uint32(sps.Width()), uint32(sps.Height())
	return nil
}

func h265Type(nalu []byte) h265.NALUType { return h265.NALUType(nalu[0] >> 1 & 0x3f) }

func isParameter(codec framelane.Codec, nalu []byte) bool {
	switch {
	case len(nalu) == 0:
		return false
	case codec == framelane.CodecH265:
		kind := h265Type(nalu)
		return kind >= h265.NALUType_VPS_NUT && kind <= h265.NALUType_PPS_NUT
	}
	kind := h264.NALUType(nalu[0] & 0x1f)
	return kind == h264.NALUTypeSPS || kind == h264.NALUTypePPS
}

func parametersOf(codec framelane.Codec, nalus [][]byte) [][]byte {
	var found [][]byte
	for _, nalu := range nalus {
		if isParameter(codec, nalu) {
			found = append(found, bytes.Clone(nalu))
		}
	}
	return found
}

func withoutParameters(codec framelane.Codec, nalus [][]byte) [][]byte {
	kept := make([][]byte, 0, len(nalus))
	for _, nalu := range nalus {
		if len(nalu) > 0 && !isParameter(codec, nalu) {
			kept = append(kept, nalu)
		}
	}
	return kept
}

func equal(one, other [][]byte) bool {
	if len(one) != len(other) {
		return false
	}
	for i := range one {
		if !bytes.Equal(one[i], other[i]) {
			return false
		}
	}
	return true
}

// age is how long ago the unit was published.
func (u *unit) age() time.Duration {
	return time.Duration(framelane.MonotonicNs() - min(u.publishNs, framelane.MonotonicNs()))
}
