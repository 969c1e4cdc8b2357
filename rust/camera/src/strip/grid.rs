//! Where the cells of a strip are.

use super::error::StripError;

/// Bits of a message.
pub(super) const BITS: usize = 224;

/// The grid of cells of one picture size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// Side of a cell in pixels.
    pub cell: usize,
    pub columns: usize,
    pub cell_rows: usize,
}

impl Grid {
    pub(super) fn new(width: u32, height: u32) -> Result<Self, StripError> {
        let of = |cell: u32| {
            let columns = (width / cell) as usize;
            let cell_rows = BITS.checked_div(columns).map(|_| BITS.div_ceil(columns))?;
            Some(Grid { cell: cell as usize, columns, cell_rows })
        };
        let fits = |grid: &Grid, most: u32| grid.rows() <= most as usize;
        let large = [8, 4, 2].into_iter().filter_map(of).find(|grid| fits(grid, height / 3));
        let grid = large.or_else(|| of(1).filter(|grid| fits(grid, height)));
        grid.ok_or(StripError::TooSmall { width, height })
    }

    /// Rows of pixels.
    pub(super) fn rows(&self) -> usize {
        self.cell_rows * self.cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_as_large_as_a_third_of_the_picture_allows() {
        let of = |width, height| {
            Grid::new(width, height).ok().map(|grid| (grid.cell, grid.columns, grid.cell_rows))
        };
        assert_eq!(of(3840, 2160), Some((8, 480, 1)));
        assert_eq!(of(1920, 1080), Some((8, 240, 1)));
        assert_eq!(of(640, 480), Some((8, 80, 3)));
        assert_eq!(of(320, 240), Some((8, 40, 6)));
        assert_eq!(of(160, 120), Some((4, 40, 6)));
        assert_eq!(of(64, 48), Some((2, 32, 7)));
        assert_eq!(of(63, 47), Some((1, 63, 4)));
        assert_eq!(of(16, 14), Some((1, 16, 14)));
        assert_eq!(of(224, 1), Some((1, 224, 1)));
        assert_eq!(of(1, 224), Some((1, 1, 224)));
        assert_eq!(of(15, 14), None);
        assert_eq!(of(0, 9), None);
        assert_eq!(of(u32::MAX, u32::MAX), Some((8, 536_870_911, 1)));
    }
}
