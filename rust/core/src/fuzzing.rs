//! What the fuzzer calls: each parser of bytes that somebody else wrote, with assertions on what it
//! lets through. Not part of the interface.
#![doc(hidden)]
#![allow(missing_docs, reason = "hidden, and each target says what it is by its name")]

mod seeds;

use crate::consumer::fuzzing as consumer;
use crate::layout::{
    Bye, FrameDescriptor, LaneHeader, PixelFormat, Query, Ready, Refused, Report, SlotPhase,
};
use crate::producer::{fuzzing as producer, plane_range};
use crate::ring::consumer::{Proof, borrow_from, borrow_newest, check};
use crate::ring::heap::Words;
use crate::ring::token::{sequence_of, slot_of, state};
use crate::ring::words::{FrameWords, LaneWords};
use crate::wire::message;
use crate::{FrameLayout, discover, first_difference};
pub use seeds::{TARGETS, seeds};
use std::sync::atomic::Ordering::Relaxed;
use zerocopy::{FromBytes, FromZeros, IntoBytes};

/// A target: what it does with any bytes, and whether it believed them.
pub type Target = fn(&[u8]) -> bool;

/// A packet, as either side reads it.
pub fn wire(packet: &[u8]) -> bool {
    let known = message::header(packet).is_ok();
    let mut believed = producer::hello(packet) | consumer::answer(packet);
    believed |= message::read::<Ready>(packet).is_ok();
    if let Ok(query) = message::read::<Query>(packet) {
        believed |= message::text(&query.lane).is_ok();
    }
    for (kind, text) in [
        message::read::<Bye>(packet).map(|bye| (bye.kind, bye.text.to_vec())),
        message::read::<Refused>(packet).map(|refused| (refused.kind, refused.text.to_vec())),
    ]
    .into_iter()
    .flatten()
    {
        let error = message::carried(kind, &text);
        assert_ne!(error.kind(), crate::ErrorKind::Ok);
        believed = true;
    }
    if let Ok(report) = discover::read_answer(packet) {
        let report: Report = report;
        assert!(report.consumer_count as usize <= report.consumers.len());
        believed = true;
    }
    assert!(known || !believed, "nothing without a header");
    believed
}

/// The size of the file, then a lane's header.
pub fn lane_header(data: &[u8]) -> bool {
    let Ok((file_bytes, rest)) = u64::read_from_prefix(data) else { return false };
    let mut header = LaneHeader::new_zeroed();
    let bytes = header.as_mut_bytes();
    let given = rest.len().min(bytes.len());
    bytes[..given].copy_from_slice(&rest[..given]);
    consumer::header(&header, file_bytes)
}

/// Images of consumer pages, with steps of the producer in between.
pub fn consumer_page(data: &[u8]) -> bool {
    producer::page(data);
    true
}

/// The room of a slot, then a descriptor.
pub fn descriptor(data: &[u8]) -> bool {
    let Ok((room, rest)) = u32::read_from_prefix(data) else { return false };
    let room = room as usize;
    let mut descriptor = FrameDescriptor::new_zeroed();
    let bytes = descriptor.as_mut_bytes();
    let given = rest.len().min(bytes.len());
    bytes[..given].copy_from_slice(&rest[..given]);
    let mut believed = producer::external(&descriptor);
    for plane in &descriptor.planes {
        if let Ok(range) = plane_range(plane, room) {
            assert!(range.start <= range.end && range.end <= room);
            assert_eq!(range.len() as u64, plane.size_bytes);
            believed = true;
        }
    }
    let format = PixelFormat::ALL[descriptor.plane_count as usize % PixelFormat::ALL.len()];
    let (width, height) = (descriptor.width, descriptor.height);
    let align = descriptor.planes[0].stride_bytes;
    if let Ok(layout) = FrameLayout::with_stride_align(format, width, height, align) {
        for plane in &layout.planes[..layout.plane_count.into()] {
            assert!(plane.offset_bytes + plane.size_bytes <= layout.total_bytes);
            assert!(u64::from(plane.stride_bytes) * u64::from(plane.rows) <= plane.size_bytes);
        }
    }
    believed
}

/// What a consumer borrows from lane memory that holds anything.
pub fn borrow(data: &[u8]) -> bool {
    let mut words = data.chunks_exact(8).map(|word| word.try_into().expect("eight bytes"));
    let mut next = || words.next().map_or(0, u64::from_le_bytes);
    let (from, history) = (next() >> 6, next());
    let (lane, page) = (Words::filled(next), Words::new());
    let ready = |token| state(sequence_of(token), SlotPhase::Ready);
    let newest = borrow_newest(&lane, &page, 0, from, Proof::State);
    if let Some(token) = newest {
        assert!(sequence_of(token) > from && token == lane.head().load(Relaxed));
    }
    let next = borrow_from(&lane, &page, 1, from, history);
    if let Some(token) = next {
        assert!(sequence_of(token) >= from.max(1));
    }
    for token in newest.into_iter().chain(next) {
        assert_eq!(lane.state(slot_of(token)).load(Relaxed), ready(token));
        assert!(check(&lane, token));
    }
    let _ = borrow_newest(&lane, &page, 0, from, Proof::HeadOrState);
    newest.is_some() || next.is_some()
}

/// Headers of a stream lane, and what a reader finds in one of their sizes.
pub fn stream(data: &[u8]) -> bool {
    crate::stream::fuzzing::lane(data)
}

/// A peer's layout table.
pub fn layout_diff(data: &[u8]) -> bool {
    let said = first_difference(&String::from_utf8_lossy(data));
    assert!(!said.is_empty());
    said.starts_with("every struct agrees")
}
