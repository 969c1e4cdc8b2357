//! `snapshot`: a known picture out of every format.

mod common;

use common::picture::{Meaning, TOLERANCE, USUAL, check, open, paint, painted, sample};
use common::{Scene, layout};
use framelane::{
    ColorMatrix, ColorRange, DeviceBuffer, FrameDescriptor, FrameLayout, MemoryKind, PixelFormat,
    ProducerOptions,
};
use rustix::fs::{MemfdFlags, SealFlags};

#[test]
fn each_format_becomes_the_picture_it_was() {
    let scene = Scene::new();
    let file = scene.path().join("picture.png");
    for &format in PixelFormat::ALL {
        for (size, align) in [((64, 48), 1), ((36, 10), 64), ((35, 9), 16), ((1, 1), 32)] {
            let (width, height) = size;
            if format == PixelFormat::Yuyv && width % 2 != 0 {
                continue; // refused by the layout itself
            }
            let layout = FrameLayout::with_stride_align(format, width, height, align).unwrap();
            let meaning = match format {
                PixelFormat::Grey | PixelFormat::Rgb24 | PixelFormat::Bgr24 => {
                    Meaning { range: ColorRange::Full, ..USUAL }
                }
                _ => USUAL,
            };
            let _producer = painted(&scene, "lane", format, layout, meaning);
            scene.text(&["snapshot", "lane", "-o", file.to_str().unwrap()]);
            check(&open(&file), format, size, meaning, TOLERANCE);
        }
    }
}

#[test]
fn matrix_and_range_are_honoured() {
    let scene = Scene::new();
    let file = scene.path().join("picture.png");
    for matrix in [ColorMatrix::Bt601, ColorMatrix::Bt709, ColorMatrix::Bt2020] {
        for range in [ColorRange::Limited, ColorRange::Full] {
            let meaning = Meaning { matrix, range };
            for format in
                [PixelFormat::Nv12, PixelFormat::I420, PixelFormat::Yuyv, PixelFormat::Grey]
            {
                let _producer = painted(&scene, "lane", format, layout(format, 40, 22), meaning);
                let told = scene.json(&["snapshot", "lane", "-o", file.to_str().unwrap()]);
                check(&open(&file), format, (40, 22), meaning, TOLERANCE);
                assert_eq!(told["color_matrix"], matrix.name());
                assert_eq!(told["color_range"], range.name());
            }
        }
    }
}

#[test]
fn unspecified_colour_is_taken_as_usual_for_the_size() {
    let scene = Scene::new();
    let file = scene.path().join("picture.png");
    let silent = Meaning { matrix: ColorMatrix::Unspecified, range: ColorRange::Unspecified };
    for (height, matrix) in [(48, ColorMatrix::Bt601), (720, ColorMatrix::Bt709)] {
        let layout = layout(PixelFormat::Nv12, 32, height);
        let _producer = painted(&scene, "lane", PixelFormat::Nv12, layout, silent);
        scene.text(&["snapshot", "lane", "-o", file.to_str().unwrap()]);
        let meant = Meaning { matrix, range: ColorRange::Limited };
        check(&open(&file), PixelFormat::Nv12, (32, height), meant, TOLERANCE);
    }
}

#[test]
fn a_jpeg_looks_like_the_picture() {
    let scene = Scene::new();
    let layout = layout(PixelFormat::Grey, 64, 48);
    let full = Meaning { range: ColorRange::Full, ..USUAL };
    let producer = scene.producer("lane", ProducerOptions::new().layout(layout));
    let mut frame = producer.claim().unwrap();
    for (row, line) in frame.plane_mut(0).unwrap().chunks_mut(64).enumerate() {
        line.fill(row as u8 * 4);
    }
    frame.descriptor_mut().color_range = full.range.number();
    frame.publish().unwrap();
    let file = scene.path().join("picture.jpg");
    scene.text(&["snapshot", "lane", "-o", file.to_str().unwrap(), "--quality", "95"]);
    assert!(std::fs::read(&file).unwrap().starts_with(&[0xff, 0xd8, 0xff]));
    let picture = open(&file);
    assert_eq!(picture.dimensions(), (64, 48));
    for (_, y, pixel) in picture.enumerate_pixels() {
        let off = i32::from(pixel.0[0]) - y as i32 * 4;
        assert!(off.abs() <= 12, "row {y}: {:?}", pixel.0);
    }
}

#[test]
fn raw_bytes_are_the_planes_without_their_padding() {
    let scene = Scene::new();
    for &format in PixelFormat::ALL {
        let (width, height) = (38, 11);
        let padded = FrameLayout::with_stride_align(format, width, height, 64).unwrap();
        let _producer = painted(&scene, "lane", format, padded, USUAL);
        let tight = paint(format, &layout(format, width, height));
        let named = scene.path().join(format!("picture.{}", format.label()));
        scene.text(&["snapshot", "lane", "-o", named.to_str().unwrap()]);
        assert_eq!(std::fs::read(&named).unwrap(), tight, "{format:?}");
        let ran = scene.run(&["snapshot", "lane", "-o", "-", "--format", "raw"]);
        assert_eq!(ran.out, tight, "{format:?}");
    }
    let _yuyv = painted(&scene, "lane", PixelFormat::Yuyv, layout(PixelFormat::Yuyv, 4, 4), USUAL);
    let ran = scene.run(&["snapshot", "lane", "-o", "picture.nv12"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("frames are yuyv, not nv12"), "{}", ran.err);
}

#[test]
fn y4m_has_the_planes_apart() {
    let scene = Scene::new();
    for (format, sampling) in [
        (PixelFormat::Nv12, "420jpeg"),
        (PixelFormat::I420, "420jpeg"),
        (PixelFormat::Yuyv, "422"),
        (PixelFormat::Grey, "mono"),
    ] {
        let (width, height) = if format == PixelFormat::Yuyv { (38, 11) } else { (37, 11) };
        let padded = FrameLayout::with_stride_align(format, width, height, 64).unwrap();
        let _producer = painted(&scene, "lane", format, padded, USUAL);
        let ran = scene.run(&["snapshot", "lane", "-o", "-", "--format", "y4m"]);
        let header = format!(
            "YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C{sampling} XCOLORRANGE=LIMITED\nFRAME\n"
        );
        assert!(ran.out.starts_with(header.as_bytes()), "{format:?}");
        let body = &ran.out[header.len()..];
        let (across, down) = match format {
            PixelFormat::Grey => (0, 0),
            PixelFormat::Yuyv => (2, 1),
            _ => (2, 2),
        };
        let mut wanted = Vec::new();
        let every = |step: u32, size: u32| (0..size).step_by(step as usize);
        every(1, height).for_each(|y| wanted.extend(every(1, width).map(|x| sample(x, y)[0])));
        for chroma in [1, 2].into_iter().filter(|_| across > 0) {
            every(down, height)
                .for_each(|y| wanted.extend(every(across, width).map(|x| sample(x, y)[chroma])));
        }
        assert_eq!(body, wanted, "{format:?}");
    }
    let _rgb = painted(&scene, "rgb", PixelFormat::Rgb24, layout(PixelFormat::Rgb24, 4, 4), USUAL);
    let ran = scene.run(&["snapshot", "rgb", "-o", "x.y4m"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[test]
fn a_frame_in_device_memory_is_copied_out() {
    let scene = Scene::new();
    let format = PixelFormat::Nv12;
    let padded = FrameLayout::with_stride_align(format, 35, 9, 32).unwrap();
    let offset = 4096;
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = rustix::fs::memfd_create("test-device", flags).unwrap();
    rustix::io::pwrite(&fd, &paint(format, &padded), offset).unwrap();
    rustix::fs::ftruncate(&fd, 16384).unwrap();
    rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW).unwrap();
    let options = ProducerOptions::new()
        .memory(MemoryKind::Memfd)
        .device_buffers(vec![DeviceBuffer { fd, kind: MemoryKind::Memfd }]);
    let producer = scene.producer("device", options);
    let mut descriptor = FrameDescriptor::ZERO;
    padded.apply(&mut descriptor);
    descriptor.memory_kind = MemoryKind::Memfd.number();
    descriptor.color_matrix = USUAL.matrix.number();
    for plane in &mut descriptor.planes[..2] {
        plane.buffer_index = 0;
        plane.offset_bytes += offset;
    }
    producer.publish_external(&descriptor, Box::new(|_| {})).unwrap();
    let file = scene.path().join("picture.png");
    scene.text(&["snapshot", "device", file.to_str().unwrap()]);
    check(&open(&file), format, (35, 9), USUAL, TOLERANCE);
    let info = scene.json(&["info", "device"]);
    assert_eq!(info["memory"]["device_buffers"], 1);
    assert_eq!(info["newest"]["planes"][1]["buffer_index"], 0);
    let copied = padded.total_bytes;
    let copies = &info["copies"];
    let sum =
        ["consumers_bytes", "departed_consumers_bytes"].map(|key| copies[key].as_u64().unwrap());
    assert_eq!(sum.iter().sum::<u64>(), copied, "what the SDK copied is counted");
}
