use super::*;
use crate::Stamped;
use crate::strip;
use framelane::ErrorKind;
use std::fs;

/// A photograph with a colour ramp, unlike in every corner.
fn ramp(width: u32, height: u32) -> image::RgbImage {
    image::RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, 128])
    })
}

fn fill(source: &mut impl FrameSource, index: u64) -> Vec<u8> {
    let mut payload = vec![0; source.info().layout.total_bytes as usize];
    let filled = source.fill(index, &mut { FrameDescriptor::ZERO }, &mut payload).unwrap();
    assert_eq!(filled, Filled::Picture);
    payload
}

fn open(path: &Path, format: PixelFormat, width: u32, height: u32) -> Result<Images> {
    Images::open(path, format, width, height, Rate::DEFAULT)
}

#[test]
fn a_photograph_moves_smoothly_in_every_format_and_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ramp.png");
    ramp(300, 200).save(&path).unwrap();
    for &format in PixelFormat::ALL {
        for (width, height) in [(64, 48), (640, 360), (34, 77), (2, 1)] {
            let mut source = open(&path, format, width, height).unwrap();
            let (one, two) = (fill(&mut source, 100), fill(&mut source, 101));
            let difference: u64 =
                one.iter().zip(&two).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
            let mean = difference as f64 / one.len() as f64;
            assert!(mean < 8.0, "{format:?} {width}x{height} jumps by {mean}");
            if width > 30 {
                assert_ne!(one, two, "{format:?} {width}x{height}");
            }
        }
    }
}

#[test]
fn what_is_shown_is_the_photograph() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ramp.png");
    ramp(300, 200).save(&path).unwrap();
    let mut source = open(&path, PixelFormat::Rgb24, 90, 60).unwrap();
    for index in [0, 50, 333] {
        let view = View::at(Rate::DEFAULT.time_s(index), 300, 200, 90, 60);
        let payload = fill(&mut source, index);
        for (x, y) in [(0u32, 0u32), (89, 0), (0, 59), (89, 59), (45, 30)] {
            let photo_x = view.left + (f64::from(x) + 0.5) / 90.0 * view.width;
            let photo_y = view.top + (f64::from(y) + 0.5) / 60.0 * view.height;
            let expected = [photo_x / 300.0 * 255.0, photo_y / 200.0 * 255.0, 128.0];
            let pixel = &payload[(y * 90 + x) as usize * 3..][..3];
            for (&value, expected) in pixel.iter().zip(expected) {
                let distance = (f64::from(value) - expected).abs();
                assert!(distance < 4.0, "({x}, {y}) of {index}: {pixel:?}, not {expected}");
            }
        }
    }
}

#[test]
fn a_folder_is_shown_in_order_and_again() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in [("b.JPG", 100), ("a.png", 20), ("c.jpeg", 200)] {
        let picture = image::GrayImage::from_pixel(40, 30, image::Luma([value]));
        picture.save(folder.path().join(name.to_lowercase())).unwrap();
        fs::rename(folder.path().join(name.to_lowercase()), folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("notes.txt"), "left out").unwrap();
    fs::create_dir(folder.path().join("folder.png")).unwrap();
    let mut source = open(folder.path(), PixelFormat::Rgb24, 32, 24).unwrap();
    let per_photo = (SHOWN_S * 30.0) as u64;
    let middle = |source: &mut Images, turn: u64| fill(source, turn * per_photo + 7)[1000];
    let near = |value: u8, expected: u8| value.abs_diff(expected) <= 2;
    for (turn, expected) in [(0, 20), (1, 100), (2, 200), (3, 20), (7, 100), (8, 200)] {
        let value = middle(&mut source, turn);
        assert!(near(value, expected), "turn {turn} shows {value}, not {expected}");
    }
}

#[test]
fn files_that_are_no_pictures_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = |path: &Path| {
        let error = open(path, PixelFormat::Nv12, 64, 48).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        error.to_string()
    };
    assert!(text(folder.path()).contains("no JPEG or PNG file in this folder"));
    let notes = folder.path().join("notes.txt");
    fs::write(&notes, "these are notes").unwrap();
    assert!(text(folder.path()).contains("no JPEG or PNG file"), "a text file is none");
    assert!(text(&notes).contains("notes.txt: not a picture"), "{}", text(&notes));
    let lie = folder.path().join("lie.png");
    fs::write(&lie, "these are notes, too").unwrap();
    assert!(text(folder.path()).contains("lie.png: not a picture"));
    ramp(64, 64).save(&lie).unwrap();
    let whole = fs::read(&lie).unwrap();
    fs::write(&lie, &whole[..whole.len() / 2]).unwrap();
    assert!(text(&lie).contains("lie.png: "), "{}", text(&lie));
}

#[test]
fn a_broken_picture_later_in_a_folder_is_named_when_it_is_its_turn() {
    let folder = tempfile::tempdir().unwrap();
    ramp(64, 64).save(folder.path().join("a.png")).unwrap();
    fs::write(folder.path().join("b.png"), "no picture").unwrap();
    let mut source = open(folder.path(), PixelFormat::Grey, 64, 48).unwrap();
    fill(&mut source, 0);
    let mut payload = vec![0; 64 * 48];
    let second = (SHOWN_S * 30.0) as u64;
    let error = source.fill(second, &mut { FrameDescriptor::ZERO }, &mut payload).unwrap_err();
    assert!(error.to_string().contains("b.png: not a picture"), "{error}");
}

#[test]
fn a_large_photograph_is_shrunk_to_what_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.png");
    ramp(2000, 1000).save(&path).unwrap();
    let photo = photo::Photo::load(&path, 160, 120).unwrap();
    assert_eq!((photo.width, photo.height), (384, 192));
    let wide = photo::Photo::load(&path, 3000, 10).unwrap();
    assert_eq!((wide.width, wide.height), (2000, 1000));
}

#[test]
fn photographs_can_carry_the_strip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ramp.png");
    ramp(300, 200).save(&path).unwrap();
    let mut source = Stamped::new(open(&path, PixelFormat::Grey, 64, 48).unwrap()).unwrap();
    let mut descriptor = FrameDescriptor::ZERO;
    source.info().layout.apply(&mut descriptor);
    (descriptor.capture_id, descriptor.capture_ns) = (5, 99);
    let mut payload = vec![0; 64 * 48];
    source.fill(4, &mut descriptor, &mut payload).unwrap();
    assert_eq!(strip::verify(&descriptor, &[&payload]).unwrap().mark.number, 5);
    let tiny = open(&path, PixelFormat::Grey, 8, 8).unwrap();
    assert!(Stamped::new(tiny).is_err(), "no room for a strip");
}
