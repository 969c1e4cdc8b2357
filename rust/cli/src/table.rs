//! Columns that line up.

/// Rows of text under a heading. Numbers stand to the right.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(heading: &[&str]) -> Self {
        Table { rows: vec![heading.iter().map(|&word| word.to_owned()).collect()] }
    }

    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    /// The table as text, one line a row, two spaces between columns.
    pub fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.column(column).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        let right: Vec<bool> = (0..columns).map(|column| self.is_numeric(column)).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let gap = " ".repeat(widths[column] - cell.chars().count());
                let (before, after) =
                    if right[column] { (gap, String::new()) } else { ("".into(), gap) };
                line += &format!("{before}{cell}{after}  ");
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }

    fn column(&self, column: usize) -> impl Iterator<Item = &String> {
        self.rows.iter().filter_map(move |row| row.get(column))
    }

    /// Whether everything but the heading starts like a number.
    fn is_numeric(&self, column: usize) -> bool {
        let numeric = |cell: &String| cell == "-" || cell.starts_with(|c: char| c.is_ascii_digit());
        let mut cells = self.column(column).skip(1).peekable();
        cells.peek().is_some() && cells.all(numeric)
    }
}

/// What stands for a value that there is not.
pub fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".into(), |value| value.to_string())
}

/// Lines of "name  value" with the values under each other.
pub fn pairs(lines: &[(&str, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    lines.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_left_and_numbers_right() {
        let mut table = Table::new(&["NAME", "N", "NOTE"]);
        table.row(["a".into(), "1".into(), "x".into()]);
        table.row(["camera".into(), "100".into(), "".into()]);
        table.row(["b".into(), "-".into(), "é".into()]);
        assert_eq!(
            table.render(),
            "NAME      N  NOTE\na         1  x\ncamera  100\nb         -  é\n"
        );
        assert_eq!(Table::new(&["A", "B"]).render(), "A  B\n");
    }

    #[test]
    fn pairs_line_up() {
        assert_eq!(pairs(&[("a", "1".into()), ("bcd", "2".into())]), "a    1\nbcd  2\n");
    }
}
