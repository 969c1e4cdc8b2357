//! What an access unit brings.

use super::setup::VideoCodec;

/// Whether decoding can begin at a unit, and what it brings for that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Brings {
    /// It is an IDR, or another picture of random access.
    pub key: bool,
    /// It has a sequence's parameter sets.
    pub parameters: bool,
}

/// Looks into Annex B, as far as the picture begins: the codec calls every intra picture a key
/// picture, also those that are none.
pub(super) fn look(codec: VideoCodec, unit: &[u8]) -> Brings {
    let mut brings = Brings::default();
    if codec == VideoCodec::Mjpeg {
        brings.key = true;
        return brings;
    }
    let mut rest = unit;
    while let Some(at) = rest.windows(3).position(|three| three == [0, 0, 1]) {
        rest = &rest[at + 3..];
        let Some(&first) = rest.first() else { break };
        let h264 = codec == VideoCodec::H264;
        let kind = if h264 { first & 31 } else { first >> 1 & 63 };
        brings.parameters |= kind == if h264 { 7 } else { 33 };
        let picture = if h264 { (1..=5).contains(&kind) } else { kind < 32 };
        if picture {
            brings.key = if h264 { kind == 5 } else { (16..24).contains(&kind) };
            break;
        }
    }
    brings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idr_is_found_behind_its_parameter_sets_and_nothing_else_is() {
        let is = |codec, unit: &[u8]| {
            let Brings { key, parameters } = look(codec, unit);
            (key, parameters)
        };
        let h264 = [0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x68, 9, 0, 0, 1, 0x65, 0x88];
        assert_eq!(is(VideoCodec::H264, &h264), (true, true));
        assert_eq!(is(VideoCodec::H264, &h264[10..]), (true, false));
        let intra_slice = [0, 0, 0, 1, 0x61, 0x88, 0, 0, 1, 0x65];
        assert_eq!(is(VideoCodec::H264, &intra_slice), (false, false));
        let h265 = [0, 0, 0, 1, 0x40, 1, 0, 0, 1, 0x42, 1, 0, 0, 1, 0x26, 1];
        assert_eq!(is(VideoCodec::H265, &h265), (true, true));
        assert_eq!(is(VideoCodec::H265, &[0, 0, 0, 1, 2, 1, 0xd0]), (false, false));
        assert_eq!(is(VideoCodec::Mjpeg, &[0xff, 0xd8]), (true, false));
        assert_eq!(is(VideoCodec::H264, b""), (false, false));
        assert_eq!(is(VideoCodec::H265, &[0, 0, 1]), (false, false));
    }
}
