//! Tables for people.

use super::{Goal, Table, Unit};

/// A number with its unit, three digits or so.
pub fn figure(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Nanoseconds if value < 1e3 => format!("{value:.0} ns"),
        Unit::Nanoseconds if value < 1e4 => format!("{:.2} us", value / 1e3),
        Unit::Nanoseconds if value < 1e5 => format!("{:.1} us", value / 1e3),
        Unit::Nanoseconds if value < 1e6 => format!("{:.0} us", value / 1e3),
        Unit::Nanoseconds => format!("{:.1} ms", value / 1e6),
        Unit::FramesPerSecond | Unit::RecordsPerSecond => format!("{value:.0}/s"),
        Unit::Frames => format!("{value:.1}"),
    }
}

fn cell(table: &Table, line: usize, column: usize) -> String {
    let Some(cell) = &table.lines[line].cells[column] else {
        return "-".to_owned();
    };
    let mut text = figure(cell.series.median(), table.unit);
    let base = table.get(&table.base, &table.columns[column]);
    if let Some(base) = base.filter(|_| table.lines[line].label != table.base) {
        text += &format!(" ({:.2}x)", cell.series.ratio_to(base));
    }
    for (name, series) in &cell.also {
        text += &format!(", {name} {}", figure(series.median(), Unit::Nanoseconds));
    }
    text
}

/// A table in Markdown, columns aligned.
pub fn table(table: &Table) -> String {
    let mut rows = vec![vec![String::new()]];
    rows[0].extend(table.columns.iter().cloned());
    for (index, line) in table.lines.iter().enumerate() {
        let mut row = vec![line.label.clone()];
        row.extend((0..table.columns.len()).map(|column| cell(table, index, column)));
        rows.push(row);
    }
    format!("## {}\n\n{}\n\n{}", table.title, table.note, aligned(&rows))
}

/// The goals, each with its verdict.
pub fn goals(goals: &[Goal]) -> String {
    let mut rows = vec![["figure", "goal", "measured", "verdict"].map(str::to_owned).to_vec()];
    for goal in goals {
        let (figure, text) = (goal.figure.clone(), goal.goal.clone());
        rows.push(vec![figure, text, goal.measured.clone(), goal.verdict()]);
    }
    let met = goals.iter().filter(|goal| goal.met()).count();
    format!("## Goals: {met} of {} met\n\n{}", goals.len(), aligned(&rows))
}

fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows[0].len();
    let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        text += &format!("| {} |\n", cells.join(" | "));
        if index == 0 {
            let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
            text += &format!("| {} |\n", rule.join(" | "));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Cell;
    use crate::stats::Series;

    #[test]
    fn ratios_stand_beside_the_figures_of_other_lines() {
        let mut sample = Table::new("t", "n", Unit::Nanoseconds, "bare");
        sample.put("bare", "1080p", Cell::new(Series { rounds: vec![100.0] }));
        sample.put("ours", "1080p", Cell::new(Series { rounds: vec![150.0] }));
        sample.put("ours", "4K", Cell::new(Series { rounds: vec![2500.0] }));
        let text = table(&sample);
        assert!(text.contains("| bare | 100 ns         | -       |"), "{text}");
        assert!(text.contains("| ours | 150 ns (1.50x) | 2.50 us |"), "{text}");
    }

    #[test]
    fn a_missed_goal_says_by_how_much() {
        let goal = Goal::at_most("f", "<= 100", "130".into(), 130.0, 100.0);
        assert_eq!(goal.verdict(), "missed by 30 %");
        let goal = Goal::at_least("f", ">= 0.95", "0.96".into(), 0.96, 0.95);
        assert_eq!(goal.verdict(), "met");
    }
}
