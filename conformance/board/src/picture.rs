//! What pictures are filled with, and a description as `d.<field>=<value>`.

use framelane::FrameDescriptor;

/// Byte `i` of plane `p` is `(i + 31 p + seed) % 251`.
pub fn filled(plane: u64, seed: u64, size: u64) -> Vec<u8> {
    (0..size).map(|i| ((i + 31 * plane + seed) % 251) as u8).collect()
}

/// The fields that a producer of camera memory sets.
pub fn fields(d: &FrameDescriptor) -> String {
    let mut all: Vec<(String, u64)> = [
        ("fourcc", d.fourcc),
        ("width", d.width),
        ("height", d.height),
        ("crop_width", d.crop_width),
        ("crop_height", d.crop_height),
        ("flags", d.flags),
        ("plane_count", d.plane_count.into()),
        ("vendor_tag", d.vendor_tag),
        ("vendor_bytes", d.vendor_bytes),
    ]
    .map(|(name, value)| (name.to_owned(), value.into()))
    .to_vec();
    for (index, plane) in d.planes.iter().enumerate().take(d.plane_count.into()) {
        let own = [
            ("offset_bytes", plane.offset_bytes),
            ("size_bytes", plane.size_bytes),
            ("physical_address", plane.physical_address),
            ("stride_bytes", plane.stride_bytes.into()),
            ("rows", plane.rows.into()),
            ("share_id", plane.share_id as u64),
        ];
        all.extend(own.map(|(name, value)| (format!("planes.{index}.{name}"), value)));
    }
    let mut out: String = all.iter().map(|(name, value)| format!(" d.{name}={value}")).collect();
    out.push_str(" d.vendor_data=");
    out.extend(d.vendor_data.iter().map(|byte| format!("{byte:02x}")));
    out
}
