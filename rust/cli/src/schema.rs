//! `framelane schema`

use crate::table::Table;
use crate::{lanes, numbers, output};
use anyhow::bail;
use framelane::layout::{FIELDS, FieldLayout, LAYOUT_HASH, layout::VERSION, layout_table};
use framelane::{Consumer, ConsumerOptions, Error, ErrorKind, Mode};
use serde::Serialize;
use serde_json::Value;
use std::process::ExitCode;

#[derive(clap::Args)]
#[command(after_help = "\
--json prints the compact layout table as two peers exchange it: for each struct its size,
alignment and [field, type, offset]; and for each enum its numbers.")]
pub struct Args {
    /// Compare with this running lane instead: fails when it has another layout
    #[arg(long, value_name = "LANE")]
    pub lane: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Comparison {
    lane: String,
    layout_hash: String,
    same: bool,
    /// The first difference, null where there is none.
    difference: Option<String>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.lane {
        Some(lane) => compare(lane, args.json),
        None => print(args.json).map(|()| ExitCode::SUCCESS),
    }
}

fn print(json: bool) -> anyhow::Result<()> {
    if json {
        let table: Value = serde_json::from_str(layout_table())?;
        return output::print_json(&table);
    }
    let mut text = format!("layout version {VERSION}, hash {}\n", numbers::id(LAYOUT_HASH));
    for fields in FIELDS.chunk_by(|a, b| a.structure == b.structure) {
        text += &structure(fields);
    }
    Ok(output::print(&text)?)
}

fn structure(fields: &[FieldLayout]) -> String {
    let (Some(first), Some(last)) = (fields.first(), fields.last()) else { return String::new() };
    let mut table = Table::new(&["OFFSET", "BYTES", "TYPE", "FIELD"]);
    for field in fields {
        table.row([
            field.offset.to_string(),
            field.size.to_string(),
            field.type_name.into(),
            field.field.into(),
        ]);
    }
    // The generator admits no padding, so a struct ends where its last field does.
    format!("\n{}, {} bytes\n{}", first.structure, last.offset + last.size, table.render())
}

fn compare(lane: &str, json: bool) -> anyhow::Result<ExitCode> {
    let difference = difference(lane)?;
    let same = difference.is_none();
    if json {
        let layout_hash = numbers::id(LAYOUT_HASH);
        output::print_json(&Comparison { lane: lane.into(), layout_hash, same, difference })?;
    } else if let Some(difference) = difference {
        bail!("lane {lane:?} has another layout than this command: {difference}");
    } else {
        output::print(&format!("same layout {}\n", numbers::id(LAYOUT_HASH)))?;
    }
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How the layout of a running lane differs, None when it does not.
fn difference(lane: &str) -> framelane::Result<Option<String>> {
    match lanes::find(lane) {
        Ok(found) if found.report.header.layout_hash == LAYOUT_HASH => return Ok(None),
        Ok(_) => {}
        // A report of another layout has another size.
        Err(error) if is_mismatch(&error) || error.kind() == ErrorKind::Protocol => {}
        Err(error) => return Err(error),
    }
    // Only a refused Hello comes with the table that shows which field it is.
    match Consumer::open(lane, ConsumerOptions::new(Mode::Latest).wants_writable(true)) {
        Err(error) if is_mismatch(&error) => Ok(Some(output::clean(&error.to_string()))),
        Err(error) => Err(error),
        Ok(_) => {
            let text = format!("lane {lane:?} says it has another layout and yet admits this one");
            Err(Error::new(ErrorKind::Protocol, text))
        }
    }
}

fn is_mismatch(error: &Error) -> bool {
    error.kind() == ErrorKind::LayoutMismatch
}
