//! Raw frames into YUV4MPEG2.

use super::Args;
use super::output::{full, open};
use crate::interrupt::Interrupt;
use crate::snapshot::picture::Picture;
use crate::snapshot::y4m;
use crate::{output as print, units};
use anyhow::{Context, bail};
use framelane::{Consumer, ConsumerOptions, ErrorKind, Frame, Mode};
use serde::Serialize;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const SLICE: Duration = Duration::from_millis(50);
/// Rates that cameras have; a measured one this near to one of them is meant to be it.
const RATES: &[(u32, u32)] = &[
    (5, 1),
    (10, 1),
    (15, 1),
    (20, 1),
    (24000, 1001),
    (24, 1),
    (25, 1),
    (30000, 1001),
    (30, 1),
    (50, 1),
    (60000, 1001),
    (60, 1),
    (90, 1),
    (100, 1),
    (120, 1),
];
const NEAR: f64 = 0.0005;
const ABOUT: f64 = 0.03;

#[derive(Serialize)]
struct Summary<'a> {
    lane: &'a str,
    file: String,
    records: u64,
    bytes: u64,
    /// As the file says it: "30/1".
    rate_fps: String,
    missed: u64,
    elapsed_ns: u64,
    error: Option<String>,
}

struct Output<'a> {
    path: &'a Path,
    file: File,
    /// Whole frames are in the file up to here.
    bytes: u64,
    frames: u64,
    /// Format and size, which stay.
    first: Option<Picture>,
    /// Of the first frame and of the last: number and time.
    span: Option<[(u64, u64); 2]>,
}

pub fn run(args: &Args, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let mode = if args.lossless { Mode::Lossless } else { Mode::Ordered };
    let options = ConsumerOptions::new(mode).reattach(!args.until_end).wants_writable(true);
    let Some(mut consumer) = wait_for_lane(args, options, interrupt)? else {
        return Ok(ExitCode::FAILURE);
    };
    let file = open(&args.file, args.force)?;
    let mut output =
        Output { path: &args.file, file, bytes: 0, frames: 0, first: None, span: None };
    let recorded = record(args, interrupt, &mut consumer, &mut output);
    let outcome = recorded.and(output.finish());
    let (frames, seconds) = output.rate();
    let summary = Summary {
        lane: &args.lane,
        file: args.file.display().to_string(),
        records: output.frames,
        bytes: output.bytes,
        rate_fps: format!("{frames}/{seconds}"),
        missed: consumer.missed(),
        elapsed_ns: started.elapsed().as_nanos() as u64,
        error: outcome.as_ref().err().map(|error| format!("{error:#}")),
    };
    if args.json {
        print::print_json(&summary)?;
    } else {
        print::print(&format!(
            "{}: {} in {}, {} missed\n",
            summary.file,
            units::count(summary.records, "frame"),
            units::size(summary.bytes),
            summary.missed
        ))?;
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

fn wait_for_lane(
    args: &Args,
    options: ConsumerOptions,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<Consumer>> {
    let start = Instant::now();
    let options = options.wait_for_lane(SLICE);
    while !interrupt.asked() {
        match Consumer::open(&args.lane, options.clone()) {
            Err(error) if error.kind() == ErrorKind::NotFound && start.elapsed() < args.wait => {}
            outcome => return outcome.map(Some).context("recording"),
        }
    }
    Ok(None)
}

fn record(
    args: &Args,
    interrupt: &Interrupt,
    consumer: &mut Consumer,
    output: &mut Output<'_>,
) -> anyhow::Result<()> {
    let end = args.duration.map(|length| Instant::now() + length);
    while !interrupt.asked() && args.frames.is_none_or(|enough| output.frames < enough) {
        if end.is_some_and(|end| Instant::now() >= end) {
            break;
        }
        match consumer.next(SLICE) {
            Ok(Some(frame)) => output.take(&frame)?,
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::Disconnected => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

impl Output<'_> {
    fn take(&mut self, frame: &Frame) -> anyhow::Result<()> {
        let picture = match Picture::copy(frame) {
            Ok(picture) => picture,
            // The device took it back meanwhile: another will come.
            Err(error) if is_revoked(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        match &self.first {
            None => bytes.extend(y4m::header(&picture, &rate_text((30, 1)))?.into_bytes()),
            Some(first) if first.layout != picture.layout => bail!(
                "frame {} is {} {}x{}, the file holds {} {}x{}",
                frame.sequence(),
                picture.format.label(),
                picture.width,
                picture.height,
                first.format.label(),
                first.width,
                first.height
            ),
            Some(_) => {}
        }
        y4m::frame(&picture, &mut bytes);
        if let Err(error) = self.file.write_all_at(&bytes, self.bytes) {
            // Where this fails too, players still read up to what is cut off.
            let _ = self.file.set_len(self.bytes);
            return Err(full(self.path, &error, self.frames));
        }
        self.bytes += bytes.len() as u64;
        self.frames += 1;
        let now = (frame.sequence(), frame.descriptor().publish_ns);
        let same = self.span.filter(|span| span[1].0 < now.0);
        self.span = Some([same.map_or(now, |span| span[0]), now]);
        if self.first.is_none() {
            self.first = Some(Picture { bytes: Vec::new(), ..picture });
        }
        Ok(())
    }

    /// Frames a second, as numbers and times of the frames say, which do not fit in the header
    /// before they are known.
    fn rate(&self) -> (u32, u32) {
        let Some([(first, began), (last, ended)]) = self.span else { return (30, 1) };
        let seconds = ended.saturating_sub(began) as f64 / 1e9;
        let measured = (last - first) as f64 / seconds;
        if !(0.01..=100_000.0).contains(&measured) {
            return (30, 1);
        }
        let off = |&&(frames, seconds): &&(u32, u32)| {
            (measured * f64::from(seconds) / f64::from(frames) - 1.0).abs()
        };
        let nearest = RATES.iter().min_by(|a, b| off(a).total_cmp(&off(b)));
        match nearest {
            // Of rates as close as 29.97 and 30 only a long recording says which one it is.
            Some(&rate) if off(&&rate) < NEAR => rate,
            Some(&(frames, 1001)) if off(&&(frames, 1001)) < ABOUT => (frames / 1000, 1),
            Some(&rate) if off(&&rate) < ABOUT => rate,
            _ => ((measured * 1000.0).round() as u32, 1000),
        }
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        let failed = || format!("writing {}", self.path.display());
        if !self.file.metadata().with_context(failed)?.is_file() {
            return Ok(());
        }
        match &self.first {
            None => std::fs::remove_file(self.path).with_context(failed)?,
            Some(first) => {
                let header = y4m::header(first, &rate_text(self.rate()))?;
                self.file.write_all_at(header.as_bytes(), 0).with_context(failed)?;
                self.file.sync_data().with_context(failed)?;
            }
        }
        Ok(())
    }
}

/// Always of the same length, so that it can be put right at the end.
fn rate_text((frames, seconds): (u32, u32)) -> String {
    format!("{frames:09}:{seconds:04}")
}

fn is_revoked(error: &anyhow::Error) -> bool {
    error.downcast_ref::<framelane::Error>().is_some_and(|e| e.kind() == ErrorKind::Revoked)
}
