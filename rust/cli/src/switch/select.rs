//! `framelane switch select`

use super::find;
use crate::failure::Usage;
use crate::{lanes, output};
use framelane::SwitchChoice;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Args {
    /// Name of the switch
    pub name: String,
    /// Name of the lane, or its index, or auto: whatever the switch's policy says
    #[arg(value_name = "LANE|INDEX|auto")]
    choice: String,
}

pub fn run(args: &Args, json: bool) -> anyhow::Result<ExitCode> {
    let before = find(&args.name)?;
    let names: Vec<&str> = before.lanes.iter().map(|lane| lane.name.as_str()).collect();
    let choice = choose(&args.choice, &names)?;
    framelane::select(&args.name, &choice, None, lanes::ANSWER)?;
    let now = find(&args.name)?;
    if json {
        output::print_json(&now)?;
    } else {
        let lane = now.active_lane.as_deref().unwrap_or("none");
        output::print(&format!("{}: {lane} is active\n", args.name))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A name goes before a number, and both before `auto`.
fn choose(text: &str, lanes: &[&str]) -> Result<SwitchChoice, Usage> {
    if lanes.contains(&text) {
        return Ok(SwitchChoice::Lane(text.to_owned()));
    }
    match text.parse::<u32>() {
        Ok(index) if (index as usize) < lanes.len() => Ok(SwitchChoice::Index(index)),
        Err(_) if text == "auto" => Ok(SwitchChoice::Automatic),
        _ => {
            let listed = lanes.join(", ");
            Err(Usage(format!("{text:?} is none of its lanes {listed}, nor the index of one")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_before_numbers() {
        let lanes = ["day", "0", "auto"];
        let lane = |name: &str| SwitchChoice::Lane(name.into());
        for (text, wanted) in [
            ("day", lane("day")),
            ("0", lane("0")),
            ("1", SwitchChoice::Index(1)),
            ("auto", lane("auto")),
        ] {
            assert_eq!(choose(text, &lanes).unwrap(), wanted);
        }
        assert_eq!(choose("auto", &["day"]).unwrap(), SwitchChoice::Automatic);
        for text in ["night", "3", "-1", ""] {
            assert!(choose(text, &lanes).is_err(), "{text}");
        }
    }
}
