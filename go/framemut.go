package framelane

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/framelane/framelane/go/layout"
)

// FrameMut is a claimed frame: fill it, then publish or abandon it. The zero FrameMut is none.
//
// It is a small value. Copies of it are the same claim: once one is published or abandoned all
// are, and calls on them fail or do nothing. It is used by one goroutine at a time.
type FrameMut struct {
	held       *heldClaim
	generation uint64
}

// HeldClaim is to a claimed frame what held is to a frame under lease.
type heldClaim struct {
	claim *claim
	shelf *shelf[heldClaim]
}

// Claim is what outlives a forgotten FrameMut.
type claim struct {
	native     *nativeClaim // by itself: C may not see memory with Go's pointers
	problem    nativeProblem
	generation atomic.Uint64
	lane       string
	origin     origin
}

func newHeldClaim(lane string, shelf *shelf[heldClaim]) *heldClaim {
	h := &heldClaim{&claim{native: new(nativeClaim), lane: lane}, shelf}
	runtime.AddCleanup(h, (*claim).forgotten, h.claim)
	return h
}

func (c *claim) forgotten() {
	if c.native.live == 0 {
		return // from the shelf
	}
	c.native.abandon()
	tellLeak(Leak{What: "claimed frame", Lane: c.lane, Stack: c.origin.String()})
}

func (f FrameMut) live() *nativeClaim {
	if f.held == nil || f.held.claim.generation.Load() != f.generation {
		return nil
	}
	return f.held.claim.native
}

func (f FrameMut) none() error {
	return invalid("the frame is none, or was published or abandoned")
}

// End makes all copies of the frame none; nil where they are already.
func (f FrameMut) end() *claim {
	if f.held == nil {
		return nil
	}
	if !f.held.claim.generation.CompareAndSwap(f.generation, f.generation+1) {
		return nil
	}
	return f.held.claim
}

// Publish makes the frame the newest of its lane; its sequence. Where it fails the frame is
// abandoned.
func (f FrameMut) Publish() (uint64, error) {
	claim := f.end()
	if claim == nil {
		return 0, f.none()
	}
	sequence, err := claim.native.publish(&claim.problem)
	f.held.shelf.put(f.held)
	return sequence, err
}

// Abandon gives the slot back unpublished. Doing so again, or after Publish, does nothing.
func (f FrameMut) Abandon() {
	if claim := f.end(); claim != nil {
		claim.native.abandon()
		f.held.shelf.put(f.held)
	}
}

// Descriptor is what the frame will say about itself, to be filled in place until Publish; nil for
// none. Sequence, PublishNs and ValidUntilNs are set at publish.
func (f FrameMut) Descriptor() *FrameDescriptor {
	if claim := f.live(); claim != nil {
		return claim.says()
	}
	return nil
}

// Payload is the whole payload of the slot, to be filled in place until Publish; nil for none. It
// starts as whatever an earlier frame left there.
func (f FrameMut) Payload() []byte {
	claim := f.live()
	if claim == nil {
		return nil
	}
	return claim.bytes()
}

// Plane is the bytes of one plane as the descriptor lays it out now.
func (f FrameMut) Plane(index int) ([]byte, error) {
	descriptor := f.Descriptor()
	if descriptor == nil {
		return nil, f.none()
	}
	if count := min(int(descriptor.PlaneCount), 4); index < 0 || index >= count {
		return nil, invalid(fmt.Sprintf("plane %d of a frame with %d", index, count))
	}
	payload := f.Payload()
	offset, size := descriptor.Planes[index].OffsetBytes, descriptor.Planes[index].SizeBytes
	if room := uint64(len(payload)); offset > room || size > room-offset {
		text := fmt.Sprintf("a plane at %d of %d bytes does not fit in %d", offset, size, room)
		return nil, &Error{Kind: layout.ErrorKindProtocol, Text: text}
	}
	return payload[offset : offset+size : offset+size], nil
}

// CopyFrom copies bytes to the start of the payload, counted as bytes the SDK copied.
func (f FrameMut) CopyFrom(bytes []byte) error {
	claim := f.live()
	if claim == nil {
		return f.none()
	}
	defer runtime.KeepAlive(f.held)
	return claim.copyFrom(bytes)
}
