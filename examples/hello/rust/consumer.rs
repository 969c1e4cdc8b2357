//! Prints what it reads: `hello-consumer [LANE [FRAMES]]`.

use framelane::{Consumer, ConsumerOptions, Mode};
use std::error::Error;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let lane = arguments.next().unwrap_or("hello".into());
    let frames: u64 = arguments.next().map_or(Ok(30), |number| number.parse())?;

    let options = ConsumerOptions::new(Mode::Ordered).wait_for_lane(PATIENCE);
    let mut consumer = Consumer::open(&lane, options)?;
    for _ in 0..frames {
        let frame = consumer.next(PATIENCE)?.ok_or("no frame for 10 s")?;
        let (what, first) = (frame.descriptor(), frame.plane(0)?[0]);
        let (width, height) = (what.width, what.height);
        println!("frame {} {width}x{height} first byte {first}", frame.sequence());
    }
    Ok(())
}
