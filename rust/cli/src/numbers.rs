//! Numbers that came from another process, as the words they stand for.

use framelane::layout::{
    BellKind, ClockId, Codec, ColorMatrix, ColorRange, ColorTransfer, ConsumerReport, FrameFlag,
    LaneKind, Liveness, RecordFlag,
};
use framelane::{MemoryKind, Mode, PixelFormat, Report};

/// The word of a number, or the number itself where it means nothing to this build.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $kind:ident) => {
        $(#[$doc])*
        pub fn $name(number: u8) -> String {
            $kind::from_number(number).map_or_else(|| number.to_string(), |kind| kind.name().into())
        }
    };
}

word!(mode, Mode);
word!(bell, BellKind);
word!(liveness, Liveness);
word!(lane_kind, LaneKind);
word!(memory_kind, MemoryKind);
word!(clock, ClockId);
word!(color_matrix, ColorMatrix);
word!(color_range, ColorRange);
word!(color_transfer, ColorTransfer);
word!(codec, Codec);

/// Name of a pixel format; the four characters of a foreign one; None for no format.
pub fn pixel_format(fourcc: u32) -> Option<String> {
    if fourcc == 0 {
        return None;
    }
    let known = PixelFormat::from_number(fourcc).map(|format| format.label().to_owned());
    Some(known.unwrap_or_else(|| four_characters(fourcc)))
}

/// A four-character code as text, with what cannot be printed spelled out.
pub fn four_characters(fourcc: u32) -> String {
    fourcc.to_le_bytes().escape_ascii().to_string().trim_end().to_owned()
}

/// Names of the flags that are set.
pub fn frame_flags(flags: u32) -> Vec<&'static str> {
    set_bits(flags, FrameFlag::NAMES)
}

/// The same of a record.
pub fn record_flags(flags: u32) -> Vec<&'static str> {
    set_bits(flags, RecordFlag::NAMES)
}

fn set_bits(flags: u32, names: &[(u32, &'static str)]) -> Vec<&'static str> {
    names.iter().filter(|(bit, _)| flags & bit != 0).map(|&(_, name)| name).collect()
}

/// Numbers of the slots in a mask.
pub fn slots(mask: u64) -> Vec<u32> {
    (0..u64::BITS).filter(|slot| mask >> slot & 1 == 1).collect()
}

/// The consumers that a report counts.
pub fn consumers(report: &Report) -> &[ConsumerReport] {
    let count = (report.consumer_count as usize).min(report.consumers.len());
    &report.consumers[..count]
}

/// Bytes that the SDK copied on both sides, consumers that have left included.
pub fn copied_bytes(report: &Report) -> u64 {
    let producer = report.copied_bytes.saturating_add(report.departed_copied_bytes);
    // Told by processes that may lie: a sum past the end must not stop us.
    consumers(report).iter().fold(producer, |sum, entry| sum.saturating_add(entry.copied_bytes))
}

/// Frames or records behind the newest, by what the consumer says it had last; None before that.
pub fn lag(report: &Report, entry: &ConsumerReport) -> Option<u64> {
    (entry.last_sequence != 0).then(|| newest(report).saturating_sub(entry.last_sequence))
}

/// Time since the oldest frame that it holds was published.
pub fn held_for(report: &Report, entry: &ConsumerReport) -> Option<u64> {
    (entry.held_since_ns != 0).then(|| report.now_ns.saturating_sub(entry.held_since_ns))
}

/// Sequence part of a token.
pub fn sequence(token: u64) -> u64 {
    token >> framelane::layout::token::SLOT_BITS
}

/// Whether a report is of a stream lane.
pub fn is_stream(report: &Report) -> bool {
    report.lane_kind == LaneKind::Stream.number()
}

/// Whether a report is of a switch.
pub fn is_switch(report: &Report) -> bool {
    report.lane_kind == LaneKind::Switch.number()
}

/// Sequence of the newest frame or record, 0 before the first; the epoch of a switch.
pub fn newest(report: &Report) -> u64 {
    if is_stream(report) {
        report.head
    } else if is_switch(report) {
        report.head >> framelane::layout::selection::INDEX_BITS
    } else {
        sequence(report.head)
    }
}

/// When it was published.
pub fn newest_publish_ns(report: &Report) -> u64 {
    if is_stream(report) { report.stream.newest.publish_ns } else { report.newest.publish_ns }
}

/// Slot part of a token.
pub fn slot(token: u64) -> u64 {
    token & framelane::layout::token::SLOT_MASK
}

/// An id of 64 random bits: readers of JSON may not have that many.
pub fn id(number: u64) -> String {
    format!("{number:#018x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_numbers_stay_numbers() {
        assert_eq!(mode(1), "latest");
        assert_eq!(mode(200), "200");
        assert_eq!(pixel_format(PixelFormat::Nv12.number()).unwrap(), "nv12");
        assert_eq!(pixel_format(u32::from_le_bytes(*b"P010")).unwrap(), "P010");
        assert_eq!(pixel_format(u32::from_le_bytes(*b"\x1b[2J")).unwrap(), "\\x1b[2J");
        assert_eq!(pixel_format(0), None);
        assert_eq!(frame_flags(u32::MAX).len(), FrameFlag::NAMES.len());
        assert_eq!(slots(0b1010), [1, 3]);
        assert_eq!(slots(u64::MAX).len(), 64);
    }
}
