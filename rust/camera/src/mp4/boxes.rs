//! Boxes of a file and in memory; nothing of them is believed.

use crate::error::{Result, invalid};
use mp4_atom::Atom;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The kind of a box and what is in it.
pub(super) type Child<'a> = ([u8; 4], &'a [u8]);

/// A box of the file itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Top {
    pub kind: [u8; 4],
    pub start: u64,
    pub body: u64,
    pub end: u64,
}

/// What stands at a place of the file.
pub(super) enum Found {
    Box(Top),
    /// The file ends here, as it should.
    End,
    /// No box, or one that leads out of the file; why.
    Cut(String),
}

/// The box at `at` of a file of `length` bytes.
pub(super) fn top(file: &File, at: u64, length: u64) -> io::Result<Found> {
    if at >= length {
        return Ok(Found::End);
    }
    let left = length - at;
    let mut header = [0; 16];
    let there = header.len().min(usize::try_from(left).unwrap_or(usize::MAX));
    file.read_exact_at(&mut header[..there], at)?;
    let Some((kind, body, size)) = read_header(&header[..there], left) else {
        return Ok(Found::Cut(format!("no whole box at byte {at}")));
    };
    if size > left {
        let name = name(kind);
        let text = format!("{name} at byte {at} has {size} bytes, the file ends after {left}");
        return Ok(Found::Cut(text));
    }
    Ok(Found::Box(Top { kind, start: at, body: at + body, end: at + size }))
}

/// Kind, length of the header and size of the whole. None where that is no header of a box.
fn read_header(bytes: &[u8], left: u64) -> Option<([u8; 4], u64, u64)> {
    let size = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
    let kind: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
    let (body, size) = match size {
        0 => (8, left),
        1 => (16, u64::from_be_bytes(bytes.get(8..16)?.try_into().ok()?)),
        size => (8, size.into()),
    };
    (size >= body).then_some((kind, body, size))
}

/// A kind as text.
pub(super) fn name(kind: [u8; 4]) -> String {
    format!("{:?}", String::from_utf8_lossy(&kind))
}

/// The boxes in a box, one after the other.
pub(super) fn children(bytes: &[u8]) -> impl Iterator<Item = Result<Child<'_>>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        // Some end with four zeros.
        if rest.len() < 8 {
            return None;
        }
        let left = rest.len() as u64;
        let header = read_header(&rest[..rest.len().min(16)], left);
        let Some((kind, body, size)) = header.filter(|&(_, _, size)| size <= left) else {
            rest = &[];
            return Some(Err(invalid("a box leads out of the one that it lies in")));
        };
        let (whole, after) = rest.split_at(size as usize);
        rest = after;
        Some(Ok((kind, &whole[body as usize..])))
    })
}

/// What is in the first box of this kind.
pub(super) fn find<'a>(bytes: &'a [u8], wanted: &[u8; 4]) -> Result<Option<&'a [u8]>> {
    for child in children(bytes) {
        let (kind, body) = child?;
        if kind == *wanted {
            return Ok(Some(body));
        }
    }
    Ok(None)
}

/// What is in the box at the end of this path.
pub(super) fn follow<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Result<Option<&'a [u8]>> {
    let mut at = bytes;
    for kind in path {
        match find(at, kind)? {
            Some(body) => at = body,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// A box that holds no others.
pub(super) fn leaf<T: Atom>(body: &[u8]) -> Result<T> {
    T::decode_body(&mut &*body).map_err(|error| invalid(format!("{}: {error}", T::KIND)))
}

/// The box of this kind among the children, which must be there.
pub(super) fn required<T: Atom>(bytes: &[u8]) -> Result<T> {
    let missing = || invalid(format!("there is no box {}", T::KIND));
    leaf(find(bytes, T::KIND.as_ref())?.ok_or_else(missing)?)
}

/// The same where there need not be one.
pub(super) fn optional<T: Atom>(bytes: &[u8]) -> Result<Option<T>> {
    find(bytes, T::KIND.as_ref())?.map(leaf).transpose()
}
