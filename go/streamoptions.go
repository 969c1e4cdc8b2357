package framelane

import (
	"fmt"
	"time"

	"github.com/framelane/framelane/go/layout"
)

type (
	// Codec is what a record of a stream holds.
	Codec = layout.Codec
	// RecordInfo is what a record says about itself.
	RecordInfo = layout.RecordInfo
	// StreamStart is a place of a stream.
	StreamStart = layout.StreamStart
)

const (
	CodecOpaque = layout.CodecOpaque
	CodecH264   = layout.CodecH264
	CodecH265   = layout.CodecH265
	CodecJPEG   = layout.CodecJpeg
	CodecAAC    = layout.CodecAac
	CodecOpus   = layout.CodecOpus
	CodecJSON   = layout.CodecJson
)

const (
	// StartNewestKey is the newest key record.
	StartNewestKey = layout.StreamStartNewestKey
	// StartOldestKey is the oldest key record there is.
	StartOldestKey = layout.StreamStartOldestKey
	// StartNext is the next record to be published.
	StartNext = layout.StreamStartNext
)

// NoTime is a time of a record that is not known.
const NoTime = -1 << 63

// NewRecordInfo says nothing of a record: no time, no capture id, no flag.
func NewRecordInfo() RecordInfo { return RecordInfo{PtsNs: NoTime, DtsNs: NoTime} }

// KeyInfo says of a record that decoding can start there, and when it is to be shown.
func KeyInfo(ptsNs int64) RecordInfo {
	return RecordInfo{PtsNs: ptsNs, DtsNs: NoTime, Flags: layout.RecordFlagKey}
}

// StreamConfig is what the records of a stream are, from one change to the next.
type StreamConfig struct{ layout.StreamConfig }

// NewStreamConfig is a stream of this codec, with nothing else said.
func NewStreamConfig(codec Codec) *StreamConfig {
	return &StreamConfig{layout.StreamConfig{Codec: codec}}
}

// VideoConfig is video of this size.
func VideoConfig(codec Codec, width, height uint32) *StreamConfig {
	return &StreamConfig{layout.StreamConfig{Codec: codec, Width: width, Height: height}}
}

// ParameterSets are those that are not in the records.
func (c *StreamConfig) ParameterSets() []byte {
	return c.Parameters[:min(int(c.ParameterBytes), len(c.Parameters))]
}

// SetParameterSets gives parameter sets that are not in the records.
func (c *StreamConfig) SetParameterSets(bytes []byte) error {
	if room := len(c.Parameters); len(bytes) > room {
		return invalid(fmt.Sprintf("%d bytes of parameters, a config has room for %d", len(bytes), room))
	}
	clear(c.Parameters[copy(c.Parameters[:], bytes):])
	c.ParameterBytes = uint32(len(bytes))
	return nil
}

// StreamWriterOption changes how CreateStream makes a lane.
type StreamWriterOption interface{ forStreamWriter(*streamWriterSettings) }

// StreamReaderOption changes how OpenStream attaches to a lane.
type StreamReaderOption interface{ forStreamReader(*streamReaderSettings) }

type streamWriterSettings struct {
	laneSettings
	dataBytes     uint64
	indexCapacity uint32
	keyInterval   time.Duration
	numaNode      int32
}

type streamReaderSettings struct {
	attachSettings
	start, afterLap StreamStart
	startAge        time.Duration
	lossless        bool
}

type streamWriterOption func(*streamWriterSettings)

func (set streamWriterOption) forStreamWriter(s *streamWriterSettings) { set(s) }

type streamReaderOption func(*streamReaderSettings)

func (set streamReaderOption) forStreamReader(s *streamReaderSettings) { set(s) }

// WithDataBytes sizes the ring of a stream (8 MiB), rounded up to whole pages; half of it is the
// largest record.
func WithDataBytes(bytes uint64) StreamWriterOption {
	return streamWriterOption(func(s *streamWriterSettings) { s.dataBytes = bytes })
}

// WithIndexCapacity limits the records that a stream keeps (1024), rounded up to a power of two.
func WithIndexCapacity(records uint32) StreamWriterOption {
	return streamWriterOption(func(s *streamWriterSettings) { s.indexCapacity = records })
}

// WithKeyRequestInterval is how often at most a wish for a key record is told (a second).
func WithKeyRequestInterval(interval time.Duration) StreamWriterOption {
	return streamWriterOption(func(s *streamWriterSettings) { s.keyInterval = interval })
}

// WithStart is where a reader begins (StartNewestKey).
func WithStart(place StreamStart) StreamReaderOption {
	return streamReaderOption(func(s *streamReaderSettings) { s.start, s.startAge = place, 0 })
}

// WithStartAgo begins at the newest key record that was published so long ago or before, else at
// the oldest there is.
func WithStartAgo(age time.Duration) StreamReaderOption {
	return streamReaderOption(func(s *streamReaderSettings) {
		s.start, s.startAge = layout.StreamStartKeyBefore, age
	})
}

// WithAfterLap is where an overtaken reader goes on: StartNewestKey, which is the default, or
// StartOldestKey.
func WithAfterLap(place StreamStart) StreamReaderOption {
	return streamReaderOption(func(s *streamReaderSettings) { s.afterLap = place })
}
