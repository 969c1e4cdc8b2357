//! Slanted bands of colour that drift.

use super::Canvas;
use super::sheet::Sheet;
use crate::color::Color;
use crate::error::Result;
use framelane::PixelFormat;
use std::f32::consts::TAU;

pub(super) struct Bands {
    sheet: Sheet,
    /// Pixels after which the colours repeat; even.
    period: u64,
    /// Pixels that the bands move from one picture to the next; even.
    step: u64,
}

impl Bands {
    pub(super) fn new(format: PixelFormat, width: u32, color: Color) -> Result<Self> {
        let width = width.next_multiple_of(2);
        let period = width.max(64);
        let paint = |x, _| sky((x % period) as f32 / period as f32);
        let sheet = Sheet::new(format, (period + width, 2), color, paint)?;
        let step = (period / 120).next_multiple_of(2).max(2);
        Ok(Bands { sheet, period: period.into(), step: step.into() })
    }

    pub(super) fn draw(&self, index: u64, canvas: &mut Canvas<'_>) {
        let colors = self.sheet.row(canvas.plane, 0);
        let pair_bytes = self.sheet.pair_bytes(canvas.plane);
        let start = index % self.period * self.step;
        for (row, bytes) in canvas.bytes.chunks_exact_mut(canvas.stride).enumerate() {
            let pair = if canvas.tall { row / 2 } else { row };
            let pixels = (start + pair as u64 * 2) % self.period;
            let offset = pixels as usize / 2 * pair_bytes;
            bytes.copy_from_slice(&colors[offset..offset + bytes.len()]);
        }
    }
}

/// A cycle of colours from night over dawn to day and back, also a cycle in lightness.
fn sky(phase: f32) -> [u8; 3] {
    let wave = |middle: f32, swing: f32, shift: f32| {
        (255.0 * (middle - swing * (TAU * (phase - shift)).cos())) as u8
    };
    [wave(0.48, 0.36, 0.0), wave(0.45, 0.30, 0.1), wave(0.55, 0.28, 0.22)]
}
