//! A frame taken out of its lane, every plane with tightly packed rows.

use super::color::{Matrix, Range};
use anyhow::{Context, Result, bail};
use framelane::{Frame, FrameLayout, PixelFormat, Plane};

/// Pixels of a frame with everything needed to show them.
pub struct Picture {
    pub format: PixelFormat,
    pub width: u32,
    pub height: u32,
    /// Geometry of `bytes`.
    pub layout: FrameLayout,
    pub bytes: Vec<u8>,
    pub matrix: Matrix,
    pub range: Range,
}

impl Picture {
    /// Copies a frame. Its descriptor is another process's word: each size of it is compared with
    /// what is really there.
    ///
    /// # Errors
    /// For formats that cannot be converted and descriptors that cannot be right; `Revoked` when
    /// a device took the frame back meanwhile.
    pub fn copy(frame: &Frame) -> Result<Self> {
        let descriptor = frame.descriptor();
        let Some(format) = PixelFormat::from_number(descriptor.fourcc) else {
            let known: Vec<_> = PixelFormat::ALL.iter().map(|format| format.label()).collect();
            bail!(
                "frames of format {:?} cannot be written, only {}",
                crate::numbers::four_characters(descriptor.fourcc),
                known.join(", ")
            );
        };
        if descriptor.modifier != 0 {
            let modifier = crate::numbers::id(descriptor.modifier);
            bail!(
                "the pixels are tiled (DRM modifier {modifier}); only linear ones can be written"
            );
        }
        let (width, height) = (descriptor.width, descriptor.height);
        let layout = FrameLayout::new(format, width, height)?;
        if frame.plane_count() != usize::from(layout.plane_count) {
            bail!(
                "a {} frame has {} planes, this one says {}",
                format.label(),
                layout.plane_count,
                frame.plane_count()
            );
        }
        let mut bytes = Vec::new();
        for (index, tight) in layout.planes[..layout.plane_count.into()].iter().enumerate() {
            append_plane(&mut bytes, frame, index, tight)
                .with_context(|| format!("plane {index} of frame {}", frame.sequence()))?;
        }
        let matrix = Matrix::of(descriptor.color_matrix, height);
        let range = Range::of(descriptor.color_range, format);
        Ok(Picture { format, width, height, layout, bytes, matrix, range })
    }

    /// One plane, its rows without padding.
    pub fn plane(&self, index: usize) -> &[u8] {
        let plane = &self.layout.planes[index];
        let start = plane.offset_bytes as usize;
        &self.bytes[start..start + plane.size_bytes as usize]
    }

    /// Bytes in a row of a plane.
    pub fn row_bytes(&self, index: usize) -> u32 {
        self.layout.planes[index].stride_bytes
    }
}

fn append_plane(into: &mut Vec<u8>, frame: &Frame, index: usize, tight: &Plane) -> Result<()> {
    let found = &frame.descriptor().planes[index];
    let mut copied = Vec::new();
    let source = match frame.revocable_plane(index) {
        // Device memory. Its true size is known now, so that a lie makes us reserve nothing.
        Ok(plane) => {
            copied.try_reserve_exact(plane.len)?;
            copied.resize(plane.len, 0);
            frame.copy_to(index, &mut copied)?;
            &copied[..]
        }
        Err(_) => frame.plane(index)?,
    };
    let stride = found.stride_bytes as usize;
    let row = tight.stride_bytes as usize;
    let rows = tight.rows as usize;
    // A frame has at least one row and one pixel, the layout has seen to that.
    let needed = stride.checked_mul(rows - 1).and_then(|bytes| bytes.checked_add(row));
    if stride < row || needed.is_none_or(|needed| needed > source.len()) {
        bail!(
            "{} bytes with a stride of {stride} do not hold {rows} rows of {row} bytes",
            source.len()
        );
    }
    into.try_reserve(row * rows)?;
    for line in 0..rows {
        into.extend_from_slice(&source[line * stride..][..row]);
    }
    Ok(())
}
