//! NAL units of an access unit.

use framelane::Codec;

/// What a NAL unit is for, as far as a container cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Vps,
    Sps,
    Pps,
    /// Stands first in an access unit, if at all.
    Delimiter,
    Other,
}

impl Kind {
    pub(super) fn of(codec: Codec, unit: &[u8]) -> Kind {
        let first = unit.first().copied().unwrap_or(0);
        match (codec, first & 0x1f, first >> 1 & 0x3f) {
            (Codec::H264, 7, _) | (Codec::H265, _, 33) => Kind::Sps,
            (Codec::H264, 8, _) | (Codec::H265, _, 34) => Kind::Pps,
            (Codec::H264, 9, _) | (Codec::H265, _, 35) => Kind::Delimiter,
            (Codec::H265, _, 32) => Kind::Vps,
            _ => Kind::Other,
        }
    }

    /// Whether it is a parameter set.
    pub(super) fn is_set(self) -> bool {
        matches!(self, Kind::Vps | Kind::Sps | Kind::Pps)
    }
}

/// The NAL units of an access unit in Annex B form, without start codes and trailing zeros.
pub(super) fn units(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = start_code(bytes, 0);
    std::iter::from_fn(move || {
        let start = at? + 3;
        at = start_code(bytes, start);
        let mut end = at.unwrap_or(bytes.len());
        while end > start && bytes[end - 1] == 0 {
            end -= 1;
        }
        Some(&bytes[start..end])
    })
    .filter(|unit| !unit.is_empty())
}

fn start_code(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while at + 3 <= bytes.len() {
        // The third byte says how far the next possible start is.
        match bytes[at + 2] {
            0 => at += 1,
            1 if bytes[at..at + 2] == [0, 0] => return Some(at),
            _ => at += 3,
        }
    }
    None
}

/// Appends a NAL unit with a start code of four bytes, which is right wherever it stands.
pub(super) fn put(unit: &[u8], into: &mut Vec<u8>) {
    into.extend_from_slice(&[0, 0, 0, 1]);
    into.extend_from_slice(unit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_stand_between_start_codes() {
        let bytes = [0, 0, 0, 1, 7, 1, 0, 0, 1, 8, 0, 0, 0, 1, 5, 0, 3, 0, 0];
        let found: Vec<&[u8]> = units(&bytes).collect();
        assert_eq!(found, [&[7, 1][..], &[8], &[5, 0, 3]]);
        assert_eq!(units(&[9, 9]).count(), 0);
        assert_eq!(units(&[0, 0, 1]).count(), 0);
    }

    proptest! {
        #[test]
        fn what_was_put_is_found(
            parts in proptest::collection::vec(proptest::collection::vec(1u8.., 1..9), 0..9),
        ) {
            let mut bytes = Vec::new();
            parts.iter().for_each(|part| put(part, &mut bytes));
            prop_assert_eq!(units(&bytes).map(<[u8]>::to_vec).collect::<Vec<_>>(), parts);
        }

        #[test]
        fn nothing_makes_it_stumble(bytes in proptest::collection::vec(0u8..3, 0..60)) {
            let total: usize = units(&bytes).map(<[u8]>::len).sum();
            prop_assert!(total <= bytes.len());
        }
    }
}
