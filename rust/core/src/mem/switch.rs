//! A view of a switch's memory: the words of every lane, and a header that is copied once.

use super::map::Mapping;
use super::view::{header_words, word32, word64};
use crate::error::{Result, protocol};
use crate::layout::{LaneHeader, SwitchHeader};
use crate::ring::words::{AtomicU32, AtomicU64, LaneWords};
use std::mem::offset_of;

/// Where the SwitchHeader stands.
pub(crate) const SWITCH_HEADER: usize = size_of::<LaneHeader>();

/// Bytes of a switch, before they are rounded up to whole pages.
pub(crate) const SWITCH_BYTES: usize = SWITCH_HEADER + size_of::<SwitchHeader>();

/// Memory of a switch.
pub(crate) struct SwitchView {
    map: Mapping,
}

impl SwitchView {
    /// A view whose headers are inside the mapping.
    pub(crate) fn new(map: Mapping) -> Result<Self> {
        if map.len() < SWITCH_BYTES {
            return Err(protocol(format!("a switch of {} bytes is too small", map.len())));
        }
        Ok(SwitchView { map })
    }
}

header_words!(SwitchView);
