//! Has the next photograph ready when it is its turn.

use super::photo::Photo;
use crate::error::Result;
use framelane::{Error, ErrorKind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Photographs in a loop. At most three are in memory: shown, ready, being decoded.
pub(super) struct Loader {
    shown: Photo,
    /// Turn of the shown one.
    turn: u64,
    /// None when there is only one photograph.
    next: Option<Receiver<Result<Photo>>>,
}

impl Loader {
    /// Loads the first file now, the others ahead of their turn on a thread that ends with this.
    pub(super) fn start(files: Vec<PathBuf>, width: u32, height: u32) -> Result<Self> {
        let shown = Photo::load(&files[0], width, height)?;
        let next = (files.len() > 1).then(|| {
            let (sender, receiver) = sync_channel(1);
            thread::Builder::new()
                .name("framelane-images".into())
                .spawn(move || load_in_turn(&files, width, height, &sender))
                .map(|_| receiver)
                .map_err(|error| {
                    Error::new(ErrorKind::System, format!("starting a thread: {error}"))
                })
        });
        Ok(Loader { shown, turn: 0, next: next.transpose()? })
    }

    /// The photograph of that turn; turns only grow.
    pub(super) fn photo(&mut self, turn: u64) -> Result<&Photo> {
        if let Some(next) = &self.next {
            while self.turn < turn {
                self.shown = next.recv().map_err(|_| {
                    Error::new(ErrorKind::Internal, "the thread that loads pictures has ended")
                })??;
                self.turn += 1;
            }
        }
        Ok(&self.shown)
    }
}

fn load_in_turn(files: &[PathBuf], width: u32, height: u32, ready: &SyncSender<Result<Photo>>) {
    for file in files.iter().cycle().skip(1) {
        let photo = Photo::load(file, width, height);
        let broken = photo.is_err();
        // Nobody receives any more: the source is gone.
        if ready.send(photo).is_err() || broken {
            return;
        }
    }
}
