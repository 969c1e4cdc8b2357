package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"

	framelane "github.com/framelane/framelane/go"
)

// Messages is both sides of a shmbuf ring.
type messages struct {
	sender   *framelane.ShmbufSender
	receiver *framelane.ShmbufReceiver
}

func (m *messages) drop() error {
	var failed []error
	if m.receiver != nil {
		failed = append(failed, m.receiver.Close())
	}
	if m.sender != nil {
		failed = append(failed, m.sender.Close())
	}
	return errors.Join(failed...)
}

func segments() framelane.Option { return framelane.WithDirectory(os.Getenv("FRAMELANE_DIR")) }

func isSet(l line, key string) bool {
	value, said := l.get(key)
	return said && value != "0"
}

func (m *messages) create(l line) (string, error) {
	ring, err := l.need("ring")
	if err != nil {
		return "", err
	}
	capacity, err := l.number("capacity", 0)
	if err != nil {
		return "", err
	}
	options := []framelane.ShmbufSenderOption{segments()}
	if isSet(l, "keep") {
		options = append(options, framelane.WithKeep())
	}
	if isSet(l, "bell") {
		options = append(options, framelane.WithBell())
	}
	sender, err := framelane.CreateShmbuf(ring, capacity, options...)
	if err != nil {
		return "", err
	}
	if m.sender != nil {
		_ = m.sender.Close()
	}
	m.sender = sender
	return fmt.Sprintf(" capacity=%d longest=%d", sender.Capacity(), sender.LongestMessage()), nil
}

func (m *messages) theSender() (*framelane.ShmbufSender, error) {
	if m.sender == nil {
		return nil, misunderstood("there is no ring")
	}
	return m.sender, nil
}

func (m *messages) theReceiver() (*framelane.ShmbufReceiver, error) {
	if m.receiver == nil {
		return nil, misunderstood("there is no receiver")
	}
	return m.receiver, nil
}

// Send sends at once where the line gives no time.
func (m *messages) send(l line) (string, error) {
	sender, err := m.theSender()
	if err != nil {
		return "", err
	}
	message, err := filled(l)
	if err != nil {
		return "", err
	}
	ctx, cancel, err := timeOf(l)
	if err != nil {
		return "", err
	}
	defer cancel()
	if ctx == nil {
		err = sender.TrySend(message)
	} else {
		err = sender.Send(ctx, message)
	}
	if errors.Is(err, framelane.ErrNoFreeSlot) {
		err = errNothing
	}
	return "", err
}

func (m *messages) drain(l line) (string, error) {
	sender, err := m.theSender()
	if err != nil {
		return "", err
	}
	return inTime(l, "drained", sender.Drain)
}

func (m *messages) countSent() (string, error) {
	sender, err := m.theSender()
	if err != nil {
		return "", err
	}
	unread, err := sender.Unread()
	return fmt.Sprintf(" sent=%d full=%d unread=%d", sender.Sent(), sender.TimesFull(), unread), err
}

func (m *messages) closeSender() (string, error) {
	sender, err := m.theSender()
	if err != nil {
		return "", err
	}
	m.sender = nil
	return "", sender.Close()
}

func (m *messages) open(l line) (string, error) {
	ring, err := l.need("ring")
	if err != nil {
		return "", err
	}
	options := []framelane.ShmbufReceiverOption{segments()}
	if _, said := l.get("wait_ms"); said {
		wait, err := l.milliseconds("wait_ms")
		if err != nil {
			return "", err
		}
		options = append(options, framelane.WithWaitForLane(wait))
	}
	if reattach, said := l.get("reattach"); said {
		options = append(options, framelane.WithReattach(reattach != "0"))
	}
	if isSet(l, "bell") {
		options = append(options, framelane.WithBell())
	}
	receiver, err := framelane.OpenShmbuf(context.Background(), ring, options...)
	if err != nil {
		return "", err
	}
	if m.receiver != nil {
		_ = m.receiver.Close()
	}
	m.receiver = receiver
	return fmt.Sprintf(" capacity=%d", receiver.Capacity()), nil
}

func (m *messages) receive(l line) (string, error) {
	receiver, err := m.theReceiver()
	if err != nil {
		return "", err
	}
	ctx, cancel, err := timeOf(l)
	if err != nil {
		return "", err
	}
	defer cancel()
	if ctx == nil { // one look
		ctx, cancel = context.WithCancel(context.Background())
		cancel()
	}
	message, err := taken(ctx, l, receiver)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return "", errNothing
	}
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(" size=%d crc=%08x", len(message), crc32.ChecksumIEEE(message)), nil
}

func taken(ctx context.Context, l line, receiver *framelane.ShmbufReceiver) ([]byte, error) {
	room, said, err := l.small("room")
	if err != nil || !said {
		if err == nil {
			return receiver.Next(ctx)
		}
		return nil, err
	}
	into := make([]byte, room)
	size, err := receiver.NextInto(ctx, into)
	return into[:size], err
}

func (m *messages) skip() (string, error) {
	receiver, err := m.theReceiver()
	if err != nil {
		return "", err
	}
	skipped, err := receiver.Skip()
	if err == nil && !skipped {
		err = errNothing
	}
	return "", err
}

func (m *messages) countReceived() (string, error) {
	receiver, err := m.theReceiver()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(" received=%d empty=%d restarts=%d", receiver.Received(), receiver.Empty(),
		receiver.Restarts()), nil
}

func (m *messages) closeReceiver() (string, error) {
	receiver, err := m.theReceiver()
	if err != nil {
		return "", err
	}
	m.receiver = nil
	return "", receiver.Close()
}
