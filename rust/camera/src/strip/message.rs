//! The 28 bytes of a strip.

use super::error::StripError;
use framelane::FrameDescriptor;

const MAGIC: u16 = 0xf1a5;
/// Bytes that the last checksum covers.
const COVERED: usize = 24;

/// What is stamped on a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Number of the exposure.
    pub number: u64,
    /// Time of the exposure in nanoseconds.
    pub time_ns: u64,
    /// Low 16 bits of the camera's id.
    pub camera: u16,
}

/// What a strip says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StripReading {
    /// Number, time, camera.
    pub mark: Mark,
    /// Checksum of all bytes of the picture outside the strip.
    pub picture_crc: u32,
}

impl Mark {
    /// The mark that belongs on the picture of a descriptor.
    pub fn of(descriptor: &FrameDescriptor) -> Self {
        Mark {
            number: descriptor.capture_id,
            time_ns: descriptor.capture_ns,
            camera: descriptor.camera_id as u16,
        }
    }

    pub(super) fn belongs_to(&self, descriptor: &FrameDescriptor) -> Result<(), StripError> {
        let own = Mark::of(descriptor);
        let fields = [
            ("capture_id", self.number, own.number),
            ("capture_ns", self.time_ns, own.time_ns),
            ("camera_id", self.camera.into(), own.camera.into()),
        ];
        match fields.into_iter().find(|(_, strip, descriptor)| strip != descriptor) {
            None => Ok(()),
            Some((field, strip, descriptor)) => {
                Err(StripError::OtherFrame { field, strip, descriptor })
            }
        }
    }
}

pub(super) fn encode(reading: &StripReading) -> [u8; 28] {
    let mut bytes = [0; 28];
    bytes[..2].copy_from_slice(&MAGIC.to_be_bytes());
    bytes[2..4].copy_from_slice(&reading.mark.camera.to_be_bytes());
    bytes[4..12].copy_from_slice(&reading.mark.number.to_be_bytes());
    bytes[12..20].copy_from_slice(&reading.mark.time_ns.to_be_bytes());
    bytes[20..24].copy_from_slice(&reading.picture_crc.to_be_bytes());
    let crc = crc32fast::hash(&bytes[..COVERED]);
    bytes[COVERED..].copy_from_slice(&crc.to_be_bytes());
    bytes
}

pub(super) fn decode(bytes: &[u8; 28]) -> Result<StripReading, StripError> {
    let magic = number(&bytes[..2]) as u16;
    if magic != MAGIC {
        return Err(StripError::NoStrip(magic));
    }
    let (expected, found) = (number(&bytes[COVERED..]) as u32, crc32fast::hash(&bytes[..COVERED]));
    if expected != found {
        return Err(StripError::Damaged { expected, found });
    }
    let mark = Mark {
        number: number(&bytes[4..12]),
        time_ns: number(&bytes[12..20]),
        camera: number(&bytes[2..4]) as u16,
    };
    Ok(StripReading { mark, picture_crc: number(&bytes[20..24]) as u32 })
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
