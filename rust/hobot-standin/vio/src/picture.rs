//! A picture that stands before a camera, or that is sent into a scaler.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use framelane_hobot_sys::Rect;

/// Zones of the statistics, across and down, and the values of each.
const ZONES: usize = 32;
const VALUES: usize = 4;

/// NV12 without gaps between its rows. Its sides are even.
pub struct Picture {
    pub width: u32,
    pub height: u32,
    pub luma: Vec<u8>,
    pub chroma: Vec<u8>,
}

impl Picture {
    /// From luma and chroma of the size that belongs to it.
    pub fn new(width: u32, height: u32, luma: Vec<u8>, chroma: Vec<u8>) -> Option<Self> {
        let even = width > 0 && height > 0 && width % 2 == 0 && height % 2 == 0;
        let pixels = width as usize * height as usize;
        let whole = even && luma.len() == pixels && chroma.len() == pixels / 2;
        whole.then_some(Picture { width, height, luma, chroma })
    }

    /// The part of it that is `part` of a sensor, scaled, in so many percent of its light.
    pub fn scaled(
        &self,
        sensor: (u32, u32),
        part: Rect,
        (width, height): (u32, u32),
        percent: u32,
    ) -> Option<Picture> {
        let across = f64::from(self.width) / f64::from(sensor.0);
        let down = f64::from(self.height) / f64::from(sensor.1);
        let crop = |divided: f64| {
            let (left, top) = (f64::from(part.x) * across, f64::from(part.y) * down);
            let right = (f64::from(part.x + part.w) * across).min(f64::from(self.width));
            let bottom = (f64::from(part.y + part.h) * down).min(f64::from(self.height));
            [left, top, right - left, bottom - top].map(|side| side / divided)
        };
        let from = ImageRef::new(self.width, self.height, &self.luma, PixelType::U8).ok()?;
        let mut luma = scale(&from, crop(1.0), Image::new(width, height, PixelType::U8))?;
        let (half_w, half_h) = (self.width / 2, self.height / 2);
        let from = ImageRef::new(half_w, half_h, &self.chroma, PixelType::U8x2).ok()?;
        let to = Image::new(width / 2, height / 2, PixelType::U8x2);
        let chroma = scale(&from, crop(2.0), to)?;
        if percent != 100 {
            luma.iter_mut().for_each(|value| *value = lit(u32::from(*value), percent) as u8);
        }
        Picture::new(width, height, luma, chroma)
    }

    /// Mean luma of each zone, in so many percent of its light.
    pub fn zones(&self, percent: u32) -> [u32; ZONES * ZONES * VALUES] {
        let range = |zone: usize, side: u32| {
            let start = zone * side as usize / ZONES;
            start..((zone + 1) * side as usize / ZONES).max(start + 1)
        };
        std::array::from_fn(|index| {
            let (row, column) = (index / VALUES / ZONES, index / VALUES % ZONES);
            let (rows, columns) = (range(row, self.height), range(column, self.width));
            let pixels = rows.len() * columns.len();
            let line = |row: usize| &self.luma[row * self.width as usize..][columns.clone()];
            let sum: u64 = rows.flat_map(line).map(|value| u64::from(*value)).sum();
            lit((sum / pixels as u64) as u32, percent)
        })
    }
}

fn lit(value: u32, percent: u32) -> u32 {
    value.saturating_mul(percent).div_ceil(100).min(255)
}

fn scale(from: &ImageRef<'_>, crop: [f64; 4], mut to: Image<'_>) -> Option<Vec<u8>> {
    let [left, top, width, height] = crop;
    let options = ResizeOptions::new()
        .use_alpha(false) // the second of two values is a colour here
        .crop(left, top, width, height)
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new().resize(from, &mut to, &options).ok()?;
    Some(to.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 64 by 64: dark on the left, bright on the right, where more than a half is.
    fn parts() -> Picture {
        let luma = [&[40; 24][..], &[200; 40]].concat().repeat(64);
        Picture::new(64, 64, luma, [90, 130].repeat(1024)).unwrap()
    }

    #[test]
    fn a_part_of_the_sensor_shows_that_part_of_the_picture_in_its_light() {
        let right = Rect { x: 640, y: 0, w: 640, h: 720 };
        let seen = parts().scaled((1280, 720), right, (16, 8), 100).unwrap();
        assert!(seen.luma.iter().all(|value| *value == 200), "{:?}", seen.luma);
        assert_eq!(seen.chroma, [90, 130].repeat(32));
        let dim = parts().scaled((1280, 720), right, (16, 8), 20).unwrap();
        assert!(dim.luma.iter().all(|value| *value == 40) && dim.chroma == seen.chroma);
        let whole = Rect { x: 0, y: 0, w: 64, h: 64 };
        let same = parts().scaled((64, 64), whole, (64, 64), 100).unwrap();
        assert_eq!(same.luma, parts().luma);
    }

    #[test]
    fn each_zone_tells_of_its_part() {
        let zones = parts().zones(100);
        assert_eq!((zones[0], zones[4 * 11 + 3], zones[4 * 12], zones[4095]), (40, 40, 200, 200));
        assert_eq!(zones.iter().sum::<u32>() / 4096, 140);
        assert_eq!(parts().zones(50)[0], 20);
        assert_eq!(parts().zones(1000)[4095], 255);
        let tiny = Picture::new(2, 2, vec![9; 4], vec![9; 2]).unwrap();
        assert!(tiny.zones(100).iter().all(|zone| *zone == 9));
    }
}
