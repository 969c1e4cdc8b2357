//! Descriptor fields as `d.<name>=<value>`.

use crate::line::{Line, Refusal, misunderstood};
use framelane::{FrameDescriptor, Plane};
use std::fmt::Write;

macro_rules! scalars {
    ($struct:ty, $put:ident, $set:ident: $($field:ident)+) => {
        fn $put(from: &$struct, prefix: &str, out: &mut String) {
            $(let _ = write!(out, " d.{prefix}{}={}", stringify!($field), from.$field);)+
        }

        fn $set(into: &mut $struct, name: &str, value: &str) -> Option<()> {
            match name {
                $(stringify!($field) => into.$field = value.parse().ok()?,)+
                _ => return None,
            }
            Some(())
        }
    };
}

scalars!(FrameDescriptor, put_descriptor, set_descriptor:
    sequence capture_id capture_ns publish_ns valid_until_ns modifier switch_epoch exposure_ns
    fourcc width height crop_x crop_y crop_width crop_height sensor_width sensor_height camera_id
    flags analog_gain digital_gain brightness_avg correction_applied capture_clock memory_kind
    color_matrix color_range color_transfer plane_count vendor_tag vendor_bytes);
scalars!(Plane, put_plane, set_plane:
    offset_bytes size_bytes physical_address stride_bytes rows share_id buffer_index);

/// All fields but the reserved ones.
pub fn text(descriptor: &FrameDescriptor) -> String {
    let mut out = String::new();
    put_descriptor(descriptor, "", &mut out);
    for (index, plane) in descriptor.planes.iter().enumerate() {
        put_plane(plane, &format!("planes.{index}."), &mut out);
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let _ = write!(out, " d.vendor_data={}", hex(&descriptor.vendor_data));
    let _ = write!(out, " d.user_data={}", hex(&descriptor.user_data));
    out
}

/// Sets the fields that a line names.
pub fn apply(line: &Line<'_>, descriptor: &mut FrameDescriptor) -> Result<(), Refusal> {
    for (name, value) in line.fields() {
        let bad = || misunderstood(format!("d.{name}={value} has no meaning"));
        set(descriptor, name, value).ok_or_else(bad)?;
    }
    Ok(())
}

fn set(descriptor: &mut FrameDescriptor, name: &str, value: &str) -> Option<()> {
    if let Some(rest) = name.strip_prefix("planes.") {
        let (index, field) = rest.split_once('.')?;
        return set_plane(descriptor.planes.get_mut(index.parse::<usize>().ok()?)?, field, value);
    }
    match name {
        "vendor_data" => unhex(value, &mut descriptor.vendor_data),
        "user_data" => unhex(value, &mut descriptor.user_data),
        _ => set_descriptor(descriptor, name, value),
    }
}

fn unhex(text: &str, into: &mut [u8]) -> Option<()> {
    if text.len() != 2 * into.len() {
        return None;
    }
    for (index, byte) in into.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(())
}
