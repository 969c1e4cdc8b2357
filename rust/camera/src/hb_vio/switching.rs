//! Which of two cameras is active, for all of their switches alike.
//!
//! Whoever selects a lane of one switch, from any process, has chosen the camera, and the other
//! switches follow; until then the brightness chooses, and a camera that is dead gives way to one
//! that is not. A camera that is asleep is woken first and becomes active when it is warm.

use super::config::{Config, Inactive, Policy, Switching as Settings};
use super::duty::Duty;
use super::{Places, SwitchStats};
use crate::error::Result;
use crate::switching::{Brightness, Sample};
use framelane::{SwitchController, SwitchControllerOptions};
use std::time::{Duration, Instant};

/// Longest time without a look at the brightness.
const TOUR: Duration = Duration::from_millis(20);

/// The switches of two cameras.
pub struct Switching {
    settings: Settings,
    controllers: Vec<SwitchController>,
    brightness: Brightness,
    active: usize,
    /// Since when.
    since: Instant,
    held: bool,
    switched: u64,
}

impl Switching {
    /// Makes the switches; nothing without `[switch]`.
    pub fn open(config: &Config, places: &Places) -> Result<Option<Self>> {
        let Some(settings) = &config.switch else { return Ok(None) };
        let create = |named: &super::config::Named| {
            let options = SwitchControllerOptions::new()
                .active(settings.active)
                .access(config.readers.access())
                .trust(config.readers.trust())
                .directory(places.lanes.clone());
            let lanes: Vec<&str> = named.lanes.iter().map(String::as_str).collect();
            SwitchController::create(&named.name, &lanes, options)
        };
        Ok(Some(Switching {
            settings: settings.clone(),
            controllers: config.switches().iter().map(create).collect::<Result<_>>()?,
            brightness: Brightness::new(settings.thresholds(), 0, 1)?,
            active: settings.active,
            since: Instant::now(),
            held: false,
            switched: 0,
        }))
    }

    /// Switches until `stop` says so.
    pub fn run(
        &mut self,
        duties: &[&Duty],
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<SwitchStats>> {
        self.since = Instant::now();
        while !stop() {
            self.follow_a_choice(duties)?;
            self.follow_the_policy(duties, Instant::now())?;
            let epoch = self.controllers[0].switch_epoch();
            self.controllers[0].wait_switched(epoch, TOUR)?;
        }
        let stats = |controller: &SwitchController| SwitchStats {
            switch: controller.name().to_owned(),
            active: controller.lanes()[controller.active()].clone(),
            switched: self.switched,
        };
        Ok(self.controllers.iter().map(stats).collect())
    }

    /// What was selected at one switch holds for all.
    fn follow_a_choice(&mut self, duties: &[&Duty]) -> Result<()> {
        let chosen = self.controllers.iter().position(|c| c.active() != self.active);
        if let Some(index) = chosen {
            let camera = self.controllers[index].active();
            tracing::info!(camera, "somebody chose the camera");
            let others = self.controllers.iter().enumerate().filter(|(other, _)| *other != index);
            for (_, other) in others {
                other.select(camera)?;
            }
            self.held = true;
            self.becomes_active(camera, duties);
            return Ok(());
        }
        let held = self.controllers.iter().filter(|controller| controller.is_held()).count();
        if self.held && held < self.controllers.len() {
            for controller in &self.controllers {
                controller.set_automatic()?;
            }
            self.held = false;
        } else if !self.held && held > 0 {
            // The active camera was chosen, which stays.
            for controller in &self.controllers {
                controller.select(self.active)?;
            }
            self.held = true;
        }
        Ok(())
    }

    fn follow_the_policy(&mut self, duties: &[&Duty], now: Instant) -> Result<()> {
        let wish = self.look(duties[0]);
        if self.held || self.settings.policy == Policy::Manual {
            return Ok(());
        }
        let dead = Duration::from_millis(self.settings.dead_ms);
        let mut wanted = wish.unwrap_or(self.settings.active);
        let had_time = now.saturating_duration_since(self.since) >= dead;
        if wanted == self.active && had_time && !duties[self.active].delivers(dead) {
            wanted = 1 - self.active;
        }
        if wanted == self.active {
            self.put_to_sleep(1 - self.active, duties);
            return Ok(());
        }
        duties[wanted].wake();
        if !duties[wanted].delivers(dead) {
            return Ok(());
        }
        for controller in &self.controllers {
            controller.propose(wanted)?;
        }
        // Somebody may have chosen in between, which is seen with the next look.
        if self.controllers.iter().all(|controller| controller.active() == wanted) {
            tracing::info!(camera = wanted, "another camera is active");
            self.becomes_active(wanted, duties);
        }
        Ok(())
    }

    /// The camera that the brightness speaks for.
    fn look(&mut self, day: &Duty) -> Option<usize> {
        let Some(sight) = day.sight() else {
            self.brightness.woken(); // it is blind: what it sees next has to last anew
            return self.brightness.wish();
        };
        let (sequence, brightness) = (sight.number, sight.luma);
        self.brightness.observe(&Sample { epoch: 1, sequence, brightness, time_ns: sight.time_ns })
    }

    fn becomes_active(&mut self, camera: usize, duties: &[&Duty]) {
        (self.active, self.since) = (camera, Instant::now());
        self.switched += 1;
        duties[camera].wake();
        self.put_to_sleep(1 - camera, duties);
    }

    fn put_to_sleep(&self, camera: usize, duties: &[&Duty]) {
        if self.settings.inactive == Inactive::Asleep {
            duties[camera].sleep();
        }
    }
}
