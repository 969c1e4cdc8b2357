//! As much HTTP as a scrape needs: one request, one answer, and the connection ends.

use super::address::Visitor;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

/// A request with all its headers; scrapers send a few hundred bytes.
const LONGEST_REQUEST: usize = 16 * 1024;
/// Headers that are looked at.
const HEADERS: usize = 64;

/// What somebody asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    Metrics,
    /// Anything else, with the answer to it.
    Other(&'static str),
}

/// Reads one request, no longer than until the deadline.
pub fn read(visitor: &mut dyn Visitor, deadline: Instant) -> io::Result<Request> {
    let mut bytes = Vec::new();
    let mut piece = [0; 1024];
    loop {
        visitor.set_timeout(left(deadline)?)?;
        match visitor.read(&mut piece) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        if let Some(request) = parse(&bytes) {
            return Ok(request);
        }
    }
}

/// None while the request is not whole.
fn parse(bytes: &[u8]) -> Option<Request> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Err(_) => return Some(Request::Other("400 Bad Request")),
        Ok(httparse::Status::Partial) if bytes.len() < LONGEST_REQUEST => return None,
        Ok(httparse::Status::Partial) => {
            return Some(Request::Other("431 Request Header Fields Too Large"));
        }
        Ok(httparse::Status::Complete(_)) => {}
    }
    let path = request.path.unwrap_or_default();
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    Some(match (request.method, path) {
        (Some("GET"), "/metrics") => Request::Metrics,
        (Some("GET"), _) => Request::Other("404 Not Found"),
        _ => Request::Other("405 Method Not Allowed"),
    })
}

/// Writes an answer, no longer than until the deadline.
pub fn answer(
    visitor: &mut dyn Visitor,
    (status, kind, body): (&str, &str, &str),
    deadline: Instant,
) -> io::Result<()> {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        visitor.set_timeout(left(deadline)?)?;
        match visitor.write(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => rest = &rest[count..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_get_of_metrics_is_a_scrape() {
        let said = |text: &str| parse(text.as_bytes());
        assert_eq!(said("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), Some(Request::Metrics));
        assert_eq!(said("GET /metrics?a=b HTTP/1.0\r\n\r\n"), Some(Request::Metrics));
        assert_eq!(said("GET /metrics HTTP/1.1\r\nHost: x\r\n"), None);
        assert_eq!(said("GET / HTTP/1.1\r\n\r\n"), Some(Request::Other("404 Not Found")));
        let refused = Request::Other("405 Method Not Allowed");
        assert_eq!(said("POST /metrics HTTP/1.1\r\n\r\n"), Some(refused));
        let refused = Some(Request::Other("400 Bad Request"));
        assert_eq!(said("\x01\x02\x03\r\n\r\n"), refused);
        let many = "a: b\r\n".repeat(HEADERS + 1);
        assert_eq!(said(&format!("GET /metrics HTTP/1.1\r\n{many}\r\n")), refused);
        let long = format!("GET /metrics HTTP/1.1\r\na: {}", "x".repeat(LONGEST_REQUEST));
        assert_eq!(said(&long), Some(Request::Other("431 Request Header Fields Too Large")));
    }
}
