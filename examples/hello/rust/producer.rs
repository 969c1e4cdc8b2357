//! Publishes numbered frames: `hello-producer [LANE [FRAMES]]`.

use framelane::{FrameLayout, PixelFormat, Producer, ProducerOptions};
use std::error::Error;
use std::thread::sleep;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let lane = arguments.next().unwrap_or("hello".into());
    let frames: u64 = arguments.next().map_or(Ok(30), |number| number.parse())?;

    let layout = FrameLayout::new(PixelFormat::Nv12, 640, 480)?;
    let producer = Producer::create(&lane, ProducerOptions::new().layout(layout))?;
    for number in 1..=frames {
        let mut frame = producer.claim()?;
        for plane in 0..2 {
            frame.plane_mut(plane)?[0] = number as u8;
        }
        frame.publish()?;
        sleep(Duration::from_secs(1) / 30);
    }
    Ok(())
}
