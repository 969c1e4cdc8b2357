package framelane

/*
#cgo noescape framelane_go_borrow
#cgo nocallback framelane_go_borrow
#cgo noescape framelane_go_follow
#cgo nocallback framelane_go_follow
#cgo noescape framelane_frame_release
#cgo nocallback framelane_frame_release
#cgo noescape framelane_frame_check
#cgo nocallback framelane_frame_check
#include "framelane.h"

// A frame and all there is to know about it, had in one call. Addresses are numbers, so that Go
// has nothing to look for in here, neither for its rules about C nor for its garbage collector.
typedef struct {
	framelane_frame frame;
	uintptr_t descriptor;
	uintptr_t planes[4]; // 0 where a plane cannot be read
	uint64_t plane_bytes[4];
} framelane_go_lease;

static inline framelane_status framelane_go_describe(framelane_error *error,
		framelane_go_lease *lease) {
	const struct framelane_frame_descriptor *descriptor;
	framelane_status status = framelane_frame_descriptor(&lease->frame, error, &descriptor);
	if (status != 0) return status;
	lease->descriptor = (uintptr_t)descriptor;
	for (size_t i = 0; i < 4; i++) {
		framelane_plane_view plane = {0};
		if (i < descriptor->plane_count)
			(void)framelane_frame_plane(&lease->frame, i, NULL, &plane);
		lease->planes[i] = (uintptr_t)plane.data;
		lease->plane_bytes[i] = plane.size_bytes;
	}
	return status;
}

// Of a consumer.
static inline framelane_status framelane_go_borrow(framelane_consumer *consumer, int32_t newest,
		framelane_error *error, framelane_go_lease *lease) {
	framelane_status status = newest
		? framelane_consumer_latest(consumer, error, &lease->frame)
		: framelane_consumer_try_next(consumer, error, &lease->frame);
	return status != 0 ? status : framelane_go_describe(error, lease);
}

// Of a switch.
static inline framelane_status framelane_go_follow(framelane_switch *reader, int32_t newest,
		framelane_error *error, framelane_go_lease *lease) {
	framelane_status status = newest
		? framelane_switch_latest(reader, error, &lease->frame)
		: framelane_switch_try_next(reader, error, &lease->frame);
	return status != 0 ? status : framelane_go_describe(error, lease);
}
*/
import "C"

import "unsafe"

// Frames, wherever they come from.

type nativeLease C.framelane_go_lease

func nativeBorrow(c *nativeConsumer, newest bool, p *nativeProblem, into *nativeLease) status {
	return C.framelane_go_borrow(c, C.int32_t(flag(newest)), p, (*C.framelane_go_lease)(into))
}

func nativeFollow(s *nativeSwitch, newest bool, p *nativeProblem, into *nativeLease) status {
	return C.framelane_go_follow(s, C.int32_t(flag(newest)), p, (*C.framelane_go_lease)(into))
}

func (lease *nativeLease) says() *FrameDescriptor {
	return (*FrameDescriptor)(at(&lease.descriptor))
}

func (lease *nativeLease) plane(index int) []byte {
	if lease.planes[index] == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(at(&lease.planes[index])), int(lease.plane_bytes[index]))
}

func (lease *nativeLease) release() status { return C.framelane_frame_release(&lease.frame, nil) }
func (lease *nativeLease) intact() bool    { return C.framelane_frame_check(&lease.frame) != 0 }

// Why a plane cannot be read.
func (lease *nativeLease) refusal(index int) error {
	var problem nativeProblem
	var plane C.framelane_plane_view
	code := C.framelane_frame_plane(&lease.frame, C.size_t(index), &problem, &plane)
	return failure(code, &problem)
}

// The descriptor is the caller's.
func (lease *nativeLease) planeFd(index int) (int, error) {
	var problem nativeProblem
	fd := C.int32_t(-1)
	code := C.framelane_frame_plane_fd(&lease.frame, C.size_t(index), &problem, &fd)
	return int(fd), failure(code, &problem)
}

func (lease *nativeLease) copyTo(index int, into []byte) error {
	var none byte
	first := &none // C refuses NULL
	if len(into) > 0 {
		first = &into[0]
	}
	var problem nativeProblem
	code := C.framelane_frame_copy_to(&lease.frame, C.size_t(index), (*C.uint8_t)(first),
		C.size_t(len(into)), &problem)
	return failure(code, &problem)
}
