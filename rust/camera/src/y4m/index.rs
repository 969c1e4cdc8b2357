//! Finding every picture of a clip.

use super::Problem;
use super::header::Header;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// Longest line that is read; longer ones are not of this format.
const LONGEST_LINE: usize = 1024;
const FRAME: &[u8] = b"FRAME";

/// The header, and where the pixels of each picture start. Only lines are read.
pub(super) fn read(file: &File) -> Result<(Header, Vec<u64>), Problem> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Problem::Content("not an ordinary file; a clip is read more than once".into()));
    }
    let end = metadata.len();
    let (line, mut at) = line(file, 0)?.ok_or_else(|| {
        Problem::Content("not a YUV4MPEG2 clip: the first line does not end".into())
    })?;
    let header = Header::parse(&line)?;
    let mut pictures = Vec::new();
    while at < end {
        let number = pictures.len();
        let start = match line_of_picture(file, at)? {
            Some(start) => start,
            None => {
                let why =
                    format!("picture {number}: no FRAME line at byte {at}, the file is damaged");
                return Err(Problem::Content(why));
            }
        };
        at = start.checked_add(header.picture_bytes).filter(|&next| next <= end).ok_or_else(
            || {
                let (needed, there) = (header.picture_bytes, end.saturating_sub(start));
                Problem::Content(format!(
                    "picture {number} is cut short: {there} of {needed} bytes are there"
                ))
            },
        )?;
        pictures.push(start);
    }
    if pictures.is_empty() {
        return Err(Problem::Content("the clip has no picture".into()));
    }
    Ok((header, pictures))
}

/// Where the pixels start after the line at `at`, if that is one that starts a picture.
fn line_of_picture(file: &File, at: u64) -> Result<Option<u64>, Problem> {
    let Some((line, start)) = line(file, at)? else { return Ok(None) };
    let rest = line.strip_prefix(FRAME);
    let starts = rest.is_some_and(|rest| rest.first().is_none_or(|&byte| byte == b' '));
    Ok(starts.then_some(start))
}

/// The line at `at` without its end, and where the next byte is; None when it does not end soon.
fn line(file: &File, at: u64) -> Result<Option<(Vec<u8>, u64)>, Problem> {
    let mut line = Vec::new();
    while line.len() < LONGEST_LINE {
        let mut chunk = [0; 64];
        let from = at + line.len() as u64;
        let count = match file.read_at(&mut chunk, from) {
            Ok(0) => return Ok(None),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        if let Some(end) = chunk[..count].iter().position(|&byte| byte == b'\n') {
            line.extend_from_slice(&chunk[..end]);
            return Ok(Some((line, from + end as u64 + 1)));
        }
        line.extend_from_slice(&chunk[..count]);
    }
    Ok(None)
}
