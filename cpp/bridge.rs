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
use crate::shmbuf::{
    ShmbufReceiver, ShmbufSender, create_shmbuf, drop_shmbuf_receiver, drop_shmbuf_sender,
    open_shmbuf, remove_shmbuf,
};
use crate::status::{error_kind, error_kind_name, error_missed, error_text};
use crate::stream_reader::{StreamReader, drop_record, drop_stream_reader, open_stream};
use crate::stream_writer::{
    StreamWriter, abandon_record, append_record, commit_record, create_stream, drop_stream_writer,
};
use crate::switch::{Switch, drop_switch, open_switch};
use crate::switch_controller::{
    SwitchController, automatic_from_outside, create_switch, drop_switch_controller,
    select_index_from_outside, select_lane_from_outside,
};

#[cxx::bridge(namespace = "framelane::bridge")]
pub mod ffi {
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
        switch_epoch: u64,
        lane_index: u32,
        switched: bool,
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

    /// A message of a shmbuf ring, or none.
    struct Found {
        size_bytes: usize,
        there: bool,
    }

    /// What is selected.
    struct Selected {
        active: usize,
        switch_epoch: u64,
    }

    /// How a switch is.
    struct SwitchFacts {
        controller_epoch: u64,
        switch_epoch: u64,
        /// -1 for none.
        active: i32,
        problem: u32,
        controlled: bool,
        lanes: Vec<SwitchLaneFacts>,
    }

    /// One of its lanes.
    struct SwitchLaneFacts {
        name: String,
        problem: u32,
        attached: bool,
    }

    /// A text of C++.
    struct Text {
        data: *const u8,
        size_bytes: usize,
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
        include!("framelane/c.hpp");
        include!("framelane_layout.hpp");

        #[namespace = "framelane::layout"]
        type FrameDescriptor = crate::types::FrameDescriptor;
        #[namespace = "framelane::layout"]
        type Report = crate::types::Report;
        #[namespace = "framelane::layout"]
        type RecordInfo = crate::types::RecordInfo;
        #[namespace = "framelane::layout"]
        type StreamConfig = crate::types::StreamConfig;
        #[namespace = "framelane::bridge::c"]
        type Layout = crate::types::Layout;
        #[namespace = "framelane::bridge::c"]
        type ProducerOptions = crate::types::ProducerOptions;
        #[namespace = "framelane::bridge::c"]
        type ConsumerOptions = crate::types::ConsumerOptions;
        #[namespace = "framelane::bridge::c"]
        type StreamWriterOptions = crate::types::StreamWriterOptions;
        #[namespace = "framelane::bridge::c"]
        type StreamReaderOptions = crate::types::StreamReaderOptions;
        #[namespace = "framelane::bridge::c"]
        type SwitchControllerOptions = crate::types::SwitchControllerOptions;
        #[namespace = "framelane::bridge::c"]
        type ShmbufSenderOptions = crate::types::ShmbufSenderOptions;
        #[namespace = "framelane::bridge::c"]
        type ShmbufReceiverOptions = crate::types::ShmbufReceiverOptions;
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
        type Switch;
        type SwitchController;
        type ShmbufSender;
        type ShmbufReceiver;

        fn error_kind() -> u32;
        fn error_missed() -> u64;
        fn error_text() -> String;
        fn error_kind_name(kind: u32) -> &'static str;
        fn pixel_format(name: &[u8], format: &mut u32) -> u32;

        fn lay_out(format: u32, width: u32, height: u32, align: u32, out: &mut Layout) -> u32;
        fn discover(directory: &[u8], lanes: &mut Vec<LaneName>) -> u32;
        fn query(name: &[u8], directory: &[u8], timeout_ns: u64, report: &mut Report) -> u32;
        fn layout_hash() -> u64;
        fn monotonic_ns() -> u64;

        fn create_producer(
            name: &[u8],
            options: &ProducerOptions,
            device_kinds: &[u8],
        ) -> *mut Producer;
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

        fn open_consumer(name: &[u8], options: &ConsumerOptions) -> *mut Consumer;
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
            options: &StreamWriterOptions,
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

        fn open_stream(name: &[u8], options: &StreamReaderOptions) -> *mut StreamReader;
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

        fn open_switch(name: &[u8], options: &ConsumerOptions) -> *mut Switch;
        unsafe fn drop_switch(reader: *mut Switch);
        fn next(self: &mut Switch, timeout_ns: u64, frame: &mut HeldFrame) -> u32;
        fn try_next(self: &mut Switch, frame: &mut HeldFrame) -> u32;
        fn latest(self: &mut Switch, frame: &mut HeldFrame) -> u32;
        fn wait(self: &mut Switch, timeout_ns: u64, ready: &mut bool) -> u32;
        fn fd(self: &mut Switch) -> i32;
        fn received(self: &Switch) -> u64;
        fn missed(self: &Switch) -> u64;
        fn dropped(self: &Switch) -> u64;
        fn switches(self: &Switch) -> u64;
        fn held(self: &Switch) -> u32;
        fn facts(self: &Switch, facts: &mut SwitchFacts);
        fn closer(self: &Switch) -> Box<Closer>;

        unsafe fn create_switch(
            name: &[u8],
            lanes: &[Text],
            options: &SwitchControllerOptions,
        ) -> *mut SwitchController;
        unsafe fn drop_switch_controller(controller: *mut SwitchController);
        fn select(self: &SwitchController, index: usize, switch_epoch: &mut u64) -> u32;
        fn select_lane(self: &SwitchController, lane: &[u8], switch_epoch: &mut u64) -> u32;
        fn propose(self: &SwitchController, index: usize, active: &mut bool) -> u32;
        fn set_automatic(self: &SwitchController) -> u32;
        fn held(self: &SwitchController) -> bool;
        fn active(self: &SwitchController) -> usize;
        fn switch_epoch(self: &SwitchController) -> u64;
        fn wait_switched(
            self: &SwitchController,
            switch_epoch: u64,
            timeout_ns: u64,
            now: &mut u64,
        ) -> u32;
        fn report(self: &SwitchController, report: &mut Report);
        fn epoch(self: &SwitchController) -> u64;
        fn readers(self: &SwitchController) -> usize;
        fn select_lane_from_outside(
            name: &[u8],
            lane: &[u8],
            directory: &[u8],
            timeout_ns: u64,
            selected: &mut Selected,
        ) -> u32;
        fn select_index_from_outside(
            name: &[u8],
            index: usize,
            directory: &[u8],
            timeout_ns: u64,
            selected: &mut Selected,
        ) -> u32;
        fn automatic_from_outside(
            name: &[u8],
            directory: &[u8],
            timeout_ns: u64,
            selected: &mut Selected,
        ) -> u32;

        fn create_shmbuf(name: &[u8], options: &ShmbufSenderOptions) -> *mut ShmbufSender;
        unsafe fn drop_shmbuf_sender(sender: *mut ShmbufSender);
        fn send(self: &mut ShmbufSender, message: &[u8], timeout_ns: u64, sent: &mut bool) -> u32;
        fn drain(self: &mut ShmbufSender, timeout_ns: u64, drained: &mut bool) -> u32;
        fn unread(self: &ShmbufSender, bytes: &mut usize) -> u32;
        fn has_receiver(self: &ShmbufSender, attached: &mut bool) -> u32;
        fn capacity(self: &ShmbufSender) -> usize;
        fn longest_message(self: &ShmbufSender) -> usize;
        fn sent(self: &ShmbufSender) -> u64;
        fn times_full(self: &ShmbufSender) -> u64;

        fn open_shmbuf(name: &[u8], options: &ShmbufReceiverOptions) -> *mut ShmbufReceiver;
        unsafe fn drop_shmbuf_receiver(receiver: *mut ShmbufReceiver);
        fn wait(self: &mut ShmbufReceiver, timeout_ns: u64, found: &mut Found) -> u32;
        fn recv(self: &mut ShmbufReceiver, into: &mut [u8], found: &mut Found) -> u32;
        fn skip(self: &mut ShmbufReceiver, skipped: &mut bool) -> u32;
        fn capacity(self: &ShmbufReceiver) -> usize;
        fn received(self: &ShmbufReceiver) -> u64;
        fn empty(self: &ShmbufReceiver) -> u64;
        fn restarts(self: &ShmbufReceiver) -> u64;

        fn remove_shmbuf(name: &[u8], directory: &[u8], removed: &mut bool) -> u32;
    }
}
