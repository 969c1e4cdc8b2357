//! `framelane render`: a clip out of pictures, for the camera to play.

use crate::interrupt::Interrupt;
use crate::units;
use anyhow::Context;
use framelane::{FrameDescriptor, PixelFormat};
use framelane_camera::images::Images;
use framelane_camera::{Filled, FrameSource, Rate, SourceInfo, y4m};
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Args {
    /// JPEG or PNG file, or a folder of them
    pictures: PathBuf,
    /// Clip to write (YUV4MPEG2)
    clip: PathBuf,
    /// Width and height
    #[arg(long, value_name = "WxH", default_value = "640x480", value_parser = units::picture_size)]
    size: (u32, u32),
    /// Frames a second
    #[arg(long, default_value_t = Rate::DEFAULT)]
    fps: Rate,
    /// Frames to write
    #[arg(long, value_name = "N", default_value_t = 150)]
    frames: u64,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let (width, height) = args.size;
    let images = Images::open(&args.pictures, PixelFormat::I420, width, height, args.fps)?;
    let mut source = UntilInterrupted { images, interrupt };
    let place = || args.clip.display().to_string();
    let file = File::create(&args.clip).with_context(place)?;
    let frames =
        y4m::render(&mut source, args.frames, &mut BufWriter::new(file)).with_context(place)?;
    let info = source.info();
    eprintln!("{}: {frames} frames of {width}x{height} at {} fps", place(), info.rate);
    Ok(if frames == args.frames { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Ends early, but with whole pictures.
struct UntilInterrupted {
    images: Images,
    interrupt: Interrupt,
}

impl FrameSource for UntilInterrupted {
    fn info(&self) -> &SourceInfo {
        self.images.info()
    }

    fn fill(
        &mut self,
        index: u64,
        descriptor: &mut FrameDescriptor,
        payload: &mut [u8],
    ) -> framelane::Result<Filled> {
        if self.interrupt.asked() {
            return Ok(Filled::End);
        }
        self.images.fill(index, descriptor, payload)
    }
}
