//! A known picture in every format, and what it must look like.

use super::Scene;
use framelane::{ColorMatrix, ColorRange, FrameLayout, PixelFormat, Producer, ProducerOptions};
use std::path::Path;

/// Rounding of the conversions, here and there.
pub const TOLERANCE: i32 = 2;

/// How the samples of a test picture are meant.
#[derive(Clone, Copy)]
pub struct Meaning {
    pub matrix: ColorMatrix,
    pub range: ColorRange,
}

pub const USUAL: Meaning = Meaning { matrix: ColorMatrix::Bt601, range: ColorRange::Limited };

/// Luma and both chroma of a pixel of the test picture. Chroma changes every second pixel.
pub fn sample(x: u32, y: u32) -> [u8; 3] {
    let luma = 16 + (x * 7 + y * 13) % 220;
    let (cx, cy) = (x / 2, y / 2);
    [luma as u8, (64 + cx * 11 % 128) as u8, (190 - cy * 9 % 128) as u8]
}

/// RGB of a sample by the definition of the matrices (ITU-R BT.601, 709, 2020).
pub fn expected([y, u, v]: [u8; 3], meaning: Meaning) -> [u8; 3] {
    let (kr, kb) = match meaning.matrix {
        ColorMatrix::Bt709 => (0.2126, 0.0722),
        ColorMatrix::Bt2020 => (0.2627, 0.0593),
        _ => (0.299, 0.114),
    };
    let (floor, luma, chroma) = match meaning.range {
        ColorRange::Full => (0.0, 255.0, 255.0),
        _ => (16.0, 219.0, 224.0),
    };
    let y = (f64::from(y) - floor) / luma;
    let u = (f64::from(u) - 128.0) / chroma;
    let v = (f64::from(v) - 128.0) / chroma;
    let (r, b) = (y + 2.0 * (1.0 - kr) * v, y + 2.0 * (1.0 - kb) * u);
    let g = (y - kr * r - kb * b) / (1.0 - kr - kb);
    [r, g, b].map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8)
}

/// Bytes of the test picture, laid out as `layout` says; padding is filled with garbage.
pub fn paint(format: PixelFormat, layout: &FrameLayout) -> Vec<u8> {
    let mut bytes = vec![0xa5; layout.total_bytes as usize];
    let at = |plane: usize, row: u32, column: u32| {
        let plane = &layout.planes[plane];
        plane.offset_bytes as usize + (row * plane.stride_bytes + column) as usize
    };
    for y in 0..layout.height {
        for x in 0..layout.width {
            let [luma, u, v] = sample(x, y);
            match format {
                PixelFormat::Grey => bytes[at(0, y, x)] = luma,
                PixelFormat::Nv12 => {
                    bytes[at(0, y, x)] = luma;
                    bytes[at(1, y / 2, x / 2 * 2)] = u;
                    bytes[at(1, y / 2, x / 2 * 2 + 1)] = v;
                }
                PixelFormat::I420 => {
                    bytes[at(0, y, x)] = luma;
                    bytes[at(1, y / 2, x / 2)] = u;
                    bytes[at(2, y / 2, x / 2)] = v;
                }
                PixelFormat::Yuyv => {
                    bytes[at(0, y, x * 2)] = luma;
                    bytes[at(0, y, x / 2 * 4 + 1)] = u;
                    bytes[at(0, y, x / 2 * 4 + 3)] = v;
                }
                PixelFormat::Rgb24 | PixelFormat::Bgr24 => {
                    let [r, g, b] = expected([luma, u, v], USUAL);
                    let pixel = if format == PixelFormat::Rgb24 { [r, g, b] } else { [b, g, r] };
                    bytes[at(0, y, x * 3)..][..3].copy_from_slice(&pixel);
                }
            }
        }
    }
    bytes
}

/// What the test picture looks like in a format.
pub fn looks(format: PixelFormat, x: u32, y: u32, meaning: Meaning) -> [u8; 3] {
    match format {
        PixelFormat::Grey => match meaning.range {
            ColorRange::Full => [sample(x, y)[0]; 3],
            _ => expected([sample(x, y)[0], 128, 128], meaning),
        },
        PixelFormat::Rgb24 | PixelFormat::Bgr24 => expected(sample(x, y), USUAL),
        _ => expected(sample(x, y), meaning),
    }
}

pub fn painted(
    scene: &Scene,
    lane: &str,
    format: PixelFormat,
    layout: FrameLayout,
    meaning: Meaning,
) -> Producer {
    let producer = scene.producer(lane, ProducerOptions::new().layout(layout));
    let mut frame = producer.claim().unwrap();
    let bytes = paint(format, &layout);
    frame.payload_mut()[..bytes.len()].copy_from_slice(&bytes);
    frame.descriptor_mut().color_matrix = meaning.matrix.number();
    frame.descriptor_mut().color_range = meaning.range.number();
    frame.publish().unwrap();
    producer
}

pub fn check(
    image: &image::RgbImage,
    format: PixelFormat,
    size: (u32, u32),
    meaning: Meaning,
    within: i32,
) {
    assert_eq!(image.dimensions(), size, "{format:?}");
    for (x, y, pixel) in image.enumerate_pixels() {
        let wanted = looks(format, x, y, meaning);
        let off = pixel.0.iter().zip(wanted).map(|(&a, b)| (i32::from(a) - i32::from(b)).abs());
        assert!(
            off.clone().all(|off| off <= within),
            "{format:?} {size:?} at {x},{y}: {:?}, not {wanted:?}",
            pixel.0
        );
    }
}

pub fn open(path: &Path) -> image::RgbImage {
    image::open(path).unwrap().to_rgb8()
}
