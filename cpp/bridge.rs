//! What crosses between Rust and the headers in `include/framelane`, all of it.
//!
//! Status numbers cross, 0 being success; what belongs to another one is fetched on the same
//! thread by `error_kind` and `error_text`, and the exception is thrown in C++. Frames live in
//! storage of the caller's, so that no call allocates for one; `live` says whether one is there.
#![allow(unsafe_code, reason = "the bridge: pointers cross")]
#![allow(missing_docs, reason = "private to the headers, which document the API")]
#![allow(clippy::missing_safety_doc, reason = "as above")]

use crate::claimed::{abandon_frame, claimed_plane, copy_from, publish_frame};
use crate::consumer::{Closer, Consumer, drop_consumer, open_consumer};
use crate::held::{
    check_frame, copy_plane, drop_frame, frame_info, held_plane, held_plane_fd, release_frame,
};
use crate::lanes::{discover, layout_hash, monotonic_ns, query};
use crate::producer::{Producer, create_producer, drop_producer, lay_out, pixel_format};
use crate::status::{error_kind, error_kind_name, error_missed, error_text};
use crate::stream_reader::{StreamReader, drop_record, drop_stream_reader, open_stream};
use crate::stream_writer::{
    StreamWriter, abandon_record, append_record, commit_record, create_stream, drop_stream_writer,
};

#[cxx::bridge(namespace = "framelane::bridge")]
pub mod ffi {
    /// Geometry of a picture; fourcc 0 is none.
    struct Geometry {
        fourcc: u32,
        width: u32,
        height: u32,
        plane_count: u32,
        offset_bytes: [u64; 4],
        size_bytes: [u64; 4],
        stride_bytes: [u32; 4],
        rows: [u32; 4],
        total_bytes: u64,
    }

    /// `ProducerOptions` as numbers; lists and names beside it.
    struct ProducerSettings<'a> {
        geometry: Geometry,
        payload_bytes: u64,
        lease_ns: u64,
        frame_period_ns: u64,
        lease_budget: u32,
        claims: u32,
        history: u32,
        access_group: u32,
        numa_node: i64,
        memory: u8,
        huge_pages: u8,
        access: u8,
        trust: u8,
        reclaim: u8,
        lossless: bool,
        lock_memory: bool,
        directory: &'a [u8],
        device_fds: &'a [i32],
        device_kinds: &'a [u8],
    }

    /// `ConsumerOptions`; an empty directory searches.
    struct ConsumerSettings<'a> {
        wait_for_lane_ns: u64,
        leases: u32,
        mode: u8,
        reattach: bool,
        return_on_signal: bool,
        wants_writable: bool,
        directory: &'a [u8],
    }

    /// A claimed frame, or none.
    struct ClaimedFrame {
        handle: [u64; 3],
        descriptor: *mut FrameDescriptor,
        payload: *mut u8,
        payload_bytes: usize,
        live: bool,
    }

    /// A frame under lease, or none.
    struct HeldFrame {
        handle: [u64; 6],
        sequence: u64,
        epoch: u64,
        missed: u64,
        slot: u32,
        new_epoch: bool,
        live: bool,
    }

    /// One plane in memory.
    struct PlaneSpan {
        data: *mut u8,
        size_bytes: usize,
        stride_bytes: u32,
        rows: u32,
        revocable: bool,
    }

    struct StreamWriterSettings<'a> {
        data_bytes: u64,
        key_request_interval_ns: u64,
        numa_node: i64,
        index_capacity: u32,
        access_group: u32,
        access: u8,
        trust: u8,
        lossless: bool,
        lock_memory: bool,
        directory: &'a [u8],
    }

    struct StreamReaderSettings<'a> {
        start_age_ns: u64,
        wait_for_lane_ns: u64,
        start: u8,
        after_lap: u8,
        lossless: bool,
        reattach: bool,
        return_on_signal: bool,
        directory: &'a [u8],
    }

    /// A record being written, or none.
    struct OpenRecord {
        handle: [u64; 16],
        info: RecordInfo,
        live: bool,
    }

    /// A record that was read, or none.
    struct HeldRecord {
        handle: [u64; 20],
        info: RecordInfo,
        config: *const StreamConfig,
        data: *const u8,
        size_bytes: usize,
        epoch: u64,
        missed: u64,
        new_epoch: bool,
        new_config: bool,
        live: bool,
    }

    struct LaneFacts {
        name: String,
        epoch: u64,
        payload_bytes: u64,
        lease_ns: u64,
        total_bytes: u64,
        consumer_id: u32,
        leases: u32,
        slots: u32,
        history: u32,
        flags: u32,
        producer_pid: u32,
        producer_uid: u32,
        memory_kind: u8,
    }

    struct LaneName {
        name: String,
        directory: Vec<u8>,
    }

    unsafe extern "C++" {
        include!("framelane/owner.hpp");
        include!("framelane_layout.hpp");

        #[namespace = "framelane::layout"]
        type FrameDescriptor = crate::types::FrameDescriptor;
        #[namespace = "framelane::layout"]
        type Report = crate::types::Report;
        #[namespace = "framelane::layout"]
        type RecordInfo = crate::types::RecordInfo;
        #[namespace = "framelane::layout"]
        type StreamConfig = crate::types::StreamConfig;
        #[namespace = "framelane"]
        type Owner;

        #[namespace = "framelane"]
        fn give_back(owner: UniquePtr<Owner>, sequence: u64, revoked: bool);
    }

    extern "Rust" {
        type Producer;
        type Consumer;
        type Closer;
        type StreamWriter;
        type StreamReader;

        fn error_kind() -> u32;
        fn error_missed() -> u64;
        fn error_text() -> String;
        fn error_kind_name(kind: u32) -> &'static str;
        fn pixel_format(name: &[u8], format: &mut u32) -> u32;

        fn lay_out(format: u32, width: u32, height: u32, align: u32, out: &mut Geometry) -> u32;
        fn discover(directory: &[u8], lanes: &mut Vec<LaneName>) -> u32;
        fn query(name: &[u8], directory: &[u8], timeout_ns: u64, report: &mut Report) -> u32;
        fn layout_hash() -> u64;
        fn monotonic_ns() -> u64;

        fn create_producer(name: &[u8], settings: &ProducerSettings<'_>) -> *mut Producer;
        unsafe fn drop_producer(producer: *mut Producer);
        fn claim(self: &Producer, frame: &mut ClaimedFrame) -> u32;
        fn claim_within(self: &Producer, timeout_ns: u64, frame: &mut ClaimedFrame) -> u32;
        fn publish_batch(self: &Producer, frames: &mut [ClaimedFrame], last: &mut u64) -> u32;
        fn publish_external(
            self: &Producer,
            descriptor: &FrameDescriptor,
            owner: UniquePtr<Owner>,
            sequence: &mut u64,
        ) -> u32;
        fn reclaim(self: &Producer) -> usize;
        fn recall(self: &Producer);
        fn report(self: &Producer, report: &mut Report);
        fn epoch(self: &Producer) -> u64;
        fn consumers(self: &Producer) -> usize;
        fn name(self: &Producer) -> String;
        fn directory(self: &Producer) -> Vec<u8>;

        fn claimed_plane(frame: &mut ClaimedFrame, index: usize, plane: &mut PlaneSpan) -> u32;
        fn copy_from(frame: &mut ClaimedFrame, bytes: &[u8]) -> u32;
        fn publish_frame(frame: &mut ClaimedFrame, sequence: &mut u64) -> u32;
        fn abandon_frame(frame: &mut ClaimedFrame);

        fn open_consumer(name: &[u8], settings: &ConsumerSettings<'_>) -> *mut Consumer;
        unsafe fn drop_consumer(consumer: *mut Consumer);
        fn next(self: &mut Consumer, timeout_ns: u64, frame: &mut HeldFrame) -> u32;
        fn try_next(self: &mut Consumer, frame: &mut HeldFrame) -> u32;
        fn latest(self: &mut Consumer, frame: &mut HeldFrame) -> u32;
        fn wait(self: &mut Consumer, timeout_ns: u64, ready: &mut bool) -> u32;
        fn fd(self: &mut Consumer) -> i32;
        fn received(self: &Consumer) -> u64;
        fn missed(self: &Consumer) -> u64;
        fn epoch(self: &Consumer) -> u64;
        fn held(self: &Consumer) -> u32;
        fn lane(self: &Consumer, facts: &mut LaneFacts) -> bool;
        fn closer(self: &Consumer) -> Box<Closer>;
        fn close(self: &Closer);
        fn again(self: &Closer) -> Box<Closer>;

        fn frame_info(frame: &HeldFrame) -> *const FrameDescriptor;
        fn held_plane(frame: &HeldFrame, index: usize, plane: &mut PlaneSpan) -> u32;
        fn held_plane_fd(frame: &HeldFrame, index: usize, fd: &mut i32) -> u32;
        fn copy_plane(frame: &HeldFrame, index: usize, into: &mut [u8]) -> u32;
        fn check_frame(frame: &HeldFrame) -> bool;
        fn release_frame(frame: &mut HeldFrame) -> u32;
        fn drop_frame(frame: &mut HeldFrame);

        fn create_stream(
            name: &[u8],
            config: &StreamConfig,
            settings: &StreamWriterSettings<'_>,
        ) -> *mut StreamWriter;
        unsafe fn drop_stream_writer(writer: *mut StreamWriter);
        fn begin(self: &StreamWriter, room: usize, timeout_ns: u64, record: &mut OpenRecord)
        -> u32;
        fn set_config(
            self: &StreamWriter,
            config: &StreamConfig,
            timeout_ns: u64,
            id: &mut u32,
        ) -> u32;
        fn key_frame_wanted(self: &StreamWriter, timeout_ns: u64) -> bool;
        fn report(self: &StreamWriter, report: &mut Report);
        fn record_limit(self: &StreamWriter) -> usize;
        fn epoch(self: &StreamWriter) -> u64;
        fn readers(self: &StreamWriter) -> usize;

        fn append_record(record: &mut OpenRecord, bytes: &[u8]) -> u32;
        fn commit_record(record: &mut OpenRecord, sequence: &mut u64) -> u32;
        fn abandon_record(record: &mut OpenRecord);

        fn open_stream(name: &[u8], settings: &StreamReaderSettings<'_>) -> *mut StreamReader;
        unsafe fn drop_stream_reader(reader: *mut StreamReader);
        fn next(self: &mut StreamReader, timeout_ns: u64, record: &mut HeldRecord) -> u32;
        fn try_next(self: &mut StreamReader, record: &mut HeldRecord) -> u32;
        fn wait(self: &mut StreamReader, timeout_ns: u64, ready: &mut bool) -> u32;
        fn seek(self: &mut StreamReader, place: u8, age_ns: u64) -> u32;
        fn request_key_frame(self: &mut StreamReader) -> u32;
        fn fd(self: &mut StreamReader) -> i32;
        fn received(self: &StreamReader) -> u64;
        fn missed(self: &StreamReader) -> u64;
        fn epoch(self: &StreamReader) -> u64;
        fn held(self: &StreamReader) -> u32;
        fn closer(self: &StreamReader) -> Box<Closer>;

        fn drop_record(record: &mut HeldRecord);
    }
}
