//! Drawing over what was drawn before, on a terminal; elsewhere one text after the other.

use crate::output;
use rustix::termios::tcgetwinsize;
use std::io::{self, IsTerminal};

/// Another screen, so that the shell's own stays as it was; without a cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

pub struct Screen {
    drawing: bool,
    shown: u64,
}

impl Screen {
    /// Standard output; it is drawn on if that is wanted and it is a terminal.
    pub fn open(draw: bool) -> Self {
        let drawing = draw && io::stdout().is_terminal();
        if drawing {
            // The first text shows whether it can be written.
            let _ = output::print(ENTER);
        }
        Screen { drawing, shown: 0 }
    }

    /// Shows a text in place of the one before; false when nobody reads any more.
    pub fn show(&mut self, text: &str) -> io::Result<bool> {
        self.shown += 1;
        if self.drawing {
            let size = tcgetwinsize(io::stdout()).ok().filter(|size| size.ws_col > 0);
            let (rows, columns) = size.map_or((24, 80), |s| (s.ws_row.into(), s.ws_col.into()));
            return output::try_print(&drawn(text, rows, columns));
        }
        let gap = if self.shown > 1 { "\n" } else { "" };
        output::try_print(&format!("{gap}{text}"))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.drawing {
            let _ = output::print(LEAVE);
        }
    }
}

/// From the upper left corner, no longer and no wider than the screen, and nothing behind it.
fn drawn(text: &str, rows: usize, columns: usize) -> String {
    let mut out = "\x1b[H".to_owned();
    for (row, line) in text.lines().take(rows).enumerate() {
        if row > 0 {
            out += "\r\n";
        }
        out.extend(line.chars().take(columns));
        out += "\x1b[K";
    }
    out + "\x1b[J"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_fits_the_screen() {
        assert_eq!(drawn("abcd\ne\nf\n", 2, 3), "\x1b[Habc\x1b[K\r\ne\x1b[K\x1b[J");
        assert_eq!(drawn("é", 9, 1), "\x1b[Hé\x1b[K\x1b[J");
    }
}
