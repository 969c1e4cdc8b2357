//! A camera, or whatever fills a lane, that runs while a test looks at what comes.

use framelane_camera::v4l2::{Camera, Config, Stats};
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Runs something until the test is over; what came of it, which a test that fails shows.
pub fn alongside<T: Debug + Send>(
    run: impl FnOnce(&dyn Fn() -> bool) -> framelane::Result<T> + Send,
    test: impl FnOnce(),
) -> T {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asked = || stop.load(Relaxed);
        let running = scope.spawn(move || run(&asked));
        let outcome = catch_unwind(AssertUnwindSafe(test));
        stop.store(true, Relaxed);
        let stats = running.join().unwrap();
        if let Err(panic) = outcome {
            eprintln!("beside the test: {stats:?}");
            resume_unwind(panic);
        }
        stats.unwrap()
    })
}

/// Runs a camera beside a test; what became of its frames.
pub fn beside(config: Config, test: impl FnOnce()) -> Stats {
    let mut camera = Camera::open(config).unwrap();
    alongside(move |stop| camera.run(stop), test)
}
