//! Numbers of this interface, negative as they are returned.

pub const INVALID_NODE: i32 = -1;
pub const NODE_TYPE: i32 = -2;
pub const OUTPUT: i32 = -5;
pub const INPUT: i32 = -6;
pub const FORMAT: i32 = -7;
pub const NULL: i32 = -8;
pub const PARAMETER: i32 = -9;
pub const ATTRIBUTE: i32 = -10;
pub const INVALID_FLOW: i32 = -11;
pub const EXISTS: i32 = -14;
pub const NOT_CONFIGURED: i32 = -16;
pub const TIMEOUT: i32 = -21;
pub const NOT_SUPPORTED: i32 = -23;
pub const OUTPUT_FD: i32 = -28;
pub const BUFFERS: i32 = -32;
pub const START: i32 = -36;
pub const DEQUEUE: i32 = -43;
pub const BUFFER_INDEX: i32 = -44;
pub const QUEUE: i32 = -45;
pub const IMPORT: i32 = -54;
pub const UNKNOWN: i32 = -128;
