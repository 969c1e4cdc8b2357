package framelane

/*
#cgo noescape framelane_go_read
#cgo nocallback framelane_go_read
#cgo noescape framelane_go_record_release
#cgo nocallback framelane_go_record_release
#cgo noescape framelane_stream_reader_ready
#cgo nocallback framelane_stream_reader_ready
#cgo noescape framelane_go_write
#cgo nocallback framelane_go_write
#cgo noescape framelane_stream_writer_begin
#cgo nocallback framelane_stream_writer_begin
#cgo noescape framelane_stream_writer_key_frame_wanted
#cgo nocallback framelane_stream_writer_key_frame_wanted
#cgo noescape framelane_record_mut_append
#cgo nocallback framelane_record_mut_append
#cgo noescape framelane_record_mut_commit
#cgo nocallback framelane_record_mut_commit
#include <string.h>
#include "framelane.h"

// A record and all there is to know about it, had in one call. Addresses are numbers here too, and
// the library's own record, which has some, is words.
typedef struct {
	uint64_t live;
	uint64_t held[sizeof(framelane_record) / sizeof(uint64_t)];
	uintptr_t data;
	uintptr_t config;
	uint64_t size_bytes;
	uint64_t epoch;
	uint64_t missed;
	uint32_t new_epoch;
	uint32_t new_config;
	struct framelane_record_info info;
} framelane_go_record;

static inline framelane_status framelane_go_read(framelane_stream_reader *reader,
		framelane_error *error, framelane_go_record *into) {
	framelane_record record;
	framelane_status status = framelane_stream_reader_try_next(reader, error, &record);
	into->missed = record.missed;
	if (status != 0) return status;
	into->data = (uintptr_t)record.data;
	into->config = (uintptr_t)record.config;
	into->size_bytes = record.size_bytes;
	into->epoch = record.epoch;
	into->new_epoch = record.new_epoch;
	into->new_config = record.new_config;
	into->info = record.info;
	memcpy(into->held, &record, sizeof record);
	into->live = 1;
	return status;
}

static inline void framelane_go_record_release(framelane_go_record *held) {
	framelane_record record;
	memcpy(&record, held->held, sizeof record);
	held->live = 0;
	framelane_record_release(&record);
}

// A record of one piece, in one call.
static inline framelane_status framelane_go_write(const framelane_stream_writer *writer,
		const struct framelane_record_info *info, const uint8_t *data, size_t size_bytes,
		uint64_t timeout_ns, framelane_error *error, uint64_t *sequence) {
	struct framelane_record_info nothing;
	framelane_bytes piece = {data, size_bytes};
	if (!info) {
		framelane_record_info_init(&nothing);
		info = &nothing;
	}
	return framelane_stream_writer_write(writer, info, &piece, 1, timeout_ns, error, sequence);
}
*/
import "C"

import (
	"time"
	"unsafe"

	"github.com/framelane/framelane/go/layout"
)

// This file is to streams what native.go is to everything else; no other knows C.

type (
	nativeWriter = C.framelane_stream_writer
	nativeReader = C.framelane_stream_reader
	nativeRecord C.framelane_go_record
	nativeOpened C.framelane_record_mut
)

const statusLapped = C.FRAMELANE_ERROR_KIND_LAPPED

func (config *StreamConfig) native() *C.struct_framelane_stream_config {
	return (*C.struct_framelane_stream_config)(unsafe.Pointer(config))
}

func nativeCreateStream(name string, config *StreamConfig, from []StreamWriterOption,
) (*nativeWriter, error) {
	var o C.framelane_stream_writer_options
	C.framelane_stream_writer_options_init(&o)
	settings := streamWriterSettings{
		dataBytes: uint64(o.data_bytes), indexCapacity: uint32(o.index_capacity),
		keyInterval: time.Duration(o.key_request_interval_ns), numaNode: int32(o.numa_node),
	}
	for _, option := range from {
		option.forStreamWriter(&settings)
	}
	if err := checkTexts(name, settings.directory); err != nil {
		return nil, err
	}
	o.data_bytes = C.uint64_t(settings.dataBytes)
	o.index_capacity = C.uint32_t(settings.indexCapacity)
	o.key_request_interval_ns = C.uint64_t(max(settings.keyInterval, 0))
	o.lossless = flag(settings.lossless)
	o.lock_memory = flag(settings.lockMemory)
	o.numa_node = C.int32_t(settings.numaNode)
	o.access = C.uint32_t(settings.access)
	o.access_group = C.uint32_t(settings.group)
	o.trust = C.uint32_t(settings.trust)
	o.directory = optionalText(settings.directory)
	defer freeText(o.directory)
	text := C.CString(name)
	defer freeText(text)
	var problem nativeProblem
	var writer *nativeWriter
	code := C.framelane_stream_writer_create(text, config.native(), &o, &problem, &writer)
	return writer, failure(code, &problem)
}

func nativeBegin(w *nativeWriter, room int, ns uint64, p *nativeProblem, into *nativeOpened,
) status {
	return C.framelane_stream_writer_begin(w, C.size_t(room), C.uint64_t(ns), p,
		(*C.framelane_record_mut)(into))
}

func nativeWrite(w *nativeWriter, info *RecordInfo, bytes []byte, ns uint64, p *nativeProblem,
) (uint64, error) {
	var sequence C.uint64_t
	code := C.framelane_go_write(w, (*C.struct_framelane_record_info)(unsafe.Pointer(info)),
		(*C.uint8_t)(unsafe.SliceData(bytes)), C.size_t(len(bytes)), C.uint64_t(ns), p, &sequence)
	return uint64(sequence), failure(code, p)
}

func nativeSetConfig(w *nativeWriter, config *StreamConfig, ns uint64) (uint32, error) {
	var problem nativeProblem
	var id C.uint32_t
	code := C.framelane_stream_writer_set_config(w, config.native(), C.uint64_t(ns), &problem, &id)
	return uint32(id), failure(code, &problem)
}

func nativeKeyFrameWanted(writer *nativeWriter, ns uint64) bool {
	var wanted C.int32_t
	code := C.framelane_stream_writer_key_frame_wanted(writer, C.uint64_t(ns), nil, &wanted)
	return code == statusOk && wanted != 0
}

func nativeStreamReport(writer *nativeWriter, into *layout.Report) error {
	var problem nativeProblem
	report := (*C.struct_framelane_report)(unsafe.Pointer(into))
	return failure(C.framelane_stream_writer_report(writer, &problem, report), &problem)
}

func nativeWriterFacts(writer *nativeWriter) (epoch uint64, limit int) {
	return uint64(C.framelane_stream_writer_epoch(writer)),
		int(C.framelane_stream_writer_record_limit(writer))
}

func nativeReaders(writer *nativeWriter) int {
	return int(C.framelane_stream_writer_readers(writer))
}

func nativeCloseWriter(writer *nativeWriter) { C.framelane_stream_writer_close(writer) }

func (open *nativeOpened) says() *RecordInfo {
	return (*RecordInfo)(unsafe.Pointer(&open.info))
}

func (open *nativeOpened) add(bytes []byte, problem *nativeProblem) error {
	code := C.framelane_record_mut_append((*C.framelane_record_mut)(open),
		(*C.uint8_t)(unsafe.SliceData(bytes)), C.size_t(len(bytes)), problem)
	return failure(code, problem)
}

func (open *nativeOpened) commit(problem *nativeProblem) (uint64, error) {
	var sequence C.uint64_t
	code := C.framelane_record_mut_commit((*C.framelane_record_mut)(open), problem, &sequence)
	return uint64(sequence), failure(code, problem)
}

func (open *nativeOpened) abandon() {
	C.framelane_record_mut_abandon((*C.framelane_record_mut)(open))
}

func nativeOpenStream(name string, settings *streamReaderSettings) (*nativeReader, error) {
	if err := checkTexts(name, settings.directory); err != nil {
		return nil, err
	}
	var o C.framelane_stream_reader_options
	C.framelane_stream_reader_options_init(&o)
	o.start = C.uint32_t(settings.start)
	o.start_age_ns = C.uint64_t(max(settings.startAge, 0))
	o.after_lap = C.uint32_t(settings.afterLap)
	o.lossless = flag(settings.lossless)
	o.reattach = flag(settings.reattach)
	o.directory = optionalText(settings.directory)
	defer freeText(o.directory)
	text := C.CString(name)
	defer freeText(text)
	var problem nativeProblem
	var reader *nativeReader
	code := C.framelane_stream_reader_open(text, &o, &problem, &reader)
	return reader, failure(code, &problem)
}

func nativeRead(reader *nativeReader, problem *nativeProblem, into *nativeRecord) status {
	return C.framelane_go_read(reader, problem, (*C.framelane_go_record)(into))
}

func nativeStreamReady(reader *nativeReader, problem *nativeProblem) (bool, error) {
	var ready C.int32_t
	code := C.framelane_stream_reader_ready(reader, problem, &ready)
	return ready != 0, failure(code, problem)
}

func nativeSeek(r *nativeReader, place StreamStart, ns uint64, p *nativeProblem) error {
	return failure(C.framelane_stream_reader_seek(r, C.uint32_t(place), C.uint64_t(ns), p), p)
}

func nativeRequestKeyFrame(reader *nativeReader, problem *nativeProblem) error {
	return failure(C.framelane_stream_reader_request_key_frame(reader, problem), problem)
}

func nativeStreamFd(reader *nativeReader) int { return int(C.framelane_stream_reader_fd(reader)) }

func nativeStreamCounts(r *nativeReader) (received, missed, epoch uint64) {
	return uint64(C.framelane_stream_reader_received(r)),
		uint64(C.framelane_stream_reader_missed(r)), uint64(C.framelane_stream_reader_epoch(r))
}

func nativeHeld(reader *nativeReader) int { return int(C.framelane_stream_reader_held(reader)) }

func nativeCloseReader(reader *nativeReader) { C.framelane_stream_reader_close(reader) }

func (record *nativeRecord) bytes() []byte {
	if record.size_bytes == 0 {
		return []byte{}
	}
	return unsafe.Slice((*byte)(at(&record.data)), int(record.size_bytes))
}

func (record *nativeRecord) says() *RecordInfo {
	return (*RecordInfo)(unsafe.Pointer(&record.info))
}

func (record *nativeRecord) configured() *StreamConfig {
	return (*StreamConfig)(at(&record.config))
}

func (record *nativeRecord) release() {
	C.framelane_go_record_release((*C.framelane_go_record)(record))
}
