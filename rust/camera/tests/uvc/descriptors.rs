//! What a camera says of itself on the bus: descriptors of USB 2.0 and of its video class 1.0.

/// Pictures a second, and the unit of USB's times, 100 ns.
pub const RATE: u64 = 30;
const PERIOD: u32 = 10_000_000 / RATE as u32;
/// Bytes of a payload, two of which are its header.
pub const PAYLOAD: u32 = 16384;

/// The formats, in the order of their descriptors; their numbers begin with 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Nv12 = 1,
    Jpeg = 2,
    H264 = 3,
}

impl Format {
    pub const ALL: [Format; 3] = [Format::Nv12, Format::Jpeg, Format::H264];
}

/// The one size of all formats.
pub const SIZE: (u16, u16) = (320, 240);

/// The most a picture may have, also a compressed one.
pub fn picture_bytes() -> u32 {
    u32::from(SIZE.0) * u32::from(SIZE.1) * 3 / 2
}

/// The device: one of several functions, as cameras with a microphone are.
pub fn device() -> Vec<u8> {
    let [v, p] = [0x1209_u16, 1].map(u16::to_le_bytes);
    vec![18, 1, 0, 2, 0xef, 2, 1, 64, v[0], v[1], p[0], p[1], 0, 1, 1, 2, 3, 1]
}

/// The configuration with everything below it.
pub fn configuration() -> Vec<u8> {
    let (control, streaming) = (control(), streaming());
    let mut all = vec![9, 2, 0, 0, 2, 1, 0, 0x80, 250];
    // Both interfaces belong together.
    all.extend([8, 11, 0, 2, 0x0e, 3, 0, 2]);
    all.extend([9, 4, 0, 0, 0, 0x0e, 1, 0, 2]);
    all.extend(control);
    all.extend([9, 4, 1, 0, 1, 0x0e, 2, 0, 0]);
    all.extend(streaming);
    // Bulk, in, 512 bytes a packet.
    all.extend([7, 5, 0x81, 2, 0, 2, 0]);
    let total = (all.len() as u16).to_le_bytes();
    all[2..4].copy_from_slice(&total);
    all
}

/// A sensor and the way out.
fn control() -> Vec<u8> {
    let clock = 48_000_000_u32.to_le_bytes();
    let mut all = vec![13, 0x24, 1, 0, 1, 0, 0];
    all.extend(clock);
    all.extend([1, 1]);
    all.extend([17, 0x24, 2, 1, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0]);
    all.extend([9, 0x24, 3, 2, 1, 1, 0, 1, 0]);
    let total = (all.len() as u16).to_le_bytes();
    all[5..7].copy_from_slice(&total);
    all
}

/// The formats with a size each.
fn streaming() -> Vec<u8> {
    let formats = Format::ALL.len() as u8;
    let mut all = vec![13 + formats, 0x24, 1, formats, 0, 0, 0x81, 0, 2, 0, 0, 0, 1];
    all.extend(std::iter::repeat_n(0, formats.into()));
    all.extend([&[27, 0x24, 4, 1, 1][..], &code(b"NV12"), &[12, 1, 0, 0, 0, 0]].concat());
    all.extend([frame(5, Some(picture_bytes())), COLOUR.to_vec()].concat());
    all.extend([11, 0x24, 6, 2, 1, 1, 1, 0, 0, 0, 0]);
    all.extend([frame(7, Some(picture_bytes())), COLOUR.to_vec()].concat());
    all.extend([&[28, 0x24, 0x10, 3, 1][..], &code(b"H264"), &[0, 1, 0, 0, 0, 0, 1]].concat());
    all.extend([frame(0x11, None), COLOUR.to_vec()].concat());
    let total = (all.len() as u16).to_le_bytes();
    all[4..6].copy_from_slice(&total);
    all
}

const COLOUR: [u8; 6] = [6, 0x24, 0x0d, 1, 1, 4];

/// A format by its four characters.
fn code(text: &[u8; 4]) -> [u8; 16] {
    let mut all = [0, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
    all[..4].copy_from_slice(text);
    all
}

/// A size with one rate. Formats without a size of their own say nothing of a buffer.
fn frame(kind: u8, bytes: Option<u32>) -> Vec<u8> {
    let rate = picture_bytes() * 8 * RATE as u32;
    let mut all = vec![30, 0x24, kind, 1, 0];
    all.extend([SIZE.0.to_le_bytes(), SIZE.1.to_le_bytes()].concat());
    all.extend([rate, rate].map(u32::to_le_bytes).concat());
    if let Some(bytes) = bytes {
        all.extend([bytes, PERIOD].map(u32::to_le_bytes).concat());
        all.push(1);
    } else {
        all.extend([&PERIOD.to_le_bytes()[..], &[1], &[0; 4]].concat());
    }
    all.extend(PERIOD.to_le_bytes());
    all
}

/// A text, in the way of descriptors.
pub fn string(number: u8) -> Option<Vec<u8>> {
    let text = match number {
        0 => return Some(vec![4, 3, 9, 4]),
        1 => "framelane",
        2 => "test camera",
        3 => "0001",
        _ => return None,
    };
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    Some([&[units.len() as u8 + 2, 3][..], &units].concat())
}

/// What host and camera agree on before a stream: format and all that follows from it.
pub fn agreement(format: Format) -> [u8; 26] {
    let mut all = [0; 26];
    (all[2], all[3]) = (format as u8, 1);
    all[4..8].copy_from_slice(&PERIOD.to_le_bytes());
    all[18..22].copy_from_slice(&picture_bytes().to_le_bytes());
    all[22..26].copy_from_slice(&PAYLOAD.to_le_bytes());
    all
}
