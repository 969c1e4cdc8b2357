//! Times and sizes as people read them.

use std::time::Duration;

/// As many nanoseconds as fit: 584 years.
pub fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// "830 ns", "1.25 ms", "33.4 ms", "12.0 s", "3 min 20 s", "5 h 1 min", "3 d 4 h".
pub fn time(ns: u64) -> String {
    let (us, ms, s) = (1e3, 1e6, 1e9);
    let value = ns as f64;
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => scaled(value / us, "us"),
        1_000_000..1_000_000_000 => scaled(value / ms, "ms"),
        1_000_000_000..60_000_000_000 => scaled(value / s, "s"),
        _ => long(ns / 1_000_000_000),
    }
}

fn scaled(value: f64, unit: &str) -> String {
    if value < 10.0 { format!("{value:.2} {unit}") } else { format!("{value:.1} {unit}") }
}

fn long(seconds: u64) -> String {
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    match hours {
        0 => format!("{minutes} min {} s", seconds % 60),
        1..48 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{} d {} h", hours / 24, hours % 24),
    }
}

/// "512 B", "1.5 KiB", "12.4 MiB".
pub fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

/// "640 bit/s", "1.5 kbit/s", "12.4 Mbit/s".
pub fn bit_rate(bits_per_s: f64) -> String {
    let units = [("Gbit/s", 1e9), ("Mbit/s", 1e6), ("kbit/s", 1e3)];
    match units.iter().find(|(_, factor)| bits_per_s >= *factor) {
        Some((unit, factor)) => format!("{:.1} {unit}", bits_per_s / factor),
        None => format!("{bits_per_s:.0} bit/s"),
    }
}

/// A size with its exact number of bytes.
pub fn exact_size(bytes: u64) -> String {
    if bytes < 1024 { size(bytes) } else { format!("{} ({bytes} bytes)", size(bytes)) }
}

/// "1 lease", "2 leases".
pub fn count(number: impl Into<u64>, word: &str) -> String {
    let number = number.into();
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {word}{plural}")
}

/// Reads a number of seconds from the command line.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// Reads a bit rate from the command line: a number, or one of thousands or millions.
pub fn bits(text: &str) -> Result<u32, String> {
    let wrong = || "not a bit rate like 800k or 2.5M".to_owned();
    let (number, unit) = match text.strip_suffix(['k', 'K']) {
        Some(number) => (number, 1e3),
        None => text.strip_suffix('M').map_or((text, 1.0), |number| (number, 1e6)),
    };
    let bits = number.parse::<f64>().map_err(|_| wrong())? * unit;
    if (1000.0..=f64::from(u32::MAX)).contains(&bits) { Ok(bits as u32) } else { Err(wrong()) }
}

/// Reads a time from the command line: 5s, 500ms, 2min, 1h, or a number of seconds.
pub fn span(text: &str) -> Result<Duration, String> {
    let wrong = || "not a time like 5s, 500ms, 2min or 1h".to_owned();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * factor).map_err(|_| wrong())
}

/// Reads a size from the command line: 100MB, 64KiB, 1G, or a number of bytes.
pub fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || "not a size like 100MB, 64KiB or 1GB".to_owned();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "k" | "K" | "kB" | "KB" => 1000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    let number: u64 = number.trim().parse().map_err(|_| wrong())?;
    number.checked_mul(factor).ok_or_else(wrong)
}

/// Reads width and height from the command line.
pub fn picture_size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once(['x', 'X']);
    let read = sides.and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    read.ok_or_else(|| "not a size like 640x480".to_owned())
}

/// Reads a group by number, or by its name in /etc/group.
pub fn group(text: &str) -> Result<u32, String> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let line = groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = line.filter(|fields| fields.len() > 2 && fields[0] == text);
    let number = found.filter_map(|fields| fields[2].parse().ok()).next();
    number.ok_or_else(|| format!("no group {text:?} in /etc/group; a number works too"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_that_fits() {
        let told = |ns| time(ns);
        assert_eq!(told(830), "830 ns");
        assert_eq!(told(1_250_000), "1.25 ms");
        assert_eq!(told(33_400_000), "33.4 ms");
        assert_eq!(told(12_000_000_000), "12.0 s");
        assert_eq!(told(200_000_000_000), "3 min 20 s");
        assert_eq!(told(18_060_000_000_000), "5 h 1 min");
        assert_eq!(told(273_600_000_000_000), "3 d 4 h");
        assert!(told(u64::MAX).ends_with(" h"));
    }

    #[test]
    fn sizes_have_the_unit_that_fits() {
        assert_eq!(size(512), "512 B");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(exact_size(460_800), "450.0 KiB (460800 bytes)");
        assert_eq!(size(u64::MAX), "16.0 EiB");
        assert_eq!(
            (count(1u64, "lease"), count(2u64, "lease")),
            ("1 lease".into(), "2 leases".into())
        );
    }

    #[test]
    fn bit_rates_are_decimal() {
        let told = [0.0, 640.0, 1500.0, 12_400_000.0, 2e9].map(bit_rate);
        assert_eq!(told, ["0 bit/s", "640 bit/s", "1.5 kbit/s", "12.4 Mbit/s", "2.0 Gbit/s"]);
    }

    #[test]
    fn seconds_are_finite_and_positive() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for bad in ["", "x", "-1", "nan", "inf", "1e300"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bit_rates_are_read() {
        let read = ["64000", "800k", "2.5M", "1K"].map(bits);
        assert_eq!(read, [Ok(64_000), Ok(800_000), Ok(2_500_000), Ok(1000)]);
        for bad in ["", "M", "0", "-1M", "nan", "999", "9999M", "1G"] {
            assert!(bits(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn spans_and_amounts_have_units() {
        let ms = |text| span(text).map(|time| time.as_millis());
        assert_eq!((ms("5s"), ms("500ms"), ms("0.25")), (Ok(5000), Ok(500), Ok(250)));
        assert_eq!((ms("2min"), ms("1.5h")), (Ok(120_000), Ok(5_400_000)));
        assert_eq!((bytes("100MB"), bytes("64KiB")), (Ok(100_000_000), Ok(65_536)));
        assert_eq!((bytes("1 G"), bytes("7")), (Ok(1_000_000_000), Ok(7)));
        for bad in ["", "s", "-1s", "5 days", "1e999s", "nan"] {
            assert!(span(bad).is_err(), "{bad}");
        }
        for bad in ["", "MB", "-1", "1.5MB", "60s", "99999999999GB"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_and_groups_are_read() {
        assert_eq!(picture_size("640x480"), Ok((640, 480)));
        for bad in ["", "640", "640x", "x480", "-1x2", "1x2x3", "99999999999x1"] {
            assert!(picture_size(bad).is_err(), "{bad}");
        }
        assert_eq!((group("17"), group("root")), (Ok(17), Ok(0)));
        assert!(group("no such group").unwrap_err().contains("/etc/group"));
    }
}
