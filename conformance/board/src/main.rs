//! The board beside the agents of the conformance runs: it has the camera's memory, on the
//! stand-in for libhbmem, and is told line by line what the hardware does, as
//! conformance/README.md says.

mod line;
mod picture;

use anyhow::{Context, Result, bail};
use framelane_hobot::{Format, GraphicBuffer, Memory, Picture, describe_picture, usage};
use framelane_standin_ion::{Fault, Ion};
use line::Line;
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::path::PathBuf;

/// Buffers of the board, by number.
struct Board {
    memory: Memory,
    ion: Ion,
    buffers: HashMap<u32, GraphicBuffer>,
}

impl Board {
    fn open() -> Result<Self> {
        let folder = std::env::var_os(FOLDER_VARIABLE).context("no folder of the stand-ins")?;
        let folder = PathBuf::from(folder);
        let memory = Memory::open(Some(&folder))?;
        Ok(Board { memory, ion: Ion::open(&folder)?, buffers: HashMap::new() })
    }

    fn obey(&mut self, line: &Line<'_>) -> Result<String> {
        match line.word {
            "allocate" => self.allocate(line),
            "expose" => self.expose(line),
            "free" => {
                let number = line.number("buffer", 0)?;
                self.buffers.remove(&number).context("there is no such buffer")?;
                Ok(String::new())
            }
            "holders" => self.holders(line),
            "fail" => self.fail(line),
            "mend" => self.mend(),
            "reset" => {
                self.buffers.clear();
                self.mend()
            }
            word => bail!("there is no command {word:?}"),
        }
    }

    /// A picture of the camera's, and what a producer says of it.
    fn allocate(&mut self, line: &Line<'_>) -> Result<String> {
        let number = line.number("buffer", 0)?;
        let mut flags = usage::CPU_READ_OFTEN | usage::CPU_WRITE_OFTEN;
        for (key, bit) in [("cached", usage::CACHED), ("contiguous", usage::GRAPHIC_CONTIGUOUS)] {
            flags |= if line.number(key, 1)? == 0 { 0 } else { bit };
        }
        let (width, height) = (line.number("width", 16)?, line.number("height", 4)?);
        let (format, stride) = (Format::NV12, line.number("stride", 0)?);
        let picture = Picture { width, height, format, flags, stride, vstride: 0 };
        let buffer = self.memory.alloc_graphic(&picture)?;
        let said = picture::fields(&describe_picture(buffer.raw())?);
        self.buffers.insert(number, buffer);
        self.expose(line)?;
        Ok(said)
    }

    /// The hardware writes a picture, past every processor's cache.
    fn expose(&mut self, line: &Line<'_>) -> Result<String> {
        let number = line.number("buffer", 0)?;
        let buffer = self.buffers.get(&number).context("there is no such buffer")?;
        let raw = buffer.raw();
        let mut before = 0;
        for (plane, &size) in raw.size.iter().enumerate().take(raw.plane_cnt as usize) {
            let bytes = picture::filled(plane as u64, line.number("seed", 0)?, size);
            let (id, at) = match raw.is_contig {
                1 => (raw.share_id[0], before),
                _ => (raw.share_id[plane], 0),
            };
            self.ion.hardware_writes(id, at, &bytes)?;
            before += size;
        }
        Ok(String::new())
    }

    /// How often a buffer is held, in all processes.
    fn holders(&self, line: &Line<'_>) -> Result<String> {
        let number = line.number("buffer", 0)?;
        let id = match line.get("share_id")? {
            Some(id) => id,
            None => self.buffers.get(&number).context("no such buffer")?.raw().share_id[0],
        };
        let count = self.ion.look(|state| state.buffers.get(&id).map_or(0, |r| r.clients()))?;
        Ok(format!(" count={count}"))
    }

    /// The next calls of a function fail, in every process.
    fn fail(&self, line: &Line<'_>) -> Result<String> {
        let function = line.get::<String>("function")?.context("fail needs function=")?;
        let fault = Fault::of(&function, line.number("code", -16_777_214)?);
        let fault = fault.times(line.number("times", 1)?).delay_ms(line.number("delay_ms", 0)?);
        self.ion.plan(fault)?;
        Ok(String::new())
    }

    fn mend(&self) -> Result<String> {
        self.ion.change(|state| state.faults.clear())?;
        Ok(String::new())
    }
}

/// Where the stand-ins are, for every process of a run.
const FOLDER_VARIABLE: &str = "FRAMELANE_HOBOT_DIR";

fn main() -> Result<()> {
    let mut board = Board::open()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready language=board")?;
    for text in std::io::stdin().lock().lines() {
        let text = text?;
        if text == "quit" {
            break;
        }
        let said = Line::parse(&text).and_then(|line| board.obey(&line));
        match said {
            Ok(values) => writeln!(out, "ok{values}")?,
            Err(error) => writeln!(out, "error kind=invalid_argument text={error:#}")?,
        }
        out.flush()?;
    }
    Ok(())
}
