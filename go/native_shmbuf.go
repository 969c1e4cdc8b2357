package framelane

/*
#cgo noescape framelane_shmbuf_sender_try_send
#cgo nocallback framelane_shmbuf_sender_try_send
#cgo noescape framelane_shmbuf_sender_send
#cgo nocallback framelane_shmbuf_sender_send
#cgo noescape framelane_shmbuf_receiver_wait
#cgo nocallback framelane_shmbuf_receiver_wait
#cgo noescape framelane_shmbuf_receiver_try_recv
#cgo nocallback framelane_shmbuf_receiver_try_recv
#include "framelane.h"
*/
import "C"

import (
	"time"
	"unsafe"
)

// This file is to shmbuf rings what native.go is to lanes.

type (
	nativeShmbufSender   = C.framelane_shmbuf_sender
	nativeShmbufReceiver = C.framelane_shmbuf_receiver
)

func nativeCreateShmbuf(name string, capacity uint64, from []ShmbufSenderOption,
) (*nativeShmbufSender, error) {
	var o C.framelane_shmbuf_sender_options
	C.framelane_shmbuf_sender_options_init(&o)
	settings := shmbufSenderSettings{mode: uint32(o.mode)}
	settings.poll = time.Duration(o.poll_interval_ns)
	for _, option := range from {
		option.forShmbufSender(&settings)
	}
	if err := checkTexts(name, settings.directory); err != nil {
		return nil, err
	}
	o.capacity_bytes = C.uint64_t(capacity)
	o.mode = C.uint32_t(settings.mode)
	o.keep = flag(settings.keep)
	o.python_receiver = flag(settings.pythonReceiver)
	o.bell = flag(settings.bell)
	o.poll_interval_ns = C.uint64_t(max(settings.poll, 0))
	o.directory = optionalText(settings.directory)
	defer freeText(o.directory)
	text := C.CString(name)
	defer freeText(text)
	var problem nativeProblem
	var sender *nativeShmbufSender
	code := C.framelane_shmbuf_sender_create(text, &o, &problem, &sender)
	return sender, failure(code, &problem)
}

func nativeShmbufSend(s *nativeShmbufSender, message []byte, ns uint64, p *nativeProblem) error {
	data, size := (*C.uint8_t)(unsafe.SliceData(message)), C.size_t(len(message))
	if ns == 0 {
		return failure(C.framelane_shmbuf_sender_try_send(s, data, size, p), p)
	}
	return failure(C.framelane_shmbuf_sender_send(s, data, size, C.uint64_t(ns), p), p)
}

func nativeShmbufDrain(s *nativeShmbufSender, ns uint64, p *nativeProblem) (bool, error) {
	var drained C.int32_t
	code := C.framelane_shmbuf_sender_drain(s, C.uint64_t(ns), p, &drained)
	return drained != 0, failure(code, p)
}

func nativeShmbufUnread(s *nativeShmbufSender, p *nativeProblem) (int, error) {
	var bytes C.size_t
	code := C.framelane_shmbuf_sender_unread(s, p, &bytes)
	return int(bytes), failure(code, p)
}

func nativeShmbufHasReceiver(s *nativeShmbufSender, p *nativeProblem) (bool, error) {
	var attached C.int32_t
	code := C.framelane_shmbuf_sender_has_receiver(s, p, &attached)
	return attached != 0, failure(code, p)
}

func nativeShmbufSizes(s *nativeShmbufSender) (capacity, longest int) {
	return int(C.framelane_shmbuf_sender_capacity(s)),
		int(C.framelane_shmbuf_sender_longest_message(s))
}

func nativeShmbufSent(s *nativeShmbufSender) shmbufCounts {
	return shmbufCounts{uint64(C.framelane_shmbuf_sender_sent(s)),
		uint64(C.framelane_shmbuf_sender_times_full(s))}
}

func nativeCloseShmbufSender(s *nativeShmbufSender) { C.framelane_shmbuf_sender_close(s) }

func nativeOpenShmbuf(name string, settings *shmbufReceiverSettings,
) (*nativeShmbufReceiver, error) {
	if err := checkTexts(name, settings.directory); err != nil {
		return nil, err
	}
	var o C.framelane_shmbuf_receiver_options
	C.framelane_shmbuf_receiver_options_init(&o)
	o.reattach = flag(settings.reattach)
	o.bell = flag(settings.bell)
	if settings.poll > 0 {
		o.poll_interval_ns = C.uint64_t(settings.poll)
	}
	o.directory = optionalText(settings.directory)
	defer freeText(o.directory)
	text := C.CString(name)
	defer freeText(text)
	var problem nativeProblem
	var receiver *nativeShmbufReceiver
	code := C.framelane_shmbuf_receiver_open(text, &o, &problem, &receiver)
	return receiver, failure(code, &problem)
}

// Whether there is a message, and its size.
func nativeShmbufWait(r *nativeShmbufReceiver, ns uint64, p *nativeProblem) (int, bool, error) {
	var size C.size_t
	code := C.framelane_shmbuf_receiver_wait(r, C.uint64_t(ns), p, &size)
	if code == statusTimedOut {
		return 0, false, nil
	}
	return int(size), code == statusOk, failure(code, p)
}

func nativeShmbufTake(r *nativeShmbufReceiver, into []byte, p *nativeProblem) (int, bool, error) {
	var size C.size_t
	code := C.framelane_shmbuf_receiver_try_recv(r, (*C.uint8_t)(unsafe.SliceData(into)),
		C.size_t(len(into)), p, &size)
	if code == statusTimedOut {
		return 0, false, nil
	}
	return int(size), code == statusOk, failure(code, p)
}

func nativeShmbufSkip(r *nativeShmbufReceiver, p *nativeProblem) (bool, error) {
	code := C.framelane_shmbuf_receiver_skip(r, p)
	if code == statusTimedOut {
		return false, nil
	}
	return code == statusOk, failure(code, p)
}

func nativeShmbufReceived(r *nativeShmbufReceiver) shmbufCounts {
	return shmbufCounts{uint64(C.framelane_shmbuf_receiver_received(r)),
		uint64(C.framelane_shmbuf_receiver_empty(r)),
		uint64(C.framelane_shmbuf_receiver_restarts(r))}
}

func nativeShmbufRing(r *nativeShmbufReceiver) int {
	return int(C.framelane_shmbuf_receiver_capacity(r))
}

func nativeCloseShmbufReceiver(r *nativeShmbufReceiver) { C.framelane_shmbuf_receiver_close(r) }

func nativeRemoveShmbuf(name, directory string) (bool, error) {
	if err := checkTexts(name, directory); err != nil {
		return false, err
	}
	text, place := C.CString(name), optionalText(directory)
	defer freeText(text)
	defer freeText(place)
	var problem nativeProblem
	var removed C.int32_t
	code := C.framelane_shmbuf_remove(text, place, &problem, &removed)
	return removed != 0, failure(code, &problem)
}
