//! A picture that stands before a camera, or that is sent into a scaler.

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

    /// The part of it that is `part` of a sensor, in another size, in so many percent of its light.
    /// Each pixel is one of its own; nothing is filtered.
    pub fn scaled(
        &self,
        sensor: (u32, u32),
        part: Rect,
        (width, height): (u32, u32),
        percent: u32,
    ) -> Option<Picture> {
        let across = Axis { from: self.width, sensor: sensor.0, start: part.x, length: part.w };
        let down = Axis { from: self.height, sensor: sensor.1, start: part.y, length: part.h };
        let (columns, rows) = (across.picks(width, 1), down.picks(height, 1));
        let mut luma = pick::<1>(&self.luma, self.width, &columns, &rows)?;
        let (columns, rows) = (across.picks(width / 2, 2), down.picks(height / 2, 2));
        let chroma = pick::<2>(&self.chroma, self.width / 2, &columns, &rows)?;
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
        let zones: [u32; ZONES * ZONES] = std::array::from_fn(|zone| {
            let (row, column) = (zone / ZONES, zone % ZONES);
            let (rows, columns) = (range(row, self.height), range(column, self.width));
            let pixels = rows.len() * columns.len();
            let line = |row: usize| &self.luma[row * self.width as usize..][columns.clone()];
            let sum: u64 = rows.flat_map(line).map(|value| u64::from(*value)).sum();
            lit((sum / pixels as u64) as u32, percent)
        });
        std::array::from_fn(|index| zones[index / VALUES])
    }
}

fn lit(value: u32, percent: u32) -> u32 {
    value.saturating_mul(percent).div_ceil(100).min(255)
}

/// One side of a picture that stands for one of a sensor, and the part of that which is wanted.
#[derive(Clone, Copy)]
struct Axis {
    from: u32,
    sensor: u32,
    start: u32,
    length: u32,
}

impl Axis {
    /// Which pixels are in the middle of each of `count`, of a plane that is divided.
    fn picks(self, count: u32, divided: u32) -> Vec<usize> {
        let [from, sensor, start, length] =
            [self.from / divided, self.sensor, self.start, self.length].map(u64::from);
        let parts = 2 * u64::from(count);
        let middle = |index: u64| (start * parts + (2 * index + 1) * length) * from;
        let last = from.saturating_sub(1);
        let pick = |index| (middle(index) / (parts * sensor).max(1)).min(last) as usize;
        (0..u64::from(count)).map(pick).collect()
    }
}

/// Pixels of `BYTES` from a plane whose rows have `width` of them; None where it has not all.
fn pick<const BYTES: usize>(
    plane: &[u8],
    width: u32,
    columns: &[usize],
    rows: &[usize],
) -> Option<Vec<u8>> {
    let mut picked = Vec::with_capacity(BYTES * columns.len() * rows.len());
    for row in rows {
        let row = plane.get(row * width as usize * BYTES..)?;
        for column in columns {
            picked.extend_from_slice(row.get(column * BYTES..(column + 1) * BYTES)?);
        }
    }
    Some(picked)
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
