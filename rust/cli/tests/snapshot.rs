//! `snapshot`: known pictures in every format, and what goes wrong.

mod common;

use common::{Scene, layout, publish};
use framelane::{
    ColorMatrix, ColorRange, DeviceBuffer, FrameDescriptor, FrameLayout, MemoryKind, PixelFormat,
    Producer, ProducerOptions,
};
use rustix::fs::{MemfdFlags, SealFlags};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

/// Rounding of the conversions, here and there.
const TOLERANCE: i32 = 2;

/// How the samples of a test picture are meant.
#[derive(Clone, Copy)]
struct Meaning {
    matrix: ColorMatrix,
    range: ColorRange,
}

const USUAL: Meaning = Meaning { matrix: ColorMatrix::Bt601, range: ColorRange::Limited };

/// Luma and both chroma of a pixel of the test picture. Chroma changes every second pixel.
fn sample(x: u32, y: u32) -> [u8; 3] {
    let luma = 16 + (x * 7 + y * 13) % 220;
    let (cx, cy) = (x / 2, y / 2);
    [luma as u8, (64 + cx * 11 % 128) as u8, (190 - cy * 9 % 128) as u8]
}

/// RGB of a sample by the definition of the matrices (ITU-R BT.601, 709, 2020).
fn expected([y, u, v]: [u8; 3], meaning: Meaning) -> [u8; 3] {
    let (kr, kb) = match meaning.matrix {
        ColorMatrix::Bt709 => (0.2126, 0.0722),
        ColorMatrix::Bt2020 => (0.2627, 0.0593),
        _ => (0.299, 0.114),
    };
    let (floor, luma, chroma) = match meaning.range {
        ColorRange::Full => (0.0, 255.0, 255.0),
        _ => (16.0, 219.0, 224.0),
    };
    let y = (f64::from(y) - floor) / luma;
    let u = (f64::from(u) - 128.0) / chroma;
    let v = (f64::from(v) - 128.0) / chroma;
    let (r, b) = (y + 2.0 * (1.0 - kr) * v, y + 2.0 * (1.0 - kb) * u);
    let g = (y - kr * r - kb * b) / (1.0 - kr - kb);
    [r, g, b].map(|value| (value * 255.0).round().clamp(0.0, 255.0) as u8)
}

/// Bytes of the test picture, laid out as `layout` says; padding is filled with garbage.
fn paint(format: PixelFormat, layout: &FrameLayout) -> Vec<u8> {
    let mut bytes = vec![0xa5; layout.total_bytes as usize];
    let at = |plane: usize, row: u32, column: u32| {
        let plane = &layout.planes[plane];
        plane.offset_bytes as usize + (row * plane.stride_bytes + column) as usize
    };
    for y in 0..layout.height {
        for x in 0..layout.width {
            let [luma, u, v] = sample(x, y);
            match format {
                PixelFormat::Grey => bytes[at(0, y, x)] = luma,
                PixelFormat::Nv12 => {
                    bytes[at(0, y, x)] = luma;
                    bytes[at(1, y / 2, x / 2 * 2)] = u;
                    bytes[at(1, y / 2, x / 2 * 2 + 1)] = v;
                }
                PixelFormat::I420 => {
                    bytes[at(0, y, x)] = luma;
                    bytes[at(1, y / 2, x / 2)] = u;
                    bytes[at(2, y / 2, x / 2)] = v;
                }
                PixelFormat::Yuyv => {
                    bytes[at(0, y, x * 2)] = luma;
                    bytes[at(0, y, x / 2 * 4 + 1)] = u;
                    bytes[at(0, y, x / 2 * 4 + 3)] = v;
                }
                PixelFormat::Rgb24 | PixelFormat::Bgr24 => {
                    let [r, g, b] = expected([luma, u, v], USUAL);
                    let pixel = if format == PixelFormat::Rgb24 { [r, g, b] } else { [b, g, r] };
                    bytes[at(0, y, x * 3)..][..3].copy_from_slice(&pixel);
                }
            }
        }
    }
    bytes
}

/// What the test picture looks like in a format.
fn looks(format: PixelFormat, x: u32, y: u32, meaning: Meaning) -> [u8; 3] {
    match format {
        PixelFormat::Grey => match meaning.range {
            ColorRange::Full => [sample(x, y)[0]; 3],
            _ => expected([sample(x, y)[0], 128, 128], meaning),
        },
        PixelFormat::Rgb24 | PixelFormat::Bgr24 => expected(sample(x, y), USUAL),
        _ => expected(sample(x, y), meaning),
    }
}

fn painted(scene: &Scene, lane: &str, format: PixelFormat, layout: FrameLayout, meaning: Meaning) -> Producer {
    let producer = scene.producer(lane, ProducerOptions::new().layout(layout));
    let mut frame = producer.claim().unwrap();
    let bytes = paint(format, &layout);
    frame.payload_mut()[..bytes.len()].copy_from_slice(&bytes);
    frame.descriptor_mut().color_matrix = meaning.matrix.number();
    frame.descriptor_mut().color_range = meaning.range.number();
    frame.publish().unwrap();
    producer
}

fn check(image: &image::RgbImage, format: PixelFormat, size: (u32, u32), meaning: Meaning, within: i32) {
    assert_eq!(image.dimensions(), size, "{format:?}");
    for (x, y, pixel) in image.enumerate_pixels() {
        let wanted = looks(format, x, y, meaning);
        let off = pixel.0.iter().zip(wanted).map(|(&a, b)| (i32::from(a) - i32::from(b)).abs());
        assert!(
            off.clone().all(|off| off <= within),
            "{format:?} {size:?} at {x},{y}: {:?}, not {wanted:?}",
            pixel.0
        );
    }
}

fn open(path: &PathBuf) -> image::RgbImage {
    image::open(path).unwrap().to_rgb8()
}

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
            for format in [PixelFormat::Nv12, PixelFormat::I420, PixelFormat::Yuyv, PixelFormat::Grey] {
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
        let header = format!("YUV4MPEG2 W{width} H{height} F30:1 Ip A1:1 C{sampling} XCOLORRANGE=LIMITED\nFRAME\n");
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
    let sum = ["consumers_bytes", "departed_consumers_bytes"].map(|key| copies[key].as_u64().unwrap());
    assert_eq!(sum.iter().sum::<u64>(), copied, "what the SDK copied is counted");
}

#[test]
fn what_was_written_is_told() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    publish(&producer);
    publish(&producer);
    let ran = finish_in(&scene, &["snapshot", "lane"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("lane.png: frame 2 of lane lane, grey 64x48"), "{}", ran.err);
    assert!(ran.err.contains(" old; "), "{}", ran.err);
    assert!(scene.path().join("lane.png").exists());
    let told = scene.json(&["snapshot", "lane", "-o", scene.path().join("b.png").to_str().unwrap()]);
    assert_eq!((&told["sequence"], &told["kind"]), (&Value::from(2), &Value::from("png")));
    assert_eq!(told["bytes"], std::fs::metadata(scene.path().join("b.png")).unwrap().len());
    assert!(told["age_ns"].as_u64().unwrap() > 0);
}

/// A run whose working directory is the scene's.
fn finish_in(scene: &Scene, args: &[&str]) -> common::Ran {
    common::finish(scene.command(args).current_dir(scene.path()).spawn().unwrap())
}

#[test]
fn it_waits_for_a_frame_and_gives_up_in_time() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    let ran = scene.run(&["snapshot", "lane", "-o", "-", "--timeout", "0.1"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("no frame for 0.1 s"), "{}", ran.err);
    publish(&producer);
    let ran = scene.run(&["snapshot", "lane", "-o", "-", "--timeout", "0.1", "--next"]);
    assert_eq!(ran.code, 1, "the one that was there is not the next: {}", ran.err);
    let args = ["snapshot", "lane", "-o", "-", "--next", "--timeout", "50"];
    let waiting = scene.command(&args).spawn().unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                publish(&producer);
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        });
        let ran = common::finish(waiting);
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.starts_with(b"\x89PNG"));
    });
}

#[test]
fn ctrl_c_ends_the_waiting_and_leaves_no_file() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    let mut command = scene.command(&["snapshot", "lane", "--timeout", "50"]);
    let child = command.current_dir(scene.path()).spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    common::until("nobody attached", || producer.consumers() == 1);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ran = common::finish(child);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("interrupted"), "{}", ran.err);
    assert_eq!(files(&scene), ["lane.lock", "lane.sock"]);
}

fn files(scene: &Scene) -> Vec<String> {
    let entries = std::fs::read_dir(scene.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_full_disk_is_a_clear_error_and_leaves_no_half_file() {
    let scene = Scene::new();
    let format = PixelFormat::Rgb24;
    let _producer = painted(&scene, "lane", format, layout(format, 320, 240), USUAL);
    let ran = scene.run(&["snapshot", "lane", "-o", "/dev/full", "--format", "png"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("writing /dev/full") && ran.err.contains("No space left"), "{}", ran.err);
    // Another way of not being able to write it all: a limit of one block on the size of files.
    let file = scene.path().join("picture.raw");
    std::fs::write(&file, b"the picture of before").unwrap();
    let limited = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" snapshot lane -o \"$1\""])
        .arg(env!("CARGO_BIN_EXE_framelane"))
        .arg(&file)
        .env("FRAMELANE_DIR", scene.path())
        .output()
        .unwrap();
    let text = String::from_utf8(limited.stderr).unwrap();
    assert_eq!(limited.status.code(), Some(1), "{text}");
    assert!(text.contains("picture.raw") && text.contains("File too large"), "{text}");
    assert_eq!(std::fs::read(&file).unwrap(), b"the picture of before");
    assert_eq!(files(&scene), ["lane.lock", "lane.sock", "picture.raw"]);
}

#[test]
fn a_lane_whose_leases_are_taken_says_who_to_ask() {
    let scene = Scene::new();
    let layout = layout(PixelFormat::Grey, 8, 8);
    let producer = scene.producer("lane", ProducerOptions::new().layout(layout).lease_budget(1));
    publish(&producer);
    let options = framelane::ConsumerOptions::new(framelane::Mode::Latest);
    let _reader = framelane::Consumer::open("lane", options.directory(scene.directory())).unwrap();
    let ran = scene.run(&["snapshot", "lane", "-o", "-"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("try: framelane who lane"), "{}", ran.err);
}
