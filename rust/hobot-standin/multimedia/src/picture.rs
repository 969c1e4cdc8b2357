//! Where a picture is, and its bytes as the encoder wants them.

use crate::entry::{Answer, board};
use framelane_hobot_sys::codec::{EncoderParams, FrameBuffer, pixel_format};
use framelane_hobot_sys::media::{CODING_FAILED, INVALID_BUFFER};

/// One plane in the board's memory.
#[derive(Clone, Copy)]
struct Plane {
    phys: u64,
    stride: u64,
    /// That count in each row.
    width: u64,
    rows: u64,
}

impl Plane {
    /// From the first byte that counts to the last.
    fn bytes(&self) -> u64 {
        self.stride * (self.rows - 1) + self.width
    }
}

/// A picture that was queued.
#[derive(Clone)]
pub struct Source(Vec<Plane>);

/// Planes of a format: by what width, stride and height are divided.
pub fn shape(pix_fmt: i32) -> &'static [(u64, u64)] {
    match pix_fmt {
        pixel_format::YUV420P => &[(1, 1), (2, 2), (2, 2)],
        _ => &[(1, 1), (1, 2)],
    }
}

impl Source {
    /// What a caller says of a picture, checked against what was configured.
    pub fn new(params: &EncoderParams, frame: &FrameBuffer) -> Answer<Self> {
        let same = (frame.width, frame.height, frame.pix_fmt)
            == (params.width, params.height, params.pix_fmt);
        if !same || frame.stride < frame.width || frame.size == 0 {
            return Err(INVALID_BUFFER);
        }
        let (width, height) = (frame.width as u64, frame.height as u64);
        let plane = |(index, &(across, down)): (usize, &(u64, u64))| Plane {
            // A plane without a size is not mapped.
            phys: if frame.comp_size[index] == 0 { 0 } else { frame.phy_ptr[index] },
            stride: frame.stride as u64 / across,
            width: width / across,
            rows: height / down,
        };
        Ok(Source(shape(params.pix_fmt).iter().enumerate().map(plane).collect()))
    }

    /// All that will be mapped must be memory of the board now.
    pub fn is_there(&self) -> Answer {
        for plane in self.0.iter().filter(|plane| plane.phys != 0) {
            let there = board()?.ion.is_at_phys(plane.phys, plane.bytes());
            if !there.unwrap_or(false) {
                return Err(INVALID_BUFFER);
            }
        }
        Ok(())
    }

    /// The picture without what is between its rows, as the memory shows it now.
    pub fn read(&self) -> Answer<Vec<u8>> {
        let mut picture = Vec::new();
        for plane in &self.0 {
            let mut bytes = vec![0; plane.bytes() as usize];
            match board()?.ion.hardware_reads(plane.phys, &mut bytes) {
                Ok(Some(())) => {}
                _ => return Err(CODING_FAILED),
            }
            let rows = bytes.chunks(plane.stride as usize);
            rows.for_each(|row| picture.extend_from_slice(&row[..plane.width as usize]));
        }
        Ok(picture)
    }
}
