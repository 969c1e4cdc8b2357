use super::*;
use crate::images::Images;
use crate::pattern::Pattern;
use framelane::{ColorRange, ErrorKind};
use proptest::prelude::*;

struct Clip {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Clip {
    fn new(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.y4m");
        std::fs::write(&path, bytes).unwrap();
        Clip { _folder: folder, path }
    }

    fn open(&self, format: PixelFormat) -> Result<Y4m> {
        Y4m::open(&self.path, Some(format), None)
    }

    /// The error's text, which has to begin with the file's path.
    fn refusal(&self) -> String {
        let error = self.open(PixelFormat::Nv12).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        let path = format!("{}: ", self.path.display());
        error.to_string().strip_prefix(&path).expect("the file is named").to_owned()
    }
}

/// Three pictures whose samples all differ, written by the y4m crate, as an independent witness.
fn by_the_crate(width: usize, height: usize, kind: y4m::Colorspace) -> Vec<u8> {
    let chroma = match kind {
        y4m::Colorspace::Cmono => 0,
        _ => width.div_ceil(2) * height.div_ceil(2),
    };
    let mut file = Vec::new();
    let mut encoder = y4m::encode(width, height, y4m::Ratio::new(24000, 1001))
        .with_colorspace(kind)
        .write_header(&mut file)
        .unwrap();
    for picture in 0..3 {
        let samples = |start: usize, count: usize| -> Vec<u8> {
            (0..count).map(|n| (start + n + picture * 50) as u8).collect()
        };
        let planes = [samples(0, width * height), samples(100, chroma), samples(200, chroma)];
        let parameters = (picture == 1).then(|| b"Ip".to_vec());
        let frame = y4m::Frame::new([&planes[0], &planes[1], &planes[2]], parameters);
        encoder.write_frame(&frame).unwrap();
    }
    file
}

fn fill(source: &mut impl FrameSource, index: u64) -> (FrameDescriptor, Vec<u8>) {
    let mut descriptor = FrameDescriptor::ZERO;
    let mut payload = vec![0x5a; source.info().layout.total_bytes as usize];
    assert_eq!(source.fill(index, &mut descriptor, &mut payload).unwrap(), Filled::Picture);
    (descriptor, payload)
}

#[test]
fn clips_of_the_y4m_crate_are_read_exactly_and_looped() {
    let clip = Clip::new(&by_the_crate(5, 3, y4m::Colorspace::C420mpeg2));
    let mut source = clip.open(PixelFormat::I420).unwrap();
    assert_eq!(source.pictures(), 3);
    assert_eq!(source.info().rate, Rate::new(24000, 1001).unwrap());
    for index in [0, 1, 2, 3, 7] {
        let (_, payload) = fill(&mut source, index);
        let start = (index % 3 * 50) as u8;
        let expected: Vec<u8> = (0..15)
            .map(|n| start + n)
            .chain((100..106).map(|n| (n + u16::from(start)) as u8))
            .chain((200..206).map(|n| (n + u16::from(start)) as u8))
            .collect();
        assert_eq!(payload, expected, "picture {index}");
    }
    let mut nv12 = clip.open(PixelFormat::Nv12).unwrap();
    let (_, payload) = fill(&mut nv12, 0);
    assert_eq!(payload[15..], [100, 200, 101, 201, 102, 202, 103, 203, 104, 204, 105, 205]);
    let mut grey = clip.open(PixelFormat::Grey).unwrap();
    assert_eq!(fill(&mut grey, 0).1, (0..15).collect::<Vec<u8>>());
}

#[test]
fn a_clip_without_color_has_neutral_chroma() {
    let clip = Clip::new(&by_the_crate(4, 2, y4m::Colorspace::Cmono));
    assert_eq!(
        fill(&mut clip.open(PixelFormat::Grey).unwrap(), 1).1,
        (50..58).collect::<Vec<u8>>()
    );
    let nv12 = fill(&mut clip.open(PixelFormat::Nv12).unwrap(), 0).1;
    assert_eq!(nv12, [0, 1, 2, 3, 4, 5, 6, 7, 128, 128, 128, 128]);
    let yuyv = fill(&mut clip.open(PixelFormat::Yuyv).unwrap(), 0).1;
    assert_eq!(yuyv[..8], [0, 128, 1, 128, 2, 128, 3, 128]);
    let rgb = fill(&mut clip.open(PixelFormat::Rgb24).unwrap(), 2).1;
    assert!(rgb.chunks(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]), "{rgb:?}");
    let own = Y4m::open(&clip.path, None, None).unwrap();
    assert_eq!(own.info().layout.fourcc, PixelFormat::Grey.number());
}

#[test]
fn what_is_rendered_reads_back_here_and_with_the_y4m_crate() {
    let rate = Rate::new(15, 1).unwrap();
    let mut pattern = Pattern::new(PixelFormat::I420, 33, 17, rate).unwrap();
    let mut file = Vec::new();
    assert_eq!(render(&mut pattern, 4, &mut file).unwrap(), 4);
    let mut decoder = y4m::decode(&file[..]).unwrap();
    assert_eq!((decoder.get_width(), decoder.get_height()), (33, 17));
    let clip = Clip::new(&file);
    let mut source = clip.open(PixelFormat::I420).unwrap();
    assert_eq!((source.pictures(), source.info().rate), (4, rate));
    for index in 0..4 {
        let expected = fill(&mut pattern, index).1;
        let frame = decoder.read_frame().unwrap();
        let planes = [frame.get_y_plane(), frame.get_u_plane(), frame.get_v_plane()].concat();
        assert_eq!(planes, expected);
        let (descriptor, payload) = fill(&mut source, index);
        assert_eq!(payload, expected);
        assert_eq!(descriptor.color_range, ColorRange::Limited.number(), "as the clip says");
        assert_eq!(descriptor.color_matrix, framelane::ColorMatrix::Unspecified.number());
    }
    let mut nv12 = Pattern::new(PixelFormat::Nv12, 32, 16, rate).unwrap();
    let error = render(&mut nv12, 1, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("I420 or GREY"), "{error}");
}

#[test]
fn damaged_clips_are_refused_with_the_file_and_the_reason() {
    let good = by_the_crate(8, 8, y4m::Colorspace::C420);
    let cut = Clip::new(&good[..good.len() - 10]);
    assert_eq!(cut.refusal(), "picture 2 is cut short: 86 of 96 bytes are there");
    let mut broken = good.clone();
    let second = good.windows(5).rposition(|bytes| bytes == b"FRAME").unwrap();
    broken[second] = b'X';
    let text = Clip::new(&broken).refusal();
    assert_eq!(text, format!("picture 2: no FRAME line at byte {second}, the file is damaged"));
    let header_end = good.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    assert_eq!(Clip::new(&good[..header_end]).refusal(), "the clip has no picture");
    for (bytes, expected) in [
        (&b""[..], "the first line does not end"),
        (b"YUV4MPEG2 W8 H8 F30:1", "the first line does not end"),
        (&[0; 5000], "the first line does not end"),
        (b"RIFF1234AVI \n", "not a YUV4MPEG2 clip"),
        (b"YUV4MPEG2 H8 F30:1\n", "states no width"),
        (b"YUV4MPEG2 W8 H8\n", "states no frame rate"),
        (b"YUV4MPEG2 W0 H8 F30:1\n", "0x8 has no pixels"),
        (b"YUV4MPEG2 W-8 H8 F30:1\n", "\"-8\" is no number of pixels"),
        (b"YUV4MPEG2 W8 H8 F30:0\n", "cannot be paced"),
        (b"YUV4MPEG2 W8 H8 F30\n", "\"30\" is no frame rate"),
        (b"YUV4MPEG2 W4294967295 H4294967295 F30:1\n", "too large"),
        (b"YUV4MPEG2 W8 H8 F30:1 C444\n", "stored as C444; only mono, 420"),
        (b"YUV4MPEG2 W8 H8 F30:1 C420p10\n", "stored as C420p10"),
        (b"YUV4MPEG2 W8 H8 F30:1 It\n", "interlaced"),
    ] {
        let text = Clip::new(bytes).refusal();
        assert!(text.contains(expected), "{:?}: {text}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_clip_cut_while_it_plays_is_an_error_that_names_it() {
    let good = by_the_crate(8, 8, y4m::Colorspace::C420);
    let clip = Clip::new(&good);
    let mut source = clip.open(PixelFormat::Nv12).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&clip.path).unwrap();
    file.set_len(good.len() as u64 - 50).unwrap();
    fill(&mut source, 1);
    let mut payload = [0; 96];
    let error = source.fill(2, &mut { FrameDescriptor::ZERO }, &mut payload).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("clip.y4m: picture 2 is gone"), "{text}");
    assert!(Y4m::open(clip._folder.path(), None, None).is_err(), "a folder is no clip");
}

#[test]
fn the_shipped_photograph_makes_a_clip() {
    let photo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/media/chelsea.jpg");
    let mut images = Images::open(&photo, PixelFormat::I420, 160, 120, Rate::DEFAULT).unwrap();
    let mut file = Vec::new();
    render(&mut images, 3, &mut file).unwrap();
    let mut source = Clip::new(&file).open(PixelFormat::I420).unwrap();
    assert_ne!(fill(&mut source, 0).1, fill(&mut source, 1).1, "it moves");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn changed_clips_are_read_or_refused_but_never_panic(
        changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        keep in any::<usize>(),
    ) {
        let mut bytes = by_the_crate(6, 4, y4m::Colorspace::C420);
        // Half of the changes hit the header.
        for (index, (place, value)) in changes.into_iter().enumerate() {
            let room = if index % 2 == 0 { 40 } else { bytes.len() };
            bytes[place % room] = value;
        }
        bytes.truncate(bytes.len().saturating_sub(keep % 200));
        let clip = Clip::new(&bytes);
        match Y4m::open(&clip.path, Some(PixelFormat::I420), None) {
            Ok(mut source) => {
                let pictures = source.pictures() as u64;
                fill(&mut source, pictures - 1);
            }
            Err(error) => prop_assert!(error.to_string().contains("clip.y4m: "), "{}", error),
        }
    }
}
