use super::*;
use crate::pattern::Pattern;
use crate::{FrameSource, Rate, Stamped};
use proptest::prelude::*;

const SIZES: [(u32, u32); 9] = [
    (640, 480),
    (320, 240),
    (161, 99),
    (66, 47),
    (64, 48),
    (16, 14),
    (224, 1),
    (2, 112),
    (33, 129),
];

/// A picture of noise with a strip, its descriptor, and its layout.
struct Sample {
    layout: FrameLayout,
    descriptor: FrameDescriptor,
    payload: Vec<u8>,
}

impl Sample {
    fn new(format: PixelFormat, (width, height): (u32, u32), align: u32, number: u64) -> Self {
        let width = if format == PixelFormat::Yuyv { width.next_multiple_of(2) } else { width };
        let layout = FrameLayout::with_stride_align(format, width, height, align).unwrap();
        let mut descriptor = FrameDescriptor::ZERO;
        layout.apply(&mut descriptor);
        descriptor.capture_id = number;
        descriptor.capture_ns = 0x0123_4567_89ab_cdef ^ number << 20;
        descriptor.camera_id = 0xabc_0007;
        let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        });
        let mut payload: Vec<u8> = noise.take(layout.total_bytes as usize).collect();
        write(&layout, &mut payload, &Mark::of(&descriptor)).unwrap();
        Sample { layout, descriptor, payload }
    }

    fn planes(&self) -> Vec<&[u8]> {
        let places = self.layout.planes[..self.layout.plane_count.into()].iter();
        places.map(|p| &self.payload[p.offset_bytes as usize..][..p.size_bytes as usize]).collect()
    }

    fn verify(&self) -> Result<StripReading, StripError> {
        verify(&self.descriptor, &self.planes())
    }

    fn read(&self) -> Result<StripReading, StripError> {
        read(&self.descriptor, &self.planes())
    }
}

fn any_format() -> impl Strategy<Value = PixelFormat> {
    (0..PixelFormat::ALL.len()).prop_map(|index| PixelFormat::ALL[index])
}

#[test]
fn every_format_and_size_comes_back_as_written() {
    for &format in PixelFormat::ALL {
        for size in SIZES {
            for align in [1, 64] {
                let sample = Sample::new(format, size, align, 42);
                let reading =
                    sample.verify().unwrap_or_else(|e| panic!("{format:?} {size:?}: {e}"));
                assert_eq!(reading.mark.number, 42);
                assert_eq!(reading.mark.time_ns, sample.descriptor.capture_ns);
                assert_eq!(reading.mark.camera, 7);
                assert_eq!(sample.read().unwrap(), reading);
            }
        }
    }
}

#[test]
fn the_format_is_the_documented_one() {
    let mut payload = vec![77; 640 * 480];
    let layout = FrameLayout::new(PixelFormat::Grey, 640, 480).unwrap();
    let mark = Mark { number: 0x0102, time_ns: 0xff00, camera: 3 };
    write(&layout, &mut payload, &mark).unwrap();
    let bits: Vec<bool> = (0..224)
        .map(|bit| payload[(bit / 80 * 8 + 3) * 640 + bit % 80 * 8 + 4])
        .map(|value| match value {
            16 => false,
            235 => true,
            other => panic!("{other} is neither black nor white"),
        })
        .collect();
    let bytes: Vec<u8> =
        bits.chunks(8).map(|byte| byte.iter().fold(0, |n, &bit| n << 1 | u8::from(bit))).collect();
    assert_eq!(bytes[..4], [0xf1, 0xa5, 0, 3]);
    assert_eq!(bytes[4..20], [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0xff, 0]);
    let picture = crc32fast::hash(&[77; 640 * (480 - 24)]);
    assert_eq!(bytes[20..24], picture.to_be_bytes());
    assert_eq!(bytes[24..], crc32fast::hash(&bytes[..24]).to_be_bytes());
    assert_eq!(payload[24 * 640 - 1], 16, "beyond the last cell it is black");
    assert_eq!(payload[24 * 640], 77);
}

#[test]
fn a_torn_picture_is_found_wherever_it_is_torn() {
    for &format in PixelFormat::ALL {
        let (one, two) =
            (Sample::new(format, (320, 240), 1, 1), Sample::new(format, (320, 240), 1, 2));
        let rows = Shape::of_layout(&one.layout).unwrap().grid.rows();
        let place = one.layout.planes[0];
        for cut in (0..place.rows as usize).map(|row| row * place.stride_bytes as usize).skip(1) {
            let mut torn = Sample { payload: two.payload.clone(), ..one };
            torn.payload[..cut].copy_from_slice(&one.payload[..cut]);
            let error = torn.verify().unwrap_err();
            let in_strip = cut < rows * place.stride_bytes as usize;
            match (in_strip, &error) {
                (false, StripError::Picture { number: 1, .. }) => {}
                // Which one depends on the cells that the cut hits.
                (true, StripError::Damaged { .. } | StripError::NotExact { .. }) => {}
                // The rows above the cut are the same in both: this is the other picture, whole.
                (true, StripError::OtherFrame { strip: 2, .. }) => {}
                _ => panic!("{format:?} cut at {cut}: {error}"),
            }
        }
    }
}

#[test]
fn chroma_of_another_picture_is_found() {
    for format in [PixelFormat::Nv12, PixelFormat::I420] {
        let (one, two) = (Sample::new(format, (66, 47), 1, 1), Sample::new(format, (66, 47), 1, 2));
        let chroma = one.layout.planes[1].offset_bytes as usize;
        let mut torn = Sample { payload: one.payload.clone(), ..one };
        torn.payload[chroma..].copy_from_slice(&two.payload[chroma..]);
        assert!(matches!(torn.verify(), Err(StripError::Picture { number: 1, .. })));
    }
}

#[test]
fn a_descriptor_of_another_picture_is_found() {
    let sample = |change: fn(&mut FrameDescriptor)| {
        let mut sample = Sample::new(PixelFormat::Nv12, (320, 240), 1, 9);
        change(&mut sample.descriptor);
        sample.verify().unwrap_err().to_string()
    };
    let text = sample(|descriptor| descriptor.capture_id = 10);
    assert_eq!(text, "the descriptor's capture_id is 10, the strip under it says 9");
    assert!(sample(|descriptor| descriptor.capture_ns += 1).contains("capture_ns"));
    assert!(sample(|descriptor| descriptor.camera_id += 1).contains("camera_id"));
}

#[test]
fn a_descriptor_that_lies_about_geometry_is_an_error_not_a_panic() {
    let lies: [fn(&mut FrameDescriptor); 9] = [
        |d| d.width = u32::MAX,
        |d| d.height = u32::MAX,
        |d| (d.width, d.height) = (u32::MAX, u32::MAX),
        |d| d.width = 0,
        |d| d.fourcc = 7,
        |d| d.plane_count = 255,
        |d| d.planes[0].stride_bytes = u32::MAX,
        |d| d.planes[1].stride_bytes = 0,
        |d| (d.height, d.planes[0].stride_bytes) = (1 << 30, u32::MAX),
    ];
    for (index, lie) in lies.into_iter().enumerate() {
        let mut sample = Sample::new(PixelFormat::Nv12, (320, 240), 1, 9);
        lie(&mut sample.descriptor);
        assert!(sample.verify().is_err() && sample.read().is_err(), "lie {index}");
    }
    let sample = Sample::new(PixelFormat::Nv12, (320, 240), 1, 9);
    let planes = sample.planes();
    assert!(matches!(verify(&sample.descriptor, &planes[..1]), Err(StripError::Planes(_))));
    assert!(matches!(
        verify(&sample.descriptor, &[planes[0], &planes[1][1..]]),
        Err(StripError::Planes(_))
    ));
    assert!(matches!(verify(&sample.descriptor, &[]), Err(StripError::Planes(_))));
}

#[test]
fn a_plain_picture_has_no_strip_and_a_tiny_one_no_room() {
    let layout = FrameLayout::new(PixelFormat::Grey, 64, 64).unwrap();
    let mut descriptor = FrameDescriptor::ZERO;
    layout.apply(&mut descriptor);
    assert!(matches!(verify(&descriptor, &[&[200; 4096]]), Err(StripError::NoStrip(0xffff))));
    let layout = FrameLayout::new(PixelFormat::Grey, 8, 8).unwrap();
    let mark = Mark { number: 1, time_ns: 1, camera: 0 };
    let error = write(&layout, &mut [0; 64], &mark).unwrap_err();
    assert_eq!(error.kind(), framelane::ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("16x14"), "{error}");
}

#[test]
fn a_blurred_and_noisy_strip_is_still_read_but_proves_nothing() {
    let mut sample = Sample::new(PixelFormat::Nv12, (640, 480), 1, 77);
    for row in 0..24 {
        let row = &mut sample.payload[row * 640..][..640];
        let sharp = row.to_vec();
        for x in 1..639 {
            let mean = sharp[x - 1..=x + 1].iter().map(|&v| u32::from(v)).sum::<u32>() / 3;
            row[x] = (mean as i32 + (x as i32 * 37 % 41) - 20).clamp(0, 255) as u8;
        }
    }
    assert_eq!(sample.read().unwrap().mark.number, 77);
    assert!(matches!(sample.verify(), Err(StripError::NotExact { .. })));
}

#[test]
fn strips_are_still_read_after_jpeg() {
    for (width, height) in [(640, 480), (320, 240), (1280, 720), (160, 120), (161, 99)] {
        for quality in [90, 50, 25] {
            let pattern = Pattern::new(PixelFormat::Rgb24, width, height, Rate::DEFAULT).unwrap();
            let mut source = Stamped::new(pattern).unwrap();
            let mut descriptor = FrameDescriptor::ZERO;
            source.info().layout.apply(&mut descriptor);
            (descriptor.capture_id, descriptor.capture_ns) = (123_456, u64::MAX / 3);
            let mut rgb = vec![0; source.info().layout.total_bytes as usize];
            source.fill(9, &mut descriptor, &mut rgb).unwrap();
            let mut jpeg = Vec::new();
            let mut encoder =
                image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, quality);
            encoder.encode(&rgb, width, height, image::ExtendedColorType::Rgb8).unwrap();
            let decoded = image::load_from_memory(&jpeg).unwrap().into_rgb8().into_raw();
            let what = format!("{width}x{height} at quality {quality}");
            let reading = read(&descriptor, &[&decoded]).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(reading.mark, Mark::of(&descriptor), "{what}");
            assert!(verify(&descriptor, &[&decoded]).is_err(), "{what}: not the same bytes");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_changed_byte_is_found(
        format in any_format(), size in 0..SIZES.len(), align in (0u32..7).prop_map(|n| 1 << n),
        number in 1u64..1 << 40, place in any::<usize>(), flip in 1u8..,
    ) {
        let mut sample = Sample::new(format, SIZES[size], align, number);
        let padding: Vec<bool> = sample.layout.planes[..sample.layout.plane_count.into()]
            .iter()
            .zip(Shape::of_layout(&sample.layout).unwrap().planes)
            .flat_map(|(plane, shape)| {
                let (stride, rows) = (plane.stride_bytes as usize, plane.rows as usize);
                (0..rows * stride).map(move |byte| byte % stride >= shape.row_bytes)
            })
            .collect();
        let place = place % sample.payload.len();
        sample.payload[place] ^= flip;
        prop_assert_eq!(sample.verify().is_ok(), padding[place], "byte {}", place);
    }

    #[test]
    fn any_bytes_are_read_without_panic(
        format in any_format(), bytes in proptest::collection::vec(any::<u8>(), 32 * 32 * 3),
        stride in 0u32..200, width in 0u32..70, height in 0u32..70,
    ) {
        let mut descriptor = FrameDescriptor::ZERO;
        (descriptor.fourcc, descriptor.width, descriptor.height) = (format.number(), width, height);
        for planes in [&[&bytes[..]] as &[&[u8]], &[&bytes, &bytes], &[&bytes, &bytes, &bytes]] {
            descriptor.plane_count = planes.len() as u8;
            descriptor.planes.iter_mut().for_each(|plane| plane.stride_bytes = stride);
            prop_assert!(verify(&descriptor, planes).is_err());
        }
    }
}
