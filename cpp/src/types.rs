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

/// Structs of the C ABI under a name of their own; what they stand for is read by its crate alone.
macro_rules! of_c {
    ($($name:ident: $c:ident;)+) => {$(
        #[doc = concat!("`", stringify!($c), "`.")]
        #[repr(transparent)]
        pub struct $name(pub framelane_ffi::$c);

        // SAFETY: C++ has the struct from the header that is printed from the one here, with every
        // offset under test, and it is plain data.
        unsafe impl ExternType for $name {
            type Id = type_id!(framelane::bridge::c::$name);
            type Kind = kind::Trivial;
        }
    )+};
}

of_c! {
    Layout: framelane_layout;
    ProducerOptions: framelane_producer_options;
    ConsumerOptions: framelane_consumer_options;
    StreamWriterOptions: framelane_stream_writer_options;
    StreamReaderOptions: framelane_stream_reader_options;
    SwitchControllerOptions: framelane_switch_controller_options;
    ShmbufSenderOptions: framelane_shmbuf_sender_options;
    ShmbufReceiverOptions: framelane_shmbuf_receiver_options;
}
