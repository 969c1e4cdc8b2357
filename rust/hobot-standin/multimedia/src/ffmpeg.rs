//! The process that encodes: one picture in, one access unit out.

use crate::avi::Avi;
use crate::entry::{Answer, complain};
use framelane_hobot_sys::codec::{EncoderParams, gop_preset, id, pixel_format};
use framelane_hobot_sys::media::{CODEC_NOT_FOUND, CODING_FAILED, OPEN_FAIL};
use std::io::{ErrorKind, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What ends a process, from whatever thread.
#[derive(Clone)]
pub struct Killer(Arc<Mutex<Child>>);

impl Killer {
    pub fn kill(&self) {
        // One that has ended already is as good.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }
}

pub struct Ffmpeg {
    child: Killer,
    pictures: ChildStdin,
    units: Avi<ChildStdout>,
}

impl Ffmpeg {
    /// Starts it. The calling thread must outlive it.
    pub fn start(codec: i32, params: &EncoderParams) -> Answer<Self> {
        let mut command = Command::new("ffmpeg");
        command.args(arguments(codec, encoder(codec)?, params));
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // An interrupt from the keyboard is the program's affair.
        command.process_group(0);
        // SAFETY: one system call between fork and exec, which takes no lock and no memory.
        unsafe {
            command.pre_exec(|| {
                let kill = Some(rustix::process::Signal::KILL);
                Ok(rustix::process::set_parent_process_death_signal(kill)?)
            });
        }
        let mut child = command.spawn().map_err(|error| cannot_start(&error))?;
        let (pictures, units) = (child.stdin.take(), child.stdout.take());
        let (Some(pictures), Some(units)) = (pictures, units) else { return Err(OPEN_FAIL) };
        let child = Killer(Arc::new(Mutex::new(child)));
        Ok(Ffmpeg { child, pictures, units: Avi(units) })
    }

    pub fn killer(&self) -> Killer {
        self.child.clone()
    }

    pub fn encode(&mut self, picture: &[u8]) -> Answer<Vec<u8>> {
        let written = self.pictures.write_all(picture).and_then(|()| self.pictures.flush());
        written.and_then(|()| self.units.next()).map_err(|_| CODING_FAILED)
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        self.child.kill();
        let _ = self.child.0.lock().unwrap_or_else(PoisonError::into_inner).wait();
    }
}

fn cannot_start(error: &std::io::Error) -> i32 {
    if error.kind() == ErrorKind::NotFound {
        complain("no ffmpeg on the search path: `apt install ffmpeg`, or `cargo xtask tools`");
    } else {
        complain(format_args!("ffmpeg does not start: {error}"));
    }
    OPEN_FAIL
}

/// The first encoder for this codec that the program has.
fn encoder(codec: i32) -> Answer<&'static str> {
    let wanted: &[&str] = match codec {
        id::H264 => &["libx264", "libopenh264"],
        id::H265 => &["libx265"],
        _ => &["mjpeg"],
    };
    let all = encoders()?;
    let has = |name: &&&str| all.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
    wanted.iter().find(has).copied().ok_or_else(|| {
        complain(format_args!("this ffmpeg has no encoder {}", wanted.join(" or ")));
        CODEC_NOT_FOUND
    })
}

/// What the program lists, asked for once.
fn encoders() -> Answer<&'static str> {
    static LISTED: OnceLock<String> = OnceLock::new();
    if let Some(listed) = LISTED.get() {
        return Ok(listed);
    }
    let mut ask = Command::new("ffmpeg");
    ask.args(["-hide_banner", "-v", "error", "-encoders"]).stdin(Stdio::null());
    let told = ask.output().map_err(|error| cannot_start(&error))?;
    Ok(LISTED.get_or_init(|| String::from_utf8_lossy(&told.stdout).into_owned()))
}

fn arguments(codec: i32, encoder: &str, params: &EncoderParams) -> Vec<String> {
    let format = match params.pix_fmt {
        pixel_format::YUV420P => "yuv420p",
        pixel_format::NV21 => "nv21",
        _ => "nv12",
    };
    let rate = &params.rate_control;
    let fps = if codec <= id::H265 { rate.cbr().frame_rate } else { rate.mjpeg().frame_rate };
    let (size, fps) = (format!("{}x{}", params.width, params.height), fps.max(1).to_string());
    // Nothing is looked at before the first picture is encoded, and nothing is kept back.
    let mut words: Vec<String> = [
        "-hide_banner",
        "-v",
        "error",
        "-nostdin",
        "-fflags",
        "nobuffer",
        "-probesize",
        "32",
        "-nofind_stream_info",
        "-f",
        "rawvideo",
        "-pix_fmt",
        format,
        "-s",
        &size,
        "-framerate",
        &fps,
        "-i",
        "pipe:0",
        "-c:v",
        encoder,
        "-fps_mode",
        "passthrough",
        "-threads",
        "1",
    ]
    .map(str::to_owned)
    .to_vec();
    words.extend(match codec {
        id::H264 | id::H265 => video(encoder, params),
        _ => {
            let quality = jpeg_quality(codec, params).clamp(1, 100);
            vec!["-q:v".to_owned(), (31 - quality * 29 / 100).to_string()]
        }
    });
    words.extend(["-flush_packets", "1", "-f", "avi", "pipe:1"].map(str::to_owned));
    words
}

fn jpeg_quality(codec: i32, params: &EncoderParams) -> u32 {
    let fixed = params.rate_control.mjpeg().quality_factor;
    if codec == id::JPEG { params.codec_config[2] } else { fixed }
}

fn video(encoder: &str, params: &EncoderParams) -> Vec<String> {
    let cbr = params.rate_control.cbr();
    let all_intra = params.gop_preset_idx == gop_preset::ALL_INTRA;
    let period = match cbr.intra_period {
        _ if all_intra => 1,
        0 => i32::MAX as u32, // only the first
        period => period,
    };
    let mut words = vec!["-g".to_owned(), period.to_string(), "-bf".into(), "0".into()];
    if cbr.bit_rate > 0 {
        for option in ["-b:v", "-maxrate", "-bufsize"] {
            words.extend([option.to_owned(), format!("{}k", cbr.bit_rate)]);
        }
    }
    let more: &[&str] = match encoder {
        "libx264" => &["-preset", "superfast", "-tune", "zerolatency", "-sc_threshold", "0"],
        "libx265" => &[
            "-preset",
            "ultrafast",
            "-tune",
            "zerolatency",
            "-x265-params",
            "log-level=none:repeat-headers=1:open-gop=0:scenecut=0:pools=none",
        ],
        _ => &[],
    };
    words.extend(more.iter().map(|&word| word.to_owned()));
    // `mc_h264_profile_t`
    let profile = [None, Some("baseline"), Some("main"), None, Some("high")];
    if encoder == "libx264"
        && let Some(Some(profile)) = profile.get(params.codec_config[0] as usize)
    {
        words.extend(["-profile:v".to_owned(), (*profile).to_owned()]);
    }
    words
}
