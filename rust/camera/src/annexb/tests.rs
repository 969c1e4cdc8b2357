use super::*;
use crate::testing::{clip, pictures};
use proptest::prelude::*;
use std::sync::LazyLock;

type Outcome = Result<AccessUnit, SplitError>;

fn split(codec: Codec, bytes: &[u8], chunk: usize) -> Vec<Outcome> {
    collect(Splitter::new(codec).unwrap(), bytes, chunk)
}

fn collect(mut splitter: Splitter, bytes: &[u8], chunk: usize) -> Vec<Outcome> {
    let mut found = Vec::new();
    for (number, piece) in bytes.chunks(chunk).enumerate() {
        splitter.push(piece, number as u64);
        found.extend(std::iter::from_fn(|| splitter.take()));
    }
    splitter.finish();
    found.extend(std::iter::from_fn(|| splitter.take()));
    found
}

fn units(outcomes: Vec<Outcome>) -> Vec<AccessUnit> {
    outcomes.into_iter().map(|outcome| outcome.unwrap()).collect()
}

const X264: &str = "-c:v libx264 -preset ultrafast -tune zerolatency -g 5";
const X265: &str = "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=5:bframes=0";

static H264: LazyLock<Vec<u8>> = LazyLock::new(|| clip("182x102", 12, "h264", X264));
static H265: LazyLock<Vec<u8>> = LazyLock::new(|| clip("182x102", 12, "hevc", X265));

fn samples() -> [(Codec, &'static str, &'static [u8]); 2] {
    [(Codec::H264, "h264", &H264), (Codec::H265, "hevc", &H265)]
}

#[test]
fn one_unit_for_each_picture_whatever_the_chunks() {
    for (codec, format, stream) in samples() {
        let whole = units(split(codec, stream, stream.len()));
        assert_eq!(whole.len(), 12, "{codec:?}");
        let keys: Vec<_> = whole.iter().map(|unit| unit.key).collect();
        let expected: Vec<_> = (0..12).map(|n| n % 5 == 0).collect();
        assert_eq!(keys, expected, "{codec:?}");
        assert!(whole.iter().all(|unit| unit.carries_parameters == unit.key && !unit.gap));
        let told: Vec<_> = whole.iter().filter_map(|unit| unit.parameters.as_ref()).collect();
        let [told] = told[..] else { panic!("{codec:?}: {told:?}") };
        assert_eq!((told.codec, told.width, told.height), (codec, 182, 102));
        let fps = (codec == Codec::H264).then_some((25, 1));
        assert_eq!((told.fps, told.reorder), (fps, 0), "{codec:?}");
        assert!(told.profile > 0 && told.level > 0, "{told:?}");
        let config = told.config().unwrap();
        assert_eq!(config.parameter_sets(), told.sets);
        assert_eq!(pictures(format, &joined(&whole)), pictures(format, stream), "{codec:?}");
        for chunk in [1, 2, 3, 61, 4096] {
            let mut parts = units(split(codec, stream, chunk));
            assert!(parts.windows(2).all(|pair| pair[0].stamp <= pair[1].stamp));
            parts.iter_mut().for_each(|unit| unit.stamp = 0);
            assert_eq!(parts, whole, "{codec:?} in chunks of {chunk}");
        }
    }
}

fn joined(units: &[AccessUnit]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.bytes.iter().copied()).collect()
}

#[test]
fn slices_delimiters_and_reordering_do_not_confuse_it() {
    let kinds = [
        (Codec::H264, "h264", "-c:v libx264 -preset ultrafast -x264-params slices=4:aud=1"),
        (Codec::H264, "h264", "-c:v libx264 -preset medium -bf 3 -g 8"),
        (Codec::H264, "h264", "-c:v libx264 -preset ultrafast -flags +ildct+ilme -g 8"),
        (Codec::H265, "hevc", "-c:v libx265 -preset medium -x265-params log-level=none:slices=2"),
        (Codec::H265, "hevc", "-c:v libx265 -x265-params log-level=none:bframes=3:aud=1:keyint=6"),
    ];
    for (codec, format, options) in kinds {
        let stream = clip("192x128", 14, format, options);
        let found = units(split(codec, &stream, 1000));
        assert_eq!(found.len(), 14, "{options}");
        let parameters = found[0].parameters.as_ref().unwrap();
        assert_eq!((parameters.width, parameters.height), (192, 128), "{options}");
        let reorders = pictures(format, &stream).len() == 14 && parameters.reorder > 0;
        assert_eq!(reorders, options.contains("medium") || options.contains("bframes=3"));
        assert_eq!(pictures(format, &joined(&found)), pictures(format, &stream), "{options}");
    }
}

#[test]
fn a_change_of_size_is_told_with_the_unit_that_has_it() {
    for (codec, format, stream) in samples() {
        let options = if codec == Codec::H264 { X264 } else { X265 };
        let larger = clip("320x240", 3, format, options);
        let both = [stream, &larger, stream].concat();
        let found = units(split(codec, &both, 700));
        let told: Vec<_> = found.iter().map(|unit| unit.parameters.as_ref()).collect();
        let at = |n: usize| told[n].map(|told| (told.width, told.height));
        assert_eq!(found.len(), 27);
        assert_eq!((at(0), at(12), at(15)), (Some((182, 102)), Some((320, 240)), at(0)));
        assert_eq!(told.iter().flatten().count(), 3, "{codec:?}");
        assert_eq!(parameters(codec, &found[12].bytes).as_ref(), told[12]);
        assert_eq!(parameters(codec, &found[13].bytes), None);
    }
}

#[test]
fn garbage_before_and_between_costs_errors_and_nothing_else() {
    for (codec, _, stream) in samples() {
        let garbage = vec![0x55; 3 << 20];
        let found = split(codec, &[&garbage[..], stream].concat(), 4096);
        let errors: Vec<_> = found.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert_eq!(errors, vec![&SplitError::NoVideo { bytes: 1 << 20 }; 3]);
        let good: Vec<_> = found.into_iter().flatten().collect();
        assert_eq!(good.len(), 12);
        assert!(good[0].gap && !good[1].gap);
        // An impossible NAL unit and an SPS that says nothing, between two streams.
        let sps: &[u8] = if codec == Codec::H264 { b"\x67" } else { b"\x42\x01" };
        let broken = [stream, b"\0\0\0\x01\xff\xff\xff\0\0\x01", sps, stream].concat();
        let found = split(codec, &broken, 4096);
        let errors: Vec<_> = found.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert!(matches!(errors[0], SplitError::BadUnit { header } if header == &[0xff, 0xff]));
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert_eq!(found.iter().flatten().count(), 24, "{codec:?}");
    }
}

#[test]
fn what_comes_before_the_first_key_picture_is_passed_over() {
    for (codec, _, stream) in samples() {
        let all = units(split(codec, stream, 4096));
        let late = joined(&all[2..]);
        let mut splitter = Splitter::new(codec).unwrap();
        splitter.push(&late, 0);
        splitter.finish();
        let found: Vec<_> = std::iter::from_fn(|| splitter.take()).map(Result::unwrap).collect();
        assert_eq!((splitter.skipped(), found.len()), (3, 7), "{codec:?}");
        assert!(found[0].key && found[0].parameters.is_some());
    }
}

#[test]
fn a_key_picture_without_its_sets_is_told_of_once() {
    for (codec, _, stream) in samples() {
        let all = units(split(codec, stream, 4096));
        // Without everything before the slice of the key picture.
        let kinds: &[u8] = if codec == Codec::H264 { &[0x65] } else { &[0x26, 0x28, 0x2a] };
        let bare = |unit: &AccessUnit| {
            let starts = |five: &[u8]| five[..4] == [0, 0, 0, 1] && kinds.contains(&five[4]);
            let at = unit.bytes.windows(5).position(starts);
            unit.bytes[at.expect("a key picture has a slice")..].to_vec()
        };
        let lost = [&bare(&all[0])[..], &all[1].bytes, &bare(&all[5])].concat();
        let found = split(codec, &[&lost[..], stream].concat(), 4096);
        assert_eq!(found[0], Err(SplitError::NoParameters), "{codec:?}");
        assert_eq!(found.iter().filter(|outcome| outcome.is_err()).count(), 1);
        assert_eq!(found.iter().flatten().count(), 12);
    }
}

#[test]
fn a_picture_that_is_too_large_costs_itself() {
    for (codec, _, stream) in samples() {
        let all = units(split(codec, stream, 4096));
        let largest = all.iter().map(|unit| unit.bytes.len()).max().unwrap();
        let splitter = Splitter::new(codec).unwrap().limit(largest);
        assert_eq!(units(collect(splitter, stream, 997)).len(), 12);
        let splitter = Splitter::new(codec).unwrap().limit(largest - 1);
        let found = collect(splitter, stream, 997);
        let errors: Vec<_> = found.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert!(!errors.is_empty());
        assert!(errors.iter().all(|error| **error == SplitError::TooLarge { limit: largest - 1 }));
        // Nothing that depends on a lost key picture comes out.
        let good: Vec<_> = found.iter().flatten().collect();
        assert!(good.iter().all(|unit| unit.bytes.len() < largest));
        assert!(good.first().is_none_or(|unit| unit.key && unit.gap || unit.stamp == 0));
    }
}

#[test]
fn other_codecs_have_no_access_units() {
    let error = Splitter::new(Codec::Opus).map(drop).unwrap_err();
    assert_eq!(error.kind(), framelane::ErrorKind::Unsupported);
    assert_eq!(error.to_string(), "opus has no access units to split");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is done to a stream, splitting it ends well, and a good stream behind it is found.
    #[test]
    fn damage_is_survived(
        codec in prop_oneof![Just(Codec::H264), Just(Codec::H265)],
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..60),
        early in any::<bool>(),
        chunk in 1..3000_usize,
    ) {
        let stream: &[u8] = if codec == Codec::H264 { &H264 } else { &H265 };
        let mut broken = stream.to_vec();
        // Parameter sets stand at the beginning.
        let reach = if early { 150 } else { broken.len() };
        for (at, value) in damage {
            broken[at.index(reach)] = value;
        }
        broken.extend_from_slice(stream);
        let found = split(codec, &broken, chunk);
        let good = found.iter().flatten().count();
        prop_assert!(good >= 12, "{} of at least 12", good);
    }

    #[test]
    fn any_bytes_are_survived(
        codec in prop_oneof![Just(Codec::H264), Just(Codec::H265)],
        kind in prop::sample::select(vec![0x67, 0x68, 0x65, 0x41, 0x40, 0x42, 0x44, 0x26, 0x02]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let unit = [&[0, 0, 1, kind, 1][..], &bytes, &[0, 0, 1]].concat();
        split(codec, &unit, 64);
    }
}
