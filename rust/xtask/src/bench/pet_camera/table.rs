//! Medians of the rounds, and ratios of one way to the old one in the same round.

use super::Way;
use super::stage::Run;
use std::fmt::Write;

/// Where the old way only receives, so that there is nothing to hold the others against.
const AT_ENCODER: &str = "CPU at the encoder, %";
/// What has to be known to read it.
const NOTES: &str = "\
Lanes that are copied into are filled by both cameras, whichever is active; the old way sends frames
of the active one alone. At the encoder the old way only receives, so its CPU has no ratio. The
stand-in copies a cached buffer at each invalidate; uncached ones are for the difference, on a board
the processor reads them slowly.
";

/// Rows: name, key, and what a figure is divided by.
const ROWS: &[(&str, &str, f64)] = &[
    ("NV12 640x480 to a reader, MB/s", "bytes active", 1e6),
    ("NV12 640x360 to the detector, MB/s", "bytes yolo", 1e6),
    ("NV12 640x480 to the page's pictures, MB/s", "bytes mjpeg", 1e6),
    ("NV12 640x480 to the encoder's input, MB/s", "bytes encoder input", 1e6),
    ("H.264 out of the encoder, MB/s", "bytes encoder output", 1e6),
    ("all of it, MB/s", "bytes", 1e6),
    ("CPU of the camera, %", "cpu camera", 1.0),
    ("CPU of the senders, %", "cpu senders", 1.0),
    ("CPU of three readers in Python, %", "cpu readers", 1.0),
    (AT_ENCODER, "cpu encoder", 1.0),
    ("exposure to all pixels read in Python, p50 ms", "python p50", 1.0),
    ("the same, p99 ms", "python p99", 1.0),
    ("exposure to encoded record, p50 ms", "encoded p50", 1.0),
    ("the same, p99 ms", "encoded p99", 1.0),
];

/// The table of all rounds, each of which has a run of each way.
pub fn table(rounds: &[Vec<Run>]) -> String {
    let mut text = format!("\n{} rounds, medians; ratios are to the old way\n", rounds.len());
    text += NOTES;
    text += "\n|";
    let ways = Way::ALL.iter().map(|way| format!(" {} |", way.name()));
    let _ =
        writeln!(text, " |{}\n|---|{}", ways.collect::<String>(), "---|".repeat(Way::ALL.len()));
    for (name, key, unit) in ROWS {
        let mut row = format!("| {name} |");
        for way in 0..Way::ALL.len() {
            let found: Vec<f64> =
                rounds.iter().filter_map(|runs| figure(&runs[way], key)).collect();
            let ratios = rounds.iter().filter_map(|runs| {
                let base = figure(&runs[0], key).filter(|base| *base > 0.0)?;
                Some(figure(&runs[way], key)? / base)
            });
            let ratios: Vec<f64> = ratios.collect();
            let _ = match (median(found), median(ratios)) {
                (Some(value), Some(ratio)) if way > 0 && *name != AT_ENCODER => {
                    write!(row, " {} ({ratio:.2} x) |", short(value / unit))
                }
                (Some(value), _) => write!(row, " {} |", short(value / unit)),
                (None, _) => write!(row, " - |"),
            };
        }
        text += &row;
        text.push('\n');
    }
    text
}

/// A figure of a run; of `bytes` all together.
fn figure(run: &Run, key: &str) -> Option<f64> {
    if key == "bytes" {
        return Some(run.iter().filter(|(key, _)| key.starts_with("bytes ")).map(|(_, v)| v).sum());
    }
    run.get(key).copied()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn short(value: f64) -> String {
    if value == 0.0 { "0".to_owned() } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stand_side_by_side_with_ratios_to_the_old_way() {
        let run = |bytes: f64, cpu: f64| {
            Run::from([
                ("bytes active".to_owned(), bytes),
                ("cpu camera".to_owned(), cpu),
                ("cpu encoder".to_owned(), 1.0),
            ])
        };
        let round = |cpu: f64| {
            vec![run(4e6, cpu), run(2e6, cpu / 2.0), run(0.0, cpu / 4.0), run(0.0, cpu / 8.0)]
        };
        let text = table(&[round(8.0), round(16.0), round(12.0)]);
        for line in [
            "| | memcpy and sockets | lanes, copied into | lanes, zero-copy | the same, uncached |",
            "| NV12 640x480 to a reader, MB/s | 4.00 | 2.00 (0.50 x) | 0 (0.00 x) | 0 (0.00 x) |",
            "| CPU of the camera, % | 12.00 | 6.00 (0.50 x) | 3.00 (0.25 x) | 1.50 (0.12 x) |",
            "| CPU of the senders, % | - | - | - | - |",
            "| CPU at the encoder, % | 1.00 | 1.00 | 1.00 | 1.00 |",
            "| all of it, MB/s | 4.00 | 2.00 (0.50 x) | 0 (0.00 x) | 0 (0.00 x) |",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
