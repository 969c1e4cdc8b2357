//! Numbers the libraries return.

/// Numbers of libhbmem; 0 is success.
pub mod hb_mem {
    const fn number(low: u32) -> i32 {
        (0xFF00_0000 | low) as i32
    }

    macro_rules! numbers {
        ($($name:ident = $low:literal;)*) => {
            $( #[allow(missing_docs, reason = "the vendor's name says it")]
               pub const $name: i32 = number($low); )*
            /// All of them with their names.
            pub(super) const NAMES: &[(i32, &str)] = &[$(($name, stringify!($name))),*];
        };
    }

    numbers! {
        UNKNOWN = 0x01;
        INVALID_PARAMS = 0x02;
        INVALID_FD = 0x03;
        INVALID_VADDR = 0x04;
        INSUFFICIENT_MEM = 0x05;
        TOO_MANY_FD = 0x06;
        TIMEOUT = 0x07;
        MODULE_NOT_FOUND = 0x08;
        MODULE_OPEN_FAIL = 0x09;
        QUEUE_NOT_FOUND = 0x0A;
        QUEUE_DESTROYED = 0x0B;
        QUEUE_WRONG_SLOT = 0x0C;
        QUEUE_NO_AVAILABLE_SLOT = 0x0D;
        QUEUE_ALREADY_EXIST = 0x0E;
        POOL_NOT_FOUND = 0x0F;
        POOL_DESTROYED = 0x10;
        POOL_BUSY = 0x11;
        WAIT_SHARE_FAILURE = 0x12;
        NOT_ALLOW = 0x13;
        CHECK_VER_FAIL = 0x14;
        REGISTER_FAIL = 0x15;
        INVALID_GROUPID = 0x16;
    }
}

/// The vendor's name of a number of libhbmem, without its prefix `HB_MEM_ERR_`.
pub fn hb_mem_name(code: i32) -> Option<&'static str> {
    hb_mem::NAMES.iter().find(|(number, _)| *number == code).map(|(_, name)| *name)
}

/// What a number of libvpf and libcam means; they return it as its negative.
pub fn hbn_name(code: i32) -> Option<&'static str> {
    let number = code.checked_neg()?;
    HBN_NAMES.iter().find(|found| found.0 == number).map(|found| found.1)
}

const HBN_NAMES: &[(i32, &str)] = &[
    (1, "invalid node"),
    (2, "node type"),
    (3, "hardware id"),
    (4, "context id"),
    (5, "output channel"),
    (6, "input channel"),
    (7, "format"),
    (8, "null pointer"),
    (9, "parameter"),
    (10, "illegal attribute"),
    (11, "invalid flow"),
    (12, "flow exists"),
    (13, "flow does not exist"),
    (14, "node exists"),
    (15, "node does not exist"),
    (16, "not configured"),
    (17, "channel not enabled"),
    (18, "already enabled"),
    (19, "already bound"),
    (20, "not bound"),
    (21, "timeout"),
    (22, "not initialised"),
    (23, "not supported"),
    (24, "no permission"),
    (25, "no memory"),
    (32, "requesting buffers"),
    (36, "node start"),
    (37, "node stop"),
    (38, "poll"),
    (39, "poll timeout"),
    (40, "frame dropped"),
    (41, "hang-up"),
    (43, "no frame could be taken"),
    (44, "illegal buffer index"),
    (45, "buffer could not be given back"),
    (53, "memory: init"),
    (54, "memory: import"),
    (55, "memory: free"),
    (57, "struct size mismatch"),
    (128, "unknown"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_programs_print() {
        assert_eq!(hb_mem::UNKNOWN, -16_777_215);
        assert_eq!(hb_mem::INVALID_PARAMS, -16_777_214);
        assert_eq!(hb_mem::MODULE_NOT_FOUND, -16_777_208);
        assert_eq!(hb_mem::INVALID_GROUPID, -16_777_194);
        assert_eq!(hb_mem_name(-16_777_208), Some("MODULE_NOT_FOUND"));
        assert_eq!(hb_mem_name(0), None);
        assert_eq!(hbn_name(-10), Some("illegal attribute"));
        assert_eq!([hbn_name(0), hbn_name(10), hbn_name(i32::MIN)], [None; 3]);
    }
}
