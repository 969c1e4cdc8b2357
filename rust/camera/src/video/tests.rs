use super::*;
use crate::testing::clip;

fn kinds() -> [(Codec, Vec<u8>); 3] {
    let x265 = "-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=4:aud=1";
    [
        (Codec::H264, clip("160x96", 8, "h264", "-c:v libx264 -preset ultrafast -g 4")),
        (Codec::H265, clip("160x96", 8, "hevc", x265)),
        (Codec::Jpeg, clip("160x96", 8, "mjpeg", "-c:v mjpeg -strict unofficial")),
    ]
}

fn count(splitter: &mut VideoSplitter, bytes: &[u8]) -> usize {
    let mut found = 0;
    for piece in bytes.chunks(333) {
        splitter.push(piece, 0);
        found += std::iter::from_fn(|| splitter.take()).filter(Result::is_ok).count();
    }
    splitter.finish();
    found + std::iter::from_fn(|| splitter.take()).filter(Result::is_ok).count()
}

#[test]
fn a_stream_is_recognised_by_its_first_picture() {
    for (codec, bytes) in kinds() {
        let mut splitter = VideoSplitter::new(None).unwrap();
        assert_eq!(splitter.codec(), None);
        assert_eq!(count(&mut splitter, &bytes), 8, "{codec:?}");
        assert_eq!(splitter.codec(), Some(codec));
        let mut splitter = VideoSplitter::new(Some(codec)).unwrap();
        assert_eq!((splitter.codec(), count(&mut splitter, &bytes)), (Some(codec), 8));
    }
}

#[test]
fn what_is_none_of_them_is_told_of() {
    let mut splitter = VideoSplitter::new(None).unwrap();
    splitter.push(&vec![0; 9 << 20], 0);
    assert!(matches!(splitter.take(), Some(Err(SplitError::NoVideo { bytes })) if bytes > 8 << 20));
    assert_eq!((splitter.take(), splitter.codec()), (None, None));
    assert!(VideoSplitter::new(Some(Codec::Aac)).is_err());
}
