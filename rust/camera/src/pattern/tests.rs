use super::*;
use crate::Stamped;
use crate::strip::{self, Mark};
use proptest::prelude::*;

fn filled(source: &mut impl FrameSource, index: u64) -> (FrameDescriptor, Vec<u8>) {
    let layout = source.info().layout;
    let mut descriptor = FrameDescriptor::ZERO;
    layout.apply(&mut descriptor);
    (descriptor.capture_id, descriptor.capture_ns) = (index, 1000);
    let mut payload = vec![0x55; layout.total_bytes as usize];
    assert_eq!(source.fill(index, &mut descriptor, &mut payload).unwrap(), Filled::Picture);
    (descriptor, payload)
}

fn planes<'a>(layout: &FrameLayout, payload: &'a [u8]) -> Vec<&'a [u8]> {
    let places = layout.planes[..layout.plane_count.into()].iter();
    places.map(|p| &payload[p.offset_bytes as usize..][..p.size_bytes as usize]).collect()
}

#[test]
fn every_row_of_every_plane_changes_with_every_picture() {
    for &format in PixelFormat::ALL {
        let mut pattern = Pattern::new(format, 64, 34, Rate::DEFAULT).unwrap();
        let layout = pattern.info().layout;
        for index in 0..150 {
            let (before, after) =
                (filled(&mut pattern, index).1, filled(&mut pattern, index + 1).1);
            let pairs = planes(&layout, &before).into_iter().zip(planes(&layout, &after));
            for (place, (before, after)) in layout.planes.iter().zip(pairs) {
                let rows = |plane: &[u8]| -> Vec<Vec<u8>> {
                    plane.chunks(place.stride_bytes as usize).map(<[u8]>::to_vec).collect()
                };
                for (row, (before, after)) in rows(before).iter().zip(rows(after)).enumerate() {
                    assert_ne!(before, &after, "{format:?} picture {index} row {row}");
                }
            }
        }
    }
}

#[test]
fn the_ball_is_seen_where_it_bounces() {
    let mut pattern = Pattern::new(PixelFormat::Rgb24, 320, 240, Rate::DEFAULT).unwrap();
    let ball = pattern.ball.take().unwrap();
    let (_, without) = filled(&mut pattern, 77);
    pattern.ball = Some(ball);
    let (_, with) = filled(&mut pattern, 77);
    let changed = without.chunks(3).zip(with.chunks(3)).filter(|(a, b)| a != b).count();
    let disc = std::f64::consts::PI * 30.0 * 30.0;
    assert!((changed as f64 / disc - 1.0).abs() < 0.1, "{changed} pixels, a disc has {disc}");
}

#[test]
fn the_same_index_gives_the_same_picture_and_colors_are_stated() {
    let mut one = Pattern::new(PixelFormat::Nv12, 1280, 720, Rate::DEFAULT).unwrap();
    let mut two = Pattern::new(PixelFormat::Nv12, 1280, 720, Rate::DEFAULT).unwrap();
    filled(&mut two, 3);
    let (descriptor, payload) = filled(&mut one, u64::MAX);
    assert_eq!(payload, filled(&mut two, u64::MAX).1);
    assert_eq!(descriptor.color_matrix, framelane::ColorMatrix::Bt709.number());
    assert_eq!(descriptor.color_range, framelane::ColorRange::Limited.number());
}

#[test]
fn impossible_sizes_are_refused() {
    let kind = |w, h| Pattern::new(PixelFormat::Yuyv, w, h, Rate::DEFAULT).err().map(|e| e.kind());
    assert_eq!(kind(0, 4), Some(framelane::ErrorKind::InvalidArgument));
    assert_eq!(kind(3, 4), Some(framelane::ErrorKind::InvalidArgument));
    assert_eq!(kind(u32::MAX - 1, 1), Some(framelane::ErrorKind::TooLarge));
    assert_eq!(kind(2, 1), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn stamped_pictures_of_any_size_prove_themselves(
        format in (0..PixelFormat::ALL.len()).prop_map(|index| PixelFormat::ALL[index]),
        width in 1u32..400,
        height in 1u32..400,
        index in any::<u32>(),
    ) {
        let width = if format == PixelFormat::Yuyv { width.next_multiple_of(2) } else { width };
        let pattern = Pattern::new(format, width, height, Rate::DEFAULT).unwrap();
        let layout = pattern.info().layout;
        let Ok(mut source) = Stamped::new(pattern) else {
            prop_assert!(strip::rows(width, height).is_err());
            return Ok(());
        };
        let (descriptor, payload) = filled(&mut source, index.into());
        let reading = strip::verify(&descriptor, &planes(&layout, &payload)).unwrap();
        prop_assert_eq!(reading.mark, Mark::of(&descriptor));
    }
}
