//! The play: the whole system is started, it grows dark and bright again, a program is killed and
//! comes back, pictures are taken; then all of it ends.

use super::board::Board;
use super::books;
use super::evidence::{Clock, Evidence};
use super::keeper::{Kept, Played};
use super::kit::{DETECTIONS, Kit, METER};
use super::source::STREAM;
use super::status;
use crate::http::{self, Viewer};
use crate::running::{Ended, Running, last_object, whole_object};
use crate::{interrupt, workspace};
use anyhow::{Result, bail, ensure};
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

/// How often the stage is looked at.
const TOUR: Duration = Duration::from_millis(100);
/// A loaded machine starts programs slowly, and nobody's clock is tested here.
const SETTLE: Duration = Duration::from_secs(120);
/// After the first day and night, how long each lasts.
const HALF_DAY: Duration = Duration::from_secs(15);
/// The program that is killed.
pub const KILLED: &str = "meter";

/// Everybody on stage.
struct Stage<'a> {
    kit: &'a Kit,
    programs: Vec<Kept>,
    top: Running,
    followers: Vec<Running>,
    clocks: Vec<(Clock, Running)>,
    viewers: [Viewer; 2],
    told: status::Status,
    /// The program that is to be killed was.
    struck: bool,
}

/// How things stood when everybody was at work: from here on it is measured.
struct Before {
    start: Instant,
    books: Value,
    /// Metrics of the server, and of the page.
    metrics: [String; 2],
    cpu: Vec<Duration>,
}

/// Plays for so long, or until Ctrl-C; None where that came before all were at work.
pub fn perform(kit: &Kit, time: Option<Duration>, live: bool) -> Result<Option<Evidence>> {
    let top = ["top", "--json", "--interval", "0.2"];
    let mut stage = Stage {
        kit,
        programs: Vec::new(),
        top: kit.observer("top", &top, books::take)?,
        followers: Vec::new(),
        clocks: Vec::new(),
        viewers: [
            Viewer::start("/video.mp4", b"moof"),
            Viewer::start("/stream.mjpeg", b"\xff\xd8\xff"),
        ],
        told: status::Status::new(live),
        struck: false,
    };
    match stage.play(time) {
        Ok((before, snapshot)) => stage.end(before, snapshot).map(Some),
        Err(error) => {
            stage.told.end();
            // In order also now: who is ended without a word leaves something behind.
            let left = stage.leave();
            match interrupt::asked() {
                true => left.map(|()| None),
                false => Err(error),
            }
        }
    }
}

impl Stage<'_> {
    /// From the start until the time is over.
    fn play(&mut self, time: Option<Duration>) -> Result<(Before, Option<Vec<u8>>)> {
        let kit = self.kit;
        for spec in kit.readers() {
            self.programs.push(Kept::start(spec)?);
        }
        self.programs.push(Kept::start(kit.camera())?);
        self.viewers[0].look_at(&kit.server_url());
        self.viewers[1].look_at(&kit.page_url());
        let paged = kit.wanted.source.has_frames();
        self.wait("pictures come to viewers", |stage| {
            let moving = |viewer: &Viewer| viewer.pictures() > 0;
            moving(&stage.viewers[0]) && (moving(&stage.viewers[1]) || !paged)
        })?;
        println!("the page: {}/", kit.page_url());
        println!("the video: {}/video.mp4", kit.server_url());
        self.observe()?;
        let before = self.before();
        let snapshot = match self.tour() {
            Err(_) if interrupt::asked() => None,
            toured => toured?,
        };
        // The killed program was started from the same file.
        kit.is_up();
        self.play_on(before.start, time)?;
        Ok((before, snapshot))
    }

    /// Looks after everybody; fails where somebody is gone who should be there.
    fn tend(&mut self) -> Result<()> {
        for program in &mut self.programs {
            program.tend()?;
        }
        let looking = self.followers.iter().chain(self.clocks.iter().map(|(_, clock)| clock));
        for observer in looking.chain([&self.top]) {
            let gone = observer.is_gone() && !interrupt::asked();
            ensure!(!gone, "{} has ended by itself", observer.name());
        }
        let switch = &self.kit.cameras.active;
        self.told.show(|| status::line(&self.top.figures(), switch, &self.programs));
        Ok(())
    }

    fn wait(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Result<()> {
        let start = Instant::now();
        while !done(self) {
            interrupt::check()?;
            self.tend()?;
            if start.elapsed() > SETTLE {
                let figures = self.top.figures();
                self.told.end();
                let line = status::line(&figures, &self.kit.cameras.active, &self.programs);
                bail!("not within {SETTLE:?}: {what}\n{line}");
            }
            std::thread::sleep(TOUR);
        }
        Ok(())
    }

    /// Starts those who keep the books, once there is something to look at.
    fn observe(&mut self) -> Result<()> {
        if !self.kit.wanted.source.has_frames() {
            return Ok(());
        }
        let kit = self.kit;
        let (active, yolo) = (&*kit.cameras.active, &*kit.cameras.yolo);
        self.wait("every lane has something new", |stage| {
            let lanes = books::lanes(&stage.top.figures());
            let live =
                |name: &&str| lanes.iter().any(|lane| lane.name == **name && lane.published > 0);
            [DETECTIONS, METER, STREAM].iter().all(live)
        })?;
        let watch = |name: &str| {
            let words = ["watch", name, "--json", "--interval", "0.2", "--wait", "60"];
            kit.observer(name, &words, last_object)
        };
        self.followers.push(watch(active)?);
        if yolo != active {
            self.followers.push(watch(yolo)?);
        }
        let clocks = [
            (Clock::Frames, active, None),
            (Clock::Encoded, STREAM, Some(active)),
            (Clock::Detected, DETECTIONS, Some(yolo)),
            (Clock::Metered, METER, Some(active)),
        ];
        for (clock, lane, of) in clocks {
            let mut words = vec!["latency", lane, "--json"];
            words.extend(of.into_iter().flat_map(|of| ["--of", of]));
            self.clocks.push((clock, kit.observer("latency", &words, whole_object)?));
        }
        self.clocks.push((Clock::Viewed, kit.viewer()?));
        self.wait("a picture goes to a viewer by WebRTC", |stage| {
            let sent = "framelane_server_sent_bytes_total{kind=\"webrtc\"}";
            http::figure(&text(&stage.kit.server_url(), "/metrics"), sent) > 0.0
        })?;
        self.wait("the followers read", |stage| {
            stage.followers.iter().all(|reader| number(reader, "received") > 0)
        })
    }

    fn before(&self) -> Before {
        Before {
            start: Instant::now(),
            books: self.top.figures(),
            metrics: self.metrics(),
            cpu: self.programs.iter().map(Kept::cpu).collect(),
        }
    }

    fn metrics(&self) -> [String; 2] {
        [self.kit.server_url(), self.kit.page_url()].map(|url| text(&url, "/metrics"))
    }

    /// What there is to see, once; a picture of it.
    fn tour(&mut self) -> Result<Option<Vec<u8>>> {
        if !self.kit.wanted.source.has_frames() {
            return Ok(None);
        }
        let switched = self.kit.cameras.switched;
        if switched {
            self.turn(false, 2)?;
        }
        self.kill_and_see()?;
        if switched {
            self.turn(true, 3)?;
            if self.kit.board().is_none() {
                self.kit.select("auto")?;
            }
        }
        let picture = http::get(&self.kit.server_url(), "/snapshot.png")?;
        let folder = workspace::target().join("demo");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("snapshot.png"), &picture)?;
        Ok(Some(picture))
    }

    /// Day or night; those who follow see the other camera, and the encoder goes on with it. Over
    /// a board's sky we have no say: its switch is told.
    fn turn(&mut self, day: bool, epochs: u64) -> Result<()> {
        match self.kit.board() {
            Some(board) => board.light(day)?,
            None => self.kit.select(if day { "0" } else { "1" })?,
        }
        self.wait("the other camera is shown", |stage| {
            stage.followers.iter().all(|reader| number(reader, "epochs") >= epochs)
        })
    }

    /// Kills a program, which is started again and reads on.
    fn kill_and_see(&mut self) -> Result<()> {
        let find = |stage: &Self| stage.programs.iter().position(|kept| kept.name() == KILLED);
        let Some(index) = find(self) else { return Ok(()) };
        self.programs[index].strike()?;
        self.struck = true;
        self.wait("the killed program reads again", |stage| {
            let kept = &stage.programs[index];
            let again = kept.id().filter(|_| kept.restarts() > 0);
            let read = again.map(|pid| books::readings(&stage.top.figures(), &[pid]));
            read.is_some_and(|read| read.iter().any(|reading| reading.received > 0))
        })
    }

    /// Until the time is over; day and night follow each other.
    fn play_on(&mut self, start: Instant, time: Option<Duration>) -> Result<()> {
        let mut turned = Instant::now();
        let mut day = true;
        while !interrupt::asked() && time.is_none_or(|time| start.elapsed() < time) {
            self.tend()?;
            if let Some(board) = self.kit.board().filter(|_| turned.elapsed() > HALF_DAY) {
                (turned, day) = (Instant::now(), !day);
                board.light(day)?;
            }
            std::thread::sleep(TOUR);
        }
        self.told.end();
        Ok(())
    }

    /// Ends all: those who look on first, the camera last.
    fn end(self, before: Before, snapshot: Option<Vec<u8>>) -> Result<Evidence> {
        let stages = http::get(&self.kit.page_url(), "/healthz").unwrap_or_default();
        let last = self.metrics();
        let Stage { kit, programs, top, followers, clocks, viewers, struck, .. } = self;
        // At one moment: what comes after it belongs to no rate.
        let cpu: Vec<_> = programs.iter().map(Kept::cpu).collect();
        let (after, elapsed) = (top.figures(), before.start.elapsed());
        let seen = [0, 1].map(|index| viewers[index].pictures());
        let clocks = clocks.into_iter().map(|(clock, running)| Ok((clock, running.stop()?)));
        let clocks = clocks.collect::<Result<Vec<(Clock, Ended)>>>()?;
        let followers = followers.into_iter().map(Running::stop).collect::<Result<_>>()?;
        let top = top.stop()?;
        drop(viewers);
        let mut programs = programs.into_iter().map(Kept::stop).collect::<Result<Vec<Played>>>()?;
        for (played, (before, after)) in programs.iter_mut().zip(before.cpu.iter().zip(cpu)) {
            played.cpu = after.saturating_sub(*before);
        }
        Ok(Evidence {
            cameras: kit.wanted.source.is_board().then(|| kit.cameras.clone()),
            strict: kit.wanted.source.is_stand_in() && kit.wanted.lease_ms.is_none(),
            frames: kit.wanted.source.has_frames(),
            struck,
            programs,
            followers,
            clocks,
            seen,
            stages: serde_json::from_slice(&stages).unwrap_or(Value::Null),
            metrics: [before.metrics, last],
            before: before.books,
            after,
            top,
            snapshot,
            lost: kit.board().map(Board::buffers).transpose()?,
            left: sockets(kit)?,
            elapsed,
        })
    }

    /// Ends all in the same order; what they told nobody wants.
    fn leave(self) -> Result<()> {
        let Stage { programs, top, followers, clocks, viewers, .. } = self;
        let clocks = clocks.into_iter().map(|(_, clock)| clock);
        let mut left = Ok(());
        for observer in clocks.chain(followers).chain([top]) {
            left = left.and(observer.stop().map(drop));
        }
        drop(viewers);
        for program in programs {
            left = left.and(program.stop().map(drop));
        }
        left
    }
}

/// What a program tells by HTTP; nothing where it does not.
fn text(url: &str, path: &str) -> String {
    let body = http::get(url, path).unwrap_or_default();
    String::from_utf8_lossy(&body).into_owned()
}

/// Sockets that are still in the runtime directory.
fn sockets(kit: &Kit) -> Result<Vec<String>> {
    let entries = fs::read_dir(kit.directory())?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names = names.collect::<Result<Vec<String>>>()?;
    Ok(names.into_iter().filter(|name| name.ends_with(".sock")).collect())
}

fn number(reader: &Running, key: &str) -> u64 {
    reader.figures()[key].as_u64().unwrap_or(0)
}
