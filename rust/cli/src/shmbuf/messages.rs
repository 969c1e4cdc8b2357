//! Files of messages: all of one size, or each with its length as four bytes, little endian, before
//! it.

use anyhow::{Context, bail};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// Reads messages one by one.
pub struct Reader {
    from: Box<dyn Read>,
    size: Option<usize>,
    longest: usize,
}

impl Reader {
    /// `-` is standard input. Messages above `longest` are refused before they are read.
    pub fn open(file: &Path, size: Option<usize>, longest: usize) -> anyhow::Result<Self> {
        let from: Box<dyn Read> = if file == Path::new("-") {
            Box::new(io::stdin().lock())
        } else {
            let opened = File::open(file).with_context(|| file.display().to_string())?;
            Box::new(BufReader::new(opened))
        };
        Ok(Reader { from, size, longest })
    }

    /// The next message into `into`; false at the end.
    pub fn read(&mut self, into: &mut Vec<u8>) -> anyhow::Result<bool> {
        let length = match self.size {
            Some(size) => size,
            None => {
                let mut prefix = [0; 4];
                match fill(&mut self.from, &mut prefix)? {
                    0 => return Ok(false),
                    4 => u32::from_le_bytes(prefix) as usize,
                    _ => bail!("the file ends within the length of a message"),
                }
            }
        };
        if length == 0 || length > self.longest {
            bail!("a message of {length} bytes; the ring takes 1 to {}", self.longest);
        }
        into.resize(length, 0);
        match fill(&mut self.from, into)? {
            0 if self.size.is_some() => Ok(false),
            read if read == length => Ok(true),
            read => bail!("the file ends after {read} of the {length} bytes of a message"),
        }
    }
}

/// Reads until the buffer is full or the input ends.
fn fill(from: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < into.len() {
        match from.read(&mut into[done..]) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Writes messages one by one.
pub struct Writer {
    to: Box<dyn Write>,
    size: Option<usize>,
}

impl Writer {
    /// `-` is standard output.
    pub fn create(file: &Path, size: Option<usize>) -> anyhow::Result<Self> {
        let to: Box<dyn Write> = if file == Path::new("-") {
            Box::new(io::stdout().lock())
        } else {
            let made = File::create(file).with_context(|| file.display().to_string())?;
            Box::new(BufWriter::new(made))
        };
        Ok(Writer { to, size })
    }

    pub fn write(&mut self, message: &[u8]) -> anyhow::Result<()> {
        match self.size {
            Some(size) if size != message.len() => {
                bail!("a message of {} bytes where all are to have {size}", message.len());
            }
            Some(_) => {}
            None => self.to.write_all(&(message.len() as u32).to_le_bytes())?,
        }
        Ok(self.to.write_all(message)?)
    }

    pub fn finish(mut self) -> anyhow::Result<()> {
        self.to.flush().context("writing the messages")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: &'static [u8], size: Option<usize>) -> Reader {
        Reader { from: Box::new(bytes), size, longest: 10 }
    }

    fn all(mut reader: Reader) -> anyhow::Result<Vec<Vec<u8>>> {
        let (mut messages, mut message) = (Vec::new(), Vec::new());
        while reader.read(&mut message)? {
            messages.push(message.clone());
        }
        Ok(messages)
    }

    #[test]
    fn both_forms_are_read() {
        assert_eq!(all(reader(b"abcdef", Some(3))).unwrap(), [b"abc", b"def"]);
        let prefixed = b"\x01\0\0\0a\x02\0\0\0bc";
        assert_eq!(all(reader(prefixed, None)).unwrap(), [&b"a"[..], b"bc"]);
        assert_eq!(all(reader(b"", None)).unwrap(), [[0; 0]; 0]);
    }

    #[test]
    fn what_is_cut_or_cannot_be_sent_is_an_error() {
        for (bytes, size) in [
            (&b"abcd"[..], Some(3)),
            (b"\x02\0\0\0b", None),
            (b"\x02\0", None),
            (b"\0\0\0\0", None),
            (b"\xff\xff\xff\xff", None),
            (b"abc", Some(11)),
        ] {
            assert!(all(reader(bytes, size)).is_err(), "{bytes:?}");
        }
    }
}
