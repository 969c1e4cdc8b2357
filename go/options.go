package framelane

import (
	"time"

	"github.com/framelane/framelane/go/layout"
)

// Mode is how a consumer reads.
type Mode = layout.Mode

const (
	// Latest delivers the newest frame and says how many passed.
	Latest = layout.ModeLatest
	// Ordered delivers what is still reachable in order and counts what was missed.
	Ordered = layout.ModeOrdered
	// Lossless makes the producer wait; only lanes made WithLossless admit it.
	Lossless = layout.ModeLossless
)

// ProducerOption changes how Create makes a lane.
type ProducerOption interface{ forProducer(*producerSettings) }

// ConsumerOption changes how Open attaches to a lane, and OpenSwitch to those behind a switch.
type ConsumerOption interface{ forConsumer(*consumerSettings) }

// LaneOption is one for whoever makes a lane, of frames or of records.
type LaneOption interface {
	ProducerOption
	StreamWriterOption
}

// AccessOption is one for whoever makes a lane, or a switch.
type AccessOption interface {
	LaneOption
	SwitchControllerOption
}

// AttachOption is one for whoever reads a lane, of frames or of records, or a shmbuf ring.
type AttachOption interface {
	ConsumerOption
	StreamReaderOption
	ShmbufReceiverOption
}

// Option is one for all sides.
type Option interface {
	AccessOption
	AttachOption
	ShmbufOption
}

// AccessSettings are common to lanes and switches.
type accessSettings struct {
	access, group uint32
	trust         Trust
	directory     string
}

// LaneSettings are common to lanes of frames and of records.
type laneSettings struct {
	accessSettings
	lossless, lockMemory bool
}

type producerSettings struct {
	laneSettings
	err                          error // of an option
	layout                       FrameLayout
	payloadBytes                 uint64
	leaseBudget, claims, history uint32
	reclaim                      bool
	memory                       MemoryKind
	devices                      []int32
	lease, framePeriod           time.Duration
	hugePages                    HugePages
	numaNode                     int32
}

// AttachSettings are common to those who read frames and records.
type attachSettings struct {
	reattach  bool
	wait      time.Duration
	directory string
}

type consumerSettings struct {
	attachSettings
	mode          Mode
	leases        uint32
	wantsWritable bool
}

func newConsumerSettings(mode Mode, options []ConsumerOption) consumerSettings {
	settings := consumerSettings{mode: mode, leases: 1}
	settings.reattach = true
	for _, option := range options {
		option.forConsumer(&settings)
	}
	return settings
}

type producerOption func(*producerSettings)

func (set producerOption) forProducer(s *producerSettings) { set(s) }

type consumerOption func(*consumerSettings)

func (set consumerOption) forConsumer(s *consumerSettings) { set(s) }

type laneOption func(*laneSettings)

func (set laneOption) forProducer(s *producerSettings)         { set(&s.laneSettings) }
func (set laneOption) forStreamWriter(s *streamWriterSettings) { set(&s.laneSettings) }

type accessOption func(*accessSettings)

func (set accessOption) forProducer(s *producerSettings)                 { set(&s.accessSettings) }
func (set accessOption) forStreamWriter(s *streamWriterSettings)         { set(&s.accessSettings) }
func (set accessOption) forSwitchController(s *switchControllerSettings) { set(&s.accessSettings) }

type attachOption func(*attachSettings)

func (set attachOption) forConsumer(s *consumerSettings)         { set(&s.attachSettings) }
func (set attachOption) forStreamReader(s *streamReaderSettings) { set(&s.attachSettings) }
func (set attachOption) forShmbufReceiver(s *shmbufReceiverSettings) {
	set(&s.attachSettings)
}

type directory string

func (d directory) forProducer(s *producerSettings)         { s.directory = string(d) }
func (d directory) forConsumer(s *consumerSettings)         { s.directory = string(d) }
func (d directory) forStreamWriter(s *streamWriterSettings) { s.directory = string(d) }
func (d directory) forStreamReader(s *streamReaderSettings) { s.directory = string(d) }
func (d directory) forShmbufSender(s *shmbufSenderSettings) { s.directory = string(d) }
func (d directory) forShmbufReceiver(s *shmbufReceiverSettings) {
	s.directory = string(d)
}
func (d directory) forSwitchController(s *switchControllerSettings) {
	s.directory = string(d)
}

// WithDirectory uses this runtime directory instead of searching for one; for a shmbuf ring this
// folder instead of that of POSIX shared memory.
func WithDirectory(path string) Option { return directory(path) }

// WithLayout gives the geometry that each claimed frame starts with.
func WithLayout(picture FrameLayout) ProducerOption {
	return producerOption(func(s *producerSettings) { s.layout = picture })
}

// WithPicture is WithLayout of a picture without padding.
func WithPicture(format PixelFormat, width, height uint32) ProducerOption {
	return producerOption(func(s *producerSettings) {
		var err error
		if s.layout, err = NewFrameLayout(format, width, height); err != nil {
			s.err = err
		}
	})
}

// WithPayloadBytes sizes the payload of a slot, where it is not that of the layout.
func WithPayloadBytes(bytes uint64) ProducerOption {
	return producerOption(func(s *producerSettings) { s.payloadBytes = bytes })
}

// WithLeaseBudget limits the leases that all consumers together may hold (8).
func WithLeaseBudget(leases uint32) ProducerOption {
	return producerOption(func(s *producerSettings) { s.leaseBudget = leases })
}

// WithClaims limits the frames that the producer holds claimed at once (1).
func WithClaims(claims uint32) ProducerOption {
	return producerOption(func(s *producerSettings) { s.claims = claims })
}

// WithHistory keeps this many frames before the newest reachable (1).
func WithHistory(frames uint32) ProducerOption {
	return producerOption(func(s *producerSettings) { s.history = frames })
}

type lossless struct{}

func (lossless) forProducer(s *producerSettings)         { s.lossless = true }
func (lossless) forStreamWriter(s *streamWriterSettings) { s.lossless = true }
func (lossless) forStreamReader(s *streamReaderSettings) { s.lossless = true }

// LosslessOption is one for whoever makes a lane, and for whoever reads a stream.
type LosslessOption interface {
	LaneOption
	StreamReaderOption
}

// WithLossless admits lossless consumers, for which claims and writes wait. A stream reader becomes
// one by it: it gets every record, in place, and the writer waits until it has released them.
func WithLossless() LosslessOption { return lossless{} }

// MemoryKind is where the bytes of a lane's frames are.
type MemoryKind = layout.MemoryKind

// WithMemory makes a lane of this kind of memory; see WithDeviceBuffers.
func WithMemory(kind MemoryKind) ProducerOption {
	return producerOption(func(s *producerSettings) { s.memory = kind })
}

// WithDeviceBuffers makes a lane whose frames lie in these file descriptors, which are duplicated.
func WithDeviceBuffers(kind MemoryKind, descriptors ...int) ProducerOption {
	return producerOption(func(s *producerSettings) {
		s.memory, s.devices = kind, nil
		for _, descriptor := range descriptors {
			s.devices = append(s.devices, int32(descriptor))
		}
	})
}

// WithLease guarantees device frames for this long after publication; 0 is for ever.
func WithLease(lease time.Duration) ProducerOption {
	return producerOption(func(s *producerSettings) { s.lease = lease })
}

// WithFramePeriod tells the usual time between frames, against which the lease is checked; 0 is
// unknown.
func WithFramePeriod(period time.Duration) ProducerOption {
	return producerOption(func(s *producerSettings) { s.framePeriod = period })
}

// HugePages says whether a lane is to be in huge pages.
type HugePages uint32

const (
	HugePagesOff     HugePages = 0
	HugePagesTry     HugePages = 1
	HugePagesRequire HugePages = 2
)

// WithHugePages puts the lane into huge pages.
func WithHugePages(pages HugePages) ProducerOption {
	return producerOption(func(s *producerSettings) { s.hugePages = pages })
}

// WithLockedMemory locks the lane into memory where the limits allow it.
func WithLockedMemory() LaneOption {
	return laneOption(func(s *laneSettings) { s.lockMemory = true })
}

// WithNumaNode binds the lane to a NUMA node.
func WithNumaNode(node int32) LaneOption { return numaNode(node) }

type numaNode int32

func (node numaNode) forProducer(s *producerSettings)         { s.numaNode = int32(node) }
func (node numaNode) forStreamWriter(s *streamWriterSettings) { s.numaNode = int32(node) }

// WithGroup admits users of a group, WithEveryone all; without either only the producer's own.
func WithGroup(group uint32) AccessOption {
	return accessOption(func(s *accessSettings) { s.access, s.group = 1, group })
}

// WithEveryone admits every user.
func WithEveryone() AccessOption {
	return accessOption(func(s *accessSettings) { s.access = 2 })
}

// Trust says whom the producer shares bells with.
type Trust uint32

const (
	// TrustSameUser lets peers of the same user share bells.
	TrustSameUser Trust = 0
	// TrustedOnly admits the producer's own user only.
	TrustedOnly Trust = 1
	// Untrusted shares bells with nobody.
	Untrusted Trust = 2
)

// WithTrust changes whom the producer trusts (TrustSameUser).
func WithTrust(trust Trust) AccessOption {
	return accessOption(func(s *accessSettings) { s.trust = trust })
}

// WithReclaim runs the owners of returned buffers in Producer.Reclaim, not on a thread of the
// library.
func WithReclaim() ProducerOption {
	return producerOption(func(s *producerSettings) { s.reclaim = true })
}

// WithLeases asks to hold this many frames at once (1).
func WithLeases(leases uint32) ConsumerOption {
	return consumerOption(func(s *consumerSettings) { s.leases = leases })
}

// WithReattach says whether to attach to the next producer when this one is gone (true).
func WithReattach(reattach bool) AttachOption {
	return attachOption(func(s *attachSettings) { s.reattach = reattach })
}

// WithWaitForLane lets Open, OpenStream, OpenSwitch and OpenShmbuf wait for the other side (0: not
// at all). The context may end it earlier.
func WithWaitForLane(time time.Duration) AttachOption {
	return attachOption(func(s *attachSettings) { s.wait = time })
}

// WithWritable accepts device buffers that this process could write to.
func WithWritable() ConsumerOption {
	return consumerOption(func(s *consumerSettings) { s.wantsWritable = true })
}
