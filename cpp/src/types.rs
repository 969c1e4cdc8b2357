//! Shared layouts as the bridge knows them: the same bytes under the C++ name.
#![allow(unsafe_code, reason = "promises about types that the schema prints for both languages")]

use cxx::{ExternType, kind, type_id};

/// `framelane::layout::FrameDescriptor`.
#[repr(transparent)]
pub struct FrameDescriptor(pub framelane::FrameDescriptor);

/// `framelane::layout::Report`.
#[repr(transparent)]
pub struct Report(pub framelane::Report);

/// `framelane::layout::RecordInfo`.
#[repr(transparent)]
pub struct RecordInfo(pub framelane::RecordInfo);

/// `framelane::layout::StreamConfig`.
#[repr(transparent)]
pub struct StreamConfig(pub framelane::StreamConfig);

// SAFETY: both sides are printed from one schema and assert their size and each offset, and the
// C++ struct is trivially copyable, which its header asserts too.
unsafe impl ExternType for FrameDescriptor {
    type Id = type_id!("framelane::layout::FrameDescriptor");
    type Kind = kind::Trivial;
}

// SAFETY: as above.
unsafe impl ExternType for Report {
    type Id = type_id!("framelane::layout::Report");
    type Kind = kind::Trivial;
}

// SAFETY: as above.
unsafe impl ExternType for RecordInfo {
    type Id = type_id!("framelane::layout::RecordInfo");
    type Kind = kind::Trivial;
}

// SAFETY: as above.
unsafe impl ExternType for StreamConfig {
    type Id = type_id!("framelane::layout::StreamConfig");
    type Kind = kind::Trivial;
}
