package framelane

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Producer owns a lane. All of its methods may be used by several goroutines at once.
type Producer struct {
	lane    string
	handle  *producerHandle
	shelf   *shelf[heldClaim]
	turn    chan struct{} // of the one goroutine that waits for a claim
	epoch   uint64
	cleanup runtime.Cleanup
}

// ProducerHandle is what outlives a forgotten Producer.
type producerHandle struct {
	gate   gate
	native *nativeProducer
	lane   string
}

// Create makes the lane and starts to admit consumers.
func Create(lane string, options ...ProducerOption) (*Producer, error) {
	native, err := nativeCreate(lane, options)
	if err != nil {
		return nil, err
	}
	p := &Producer{
		lane: lane, handle: &producerHandle{native: native, lane: lane},
		shelf: new(shelf[heldClaim]), turn: make(chan struct{}, 1), epoch: nativeEpoch(native),
	}
	p.cleanup = runtime.AddCleanup(p, (*producerHandle).forgotten, p.handle)
	return p, nil
}

func (h *producerHandle) forgotten() {
	if h.gate.close() {
		nativeCloseProducer(h.native)
		tellLeak(Leak{What: "producer", Lane: h.lane})
	}
}

// Close ends the lane. Frames that are claimed can only be abandoned then. Closing again does
// nothing.
func (p *Producer) Close() error {
	p.cleanup.Stop()
	if p.handle.gate.close() {
		nativeCloseProducer(p.handle.native)
	}
	return nil
}

func (p *Producer) enter() (*nativeProducer, error) {
	if !p.handle.gate.enter() {
		return nil, closed(fmt.Sprintf("this producer of lane %q is closed", p.lane))
	}
	return p.handle.native, nil
}

func (p *Producer) leave() {
	if p.handle.gate.leave() {
		nativeCloseProducer(p.handle.native)
	}
}

// TryClaim claims a slot at once; ErrNoFreeSlot names who holds them. It allocates nothing. On a
// lane without lossless consumers it finds one whenever the producer has not claimed too many.
func (p *Producer) TryClaim() (FrameMut, error) {
	native, err := p.enter()
	if err != nil {
		return FrameMut{}, err
	}
	defer p.leave()
	h := p.take()
	if code := nativeClaimNow(native, &h.claim.problem, h.claim.native); code != statusOk {
		err := failure(code, &h.claim.problem) // before somebody else has h
		p.shelf.put(h)
		return FrameMut{}, err
	}
	return p.claimed(h), nil
}

func (p *Producer) take() *heldClaim {
	if h := p.shelf.take(); h != nil {
		return h
	}
	return newHeldClaim(p.lane, p.shelf)
}

func (p *Producer) claimed(h *heldClaim) FrameMut {
	h.claim.origin.note()
	return FrameMut{h, h.claim.generation.Load()}
}

// Longest stay inside the library before the context is asked.
const claimSlice = 20 * time.Millisecond

// Claim claims a slot, and waits for a lossless consumer or one of the producer's own frames until
// the context ends; it then fails with ErrNoFreeSlot, which is ctx.Err() as well. A slot that is
// there is had whatever the context says.
func (p *Producer) Claim(ctx context.Context) (FrameMut, error) {
	frame, err := p.TryClaim()
	if err == nil || !errors.Is(err, ErrNoFreeSlot) {
		return frame, err
	}
	// Claims have no descriptor to wait for: one goroutine at a time waits in the library.
	for {
		select {
		case p.turn <- struct{}{}:
		case <-ctx.Done():
			return FrameMut{}, noSlot(ctx, err)
		}
		frame, err = p.claimWithin(claimSlice)
		<-p.turn
		if err == nil || !errors.Is(err, ErrNoFreeSlot) {
			return frame, err
		}
		if ctx.Err() != nil {
			return FrameMut{}, noSlot(ctx, err)
		}
	}
}

func noSlot(ctx context.Context, err error) error {
	var failed *Error
	if errors.As(err, &failed) {
		return &Error{Kind: failed.Kind, Text: failed.Text, cause: ctx.Err()}
	}
	return err
}

func (p *Producer) claimWithin(time time.Duration) (FrameMut, error) {
	native, err := p.enter()
	if err != nil {
		return FrameMut{}, err
	}
	defer p.leave()
	h := p.take()
	if err := nativeClaimWithin(native, uint64(time), h.claim.native); err != nil {
		p.shelf.put(h)
		return FrameMut{}, err
	}
	return p.claimed(h), nil
}

// PublishBatch publishes claimed frames in this order with one wake-up; the last sequence. Where it
// fails none is published, and those of a batch that the lane refuses are abandoned.
func (p *Producer) PublishBatch(frames ...FrameMut) (uint64, error) {
	native, err := p.enter()
	if err != nil {
		return 0, err
	}
	defer p.leave()
	if len(frames) == 0 {
		return 0, invalid("a batch without frames")
	}
	for i, frame := range frames {
		if frame.live() == nil {
			return 0, frame.none()
		}
		for _, other := range frames[:i] {
			if other.held == frame.held {
				return 0, invalid("a frame is in the batch twice")
			}
		}
	}
	batch := make([]nativeClaim, 0, len(frames))
	for _, frame := range frames {
		if claim := frame.end(); claim != nil {
			batch = append(batch, *claim.native)
			*claim.native = nativeClaim{}
			frame.held.shelf.put(frame.held)
		}
	}
	return nativePublishBatch(native, batch)
}

// Epoch is the random id of this producer incarnation.
func (p *Producer) Epoch() uint64 { return p.epoch }

// Lane is the name of the lane.
func (p *Producer) Lane() string { return p.lane }

// Consumers is the number of consumers attached now; 0 once closed.
func (p *Producer) Consumers() int {
	native, err := p.enter()
	if err != nil {
		return 0
	}
	defer p.leave()
	return nativeConsumers(native)
}

// Report is how the lane is: geometry, counts, consumers and what they hold.
func (p *Producer) Report() (*Report, error) {
	native, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer p.leave()
	report := new(Report)
	return report, nativeReport(native, &report.Report)
}
