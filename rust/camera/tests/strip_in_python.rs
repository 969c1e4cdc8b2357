//! The strip as another language reads it, from the description of its format.

use framelane::{FrameLayout, PixelFormat};
use framelane_camera::strip::{self, Mark};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

#[test]
fn python_reads_what_rust_stamps() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for &format in PixelFormat::ALL {
        for (number, (width, height)) in
            [(640, 480), (162, 99), (64, 48), (16, 14), (224, 1)].into_iter().enumerate()
        {
            let layout = FrameLayout::new(format, width, height).unwrap();
            let mut picture: Vec<u8> =
                (0..layout.total_bytes).map(|n| (n * n / 7 + n) as u8).collect();
            let mark = Mark { number: number as u64 + 1, time_ns: u64::MAX - 5, camera: 65_535 };
            strip::write(&layout, &mut picture, &mark).unwrap();
            let path = folder.path().join(format!("{}-{width}x{height}", format.label()));
            std::fs::write(&path, &picture).unwrap();
            let Mark { number, time_ns, camera } = mark;
            let (label, path) = (format.label(), path.display());
            writeln!(lines, "{label} {width} {height} {number} {time_ns} {camera} {path}").unwrap();
        }
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/strip.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    python.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.is_empty(), "{}: {text}", output.status);
}
