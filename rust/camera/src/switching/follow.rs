//! Feeding the policy from a lane.

use super::brightness::{Brightness, Sample};
use framelane::{ErrorKind, Result, SwitchController};
use std::path::Path;
use std::time::Duration;

/// Between two looks at the day camera, well below the time it has to be dark.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long its producer may take to answer.
const ANSWER: Duration = Duration::from_millis(500);

/// What the newest frame of a lane says; None before its first. It is asked of the producer, which
/// costs no lease and works for frames in any memory.
///
/// # Errors
/// As [`framelane::query`].
pub fn sample(lane: &str, directory: Option<&Path>) -> Result<Option<Sample>> {
    let report = framelane::query(lane, directory, ANSWER)?;
    // Of a lane that is no frame lane the descriptor is all zero.
    let newest = &report.newest;
    Ok((newest.sequence > 0).then(|| Sample::of(report.epoch, newest)))
}

/// Looks at the day camera again and again and proposes what the policy wishes, until `stop` says
/// so. A camera that is not there decides nothing; somebody's choice stands.
///
/// # Errors
/// What [`SwitchController::propose`] fails with.
pub fn follow(
    controller: &SwitchController,
    mut policy: Brightness,
    directory: Option<&Path>,
    stop: &dyn Fn() -> bool,
) -> Result<()> {
    let day = controller.lanes().get(policy.day()).cloned().unwrap_or_default();
    let mut trouble = None;
    while !stop() {
        match sample(&day, directory) {
            Ok(found) => {
                trouble = None;
                let wish = found.and_then(|sample| policy.observe(&sample));
                if let Some(index) = wish
                    && index != controller.active()
                    && controller.propose(index)?
                {
                    tracing::info!(lane = controller.lanes()[index], "switched by brightness");
                }
            }
            Err(error) => {
                // Told once, and again when it is another trouble.
                if error.kind() != ErrorKind::NotFound && trouble != Some(error.kind()) {
                    tracing::warn!("brightness of lane {day:?} is unknown: {error}");
                }
                trouble = Some(error.kind());
            }
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}
