//! What a frame costs in Rust; see bench/README.md.

use framelane::{
    Consumer, ConsumerOptions, FrameLayout, Mode, PixelFormat, Producer, ProducerOptions,
    monotonic_ns,
};
use rustix::time::{ClockId, clock_gettime};
use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["cost", lane, frames] => cost(lane, frames.parse()?),
        ["paced", lane, frames] => paced(lane, frames.parse()?),
        ["pace", lane] => pace(lane),
        _ => Err("per-frame cost|paced LANE FRAMES, or pace LANE".into()),
    }
}

fn producer(lane: &str) -> framelane::Result<Producer> {
    let layout = FrameLayout::new(PixelFormat::Nv12, 640, 480)?;
    Producer::create(lane, ProducerOptions::new().layout(layout))
}

fn cost(lane: &str, frames: u64) -> Outcome {
    let producer = producer(lane)?;
    let mut consumer = Consumer::open(lane, ConsumerOptions::new(Mode::Latest))?;
    let publish = || {
        let mut frame = producer.claim()?;
        black_box(frame.plane_mut(0)?);
        frame.publish().map(drop)
    };
    let mut hand_over = || -> framelane::Result<()> {
        publish()?;
        let frame = consumer.try_next()?.expect("it has just been published");
        black_box(frame.plane(0)?);
        frame.release()
    };
    for _ in 0..frames {
        hand_over()?;
    }
    let start = processor_ns();
    for _ in 0..frames {
        publish()?;
    }
    let middle = processor_ns();
    for _ in 0..frames {
        hand_over()?;
    }
    let (first, second) = (middle - start, processor_ns() - middle);
    let consumer_ns = second.saturating_sub(first) / frames;
    println!("producer_ns={} consumer_ns={consumer_ns}", first / frames);
    Ok(())
}

fn paced(lane: &str, frames: usize) -> Outcome {
    let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(Duration::from_secs(10));
    let mut consumer = Consumer::open(lane, options)?;
    let mut times = Vec::with_capacity(frames);
    while times.len() < frames {
        let frame = consumer.next(Duration::from_secs(5))?.ok_or("no frame within 5 s")?;
        times.push(monotonic_ns() - frame.descriptor().publish_ns);
    }
    times.sort_unstable();
    println!("p50_ns={}", times[frames / 2]);
    Ok(())
}

/// Publishes at 60 frames a second until it is ended.
fn pace(lane: &str) -> Outcome {
    let producer = producer(lane)?;
    loop {
        std::thread::sleep(Duration::from_nanos(16_666_667));
        producer.claim()?.publish()?;
    }
}

/// Processor time that this process has used.
fn processor_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
