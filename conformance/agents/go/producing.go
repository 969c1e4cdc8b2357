package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	framelane "github.com/framelane/framelane/go"
	"github.com/framelane/framelane/go/layout"
)

// Producing is one producer and the frames it has claimed.
type producing struct {
	producer *framelane.Producer
	layout   framelane.FrameLayout
	claims   map[uint64]framelane.FrameMut
	tally    *tally
}

// Tally counts the owners of external frames that have run.
type tally struct{ count, revoked atomic.Uint64 }

func newProducing() producing {
	return producing{claims: map[uint64]framelane.FrameMut{}, tally: new(tally)}
}

func (p *producing) drop() error {
	for _, frame := range p.claims {
		frame.Abandon()
	}
	if p.producer == nil {
		return nil
	}
	return p.producer.Close()
}

func (p *producing) there() (*framelane.Producer, error) {
	if p.producer == nil {
		return nil, misunderstood("there is no producer")
	}
	return p.producer, nil
}

func (p *producing) create(l line) (string, error) {
	name, err := l.need("lane")
	if err != nil {
		return "", err
	}
	picture, options, err := settings(l)
	if err != nil {
		return "", err
	}
	buffers, more, err := deviceBuffers(l, picture)
	defer closeAll(buffers)
	if err != nil {
		return "", err
	}
	producer, err := framelane.Create(name, append(options, more...)...)
	if err != nil {
		return "", err
	}
	err = p.drop()
	*p = newProducing()
	p.producer, p.layout = producer, picture
	return fmt.Sprintf(" epoch=%d", producer.Epoch()), err
}

func (p *producing) publish(l line) (string, error) {
	producer, err := p.there()
	if err != nil {
		return "", err
	}
	frame, err := producer.TryClaim()
	if err != nil {
		return "", err
	}
	if err := fillFrame(l, frame); err != nil {
		frame.Abandon()
		return "", err
	}
	return published(frame.Publish())
}

func published(sequence uint64, err error) (string, error) {
	return fmt.Sprintf(" sequence=%d", sequence), err
}

func (p *producing) claim(l line) (string, error) {
	producer, err := p.there()
	if err != nil {
		return "", err
	}
	number, err := l.number("claim", 0)
	if err != nil {
		return "", err
	}
	var frame framelane.FrameMut
	if _, waits := l.get("timeout_ms"); waits {
		var limit time.Duration
		if limit, err = l.milliseconds("timeout_ms"); err != nil {
			return "", err
		}
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		frame, err = producer.Claim(ctx)
	} else {
		frame, err = producer.TryClaim()
	}
	if err != nil {
		return "", err
	}
	p.claims[number].Abandon() // the one that this replaces
	p.claims[number] = frame
	return "", nil
}

func (p *producing) claimed(number uint64) (framelane.FrameMut, error) {
	frame, found := p.claims[number]
	if !found {
		return frame, misunderstood("there is no claim %d", number)
	}
	return frame, nil
}

func (p *producing) fill(l line) (string, error) {
	number, err := l.number("claim", 0)
	if err != nil {
		return "", err
	}
	frame, err := p.claimed(number)
	if err != nil {
		return "", err
	}
	return "", fillFrame(l, frame)
}

func (p *producing) commit(l line) (string, error) {
	producer, err := p.there()
	if err != nil {
		return "", err
	}
	list, err := l.need("claims")
	if err != nil {
		return "", err
	}
	var frames []framelane.FrameMut
	for _, word := range strings.Split(list, ",") {
		number, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return "", misunderstood("claims=%s has no meaning", list)
		}
		frame, err := p.claimed(number)
		if err != nil {
			return "", err
		}
		delete(p.claims, number)
		frames = append(frames, frame)
	}
	if len(frames) == 1 {
		return published(frames[0].Publish())
	}
	return published(producer.PublishBatch(frames...))
}

func (p *producing) abandon(l line) (string, error) {
	number, err := l.number("claim", 0)
	if err != nil {
		return "", err
	}
	frame, err := p.claimed(number)
	if err != nil {
		return "", err
	}
	delete(p.claims, number)
	frame.Abandon()
	return "", nil
}

func (p *producing) publishExternal(l line) (string, error) {
	producer, err := p.there()
	if err != nil {
		return "", err
	}
	buffer, err := l.number("buffer", 0)
	if err != nil {
		return "", err
	}
	var descriptor framelane.FrameDescriptor
	p.layout.Apply(&descriptor)
	for i := range descriptor.Planes {
		descriptor.Planes[i].BufferIndex = int32(buffer)
	}
	if err := apply(l, &descriptor); err != nil {
		return "", err
	}
	tally := p.tally
	return published(producer.PublishExternal(&descriptor, func(returned framelane.Returned) {
		if returned.Revoked {
			tally.revoked.Add(1)
		}
		tally.count.Add(1)
	}))
}

func (p *producing) returned() (string, error) {
	return fmt.Sprintf(" count=%d revoked=%d", p.tally.count.Load(), p.tally.revoked.Load()), nil
}

func (p *producing) recall() (string, error) {
	producer, err := p.there()
	if err != nil {
		return "", err
	}
	return "", producer.Recall()
}

func (p *producing) report() (string, error) {
	producer, err := p.there()
	if err != nil {
		return "", err
	}
	r, err := producer.Report()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(" consumers=%d published=%d abandoned=%d no_free_slot=%d revoked=%d"+
		" leases_granted=%d slots=%d", r.ConsumerCount, r.Published, r.Abandoned, r.NoFreeSlot,
		r.Revoked, r.LeasesGranted, r.SlotCount), nil
}

func (p *producing) close() (string, error) {
	producer, err := p.there()
	if err != nil {
		return "", err
	}
	p.producer = nil
	return "", producer.Close()
}

// FillFrame sets the fields that the line names, then fills the planes.
func fillFrame(l line, frame framelane.FrameMut) error {
	if err := apply(l, frame.Descriptor()); err != nil {
		return err
	}
	if _, fills := l.get("seed"); !fills {
		return nil
	}
	seed, err := l.number("seed", 0)
	for i := 0; err == nil && i < int(frame.Descriptor().PlaneCount); i++ {
		var plane []byte
		if plane, err = frame.Plane(i); err == nil {
			fill(plane, i, seed)
		}
	}
	return err
}

// Settings are the options that a line names, but for the device buffers.
func settings(l line) (picture framelane.FrameLayout, o []framelane.ProducerOption, err error) {
	if _, said := l.get("format"); said {
		if picture, err = pictureOf(l); err != nil {
			return
		}
		o = append(o, framelane.WithLayout(picture))
	}
	for key, option := range map[string]func(uint32) framelane.ProducerOption{
		"payload_bytes": func(n uint32) framelane.ProducerOption {
			return framelane.WithPayloadBytes(uint64(n))
		},
		"lease_budget": framelane.WithLeaseBudget,
		"claims":       framelane.WithClaims,
		"history":      framelane.WithHistory,
		"lease_ms": func(n uint32) framelane.ProducerOption {
			return framelane.WithLease(time.Duration(n) * time.Millisecond)
		},
	} {
		number, said, failed := l.small(key)
		if said {
			o = append(o, option(number))
		}
		err = errors.Join(err, failed)
	}
	for key, choices := range map[string]map[string]framelane.ProducerOption{
		"lossless": {"0": nil, "1": framelane.WithLossless()},
		"access":   {"owner": nil, "everyone": framelane.WithEveryone()},
		"trust": {"same_user": nil, "trusted_only": framelane.WithTrust(framelane.TrustedOnly),
			"untrusted": framelane.WithTrust(framelane.Untrusted)},
		"memory": {"memfd": framelane.WithMemory(layout.MemoryKindMemfd),
			"hb_mem": framelane.WithMemory(layout.MemoryKindHbMem)},
	} {
		word, said := l.get(key)
		option, known := choices[word]
		if said && !known {
			err = errors.Join(err, misunderstood("%s=%s", key, word))
		}
		if option != nil {
			o = append(o, option)
		}
	}
	return picture, o, err
}

func pictureOf(l line) (framelane.FrameLayout, error) {
	name, _ := l.get("format")
	format, err := framelane.ParsePixelFormat(name)
	if err != nil {
		return framelane.FrameLayout{}, err
	}
	width, saidWidth, err1 := l.small("width")
	height, saidHeight, err2 := l.small("height")
	align, saidAlign, err3 := l.small("align")
	if err := errors.Join(err1, err2, err3); err != nil {
		return framelane.FrameLayout{}, err
	}
	if !saidWidth || !saidHeight {
		return framelane.FrameLayout{}, misunderstood("create needs width= and height=")
	}
	if !saidAlign {
		align = 1
	}
	return framelane.NewAlignedFrameLayout(format, width, height, align)
}
