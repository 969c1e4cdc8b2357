//! Whether decoding can begin at an access unit.

use super::setup::VideoCodec;

/// Looks for an IDR in Annex B: the codec calls every intra picture a key picture, also those
/// that are none.
pub(super) fn is_key(codec: VideoCodec, unit: &[u8]) -> bool {
    let picture = |&first: &u8| match codec {
        VideoCodec::H264 => {
            (first & 31 == 5).then_some(true).or((first & 31 == 1).then_some(false))
        }
        // 16 to 23 are the kinds of random access, below 32 are pictures.
        VideoCodec::H265 => {
            let kind = first >> 1 & 63;
            (kind < 32).then_some((16..24).contains(&kind))
        }
        VideoCodec::Mjpeg => None,
    };
    if codec == VideoCodec::Mjpeg {
        return true;
    }
    let mut rest = unit;
    while let Some(at) = rest.windows(3).position(|three| three == [0, 0, 1]) {
        rest = &rest[at + 3..];
        if let Some(key) = rest.first().and_then(picture) {
            return key;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idr_is_found_behind_its_parameter_sets_and_nothing_else_is() {
        let is = |codec, unit: &[u8]| is_key(codec, unit);
        let h264 = [0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x68, 9, 0, 0, 1, 0x65, 0x88];
        assert!(is(VideoCodec::H264, &h264));
        assert!(!is(VideoCodec::H264, &[0, 0, 0, 1, 0x61, 0x88, 0, 0, 1, 0x65]), "an intra slice");
        let h265 = [0, 0, 0, 1, 0x40, 1, 0, 0, 1, 0x42, 1, 0, 0, 1, 0x26, 1];
        assert!(is(VideoCodec::H265, &h265));
        assert!(!is(VideoCodec::H265, &[0, 0, 0, 1, 2, 1, 0xd0]));
        assert!(is(VideoCodec::Mjpeg, &[0xff, 0xd8]));
        assert!(!is(VideoCodec::H264, b"") && !is(VideoCodec::H265, &[0, 0, 1]));
    }
}
