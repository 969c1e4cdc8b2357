//! The commands of both sides of a switch.

use crate::line::{Answer, Line, Refusal, misunderstood};
use framelane::{
    ConsumerOptions, Mode, Switch, SwitchChoice, SwitchController, SwitchControllerOptions, select,
};
use std::time::Duration;

/// A reader and a controller.
#[derive(Default)]
pub struct Switching {
    reader: Option<Switch>,
    controller: Option<SwitchController>,
}

impl Switching {
    pub fn create(&mut self, line: &Line<'_>) -> Answer {
        let lanes: String = line.need("lanes")?;
        let lanes: Vec<&str> = lanes.split(',').collect();
        let options = SwitchControllerOptions::new().active(line.number("active")?);
        let made = SwitchController::create(&line.need::<String>("switch")?, &lanes, options)?;
        let epoch = made.epoch();
        self.controller = Some(made);
        Ok(format!(" epoch={epoch}"))
    }

    fn controller(&self) -> Result<&SwitchController, Refusal> {
        self.controller.as_ref().ok_or_else(|| misunderstood("there is no controller"))
    }

    fn reader(&mut self) -> Result<&mut Switch, Refusal> {
        self.reader.as_mut().ok_or_else(|| misunderstood("there is no reader of a switch"))
    }

    pub fn select(&self, line: &Line<'_>) -> Answer {
        let controller = self.controller()?;
        let epoch = match line.get::<String>("lane")? {
            Some(lane) => controller.select_lane(&lane)?,
            None => controller.select(line.need("index")?)?,
        };
        Ok(format!(" switch_epoch={epoch}"))
    }

    pub fn propose(&self, line: &Line<'_>) -> Answer {
        let active = self.controller()?.propose(line.need("index")?)?;
        Ok(format!(" active={}", u8::from(active)))
    }

    pub fn set_automatic(&self) -> Answer {
        self.controller()?.set_automatic()?;
        Ok(String::new())
    }

    pub fn report(&self) -> Answer {
        let c = self.controller()?;
        let (active, epoch, held) = (c.active(), c.switch_epoch(), u8::from(c.is_held()));
        let readers = c.readers();
        Ok(format!(" active={active} switch_epoch={epoch} held={held} readers={readers}"))
    }

    pub fn close(&mut self) -> Answer {
        self.controller()?;
        self.controller = None;
        Ok(String::new())
    }

    pub fn open(&mut self, line: &Line<'_>) -> Answer {
        let name: String = line.need("mode")?;
        let mode = Mode::ALL.iter().find(|mode| mode.name() == name);
        let mode = mode.ok_or_else(|| misunderstood(format!("mode={name}")))?;
        let wait = Duration::from_millis(line.number("wait_ms")?);
        let options = ConsumerOptions::new(*mode).wait_for_lane(wait);
        self.reader = Some(Switch::open(&line.need::<String>("switch")?, options)?);
        Ok(String::new())
    }

    pub fn next(&mut self, line: &Line<'_>) -> Answer {
        let time = Duration::from_millis(line.need("timeout_ms")?);
        let frame = self.reader()?.next(time)?.ok_or(Refusal::Nothing)?;
        let crc = crc32fast::hash(frame.plane(0)?);
        let (sequence, lane, epoch) = (frame.sequence(), frame.lane_index(), frame.switch_epoch());
        let switched = u8::from(frame.switched());
        frame.release()?;
        Ok(format!(
            " sequence={sequence} lane={lane} switch_epoch={epoch} switched={switched} \
             crc={crc:08x}"
        ))
    }

    pub fn status(&mut self) -> Answer {
        let reader = self.reader()?;
        reader.wait(Duration::ZERO)?;
        let status = reader.status();
        let active = status.active.map_or(-1, |index| index as i64);
        let (epoch, controlled) = (status.switch_epoch, u8::from(status.controlled));
        let (received, switches) = (reader.received(), reader.switches());
        Ok(format!(
            " active={active} switch_epoch={epoch} controlled={controlled} received={received} \
             switches={switches}"
        ))
    }

    pub fn leave(&mut self) -> Answer {
        self.reader()?;
        self.reader = None;
        Ok(String::new())
    }
}

pub fn ask(line: &Line<'_>) -> Answer {
    let lane = line.get::<String>("lane")?;
    let choice = lane.map_or(SwitchChoice::Automatic, SwitchChoice::Lane);
    let time = Duration::from_millis(line.need("timeout_ms")?);
    let (active, epoch) = select(&line.need::<String>("switch")?, &choice, None, time)?;
    Ok(format!(" active={active} switch_epoch={epoch}"))
}
