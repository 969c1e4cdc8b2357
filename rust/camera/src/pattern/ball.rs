//! A shaded ball that bounces off the edges.

use super::Canvas;
use super::sheet::Sheet;
use crate::color::Color;
use crate::error::Result;
use framelane::PixelFormat;
use std::ops::Range;

pub(super) struct Ball {
    sheet: Sheet,
    /// For each two rows of the ball, the pixels that belong to it, in pairs.
    spans: Vec<Range<usize>>,
    across: Bounce,
    down: Bounce,
}

/// A position that runs to and fro, in pairs of pixels.
struct Bounce {
    room: u64,
    step: u64,
}

impl Ball {
    pub(super) fn new(
        format: PixelFormat,
        width: u32,
        height: u32,
        color: Color,
    ) -> Result<Option<Self>> {
        let size = width.min(height) / 4 / 2 * 2;
        if size < 4 {
            return Ok(None);
        }
        let sheet = Sheet::new(format, (size, size), color, |x, y| shade(x, y, size as f32))?;
        let radius = f64::from(size) / 2.0;
        let span = |pair: u32| {
            let from_middle = f64::from(pair * 2 + 1) - radius;
            let half = (radius * radius - from_middle * from_middle).sqrt();
            let start = ((radius - half) / 2.0).round() as usize;
            start..size as usize / 2 - start
        };
        let bounce = |room: u32, divisor: u32| Bounce {
            room: u64::from(room / 2),
            step: u64::from((room / divisor).max(1)),
        };
        Ok(Some(Ball {
            sheet,
            spans: (0..size / 2).map(span).collect(),
            across: bounce(width - size, 140),
            down: bounce(height - size, 90),
        }))
    }

    pub(super) fn draw(&self, index: u64, canvas: &mut Canvas<'_>) {
        let pair_bytes = self.sheet.pair_bytes(canvas.plane);
        let left = self.across.at(index) as usize;
        let top = self.down.at(index) as usize;
        let rows_per_pair = if canvas.tall { 2 } else { 1 };
        for (pair, span) in self.spans.iter().enumerate() {
            for row in pair * rows_per_pair..(pair + 1) * rows_per_pair {
                let from = &self.sheet.row(canvas.plane, row)
                    [span.start * pair_bytes..span.end * pair_bytes];
                let place = (top * rows_per_pair + row) * canvas.stride;
                let start = place + (left + span.start) * pair_bytes;
                canvas.bytes[start..start + from.len()].copy_from_slice(from);
            }
        }
    }
}

impl Bounce {
    fn at(&self, index: u64) -> u64 {
        if self.room == 0 {
            return 0;
        }
        let there_and_back = 2 * self.room;
        let position = index % there_and_back * self.step % there_and_back;
        position.min(there_and_back - position)
    }
}

/// An orange lit from the upper left.
fn shade(x: u32, y: u32, size: f32) -> [u8; 3] {
    let from_light = |value: u32| value as f32 / size - 0.35;
    let distance = (from_light(x).powi(2) + from_light(y).powi(2)).sqrt().min(1.0);
    let light = (1.0 - distance * 1.25).max(0.0);
    [90.0 + 165.0 * light, 30.0 + 190.0 * light.powi(2), 25.0 + 170.0 * light.powi(4)]
        .map(|value| value as u8)
}
