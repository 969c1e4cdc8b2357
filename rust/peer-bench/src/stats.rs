//! Medians, and ratios of rounds that ran next to each other.

/// The middle of some numbers; 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    percentile(&mut values, 50.0)
}

/// A percentile by nearest rank, of numbers that it sorts.
pub fn percentile(values: &mut [f64], percent: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    values.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * values.len() as f64).ceil() as usize;
    let high = values[rank.clamp(1, values.len()) - 1];
    if percent == 50.0 && values.len().is_multiple_of(2) {
        return (high + values[values.len() / 2]) / 2.0;
    }
    high
}

/// One figure of one mechanism, a number for each round; not a number where it took no part.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Series {
    pub rounds: Vec<f64>,
}

impl Series {
    pub fn push(&mut self, value: f64) {
        self.rounds.push(value);
    }

    pub fn median(&self) -> f64 {
        median(self.taken().collect())
    }

    /// The largest of all rounds.
    pub fn worst(&self) -> f64 {
        self.taken().fold(0.0, f64::max)
    }

    fn taken(&self) -> impl Iterator<Item = f64> {
        self.rounds.iter().copied().filter(|value| !value.is_nan())
    }

    /// Median of the ratios of each round to the same round of `base`: both ran within moments
    /// of each other, whatever else the machine did then.
    pub fn ratio_to(&self, base: &Series) -> f64 {
        let ratios = self.rounds.iter().zip(&base.rounds).map(|(value, base)| value / base);
        median(ratios.filter(|ratio| ratio.is_finite()).collect())
    }

    /// Round by round, this minus another.
    pub fn minus(&self, other: &Series) -> Series {
        let pairs = self.rounds.iter().zip(&other.rounds);
        Series { rounds: pairs.map(|(value, other)| value - other).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_even_and_no_numbers() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(vec![]), 0.0);
    }

    #[test]
    fn percentiles_by_rank() {
        let mut values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&mut values, 99.0), 99.0);
        assert_eq!(percentile(&mut values, 100.0), 100.0);
    }

    #[test]
    fn ratios_compare_rounds_that_ran_together() {
        let base = Series { rounds: vec![1.0, 10.0, 2.0] };
        let twice = Series { rounds: vec![2.0, 20.0, 4.0] };
        assert_eq!(twice.ratio_to(&base), 2.0);
        assert_eq!(twice.minus(&base).rounds, base.rounds);
        let seldom = Series { rounds: vec![f64::NAN, 30.0, f64::NAN] };
        assert_eq!((seldom.median(), seldom.ratio_to(&base)), (30.0, 3.0));
    }
}
