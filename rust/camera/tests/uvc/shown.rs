//! What the camera shows: pictures that are known beforehand, and show in turns.

use crate::descriptors::{Format, SIZE};
use openh264::encoder::Encoder;
use openh264::formats::YUVBuffer;
use std::sync::OnceLock;

/// Coded pictures in a round; each is another.
const ROUND: u64 = 12;
/// A unit of H.264 that decoding can start at, among so many.
const KEYS: u64 = 6;

/// All pictures of the coded formats, each made when one is first asked for.
#[derive(Default)]
pub struct Shown {
    jpeg: OnceLock<Vec<Vec<u8>>>,
    h264: OnceLock<Vec<Vec<u8>>>,
}

impl Shown {
    fn coded(&self, format: Format) -> &[Vec<u8>] {
        match format {
            Format::Jpeg => self.jpeg.get_or_init(|| (0..ROUND).map(jpeg).collect()),
            Format::H264 => self.h264.get_or_init(h264),
            Format::Nv12 => &[],
        }
    }

    /// Picture `number` as it goes over the bus.
    pub fn picture(&self, format: Format, number: u64) -> Vec<u8> {
        match format {
            Format::Nv12 => nv12(number),
            coded => self.coded(coded)[(number % ROUND) as usize].clone(),
        }
    }

    /// Which picture of the round these bytes are.
    pub fn find(&self, format: Format, bytes: &[u8]) -> Option<u64> {
        let found = self.coded(format).iter().position(|picture| picture == bytes);
        found.map(|index| index as u64)
    }

    /// The picture of the round after this one.
    pub fn after(&self, number: u64) -> u64 {
        (number + 1) % ROUND
    }

    pub fn is_key(&self, number: u64) -> bool {
        number.is_multiple_of(KEYS)
    }
}

fn pixels() -> usize {
    usize::from(SIZE.0) * usize::from(SIZE.1)
}

/// Luma is the number over and over, as eight bytes.
fn nv12(number: u64) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().repeat(pixels() / 8);
    bytes.resize(pixels() * 3 / 2, 128);
    bytes
}

/// The number that is all over a picture's luma.
pub fn number(luma: &[u8]) -> u64 {
    let first: [u8; 8] = luma[..8].try_into().unwrap();
    assert!(luma.chunks(8).all(|eight| eight == first), "one picture, not parts of two");
    u64::from_le_bytes(first)
}

fn jpeg(number: u64) -> Vec<u8> {
    let luma: Vec<u8> = (0..pixels()).map(|index| (index as u64 / 7 + number * 9) as u8).collect();
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new(&mut bytes)
        .encode(&luma, SIZE.0.into(), SIZE.1.into(), image::ExtendedColorType::L8)
        .unwrap();
    bytes
}

fn h264() -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new().unwrap();
    let unit = |number: u64| {
        if number.is_multiple_of(KEYS) {
            encoder.force_intra_frame();
        }
        encoder.encode(&yuv(number)).unwrap().to_vec()
    };
    (0..ROUND).map(unit).collect()
}

/// A bright square that moves.
fn yuv(number: u64) -> YUVBuffer {
    let (width, height) = (usize::from(SIZE.0), usize::from(SIZE.1));
    let mut all = vec![128; pixels() * 3 / 2];
    for row in 0..height {
        for column in 0..width {
            let inside = (number as usize * 8..number as usize * 8 + 40).contains(&column);
            all[row * width + column] = if inside { 220 } else { 40 };
        }
    }
    YUVBuffer::from_vec(all, width, height)
}
