//! Numbers the libraries return.

/// Constants of one family, which have all but the lowest byte in common.
macro_rules! numbers {
    ($family:literal; $($name:ident = $low:literal;)*) => {
        $( #[allow(missing_docs, reason = "the vendor's name says it")]
           pub const $name: i32 = ($family | $low as u32) as i32; )*
        /// All of them with their names.
        pub(super) const NAMES: &[(i32, &str)] = &[$(($name, stringify!($name))),*];
    };
}

/// Numbers of libhbmem; 0 is success.
pub mod hb_mem {
    numbers! { 0xFF00_0000;
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

/// Numbers of libmultimedia; 0 is success.
pub mod media {
    numbers! { 0xF000_0000;
        UNKNOWN = 0x01;
        CODEC_NOT_FOUND = 0x02;
        OPEN_FAIL = 0x03;
        RESPONSE_TIMEOUT = 0x04;
        INIT_FAIL = 0x05;
        OPERATION_NOT_ALLOWED = 0x06;
        INSUFFICIENT_RES = 0x07;
        NO_FREE_INSTANCE = 0x08;
        INVALID_PARAMS = 0x09;
        INVALID_INSTANCE = 0x0A;
        INVALID_BUFFER = 0x0B;
        INVALID_COMMAND = 0x0C;
        WAIT_TIMEOUT = 0x0D;
        FILE_OPERATION_FAILURE = 0x0E;
        PARAMS_SET_FAILURE = 0x0F;
        PARAMS_GET_FAILURE = 0x10;
        CODING_FAILED = 0x11;
        OUTPUT_BUF_FULL = 0x12;
        UNSUPPORTED_FEATURE = 0x13;
        INVALID_PRIORITY = 0x14;
    }
}

/// The vendor's name of a number of libmultimedia, without its prefix `HB_MEDIA_ERR_`.
pub fn media_name(code: i32) -> Option<&'static str> {
    media::NAMES.iter().find(|(number, _)| *number == code).map(|(_, name)| *name)
}

/// The vendor's name of a number of libhbmem, without its prefix `HB_MEM_ERR_`.
pub fn hb_mem_name(code: i32) -> Option<&'static str> {
    hb_mem::NAMES.iter().find(|(number, _)| *number == code).map(|(_, name)| *name)
}

/// The number that libvpf and libcam return as its negative, without the module that they
/// sometimes put above it.
pub fn hbn_number(code: i32) -> Option<i32> {
    code.checked_neg().filter(|number| *number > 0).map(|number| number & 0xFFFF)
}

/// What a number of libvpf and libcam means.
pub fn hbn_name(code: i32) -> Option<&'static str> {
    let number = hbn_number(code)?;
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
    (26, "node descriptor"),
    (27, "input descriptor"),
    (28, "output descriptor"),
    (29, "opening an output"),
    (30, "opening an input"),
    (31, "JSON"),
    (32, "requesting buffers"),
    (33, "querying buffers"),
    (34, "setting a control"),
    (35, "getting a control"),
    (36, "node start"),
    (37, "node stop"),
    (38, "poll"),
    (39, "poll timeout"),
    (40, "frame dropped"),
    (41, "hang-up"),
    (42, "illegal event"),
    (43, "no frame could be taken"),
    (44, "illegal buffer index"),
    (45, "buffer could not be given back"),
    (46, "flush"),
    (47, "binding: init"),
    (48, "adding a node"),
    (49, "wrong configuration id"),
    (50, "binding a node"),
    (51, "invalid version"),
    (52, "getting the version"),
    (53, "memory: init"),
    (54, "memory: import"),
    (55, "memory: free"),
    (56, "sysfs"),
    (57, "struct size mismatch"),
    (58, "region does not exist"),
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
        assert_eq!([media::UNKNOWN, media::INVALID_BUFFER], [-268_435_455, -268_435_445]);
        assert_eq!(media::INVALID_PRIORITY, -268_435_436);
        assert_eq!(media_name(-268_435_443), Some("WAIT_TIMEOUT"));
        assert_eq!(hb_mem_name(0), None);
        assert_eq!(hbn_name(-10), Some("illegal attribute"));
        assert_eq!(hbn_name(-(7 << 16 | 10)), Some("illegal attribute"), "with its module");
        assert_eq!([hbn_name(0), hbn_name(10), hbn_name(i32::MIN)], [None; 3]);
    }
}
