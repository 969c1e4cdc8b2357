//! `framelane doctor`

mod board;
mod kernel;
mod lanes;
mod limits;
mod locks;
mod places;
mod trial;

use crate::output;
use crate::table::pairs;
use serde::Serialize;
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(after_help = "\
ok: as it should be. warn: works, but something is missing or left over. bad: keeps lanes from
working, or a lane is broken. Exit code 1 when anything is bad.")]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Print only what is not ok
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Warn,
    Bad,
}

/// What was found, and what to do about it.
#[derive(Debug, Serialize)]
struct Finding {
    /// Stable name of what was looked at.
    check: &'static str,
    status: Status,
    found: String,
    /// A command, or a line for a configuration file; null where nothing needs to be done.
    fix: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Finding { check, status: Status::Ok, found: found.into(), fix: None }
    }

    fn warn(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Finding { check, status: Status::Warn, found: found.into(), fix: Some(fix.into()) }
    }

    fn bad(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Finding { check, status: Status::Bad, found: found.into(), fix: Some(fix.into()) }
    }
}

#[derive(Serialize)]
struct Report {
    /// The worst of all.
    status: Status,
    findings: Vec<Finding>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let checks = [kernel::look, limits::look, places::look, lanes::look, trial::look, board::look];
    let findings: Vec<Finding> = checks.iter().flat_map(|look| look()).collect();
    let status = findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok);
    let report = Report { status, findings };
    if args.json {
        output::print_json(&report)?;
    } else {
        output::print(&text(&report, args.quiet))?;
    }
    Ok(if status == Status::Bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn text(report: &Report, quiet: bool) -> String {
    let mut lines = Vec::new();
    for finding in &report.findings {
        if quiet && finding.status == Status::Ok {
            continue;
        }
        let label = match finding.status {
            Status::Ok => "ok",
            Status::Warn => "warn",
            Status::Bad => "BAD",
        };
        lines.push((label, format!("{}: {}", finding.check, output::clean(&finding.found))));
        lines.extend(finding.fix.iter().map(|fix| ("", format!("  -> {}", output::clean(fix)))));
    }
    let count = |status| report.findings.iter().filter(|f| f.status == status).count();
    format!(
        "{}{} ok, {} to know, {} bad\n",
        pairs(&lines),
        count(Status::Ok),
        count(Status::Warn),
        count(Status::Bad)
    )
}
