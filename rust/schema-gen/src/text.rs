//! Spelling: one name in the cases that the languages expect.

/// `FrameDescriptor` -> `frame_descriptor`.
pub fn snake(name: &str) -> String {
    let mut out = String::new();
    for (index, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && index > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// `FrameDescriptor` -> `FRAME_DESCRIPTOR`.
pub fn upper(name: &str) -> String {
    snake(name).to_ascii_uppercase()
}

/// `NO_FREE_SLOT` or `no_free_slot` -> `NoFreeSlot`; `NV12` -> `Nv12`.
pub fn camel(name: &str) -> String {
    name.split('_').map(capitalized).collect()
}

/// `capture_id` -> `captureId`.
pub fn lower_camel(name: &str) -> String {
    let camel = camel(name);
    let mut letters = camel.chars();
    let first = letters.next().unwrap_or_default().to_ascii_lowercase();
    format!("{first}{}", letters.as_str())
}

/// The same with Go's spelling of initialisms: `capture_id` -> `CaptureID`.
pub fn go_camel(name: &str) -> String {
    let word = |word: &str| match word.to_ascii_lowercase().as_str() {
        "id" => "ID".to_owned(),
        "pid" => "PID".to_owned(),
        "uid" => "UID".to_owned(),
        other => capitalized(other),
    };
    name.split('_').map(word).collect()
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    match letters.next() {
        Some(first) => first.to_ascii_uppercase().to_string() + &letters.as_str().to_lowercase(),
        None => String::new(),
    }
}

/// Small numbers in decimal, words full of bits in hexadecimal.
pub fn number(value: u64) -> String {
    if value > 0xffff_ffff { format!("{value:#018x}") } else { value.to_string() }
}

/// Documentation as comment lines behind `marker`, indented.
pub fn comment(indent: &str, marker: &str, doc: &[String]) -> String {
    doc.iter().map(|line| format!("{indent}{marker} {line}\n")).collect()
}

/// Prose broken into lines of at most `width` columns.
pub fn wrapped(prose: &str, width: usize) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in prose.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out += word;
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_case() {
        assert_eq!(snake("FrameDescriptor"), "frame_descriptor");
        assert_eq!(upper("MemoryKind"), "MEMORY_KIND");
        assert_eq!(camel("NO_FREE_SLOT"), "NoFreeSlot");
        assert_eq!(camel("HB_MEM"), "HbMem");
        assert_eq!(camel("NV12"), "Nv12");
        assert_eq!(camel("I420"), "I420");
        assert_eq!(lower_camel("capture_id"), "captureId");
        assert_eq!(go_camel("capture_id"), "CaptureID");
        assert_eq!(go_camel("last_sequence"), "LastSequence");
    }

    #[test]
    fn prose_is_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), "one two\nthree");
        assert_eq!(wrapped("unbreakable x", 4), "unbreakable\nx");
    }

    #[test]
    fn words_of_bits_are_hexadecimal() {
        assert_eq!(number(64), "64");
        assert_eq!(number(0x3145_4e41_4c4d_5246), "0x31454e414c4d5246");
    }
}
