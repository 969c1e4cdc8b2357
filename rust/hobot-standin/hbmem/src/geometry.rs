//! Sizes of the planes of a picture.

use framelane_hobot_sys::hb_mem::INVALID_PARAMS;
use framelane_hobot_sys::{Format, PLANES};

/// A picture's format and size as it was asked for; 0 leaves a stride to the format.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    pub width: i32,
    pub height: i32,
    pub format: i32,
    pub stride: i32,
    pub vstride: i32,
}

impl Geometry {
    /// Bytes of each plane in use.
    ///
    /// # Errors
    /// `INVALID_PARAMS` for what the library does not take.
    pub fn planes(&self) -> Result<Vec<u64>, i32> {
        let &Geometry { width, height, format, stride, vstride } = self;
        let fits = (0..Format::TOTAL).contains(&format)
            && width >= 0
            && height >= 0
            && (stride == 0 || stride >= width)
            && (vstride == 0 || vstride >= height);
        if !fits {
            return Err(INVALID_PARAMS);
        }
        let s = if stride == 0 { default_stride(format, width as u64) } else { stride as u64 };
        let v = if vstride == 0 { height as u64 } else { vstride as u64 };
        let luma = s * v;
        let planes = match format {
            7 => vec![luma, luma / 4, luma / 4],
            8 | 9 => vec![luma, luma / 2],
            10 | 21 => vec![luma, luma / 2, luma / 2],
            11 | 12 => vec![luma, luma],
            18 => vec![luma; PLANES],
            19 | 20 => vec![luma, 2 * luma],
            // These count their stride in pixels.
            0 => vec![luma * 2],
            1 | 2 => vec![luma * 3],
            3..=6 => vec![luma * 4],
            _ => vec![luma],
        };
        Ok(planes)
    }
}

fn default_stride(format: i32, width: u64) -> u64 {
    match format {
        13..=16 | 27 => 2 * width,
        17 | 29 => 3 * width,
        24 => width * 10 / 8,
        25 => width * 12 / 8,
        26 => width * 14 / 8,
        28 => width * 20 / 8,
        _ => width,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planes(format: i32, stride: i32, vstride: i32) -> Vec<u64> {
        Geometry { width: 640, height: 480, format, stride, vstride }.planes().unwrap()
    }

    #[test]
    fn sizes_are_those_of_the_vendor() {
        assert_eq!(planes(Format::NV12, 0, 0), [307_200, 153_600]);
        assert_eq!(planes(Format::NV12, 704, 512), [360_448, 180_224]);
        assert_eq!(planes(Format::YUV420P, 0, 0), [307_200, 76_800, 76_800]);
        assert_eq!(planes(Format::YUYV422, 0, 0), [614_400]);
        assert_eq!(planes(Format::YUYV422, 1280, 0), [614_400], "here the stride is in bytes");
        assert_eq!(planes(Format::RGB24, 0, 0), [921_600]);
        assert_eq!(planes(Format::RGB24, 640, 0), [921_600], "and here in pixels");
        assert_eq!(planes(24, 0, 0), [384_000], "ten bits a pixel");
    }

    #[test]
    fn impossible_pictures_are_refused() {
        let good = Geometry { width: 4, height: 4, format: 8, stride: 0, vstride: 0 };
        for bad in [
            Geometry { width: -1, ..good },
            Geometry { height: -1, ..good },
            Geometry { format: 30, ..good },
            Geometry { format: -1, ..good },
            Geometry { stride: 3, ..good },
            Geometry { stride: -4, ..good },
            Geometry { vstride: 3, ..good },
        ] {
            assert_eq!(bad.planes(), Err(INVALID_PARAMS), "{bad:?}");
        }
    }
}
