//! Making segments and attaching to them.

use super::lock::{self, Side};
use super::name::{self, Identity, Place};
use super::options::SenderOptions;
use super::ring::{HEADER_BYTES, PREFIX_BYTES, Ring};
use crate::error::{Error, Result, invalid, protocol};
use crate::failpoint::step;
use crate::layout::ErrorKind;
use rustix::fd::OwnedFd;
use rustix::fs::Mode;

/// Where the header has the capacity.
const CAPACITY_AT: u64 = 8;
/// Attempts to get a name that others take and give away at the same time.
const ATTEMPTS: usize = 100;

/// An open segment.
pub(super) struct Segment {
    pub(super) fd: OwnedFd,
    pub(super) ring: Ring,
    pub(super) identity: Identity,
}

/// What stands at a name.
pub(super) enum Found {
    Segment(Segment),
    /// Nothing that can be read yet.
    NotYet(Error),
}

/// Makes a segment and only then gives it its name, so that nobody meets half a header. Takes the
/// name over from a segment that no sender of ours has; an upstream sender cannot be seen.
pub(super) fn make(place: &Place, options: &SenderOptions) -> Result<Segment> {
    let (capacity, bytes) = sizes(options.capacity_bytes)?;
    for _ in 0..ATTEMPTS {
        take_over(place)?;
        let fd = place.nameless()?;
        let what = || format!("making shmbuf {} of {bytes} bytes", place.name());
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(options.mode))
            .and_then(|()| rustix::fs::ftruncate(&fd, bytes))
            .map_err(|errno| Error::system(what(), errno))?;
        // What is never used stays a hole, as there is nothing that would fill it.
        let used = u64::from(HEADER_BYTES) + u64::from(capacity);
        crate::mem::memfd::reserve(&fd, used, place.name())?;
        if !lock::take(&fd, Side::Sender)? {
            return Err(protocol("a file without a name is locked"));
        }
        let ring = Ring::map(&fd, capacity)?;
        ring.initialise();
        step("shmbuf-make.initialised");
        if place.give_to(&fd)? {
            step("shmbuf-make.named");
            return Ok(Segment { identity: name::identity(&fd)?, fd, ring });
        }
    }
    Err(in_use(place))
}

/// Removes what a dead sender has left at the name.
fn take_over(place: &Place) -> Result<()> {
    let Some(old) = place.open()? else { return Ok(()) };
    if !lock::take(&old, Side::Sender)? {
        return Err(in_use(place));
    }
    place.take_from(&old)?;
    step("shmbuf-make.removed");
    Ok(())
}

fn in_use(place: &Place) -> Error {
    let text = format!("another sender has shmbuf {}", place.name());
    Error::new(ErrorKind::AlreadyExists, text)
}

/// Ring and segment for a wanted capacity: peers map what they compute from the wish, so that the
/// ring is never larger than it, and the segment exactly 16 bytes more.
fn sizes(wanted: u64) -> Result<(u32, u64)> {
    let most = u64::from(u32::MAX - HEADER_BYTES);
    if wanted < u64::from(2 * PREFIX_BYTES) || wanted > most {
        return Err(invalid(format!("a shmbuf ring of {wanted} bytes; 8 to {most} can be had")));
    }
    Ok((1 << wanted.ilog2(), wanted + u64::from(HEADER_BYTES)))
}

/// Attaches to what has the name now.
pub(super) fn attach(place: &Place) -> Result<Found> {
    let name = place.name();
    let Some(fd) = place.open()? else {
        let text = format!("there is no shmbuf {name}");
        return Ok(Found::NotYet(Error::new(ErrorKind::NotFound, text)));
    };
    let bytes = name::size(&fd, name)?;
    let mut word = [0; 4];
    // By a system call, which a segment without pages cannot end in a signal.
    let read = rustix::io::pread(&fd, &mut word, CAPACITY_AT)
        .map_err(|errno| Error::system(format_args!("reading shmbuf {name}"), errno))?;
    let capacity = u32::from_le_bytes(word);
    if read < word.len() || capacity == 0 {
        let text = format!("shmbuf {name} of {bytes} bytes has no header yet");
        return Ok(Found::NotYet(Error::new(ErrorKind::TimedOut, text)));
    }
    if !capacity.is_power_of_two()
        || capacity < PREFIX_BYTES
        || u64::from(HEADER_BYTES) + u64::from(capacity) > bytes
    {
        let text = format!("{name}: a ring of {capacity} bytes in a segment of {bytes} is none");
        return Err(protocol(text));
    }
    if !lock::take(&fd, Side::Receiver)? {
        let text = format!("another receiver reads shmbuf {name}, and it can have only one");
        return Ok(Found::NotYet(Error::new(ErrorKind::TooMany, text)));
    }
    let ring = Ring::map(&fd, capacity)?;
    Ok(Found::Segment(Segment { identity: name::identity(&fd)?, fd, ring }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_is_the_power_of_two_below_the_wish() {
        assert_eq!(sizes(62_208_000).unwrap(), (33_554_432, 62_208_016));
        assert_eq!(sizes(4096).unwrap(), (4096, 4112));
        assert_eq!(sizes(8).unwrap(), (8, 24));
        assert_eq!(sizes(u64::from(u32::MAX) - 16).unwrap().0, 1 << 31);
        for wanted in [0, 7, u64::from(u32::MAX) - 15, u64::MAX] {
            assert_eq!(sizes(wanted).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
    }
}
