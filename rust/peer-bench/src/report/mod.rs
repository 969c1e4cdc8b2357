//! What a run found: tables of figures, and goals.

pub mod json;
pub mod print;

use crate::stats::Series;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Nanoseconds,
    FramesPerSecond,
    RecordsPerSecond,
    Frames,
}

/// One figure of one mechanism in one column.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    pub series: Series,
    /// Further numbers, for instance p99.
    pub also: BTreeMap<&'static str, Series>,
}

impl Cell {
    pub fn new(series: Series) -> Self {
        Cell { series, also: BTreeMap::new() }
    }
}

/// A mechanism's line.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub label: String,
    /// One for each column; None where the mechanism has no such figure.
    pub cells: Vec<Option<Cell>>,
}

/// A table of one row of the bench.
#[derive(Clone, Debug, Serialize)]
pub struct Table {
    pub title: String,
    pub note: String,
    pub unit: Unit,
    pub columns: Vec<String>,
    pub lines: Vec<Line>,
    /// Label of the line that ratios are taken to.
    pub base: String,
}

impl Table {
    pub fn new(title: &str, note: &str, unit: Unit, base: &str) -> Self {
        Table {
            title: title.to_owned(),
            note: note.to_owned(),
            unit,
            columns: Vec::new(),
            lines: Vec::new(),
            base: base.to_owned(),
        }
    }

    /// Puts a figure at its place, making line and column where they are new.
    pub fn put(&mut self, label: &str, column: &str, cell: Cell) {
        let at = match self.columns.iter().position(|c| c == column) {
            Some(at) => at,
            None => {
                self.columns.push(column.to_owned());
                self.columns.len() - 1
            }
        };
        if !self.lines.iter().any(|line| line.label == label) {
            self.lines.push(Line { label: label.to_owned(), cells: Vec::new() });
        }
        for line in &mut self.lines {
            line.cells.resize(self.columns.len(), None);
            if line.label == label {
                line.cells[at] = Some(cell.clone());
            }
        }
    }

    pub fn get(&self, label: &str, column: &str) -> Option<&Series> {
        let at = self.columns.iter().position(|c| c == column)?;
        let line = self.lines.iter().find(|line| line.label == label)?;
        Some(&line.cells[at].as_ref()?.series)
    }

    /// Median ratio of one line to another in a column.
    pub fn ratio(&self, label: &str, base: &str, column: &str) -> Option<f64> {
        Some(self.get(label, column)?.ratio_to(self.get(base, column)?))
    }
}

/// One promise, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Goal {
    pub figure: String,
    pub goal: String,
    pub measured: String,
    /// Measured over allowed: up to 1 it is met.
    pub of_allowed: f64,
}

impl Goal {
    /// A figure that must not exceed `allowed`.
    pub fn at_most(figure: &str, goal: &str, measured: String, value: f64, allowed: f64) -> Goal {
        let (figure, goal) = (figure.to_owned(), goal.to_owned());
        Goal { figure, goal, measured, of_allowed: value / allowed }
    }

    /// A figure that must reach `wanted`.
    pub fn at_least(figure: &str, goal: &str, measured: String, value: f64, wanted: f64) -> Goal {
        Goal { of_allowed: wanted / value, ..Goal::at_most(figure, goal, measured, 1.0, 1.0) }
    }

    pub fn met(&self) -> bool {
        self.of_allowed <= 1.0
    }

    pub fn verdict(&self) -> String {
        match self.met() {
            true => "met".to_owned(),
            false => format!("missed by {:.0} %", (self.of_allowed - 1.0) * 100.0),
        }
    }
}

/// What a row of the bench gives.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    pub row: &'static str,
    pub tables: Vec<Table>,
    pub goals: Vec<Goal>,
}
