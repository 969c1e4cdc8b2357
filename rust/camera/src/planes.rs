//! The planes of a picture as slices.

use crate::error::Result;
use framelane::{Error, ErrorKind, FrameLayout};

/// Splits the start of `payload` into the planes of `layout`, unused ones empty. The layout is one
/// of the SDK's own: its planes follow each other without gaps.
///
/// # Errors
/// `TooLarge` when the picture does not fit.
pub(crate) fn split<'a>(layout: &FrameLayout, payload: &'a mut [u8]) -> Result<[&'a mut [u8]; 3]> {
    let room = payload.len();
    let mut rest = payload;
    let mut planes = [&mut [] as &mut [u8], &mut [], &mut []];
    for (into, plane) in planes.iter_mut().zip(&layout.planes[..layout.plane_count.into()]) {
        let split = rest.split_at_mut_checked(plane.size_bytes as usize);
        (*into, rest) = split.ok_or_else(|| no_room(layout, room))?;
    }
    Ok(planes)
}

/// The error for a payload of `room` bytes that a picture does not fit in.
pub(crate) fn no_room(layout: &FrameLayout, room: usize) -> Error {
    let text = format!("a picture of {} bytes does not fit in {room}", layout.total_bytes);
    Error::new(ErrorKind::TooLarge, text)
}
