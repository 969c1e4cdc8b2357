//! Files of our own read again, and files that mean harm.

use super::*;
use framelane::{Codec, ErrorKind, StreamConfig};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

const SPS: &[u8] = &[
    0x67, 0x64, 0x00, 0x0d, 0xac, 0xd9, 0x41, 0x41, 0xfb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10,
    0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x42, 0x99, 0x60,
];
const PPS: &[u8] = &[0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0];
const VPS_265: &[u8] = &[
    0x40, 0x01, 0x0c, 0x01, 0xff, 0xff, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03,
    0x00, 0x00, 0x03, 0x00, 0x3c, 0x95, 0x98, 0x09,
];
const SPS_265: &[u8] = &[
    0x42, 0x01, 0x01, 0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90, 0x00, 0x00, 0x03, 0x00, 0x00, 0x03,
    0x00, 0x3c, 0xa0, 0x0a, 0x48, 0x0f, 0x9c, 0x92, 0x65, 0x95, 0x9a, 0x49, 0x32, 0xbc, 0x05, 0xa0,
    0x20, 0x00, 0x00, 0x03, 0x00, 0x20, 0x00, 0x00, 0x03, 0x03, 0xc1,
];
const PPS_265: &[u8] = &[0x44, 0x01, 0xc1, 0x72, 0xb4, 0x62, 0x40];

fn annexb(units: &[&[u8]]) -> Vec<u8> {
    units.iter().flat_map(|unit| [&[0, 0, 0, 1], *unit].concat()).collect()
}

fn key() -> Vec<u8> {
    annexb(&[SPS, PPS, &[0x65, 1, 2, 3]])
}

fn entry() -> Entry {
    Entry::of_key(&StreamConfig::new(Codec::H264), &key()).unwrap()
}

/// Two fragments of three pictures each.
fn file() -> Vec<u8> {
    let entry = entry();
    let (mut muxer, mut bytes) = Muxer::new(&entry, 40_000, UNIX_EPOCH).unwrap();
    let sample = |number: u64| Sample {
        bytes: entry.to_sample(&match number % 3 {
            0 => key(),
            _ => annexb(&[&[0x41, number as u8]]),
        }),
        dts: number * 40_000,
        offset: 40_000,
        duration: 40_000,
        key: number.is_multiple_of(3),
        capture_id: 100 + number,
    };
    for start in [0, 3] {
        let samples: Vec<Sample> = (start..start + 3).map(sample).collect();
        let fragment = muxer.fragment(&samples).unwrap();
        bytes.extend_from_slice(&fragment.bytes);
        muxer.wrote(fragment);
    }
    bytes[muxer.length_at() as usize..][..8].copy_from_slice(&240_000_u64.to_be_bytes());
    bytes.extend(muxer.index().unwrap());
    bytes
}

fn stored(folder: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join("file.mp4");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn all(path: &Path) -> framelane::Result<(Contents, Vec<Unit>)> {
    let mut reader = Reader::open(path)?;
    let mut units = Vec::new();
    while let Some(unit) = reader.next()? {
        units.push(unit);
    }
    Ok((reader.contents().clone(), units))
}

#[test]
fn a_file_of_our_own_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = stored(&folder, &file());
    let (contents, units) = all(&path).unwrap();
    assert_eq!((contents.units, contents.keys, contents.cut), (6, 2, None));
    assert_eq!((contents.duration_ns, contents.rate), (240_000_000, Some((TIMESCALE, 40_000))));
    for (number, unit) in (0u64..).zip(&units) {
        assert_eq!(unit.capture_id, 100 + number);
        // The first picture is shown at once: the edit list takes its delay away.
        assert_eq!(unit.pts_ns, number as i64 * 40_000_000);
        assert_eq!(unit.dts_ns, unit.pts_ns - 40_000_000);
        assert_eq!((unit.key, unit.carries_sets), (number % 3 == 0, number % 3 == 0));
    }
    assert_eq!(units[0].bytes, key());
    assert_eq!(units[4].bytes, annexb(&[&[0x41, 4]]));
    let mut reader = Reader::open(&path).unwrap();
    assert_eq!(
        (reader.entries()[0].size(), reader.entries()[0].codec()),
        ((320, 240), Codec::H264)
    );
    while reader.next().unwrap().is_some() {}
    reader.rewind();
    assert_eq!(reader.next().unwrap().unwrap(), units[0]);
}

#[test]
fn an_entry_is_the_sets_of_the_record_and_of_its_config() {
    let bare = StreamConfig::new(Codec::H265);
    let record = annexb(&[VPS_265, SPS_265, PPS_265, &[0x26, 1, 9]]);
    let entry = Entry::of_key(&bare, &record).unwrap();
    assert_eq!((entry.size(), entry.codec()), ((322, 242), Codec::H265));
    let told = bare.with_parameters(&annexb(&[VPS_265, SPS_265, PPS_265])).unwrap();
    let picture = annexb(&[&[0x26, 1, 9]]);
    assert_eq!(Entry::of_key(&told, &picture).unwrap(), entry);
    let failed = Entry::of_key(&bare, &picture).unwrap_err();
    assert!(failed.kind() == ErrorKind::InvalidArgument, "{failed}");
    let kind = |codec| Entry::of_key(&StreamConfig::new(codec), b"{}").unwrap_err().kind();
    assert_eq!(kind(Codec::Json), ErrorKind::Unsupported);
    assert!(entry.fits(&told, &picture) && entry.fits(&bare, &record));
    assert!(!entry.fits(&StreamConfig::new(Codec::H264), &picture));
    let other = annexb(&[&[SPS_265, &[7]].concat(), &[0x26, 1, 9]]);
    assert!(!entry.fits(&bare, &other), "another SPS");
}

#[test]
fn sets_of_the_entry_leave_the_sample_and_come_back_behind_the_delimiter() {
    let entry = entry();
    let record = annexb(&[&[9, 0xf0], SPS, PPS, &[6, 5], &[0x65, 1]]);
    let sample = entry.to_sample(&record);
    assert_eq!(sample.len(), 6 + 6 + 6);
    let back = |sample: &[u8], key| {
        let mut bytes = Vec::new();
        entry.to_record(sample, key, &mut bytes).map(|carries| (bytes, carries))
    };
    assert_eq!(back(&sample, true).unwrap(), (record, true));
    let other = annexb(&[&[0x67, 1, 2, 3], &[0x65, 1]]);
    assert_eq!(back(&entry.to_sample(&other), true).unwrap(), (other, true), "kept as it is");
    assert!(back(&[0, 0, 0, 9, 1], false).is_err() && back(&[0, 0], false).is_err());
}

/// Different sets, none with a zero in it.
fn many(first: u8, count: u32) -> Vec<u8> {
    let digit = |number: u32| 1 + (number % 255) as u8;
    let set = |number| [first, digit(number / 65025), digit(number / 255), digit(number)];
    (0..count).flat_map(|number| annexb(&[&set(number)])).collect()
}

#[test]
fn sets_beyond_what_a_codec_knows_are_refused() {
    let bare = StreamConfig::new(Codec::H264);
    let entry_of = |sets: &[u8]| Entry::of_key(&bare, &[&key()[..], sets].concat());
    let kind = |sets: &[u8]| entry_of(sets).unwrap_err().kind();
    assert!(Muxer::new(&entry_of(&many(0x68, 100)).unwrap(), 0, UNIX_EPOCH).is_ok());
    // More than the codec has, also where they are so many that comparing them all takes hours.
    assert_eq!(kind(&many(0x68, 256)), ErrorKind::TooLarge);
    assert_eq!(kind(&many(0x67, 40)), ErrorKind::TooLarge);
    assert_eq!(kind(&many(0x68, 1 << 20)), ErrorKind::TooLarge);
    assert_eq!(kind(&annexb(&[&[&[0x68][..], &[1; 4096]].concat()])), ErrorKind::TooLarge);
    // As many as the codec has, and more than the box can count.
    for full in [many(0x67, 31), many(0x68, 255)] {
        let full = entry_of(&full).unwrap();
        let error = Muxer::new(&full, 0, UNIX_EPOCH).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    }
    // The same one any number of times is one.
    let again = annexb(&[SPS, PPS]).repeat(1 << 16);
    assert_eq!(entry_of(&again).unwrap(), entry());
    let told = bare.with_parameters(&many(0x68, 40));
    assert!(told.is_ok_and(|told| Entry::of_key(&told, &key()).is_ok()));
    assert!(!entry().fits(&bare, &[&key()[..], &many(0x67, 40)].concat()));
}

#[test]
fn a_file_with_more_sets_than_there_can_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut whole = file();
    let at = whole.windows(4).position(|name| name == b"avcC").unwrap() - 4;
    let size = u32::from_be_bytes(whole[at..at + 4].try_into().unwrap());
    // In place of the box one of 40 times 65535 bytes, as no camera makes it.
    let mut sets = whole[at + 8..at + 13].to_vec();
    sets.push(0xe0 | 20);
    (0..20).for_each(|_| sets.extend_from_slice(&[&[0xff, 0xff][..], &[0x67; 0xffff]].concat()));
    sets.push(20);
    (0..20).for_each(|_| sets.extend_from_slice(&[&[0xff, 0xff][..], &[0x68; 0xffff]].concat()));
    let grown = sets.len() as u32 + 8 - size;
    let put = |bytes: &mut Vec<u8>, at: usize, size: u32| {
        bytes[at..at + 4].copy_from_slice(&size.to_be_bytes());
    };
    put(&mut whole, at, size + grown);
    whole.splice(at + 8..at + size as usize, sets);
    for name in [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"] {
        let at = whole.windows(4).position(|found| found == name).unwrap() - 4;
        let size = u32::from_be_bytes(whole[at..at + 4].try_into().unwrap());
        put(&mut whole, at, size + grown);
    }
    let error = all(&stored(&folder, &whole)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

#[test]
fn a_sample_has_no_more_units_than_a_picture() {
    let whole = file();
    let at = whole.windows(4).position(|name| name == b"avc1").unwrap() + 4;
    let mut body = whole[at..].to_vec();
    // The lengths have one byte.
    let box_at = body.windows(4).position(|name| name == b"avcC").unwrap();
    body[box_at + 8] = 0xfc;
    let size = u32::from_be_bytes(body[box_at - 4..box_at].try_into().unwrap());
    body.truncate(box_at - 4 + size as usize);
    let entry = Entry::read(mp4_atom::FourCC::new(b"avc1"), &body).unwrap();
    let back = |sample: &[u8]| {
        let mut bytes = Vec::new();
        entry.to_record(sample, false, &mut bytes).map(|_| bytes)
    };
    assert_eq!(back(&[0, 0, 2, 0x41, 7, 0]).unwrap(), annexb(&[&[0x41, 7]]));
    assert!(back(&vec![0; 8 << 20]).unwrap().is_empty(), "empty ones are none");
    assert_eq!(back(&[1, 0x41].repeat(1 << 20)).unwrap_err().kind(), ErrorKind::TooLarge);
}

#[test]
fn the_index_names_what_was_written() {
    let entry = entry();
    let (mut muxer, _) = Muxer::new(&entry, 0, UNIX_EPOCH).unwrap();
    let empty = muxer.index().unwrap();
    let bytes = entry.to_sample(&key());
    let sample = Sample { bytes, dts: 0, offset: 0, duration: 1, key: true, capture_id: 0 };
    let lost = muxer.fragment(std::slice::from_ref(&sample)).unwrap();
    assert_eq!(muxer.index().unwrap(), empty, "the disk may be full");
    let again = muxer.fragment(&[sample]).unwrap();
    assert_eq!(again.bytes, lost.bytes, "number and place are still free");
    muxer.wrote(again);
    assert!(muxer.index().unwrap().len() > empty.len());
}

#[test]
fn a_file_that_was_cut_is_read_as_far_as_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let whole = file();
    let read = |length: usize| all(&stored(&folder, &whole[..length]));
    let mut least = 0;
    for length in 0..whole.len() {
        match read(length) {
            Ok((contents, units)) => {
                assert_eq!(contents.units, units.len() as u64);
                assert!(units.len() >= least, "{length}");
                least = units.len();
            }
            Err(error) => assert!(least == 0 && error.kind() == ErrorKind::InvalidArgument),
        }
    }
    assert_eq!(least, 6);
    let head = whole.windows(4).position(|name| name == b"mdat").unwrap() + 4;
    let (contents, units) = read(head + 15).unwrap();
    assert!(units.len() < 3 && contents.cut.is_some(), "{contents:?}");
}

/// Puts a number where a box has its size.
fn with_size(mut bytes: Vec<u8>, name: &[u8; 4], size: u32) -> Vec<u8> {
    let at = bytes.windows(4).position(|found| found == name).unwrap();
    bytes[at - 4..at].copy_from_slice(&size.to_be_bytes());
    bytes
}

#[test]
fn boxes_that_lie_are_errors_that_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let fails = |bytes: &[u8]| all(&stored(&folder, bytes)).unwrap_err().to_string();
    assert!(fails(b"").contains("movie"));
    assert!(fails(b"GIF89a and so on, no boxes").contains("not MP4"));
    assert!(fails(&[0; 64]).contains("not MP4"));
    for name in [b"moov", b"trak", b"mdia", b"stbl", b"stsd", b"avc1", b"avcC"] {
        for size in [0u32, 1, 7, 9, u32::MAX] {
            // Some of these make a shorter but well-formed file; none may do worse than fail.
            let outcome = all(&stored(&folder, &with_size(file(), name, size)));
            if let Err(error) = outcome {
                assert!(error.to_string().contains("file.mp4: "), "{error}");
            }
        }
    }
    let mut long = b"\0\0\0\x08free\0\0\0\x01moov\xff\xff\xff\xff\xff\xff\xff\xf0".to_vec();
    assert!(fails(&long).contains("no movie box"));
    long.truncate(8);
    assert!(fails(&long).contains("no movie box"));
}

#[test]
fn a_movie_larger_than_any_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = stored(&folder, b"\0\0\0\x01moov\0\0\0\x40\0\0\0\0");
    // No byte of it is really there.
    std::fs::File::options().write(true).open(&path).unwrap().set_len(0x40_0000_0000).unwrap();
    let error = Reader::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

#[test]
fn boxes_in_boxes_without_end_end() {
    let folder = tempfile::tempdir().unwrap();
    let depth = 400_000_u32;
    let mut bytes = b"\0\0\0\x08ftyp".to_vec();
    for level in 0..depth {
        bytes.extend_from_slice(&((depth - level) * 8).to_be_bytes());
        bytes.extend_from_slice(b"moov");
    }
    assert!(all(&stored(&folder, &bytes)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_never_do_worse_than_fail(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = file();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok((contents, units)) = all(&stored(&folder, &bytes)) {
            prop_assert!(contents.units as usize == units.len());
        }
    }

    #[test]
    fn no_parameter_set_makes_it_stumble(
        codec in prop_oneof![Just(Codec::H264), Just(Codec::H265)],
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        let mut record = match codec {
            Codec::H264 => key(),
            _ => annexb(&[VPS_265, SPS_265, PPS_265, &[0x26, 1, 9]]),
        };
        for (at, value) in damage {
            let at = at.index(record.len());
            record[at] = value;
        }
        if let Ok(entry) = Entry::of_key(&StreamConfig::new(codec), &record)
            && let Ok((muxer, _)) = Muxer::new(&entry, 0, UNIX_EPOCH)
        {
            muxer.index().unwrap();
        }
    }
}
