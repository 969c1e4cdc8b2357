//! Access units out of the plainest container that says how long each one is.

use std::io::{Error, Read, Result};

/// The one stream of an AVI file, as it is being written.
pub struct Avi<R>(pub R);

/// No unit is longer; what says so is no AVI.
const LONGEST: u32 = 1 << 28;

impl<R: Read> Avi<R> {
    /// The next unit; an error at the end.
    pub fn next(&mut self) -> Result<Vec<u8>> {
        loop {
            let name = self.word()?;
            let length = u32::from_le_bytes(self.word()?);
            match &name {
                b"RIFF" => drop(self.word()?),
                b"LIST" => {
                    if &self.word()? != b"movi" {
                        self.take(length.saturating_sub(4))?;
                    }
                }
                // The program fills gaps in its count of pictures with empty ones.
                b"00dc" if length > 0 => return self.take(length),
                _ => drop(self.take(length)?),
            }
        }
    }

    fn word(&mut self) -> Result<[u8; 4]> {
        let mut word = [0; 4];
        self.0.read_exact(&mut word)?;
        Ok(word)
    }

    /// A chunk's bytes, which end on an even one.
    fn take(&mut self, length: u32) -> Result<Vec<u8>> {
        if length > LONGEST {
            return Err(Error::other("a chunk that cannot be"));
        }
        let mut bytes = vec![0; (length + length % 2) as usize];
        self.0.read_exact(&mut bytes)?;
        bytes.truncate(length as usize);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_among_the_other_chunks() {
        let mut file = b"RIFF\xff\xff\xff\xffAVI LIST\x06\0\0\0hdrlabLIST\0\0\0\0movi".to_vec();
        file.extend(b"JUNK\x01\0\0\0a\0");
        file.extend(b"00dc\x03\0\0\0one\x0000dc\0\0\0\0");
        file.extend(b"00dc\x04\0\0\0moreidx1");
        let mut avi = Avi(file.as_slice());
        assert_eq!(avi.next().unwrap(), b"one");
        assert_eq!(avi.next().unwrap(), b"more");
        assert!(avi.next().is_err());
        assert!(Avi(b"00dc\xff\xff\xff\xff".as_slice()).next().is_err());
    }
}
