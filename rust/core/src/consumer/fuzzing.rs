//! A consumer's parsers, for the fuzzer.

use super::handshake::{farewell, read_welcome};
use super::lane_info::LaneInfo;
use super::parcel::Parcel;
use crate::layout::{Fds, LaneHeader};
use crate::wire::message;
use rustix::fd::{AsFd, OwnedFd};

/// What a consumer makes of a producer's packet; whether anything was believed.
pub(crate) fn answer(packet: &[u8]) -> bool {
    let _ = farewell(packet);
    let mut believed = (1..=63).any(|leases| read_welcome(packet, leases).is_ok());
    if let Ok(message) = message::read::<Fds>(packet) {
        let came = (message.count as usize).min(4);
        let stderr = std::io::stderr();
        let fd = || stderr.as_fd().try_clone_to_owned().expect("a descriptor");
        let fds: Vec<OwnedFd> = (0..came).map(|_| fd()).collect();
        believed |= Parcel::default().sort(&message, fds).is_ok();
    }
    believed
}

/// Checks a header, and that what it lets through stays inside `file_bytes`; whether it passed.
pub(crate) fn header(header: &LaneHeader, file_bytes: u64) -> bool {
    let Ok(info) = LaneInfo::from_header(header, file_bytes) else { return false };
    assert!((1..=64).contains(&info.slots) && info.history < info.slots);
    let slots_end = info.slots_offset + crate::mem::view::SLOTS_BYTES as u64;
    let mut end = usize::try_from(slots_end).expect("a 64-bit address space");
    for slot in 0..info.slots as usize {
        let range = info.payload_range(slot);
        assert!(range.start >= end && range.start <= range.end, "payloads follow each other");
        end = range.end;
    }
    assert!(end as u64 <= info.total_bytes && info.total_bytes <= file_bytes);
    true
}
