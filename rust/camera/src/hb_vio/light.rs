//! How bright it is, asked for beside the frames: the library may take its time for an answer, and
//! no frame waits for that.

use super::duty::Duty;
use framelane_hobot::vio::Pipeline;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What is known of the brightness of one camera.
pub struct Light {
    /// Bits of the mean luma.
    luma: AtomicU32,
}

impl Light {
    /// Asks once, so that there is an answer for the first frame.
    pub fn first(pipeline: &Pipeline, duty: &Duty) -> Self {
        let light = Light { luma: AtomicU32::new(0) };
        light.ask(pipeline, duty);
        light
    }

    /// Asks once in each period until it is over.
    pub fn watch(
        &self,
        pipeline: &Pipeline,
        duty: &Duty,
        period: Duration,
        over: &dyn Fn() -> bool,
    ) {
        while !over() {
            let asked = Instant::now();
            self.ask(pipeline, duty);
            super::camera::rest(period.saturating_sub(asked.elapsed()), over);
        }
    }

    /// The last answer, negative where there is none.
    pub fn last(&self) -> f32 {
        f32::from_bits(self.luma.load(Relaxed))
    }

    fn ask(&self, pipeline: &Pipeline, duty: &Duty) {
        let luma = pipeline.brightness().unwrap_or(-1.0);
        self.luma.store(luma.to_bits(), Relaxed);
        duty.saw(luma);
    }
}
