//! The table in its file: one process at a time, and whole whenever somebody is killed.
//!
//! Two halves take turns. A half is written first and its head, which is short, last: whoever dies
//! in between leaves the other half as the newest.

use crate::faults::Fault;
use crate::scene::{Light, Scene};
use crate::state::{Process, Record, State};
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const TABLE: &str = "table";
const HALF: u64 = 1 << 20;
const HEAD: u64 = 16;

/// The table of one folder, opened by this process.
pub struct Ion {
    folder: PathBuf,
    file: Mutex<File>,
    process: Process,
}

impl Ion {
    /// Opens the table of a folder, and makes it if nobody has.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(folder: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(folder.join(TABLE))?;
        let pid = std::process::id();
        let start = start_of(pid)?.ok_or_else(|| Error::other("this process is not in /proc"))?;
        let process = Process { pid, start };
        Ok(Ion { folder: folder.to_owned(), file: Mutex::new(file), process })
    }

    /// Looks at the table, after the dead have been cleared away.
    pub fn look<R>(&self, look: impl FnOnce(&State) -> R) -> Result<R> {
        self.change(|state| look(state))
    }

    /// Changes the table, after the dead have been cleared away.
    pub fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> Result<R> {
        self.quick_change(|state| {
            let dead = state.clear_dead(is_alive);
            (change(state), dead)
        })
        .map(|(result, dead)| {
            dead.iter().for_each(|file| drop(std::fs::remove_file(self.folder.join(file))));
            result
        })
    }

    /// Changes the table whoever is dead, which costs less.
    fn quick_change<R>(&self, change: impl FnOnce(&mut State) -> R) -> Result<R> {
        let file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        flock(&*file, FlockOperation::LockExclusive)?;
        let changed = change_locked(&file, change);
        flock(&*file, FlockOperation::Unlock)?;
        changed
    }

    /// A new buffer of whole pages, zero-filled, held once by this process.
    pub fn allocate(&self, bytes: u64, flags: i64) -> Result<(i32, Record, File)> {
        let bytes = bytes.checked_next_multiple_of(4096).ok_or(ErrorKind::OutOfMemory)?;
        let (id, record) = self.change(|state| state.allocate(self.process, bytes, flags))?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(self.folder.join(&record.file))
            .and_then(|file| file.set_len(bytes).map(|()| file));
        match file {
            Ok(file) => Ok((id, record, file)),
            Err(error) => {
                let _ = self.release(id);
                Err(error)
            }
        }
    }

    /// Holds a buffer once more; None if there is none of that id.
    pub fn take(&self, id: i32) -> Result<Option<(Record, File)>> {
        let Some(record) = self.change(|state| state.take(self.process, id))? else {
            return Ok(None);
        };
        match self.open_buffer(&record) {
            Ok(file) => Ok(Some((record, file))),
            Err(error) => {
                let _ = self.release(id);
                Err(error)
            }
        }
    }

    /// Holds a buffer once less.
    pub fn release(&self, id: i32) -> Result<()> {
        let unheld = self.quick_change(|state| state.drop_one(self.process, id))?;
        match unheld {
            Some(file) => std::fs::remove_file(self.folder.join(file)),
            None => Ok(()),
        }
    }

    /// Adds to this process's announced uses of a buffer; whether it may.
    pub fn consume(&self, id: i32, by: i32) -> Result<bool> {
        self.quick_change(|state| state.consume(self.process, id, by))
    }

    /// The RAM of a buffer, as hardware sees it.
    pub fn open_buffer(&self, record: &Record) -> Result<File> {
        OpenOptions::new().read(true).write(true).open(self.folder.join(&record.file))
    }

    /// Reads as hardware does: by bus address, past every processor's cache. None where a part of
    /// the range is no buffer's.
    pub fn hardware_reads(&self, phys: u64, bytes: &mut [u8]) -> Result<Option<()>> {
        let length = bytes.len() as u64;
        let Some((record, offset)) = self.look(|state| state.at_phys(phys, length))? else {
            return Ok(None);
        };
        self.open_buffer(&record)?.read_exact_at(bytes, offset).map(Some)
    }

    /// Whether the whole range is one buffer's.
    pub fn is_at_phys(&self, phys: u64, length: u64) -> Result<bool> {
        self.look(|state| state.at_phys(phys, length).is_some())
    }

    /// What hardware does: writes past every processor's cache.
    pub fn hardware_writes(&self, id: i32, offset: u64, bytes: &[u8]) -> Result<()> {
        let record = self.look(|state| state.buffers.get(&id).cloned())?;
        let record = record.ok_or(ErrorKind::NotFound)?;
        self.open_buffer(&record)?.write_all_at(bytes, offset)
    }

    /// Plans a fault.
    pub fn plan(&self, fault: Fault) -> Result<()> {
        self.quick_change(|state| state.faults.push(fault))
    }

    /// What a camera sees.
    pub fn scene(&self, camera: u32) -> Result<Scene> {
        self.quick_change(|state| state.scenes.get(&camera).copied().unwrap_or_default())
    }

    /// What it sees at one exposure, by its script where it has one.
    pub fn scene_at(&self, camera: u32, exposure: u32) -> Result<Scene> {
        self.quick_change(|state| state.scene_at(camera, exposure))
    }

    /// Lets the light before a camera change with its exposures and not with the time, so that
    /// every run is alike. An empty script ends it.
    ///
    /// # Errors
    /// `InvalidInput` where the exposures do not ascend.
    pub fn set_script(&self, camera: u32, script: Vec<Light>) -> Result<()> {
        if !script.is_sorted_by_key(|light| light.exposure) {
            return Err(Error::new(ErrorKind::InvalidInput, "the exposures do not ascend"));
        }
        self.quick_change(|state| state.scripts.insert(camera, script)).map(|_| ())
    }

    /// The clip that stands before a camera: a Y4M file, or a folder of NV12 pictures.
    pub fn clip_of(&self, camera: u32) -> Option<PathBuf> {
        let place = self.folder.join(format!("camera-{camera}"));
        place.exists().then_some(place)
    }

    /// Puts a clip before a camera, from the next start of its flow on; None takes it away. The
    /// same by hand: a link `camera-N` in the folder.
    pub fn show(&self, camera: u32, clip: Option<&Path>) -> Result<()> {
        let place = self.folder.join(format!("camera-{camera}"));
        match std::fs::remove_file(&place) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        clip.map_or(Ok(()), |clip| std::os::unix::fs::symlink(std::path::absolute(clip)?, place))
    }

    /// Sets the scene before a camera.
    pub fn set_scene(&self, camera: u32, scene: Scene) -> Result<()> {
        self.quick_change(|state| state.scenes.insert(camera, scene)).map(|_| ())
    }

    /// What happens to this call: a number and a delay in ms.
    pub fn play(&self, function: &str) -> Result<(i32, u64)> {
        self.quick_change(|state| state.play(function, self.process.pid))
    }
}

fn change_locked<R>(file: &File, change: impl FnOnce(&mut State) -> R) -> Result<R> {
    let (turn, before) = load(file)?;
    let mut state = before.clone();
    let result = change(&mut state);
    if state != before {
        store(file, turn + 1, &state)?;
    }
    Ok(result)
}

fn load(file: &File) -> Result<(u64, State)> {
    let mut newest = (0, State::default());
    for half in 0..2 {
        let mut head = [0; HEAD as usize];
        match file.read_exact_at(&mut head, half * HALF) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => continue,
            other => other?,
        }
        let (turn, length) = head.split_at(8);
        let turn = u64::from_le_bytes(turn.try_into().expect("8 bytes"));
        let length = u64::from_le_bytes(length.try_into().expect("8 bytes"));
        if turn <= newest.0 || length > HALF - HEAD {
            continue;
        }
        let mut text = vec![0; length as usize];
        file.read_exact_at(&mut text, half * HALF + HEAD)?;
        newest = (turn, serde_json::from_slice(&text)?);
    }
    Ok(newest)
}

fn store(file: &File, turn: u64, state: &State) -> Result<()> {
    let text = serde_json::to_vec(state)?;
    if text.len() as u64 > HALF - HEAD {
        return Err(Error::other("the stand-in's table is full"));
    }
    let at = (turn % 2) * HALF;
    file.write_all_at(&text, at + HEAD)?;
    let mut head = [0; HEAD as usize];
    head[..8].copy_from_slice(&turn.to_le_bytes());
    head[8..].copy_from_slice(&(text.len() as u64).to_le_bytes());
    file.write_all_at(&head, at)
}

/// When a process started, in ticks; None if there is none. A zombie has let go of everything.
fn start_of(pid: u32) -> Result<Option<u64>> {
    let stat = match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        // Gone while it was read.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    // The name in brackets may hold anything; after it come the state and 18 more before the time.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let words: Vec<&str> = after.split_whitespace().collect();
    let dead = matches!(words.first(), None | Some(&"Z" | &"X"));
    let start = words.get(19).and_then(|word| word.parse().ok());
    Ok(if dead { None } else { start })
}

/// Whether a process is still the one it was. Where it cannot be said, it is.
fn is_alive(process: Process) -> bool {
    start_of(process.pid).map_or(true, |start| start == Some(process.start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn two_tables_of_a_folder_are_one() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (Ion::open(folder.path()).unwrap(), Ion::open(folder.path()).unwrap());
        let (id, record, _) = one.allocate(5000, 3).unwrap();
        assert_eq!((id, record.bytes), (1, 8192));
        assert!(two.take(id).unwrap().is_some());
        assert_eq!(one.look(|state| state.buffers[&id].clients()).unwrap(), 2);
        two.release(id).unwrap();
        one.release(id).unwrap();
        assert!(two.take(id).unwrap().is_none());
        assert!(!folder.path().join(&record.file).exists());
    }

    #[test]
    fn what_a_camera_sees_is_planned_by_exposure_and_shown_from_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let ion = Ion::open(folder.path()).unwrap();
        let light = |exposure, brightness| Light { exposure, brightness };
        let backwards = ion.set_script(2, vec![light(9, 1), light(8, 1)]).unwrap_err();
        assert_eq!(backwards.kind(), ErrorKind::InvalidInput);
        ion.set_script(2, vec![light(1, 10), light(11, 30)]).unwrap();
        ion.set_scene(2, Scene { brightness: 99, frozen: true }).unwrap();
        assert_eq!(ion.scene_at(2, 6).unwrap(), Scene { brightness: 20, frozen: true });
        ion.set_script(2, Vec::new()).unwrap();
        assert_eq!(ion.scene_at(2, 6).unwrap().brightness, 99);
        assert_eq!(ion.clip_of(2), None);
        for _ in 0..2 {
            ion.show(2, Some(folder.path())).unwrap();
        }
        assert_eq!(ion.clip_of(2), Some(folder.path().join("camera-2")));
        ion.show(2, None).unwrap();
        ion.show(2, None).unwrap();
        assert_eq!(ion.clip_of(2), None);
    }

    #[test]
    fn a_zombie_and_a_later_process_of_its_number_are_dead() {
        let mut child = Command::new("true").spawn().unwrap();
        let process = Process { pid: child.id(), start: 1 };
        assert!(!is_alive(process), "no process starts at tick 1");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while start_of(child.id()).unwrap().is_some() {
            assert!(std::time::Instant::now() < deadline);
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        child.wait().unwrap();
        assert_eq!(start_of(child.id()).unwrap(), None);
    }
}
