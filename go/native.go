package framelane

// Only so that the go command notices when the tag comes or goes is FRAMELANE_STATIC defined.

/*
#cgo !framelane_workspace,!framelane_static pkg-config: framelane
#cgo framelane_static pkg-config: framelane-static
#cgo framelane_static CFLAGS: -DFRAMELANE_STATIC
#cgo framelane_workspace CFLAGS: -I${SRCDIR}/../rust/ffi/include
#cgo framelane_workspace CFLAGS: -I${SRCDIR}/../schema/generated/c
#cgo framelane_workspace LDFLAGS: -L${SRCDIR}/../target/debug -l:libframelane_ffi.a
#cgo framelane_workspace LDFLAGS: -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc
#cgo noescape framelane_consumer_ready
#cgo nocallback framelane_consumer_ready
#cgo noescape framelane_producer_claim
#cgo nocallback framelane_producer_claim
#cgo noescape framelane_frame_mut_publish
#cgo nocallback framelane_frame_mut_publish
#include <stdlib.h>
#include "framelane.h"

extern void framelaneReturned(void *owner, uint64_t sequence, int32_t revoked);
extern int32_t framelaneVisit(void *user_data, char *name, char *directory);

// Go hands its functions over as numbers; C wants pointers.
static inline framelane_status framelane_go_publish_external(const framelane_producer *producer,
		const struct framelane_frame_descriptor *descriptor, uintptr_t owner,
		framelane_error *error, uint64_t *sequence) {
	return framelane_producer_publish_external(producer, descriptor,
		owner ? framelaneReturned : NULL, (void *)owner, error, sequence);
}

static inline framelane_status framelane_go_discover(const char *directory, uintptr_t visit,
		framelane_error *error) {
	return framelane_discover(directory, (framelane_visit)framelaneVisit, (void *)visit, error);
}
*/
import "C"

import (
	"runtime"
	"runtime/cgo"
	"unsafe"

	"github.com/framelane/framelane/go/layout"
)

// This and the other files called native are the only ones that know C. They have no rules of their
// own: they turn arguments and results.

type (
	nativeProducer = C.framelane_producer
	nativeConsumer = C.framelane_consumer
	nativeClaim    C.framelane_frame_mut
	nativeProblem  = C.framelane_error
	status         = C.framelane_status
)

const (
	statusOk       = C.FRAMELANE_ERROR_KIND_OK
	statusTimedOut = C.FRAMELANE_ERROR_KIND_TIMED_OUT
)

func nativeLayoutHash() uint64  { return uint64(C.framelane_layout_hash()) }
func nativeMonotonicNs() uint64 { return uint64(C.framelane_monotonic_ns()) }

// Memory of the library's at this address.
func at(address *C.uintptr_t) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(address)) }

func problemText(problem *nativeProblem) string { return C.GoString(&problem.text[0]) }

// Text for C, or NULL where there is none; to be freed.
func optionalText(text string) *C.char {
	if text == "" {
		return nil
	}
	return C.CString(text)
}

func freeText(text *C.char) { C.free(unsafe.Pointer(text)) }

func flag(on bool) C.uint32_t {
	if on {
		return 1
	}
	return 0
}

func nativeFrameLayout(format, width, height, align uint32) (FrameLayout, error) {
	var made C.framelane_layout
	var problem nativeProblem
	code := C.framelane_layout_init(C.uint32_t(format), C.uint32_t(width), C.uint32_t(height),
		C.uint32_t(align), &problem, &made)
	if code != statusOk {
		return FrameLayout{}, failure(code, &problem)
	}
	out := FrameLayout{
		Fourcc: PixelFormat(made.fourcc), Width: uint32(made.width), Height: uint32(made.height),
		PlaneCount: int(made.plane_count), TotalBytes: uint64(made.total_bytes),
	}
	for i := range out.Planes {
		out.Planes[i] = Plane{
			OffsetBytes: uint64(made.offset_bytes[i]), SizeBytes: uint64(made.size_bytes[i]),
			StrideBytes: uint32(made.stride_bytes[i]), Rows: uint32(made.rows[i]),
			ShareID: -1, BufferIndex: -1,
		}
	}
	return out, nil
}

func (layout *FrameLayout) native() C.framelane_layout {
	out := C.framelane_layout{
		fourcc: C.uint32_t(layout.Fourcc), width: C.uint32_t(layout.Width),
		height: C.uint32_t(layout.Height), plane_count: C.uint32_t(layout.PlaneCount),
		total_bytes: C.uint64_t(layout.TotalBytes),
	}
	for i, plane := range layout.Planes {
		out.offset_bytes[i] = C.uint64_t(plane.OffsetBytes)
		out.size_bytes[i] = C.uint64_t(plane.SizeBytes)
		out.stride_bytes[i] = C.uint32_t(plane.StrideBytes)
		out.rows[i] = C.uint32_t(plane.Rows)
	}
	return out
}

func nativeCreate(name string, from []ProducerOption) (*nativeProducer, error) {
	var o C.framelane_producer_options
	C.framelane_producer_options_init(&o)
	settings := producerSettings{
		leaseBudget: uint32(o.lease_budget), claims: uint32(o.claims), history: uint32(o.history),
		numaNode: int32(o.numa_node),
	}
	for _, option := range from {
		option.forProducer(&settings)
	}
	if settings.err == nil {
		settings.err = checkTexts(name, settings.directory)
	}
	if settings.err != nil {
		return nil, settings.err
	}
	o.lease_budget = C.uint32_t(settings.leaseBudget)
	o.claims = C.uint32_t(settings.claims)
	o.history = C.uint32_t(settings.history)
	o.layout = settings.layout.native()
	o.payload_bytes = C.uint64_t(settings.payloadBytes)
	o.lease_ns = C.uint64_t(max(settings.lease, 0))
	o.frame_period_ns = C.uint64_t(max(settings.framePeriod, 0))
	o.memory = C.uint32_t(settings.memory)
	o.lossless = flag(settings.lossless)
	o.huge_pages = C.uint32_t(settings.hugePages)
	o.lock_memory = flag(settings.lockMemory)
	o.numa_node = C.int32_t(settings.numaNode)
	o.access = C.uint32_t(settings.access)
	o.access_group = C.uint32_t(settings.group)
	o.trust = C.uint32_t(settings.trust)
	o.reclaim = flag(settings.reclaim)
	o.directory = optionalText(settings.directory)
	defer freeText(o.directory)
	if count := len(settings.devices); count > 0 {
		var pin runtime.Pinner
		defer pin.Unpin()
		pin.Pin(&settings.devices[0])
		o.device_fds = (*C.int32_t)(&settings.devices[0])
		o.device_count = C.size_t(count)
	}
	text := C.CString(name)
	defer freeText(text)
	var problem nativeProblem
	var producer *nativeProducer
	code := C.framelane_producer_create(text, &o, &problem, &producer)
	return producer, failure(code, &problem)
}

// The directory is to be freed.
func (settings *consumerSettings) native() C.framelane_consumer_options {
	var o C.framelane_consumer_options
	C.framelane_consumer_options_init(&o)
	o.mode = C.uint32_t(settings.mode)
	o.leases = C.uint32_t(settings.leases)
	o.reattach = flag(settings.reattach)
	o.wants_writable = flag(settings.wantsWritable)
	o.directory = optionalText(settings.directory)
	return o
}

func nativeOpen(name string, settings *consumerSettings) (*nativeConsumer, error) {
	if err := checkTexts(name, settings.directory); err != nil {
		return nil, err
	}
	o := settings.native()
	defer freeText(o.directory)
	text := C.CString(name)
	defer freeText(text)
	var problem nativeProblem
	var consumer *nativeConsumer
	code := C.framelane_consumer_open(text, &o, &problem, &consumer)
	return consumer, failure(code, &problem)
}

func nativeReady(consumer *nativeConsumer, problem *nativeProblem) (bool, error) {
	var ready C.int32_t
	code := C.framelane_consumer_ready(consumer, problem, &ready)
	return ready != 0, failure(code, problem)
}

func nativeFd(consumer *nativeConsumer) int { return int(C.framelane_consumer_fd(consumer)) }

func nativeCounts(c *nativeConsumer) (received, missed, epoch uint64) {
	return uint64(C.framelane_consumer_received(c)), uint64(C.framelane_consumer_missed(c)),
		uint64(C.framelane_consumer_epoch(c))
}

func nativeCloseConsumer(consumer *nativeConsumer) { C.framelane_consumer_close(consumer) }

func nativeClaimNow(producer *nativeProducer, problem *nativeProblem, into *nativeClaim) status {
	return C.framelane_producer_claim(producer, problem, (*C.framelane_frame_mut)(into))
}

func nativeClaimWithin(producer *nativeProducer, ns uint64, into *nativeClaim) error {
	var problem nativeProblem
	code := C.framelane_producer_claim_within(producer, C.uint64_t(ns), &problem,
		(*C.framelane_frame_mut)(into))
	return failure(code, &problem)
}

func (claim *nativeClaim) publish(problem *nativeProblem) (uint64, error) {
	var sequence C.uint64_t
	code := C.framelane_frame_mut_publish((*C.framelane_frame_mut)(claim), problem, &sequence)
	return uint64(sequence), failure(code, problem)
}

func (claim *nativeClaim) says() *FrameDescriptor {
	return (*FrameDescriptor)(unsafe.Pointer(claim.descriptor))
}

func (claim *nativeClaim) bytes() []byte {
	return unsafe.Slice((*byte)(claim.payload), int(claim.payload_bytes))
}

func (claim *nativeClaim) abandon() {
	C.framelane_frame_mut_abandon((*C.framelane_frame_mut)(claim))
}

func (claim *nativeClaim) copyFrom(from []byte) error {
	if len(from) == 0 {
		return nil
	}
	var problem nativeProblem
	code := C.framelane_frame_mut_copy_from((*C.framelane_frame_mut)(claim),
		(*C.uint8_t)(&from[0]), C.size_t(len(from)), &problem)
	return failure(code, &problem)
}

func nativePublishBatch(producer *nativeProducer, claims []nativeClaim) (uint64, error) {
	var problem nativeProblem
	var last C.uint64_t
	code := C.framelane_producer_publish_batch(producer,
		(*C.framelane_frame_mut)(unsafe.SliceData(claims)), C.size_t(len(claims)), &problem, &last)
	return uint64(last), failure(code, &problem)
}

func nativePublishExternal(producer *nativeProducer, descriptor *layout.FrameDescriptor,
	owner func(Returned)) (uint64, error) {
	var handle cgo.Handle
	if owner != nil {
		handle = cgo.NewHandle(owner)
	}
	var problem nativeProblem
	var sequence C.uint64_t
	// By its own type: of an untyped pointer cgo would check all that the descriptor is part of.
	described := (*C.struct_framelane_frame_descriptor)(unsafe.Pointer(descriptor))
	code := C.framelane_go_publish_external(producer, described, C.uintptr_t(handle), &problem,
		&sequence)
	if code != statusOk && handle != 0 {
		handle.Delete()
	}
	return uint64(sequence), failure(code, &problem)
}

//export framelaneReturned
func framelaneReturned(owner unsafe.Pointer, sequence C.uint64_t, revoked C.int32_t) {
	handle := cgo.Handle(uintptr(owner))
	run := handle.Value().(func(Returned))
	handle.Delete()
	run(Returned{Sequence: uint64(sequence), Revoked: revoked != 0})
}

func nativeReclaim(producer *nativeProducer) (int, error) {
	var problem nativeProblem
	var count C.size_t
	code := C.framelane_producer_reclaim(producer, &problem, &count)
	return int(count), failure(code, &problem)
}

func nativeRecall(producer *nativeProducer) error {
	var problem nativeProblem
	return failure(C.framelane_producer_recall(producer, &problem), &problem)
}

func nativeReport(producer *nativeProducer, into *layout.Report) error {
	var problem nativeProblem
	report := (*C.struct_framelane_report)(unsafe.Pointer(into))
	return failure(C.framelane_producer_report(producer, &problem, report), &problem)
}

func nativeEpoch(producer *nativeProducer) uint64 {
	return uint64(C.framelane_producer_epoch(producer))
}

func nativeConsumers(producer *nativeProducer) int {
	return int(C.framelane_producer_consumers(producer))
}

func nativeCloseProducer(producer *nativeProducer) { C.framelane_producer_close(producer) }

func nativeDiscover(directory string, visit func(Lane)) error {
	if err := checkTexts("", directory); err != nil {
		return err
	}
	place := optionalText(directory)
	defer freeText(place)
	handle := cgo.NewHandle(visit)
	defer handle.Delete()
	var problem nativeProblem
	return failure(C.framelane_go_discover(place, C.uintptr_t(handle), &problem), &problem)
}

//export framelaneVisit
func framelaneVisit(visit unsafe.Pointer, name, directory *C.char) C.int32_t {
	lane := Lane{Name: C.GoString(name), Directory: C.GoString(directory)}
	cgo.Handle(uintptr(visit)).Value().(func(Lane))(lane)
	return 0
}

func nativeQuery(name, directory string, ns uint64, into *layout.Report) error {
	if err := checkTexts(name, directory); err != nil {
		return err
	}
	text, place := C.CString(name), optionalText(directory)
	defer freeText(text)
	defer freeText(place)
	var problem nativeProblem
	report := (*C.struct_framelane_report)(unsafe.Pointer(into))
	return failure(C.framelane_query(text, place, C.uint64_t(ns), &problem, report), &problem)
}
