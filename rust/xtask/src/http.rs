//! As much of HTTP as it takes to look at programs beside us.

use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);
/// How soon a viewer notices that it is over.
const SLICE: Duration = Duration::from_millis(200);
/// Most of an answer.
const LIMIT: u64 = 8 << 20;

/// The body of an answer, which must be a good one.
pub fn get(url: &str, path: &str) -> Result<Vec<u8>> {
    let mut answer = Vec::new();
    ask(url, path, PATIENCE)?.take(LIMIT).read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").context("no answer")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.lines().next().unwrap_or_default();
    let body = answer.split_off(end + 4);
    ensure!(
        status.split(' ').nth(1) == Some("200"),
        "{url}{path} answers {status}: {}",
        String::from_utf8_lossy(&body)
    );
    Ok(body)
}

/// 1.0: the answer comes in one piece and ends with the connection.
fn ask(url: &str, path: &str, patience: Duration) -> Result<TcpStream> {
    let host = url.strip_prefix("http://").context("not an address")?;
    let mut stream = TcpStream::connect(host).with_context(|| url.to_owned())?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // In one piece: who answers what it has read so far and closes resets the connection.
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes())?;
    Ok(stream)
}

/// The value of a name with its labels in Prometheus text; 0 where it was never counted.
pub fn figure(metrics: &str, name: &str) -> f64 {
    let of = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok();
    metrics.lines().find_map(of).unwrap_or_default()
}

/// Somebody who watches an endless answer, and asks again when it ends.
pub struct Viewer {
    seen: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    address: Arc<Mutex<Option<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Viewer {
    /// Watches `path` from when there is an address; each `mark` is a picture.
    pub fn start(path: &'static str, mark: &'static [u8]) -> Self {
        let (seen, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let address = Arc::<Mutex<Option<String>>>::default();
        let (shared, stopped, asked) = (seen.clone(), stop.clone(), address.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let url = asked.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if let Some(Ok(stream)) = url.map(|url| ask(&url, path, SLICE)) {
                    watch(stream, mark, &shared, &stopped);
                }
                std::thread::sleep(SLICE);
            }
        });
        Viewer { seen, stop, address, thread: Some(thread) }
    }

    /// Says where to look.
    pub fn look_at(&self, url: &str) {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = Some(url.to_owned());
    }

    /// Pictures that were seen.
    pub fn pictures(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn watch(mut stream: TcpStream, mark: &[u8], seen: &AtomicU64, stop: &AtomicBool) {
    let mut buffer = vec![0; 1 << 16];
    // A mark may come in two pieces.
    let mut kept = 0;
    while !stop.load(Ordering::Relaxed) {
        let read = match stream.read(&mut buffer[kept..]) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if is_late(&error) => continue,
            Err(_) => return,
        };
        let all = kept + read;
        let found = buffer[..all].windows(mark.len()).filter(|part| *part == mark).count();
        seen.fetch_add(found as u64, Ordering::Relaxed);
        kept = (mark.len() - 1).min(all);
        buffer.copy_within(all - kept..all, 0);
    }
}

fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::time::Instant;

    /// Answers so many requests in these pieces; its address.
    fn server(requests: usize, pieces: &'static [&'static str]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for _ in 0..requests {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 1024]).unwrap();
                for piece in pieces {
                    stream.write_all(piece.as_bytes()).unwrap();
                    stream.flush().unwrap();
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
        });
        url
    }

    #[test]
    fn a_body_is_what_follows_the_head_and_a_refusal_is_an_error() {
        let url = server(1, &["HTTP/1.0 200 OK\r\nA: b\r\n\r\nbo", "dy"]);
        assert_eq!(get(&url, "/").unwrap(), b"body");
        let url = server(1, &["HTTP/1.0 503 No\r\n\r\nbecause"]);
        assert!(get(&url, "/x").unwrap_err().to_string().contains("503 No: because"));
    }

    #[test]
    fn values_are_read_by_name_and_labels() {
        let metrics = "HTTP/1.0 200\r\n\r\na_b 3\na{k=\"x\"} 1.5\na 2e3\nab 8\n";
        let read = |name: &str| figure(metrics, name);
        assert_eq!([read("a"), read("a{k=\"x\"}"), read("none")], [2000.0, 1.5, 0.0]);
        assert_eq!(read("ab"), 8.0);
    }

    #[test]
    fn a_viewer_counts_marks_in_pieces_and_comes_back() {
        let url = server(2, &["HTTP/1.0 200 OK\r\n\r\n..mo", "of..moof", "..mo"]);
        let viewer = Viewer::start("/", b"moof");
        viewer.look_at(&url);
        let start = Instant::now();
        while viewer.pictures() < 4 {
            assert!(start.elapsed() < Duration::from_secs(60), "{}", viewer.pictures());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
