package framelane

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var _, _ io.Closer = (*ShmbufSender)(nil), (*ShmbufReceiver)(nil)

// Shared is where shared memory is, and a segment can be made.
func shared(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "framelane-")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(folder)) })
	return folder
}

// Ring is both sides of a ring of 64 bytes.
func ring(t testing.TB, options ...ShmbufOption) (*ShmbufSender, *ShmbufReceiver) {
	t.Helper()
	at := WithDirectory(shared(t))
	sending, receiving := []ShmbufSenderOption{at}, []ShmbufReceiverOption{at}
	for _, option := range options {
		sending, receiving = append(sending, option), append(receiving, option)
	}
	sender, err := CreateShmbuf("ring", 100, sending...)
	must(t, err)
	t.Cleanup(func() { must(t, sender.Close()) })
	receiver, err := OpenShmbuf(context.Background(), "/ring", receiving...)
	must(t, err)
	t.Cleanup(func() { must(t, receiver.Close()) })
	return sender, receiver
}

func TestMessagesArriveInOrderAndWrap(t *testing.T) {
	sender, receiver := ring(t, WithPollInterval(100*time.Microsecond))
	ctx := within(t, patience)
	if sender.Capacity() != 64 || receiver.Capacity() != 64 || sender.LongestMessage() != 60 {
		t.Fatal("the ring has another size")
	}
	if attached, err := sender.HasReceiver(); err != nil || !attached {
		t.Fatalf("attached: %v, %v", attached, err)
	}
	for n := 1; n < 30; n++ {
		message := bytes.Repeat([]byte{byte(n)}, n)
		must(t, sender.TrySend(message))
		if size, err := receiver.Wait(ctx); err != nil || size != n {
			t.Fatalf("%d bytes, %v", size, err)
		}
		if got, err := receiver.Next(ctx); err != nil || !bytes.Equal(got, message) {
			t.Fatalf("%v, %v", got, err)
		}
	}
	if _, found, err := receiver.TryNext(); found || err != nil {
		t.Fatalf("found %v, %v", found, err)
	}
	if sender.Sent() != 29 || receiver.Received() != 29 || receiver.Empty() != 0 {
		t.Fatal("the counts are others")
	}
}

func TestAFullRingIsToldAndWaitedFor(t *testing.T) {
	sender, receiver := ring(t, WithBell())
	ctx := within(t, patience)
	must(t, sender.TrySend(make([]byte, 60)))
	expect(t, sender.TrySend([]byte{1}), ErrNoFreeSlot)
	err := sender.Send(within(t, 20*time.Millisecond), []byte{1})
	expect(t, err, ErrNoFreeSlot)
	expect(t, err, context.DeadlineExceeded)
	expect(t, sender.Drain(within(t, 20*time.Millisecond)), context.DeadlineExceeded)
	if unread, err := sender.Unread(); err != nil || unread != 64 || sender.TimesFull() != 1 {
		t.Fatalf("%d unread, %v; %d times full", unread, err, sender.TimesFull())
	}
	sent := make(chan error, 1)
	go func() { sent <- sender.Send(ctx, []byte{1}) }()
	time.Sleep(time.Millisecond)
	for _, size := range []int{60, 1} {
		if message, err := receiver.Next(ctx); err != nil || len(message) != size {
			t.Fatalf("%d bytes, %v", len(message), err)
		}
	}
	must(t, <-sent)
	must(t, sender.Drain(ctx))
}

func TestAMessageThatDoesNotFitStays(t *testing.T) {
	sender, receiver := ring(t)
	ctx := within(t, patience)
	expect(t, sender.TrySend(nil), ErrInvalidArgument)
	expect(t, sender.TrySend(make([]byte, 61)), ErrTooLarge)
	must(t, sender.TrySend([]byte("nine byte")))
	room := make([]byte, 12)
	_, err := receiver.NextInto(ctx, room[:8])
	expect(t, err, ErrTooLarge)
	size, err := receiver.NextInto(ctx, room)
	if must(t, err); string(room[:size]) != "nine byte" {
		t.Fatalf("%q", room[:size])
	}
	must(t, sender.TrySend([]byte{1}))
	for _, there := range []bool{true, false} {
		if skipped, err := receiver.Skip(); err != nil || skipped != there {
			t.Fatalf("skipped %v, %v", skipped, err)
		}
	}
	_, err = receiver.NextInto(within(t, time.Millisecond), room)
	expect(t, err, context.DeadlineExceeded)
}

func TestARestartedSenderIsFoundOrTheEndIsTold(t *testing.T) {
	folder, ctx := shared(t), within(t, patience)
	sender, err := CreateShmbuf("ring", 100, WithDirectory(folder))
	must(t, err)
	receiver, err := OpenShmbuf(ctx, "ring", WithDirectory(folder))
	must(t, err)
	must(t, sender.TrySend([]byte{1}))
	must(t, sender.Close())
	expect(t, sender.TrySend([]byte{1}), ErrClosed)
	next, err := CreateShmbuf("ring", 200, WithDirectory(folder))
	must(t, err)
	must(t, next.TrySend([]byte{2}))
	for want := byte(1); want <= 2; want++ {
		if message, err := receiver.Next(ctx); err != nil || message[0] != want {
			t.Fatalf("%v, %v", message, err)
		}
	}
	if receiver.Restarts() != 1 || receiver.Capacity() != 128 {
		t.Fatal("it reads the old one")
	}
	must(t, receiver.Close())
	ending, err := OpenShmbuf(ctx, "ring", WithDirectory(folder), WithReattach(false))
	must(t, err)
	must(t, next.TrySend([]byte{3}))
	must(t, next.Close())
	var got []byte
	for message, err := range ending.Messages(ctx) {
		if err != nil {
			expect(t, err, ErrDisconnected)
			break
		}
		got = append(got, message...)
	}
	if must(t, ending.Close()); !bytes.Equal(got, []byte{3}) || ending.Received() != 1 {
		t.Fatalf("%v, %d", got, ending.Received())
	}
}

func TestASegmentHasOneSenderAndOneReceiver(t *testing.T) {
	folder := shared(t)
	at := WithDirectory(folder)
	_, err := OpenShmbuf(context.Background(), "ring", at)
	expect(t, err, ErrNotFound)
	_, err = CreateShmbuf("a\x00b", 64, at)
	expect(t, err, ErrInvalidName)
	sender, err := CreateShmbuf("ring", 64, at, WithMode(0o660), WithKeep())
	must(t, err)
	_, err = CreateShmbuf("ring", 64, at)
	expect(t, err, ErrAlreadyExists)
	_, err = RemoveShmbuf("ring", folder)
	expect(t, err, ErrAlreadyExists)
	receiver, err := OpenShmbuf(context.Background(), "ring", at)
	must(t, err)
	_, err = OpenShmbuf(within(t, patience), "ring", at, WithWaitForLane(time.Millisecond))
	expect(t, err, ErrTooMany)
	closing := time.AfterFunc(5*time.Millisecond, func() { _ = receiver.Close() })
	_, err = receiver.Next(within(t, patience))
	expect(t, err, ErrClosed)
	closing.Stop()
	must(t, sender.Close())
	info, err := os.Stat(filepath.Join(folder, "ring"))
	if must(t, err); info.Mode().Perm() != 0o660 {
		t.Fatalf("the mode is %v", info.Mode())
	}
	for _, there := range []bool{true, false} {
		if removed, err := RemoveShmbuf("/ring", folder); err != nil || removed != there {
			t.Fatalf("removed %v, %v", removed, err)
		}
	}
}

func TestForgottenShmbufSidesAreToldAndClosed(t *testing.T) {
	folder := shared(t)
	told := leaks(t)
	func() {
		_, err := CreateShmbuf("ring", 64, WithDirectory(folder))
		must(t, err)
	}()
	if leak := collected(t, told); leak.What != "shmbuf sender" || leak.Lane != "ring" {
		t.Fatalf("told is %+v", leak)
	}
	if removed, err := RemoveShmbuf("ring", folder); removed || err != nil {
		t.Fatalf("removed %v, %v", removed, err)
	}
}
