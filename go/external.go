package framelane

// Returned tells the owner of an external buffer that it may be used again.
type Returned struct {
	// Sequence of the frame.
	Sequence uint64
	// Revoked where it was taken from a consumer.
	Revoked bool
}

// PublishExternal publishes a frame that lives in device memory; its sequence. The owner, which
// may be nil, runs once when the buffer may be used again: on a thread of the library, or in
// Reclaim. It does not run where this fails.
func (p *Producer) PublishExternal(d *FrameDescriptor, owner func(Returned)) (uint64, error) {
	native, err := p.enter()
	if err != nil {
		return 0, err
	}
	defer p.leave()
	if d == nil {
		return 0, invalid("no descriptor")
	}
	return nativePublishExternal(native, d, owner)
}

// Reclaim runs the owners of returned buffers on this goroutine, on lanes made WithReclaim; how
// many ran.
func (p *Producer) Reclaim() (int, error) {
	native, err := p.enter()
	if err != nil {
		return 0, err
	}
	defer p.leave()
	return nativeReclaim(native)
}

// Recall takes back the device frames that nobody holds, the newest included.
func (p *Producer) Recall() error {
	native, err := p.enter()
	if err != nil {
		return err
	}
	defer p.leave()
	return nativeRecall(native)
}
