use super::*;
use crate::testing::{clip, pictures};
use proptest::prelude::*;
use std::sync::LazyLock;

type Outcome = Result<AccessUnit, SplitError>;

static CLIP: LazyLock<Vec<u8>> =
    LazyLock::new(|| clip("182x102", 6, "mjpeg", "-c:v mjpeg -q:v 4 -strict unofficial"));

fn split(bytes: &[u8], chunk: usize) -> Vec<Outcome> {
    collect(Splitter::new(), bytes, chunk)
}

fn collect(mut splitter: Splitter, bytes: &[u8], chunk: usize) -> Vec<Outcome> {
    let mut found = Vec::new();
    for piece in bytes.chunks(chunk) {
        splitter.push(piece, 9);
        found.extend(std::iter::from_fn(|| splitter.take()));
    }
    splitter.finish();
    found.extend(std::iter::from_fn(|| splitter.take()));
    found
}

#[test]
fn one_unit_for_each_picture_whatever_the_chunks() {
    let whole = split(&CLIP, CLIP.len());
    let good: Vec<_> = whole.iter().flatten().collect();
    assert_eq!((good.len(), whole.len()), (6, 6));
    let size = good[0].parameters.as_ref().map(|told| (told.width, told.height));
    assert_eq!(size, Some((182, 102)));
    assert!(good[1..].iter().all(|unit| unit.parameters.is_none()));
    assert!(good.iter().all(|unit| unit.key && !unit.gap && unit.stamp == 9));
    let joined: Vec<u8> = good.iter().flat_map(|unit| unit.bytes.iter().copied()).collect();
    assert_eq!(joined, *CLIP);
    assert_eq!(pictures("mjpeg", &joined).len(), 6);
    for chunk in [1, 2, 3, 61, 4096] {
        assert_eq!(split(&CLIP, chunk), whole, "in chunks of {chunk}");
    }
}

#[test]
fn a_thumbnail_inside_does_not_end_a_picture() {
    let first = split(&CLIP, CLIP.len()).remove(0).unwrap().bytes;
    let mut with = first[..2].to_vec();
    with.extend_from_slice(&[0xff, 0xe1]);
    with.extend_from_slice(&(first.len() as u16 + 2).to_be_bytes());
    with.extend_from_slice(&first);
    with.extend_from_slice(&first[2..]);
    let found = split(&with.repeat(2), 100);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|unit| unit.as_ref().unwrap().bytes == with));
}

#[test]
fn garbage_costs_errors_and_nothing_else() {
    let found = split(&[&vec![0x55; 2 << 20][..], &CLIP].concat(), 4096);
    let no_video = Err(SplitError::NoVideo { bytes: 1 << 20 });
    assert_eq!((&found[0], &found[1], found.len()), (&no_video, &no_video, 8));
    let bad = [b"\xff\xd8\xff\xc0\0\x01\xff\xd8\x12\x34\xff\xd8\xff\xd9", &CLIP[..]].concat();
    let found = split(&bad, 5);
    let errors: Vec<_> = found.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    let texts: Vec<_> = errors.iter().map(|error| error.to_string()).collect();
    assert_eq!(
        texts,
        [
            "a JPEG picture with a segment c0 of 1 bytes",
            "a JPEG picture with 12 34 for a marker",
            "a JPEG picture with no size",
        ]
    );
    let good: Vec<_> = found.iter().flatten().collect();
    assert_eq!(good.len(), 6);
    assert!(good[0].gap && !good[1].gap);
}

#[test]
fn a_picture_that_is_too_large_or_has_no_end_costs_itself() {
    let endless = [&b"\xff\xd8\xff\xda\0\x02"[..], &vec![0x11; 1 << 20], &CLIP].concat();
    let found = collect(Splitter::new().limit(1 << 19), &endless, 4096);
    assert_eq!(found[0], Err(SplitError::TooLarge { limit: 1 << 19 }));
    assert_eq!(found.iter().flatten().count(), 6);
    let cut = &CLIP[..CLIP.len() - 2];
    let found = split(cut, 4096);
    assert_eq!(found.iter().flatten().count(), 5);
    assert_eq!(
        found.last().unwrap().as_ref().unwrap_err().to_string(),
        "a JPEG picture with no end"
    );
}

#[test]
fn a_picture_in_a_segment_of_a_broken_one_is_found() {
    let first = split(&CLIP, CLIP.len()).remove(0).unwrap().bytes;
    let mut broken = b"\xff\xd8\xff\xe1".to_vec();
    broken.extend_from_slice(&(first.len() as u16 + 2).to_be_bytes());
    broken.extend_from_slice(&[&first[..], b"\x12\x34", &CLIP].concat());
    let found = split(&broken, 100);
    assert!(found[0].is_err());
    assert_eq!(found.iter().flatten().count(), 7);
}

/// Each of these once cost as many looks at, or moves of, the 12 MiB as there are starts in it:
/// hours.
#[test]
fn starts_without_end_are_looked_at_once() {
    let size = 12 << 20;
    let starts = b"\xff\xd8\x12\x34".repeat(size / 4);
    // Segments full of starts, then what is no marker.
    let segment = [b"\xff\xe1\xff\xfe", &starts[..0xfffc]].concat();
    let segments = [b"\xff\xd8", &segment.repeat(size / segment.len())[..], b"\x12\x34"].concat();
    // Each start leads to the same coded data, or to the same markers.
    let one = |kind: u8, fill: [u8; 2]| {
        let count = 0xffff / 6;
        let start = |number: u16| {
            let length = (count - number) * 6 - 4;
            [&[0xff, 0xd8, 0xff, kind], &length.to_be_bytes()[..]].concat()
        };
        let starts: Vec<u8> = (0..count - 1).flat_map(start).collect();
        [&starts[..], &[0xff, 1, 0xff, 1, 0xff, 1], &fill.repeat(size / 2), &[0xff, 2]].concat()
    };
    let scan = one(0xda, [0, 0]);
    let (restarts, padding) = (one(0xe1, [0xff, 0xd0]), one(0xe1, [0xff, 0xff]));
    for hostile in [starts, segments, scan, restarts, padding] {
        let found = split(&[&hostile, &CLIP[..]].concat(), 1 << 20);
        assert_eq!(found.iter().flatten().count(), 6);
        assert!(found[0].is_err());
    }
}

proptest! {
    #[test]
    fn damage_is_survived(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..60),
        chunk in 1..3000_usize,
    ) {
        let mut broken = CLIP.to_vec();
        for (at, value) in damage {
            let at = at.index(broken.len());
            broken[at] = value;
        }
        split(&broken, chunk);
    }
}
