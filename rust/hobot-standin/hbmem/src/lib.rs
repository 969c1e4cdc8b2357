//! A stand-in for `libhbmem.so.1` with its C ABI, for machines that are no RDK X5.
//!
//! It refuses what the vendor's library refuses, with the same numbers, so that the mistakes that
//! are easy to make fail in a test as they would on the board. Buffers live in the folder the
//! library was loaded from, see the crate `framelane-standin-ion`. Left out are the older
//! interface (`hbmem_*` and `hb_mem_pc_*`) and allocation with a label, of which only the names are
//! known to us and not the arguments, and what only newer chips have: programs that need them find
//! no such function. What is assumed of queues, pools and groups
//! stands in their files.
//!
//! In two things it is stricter than a board. A cached mapping is a private copy that nothing but
//! `invalidate` brings up to date and nothing but `flush` writes back, so that forgetting either
//! always shows. And nobody serves the kernel's part: what a dead process held is given up when
//! the next call looks at it.
#![allow(unsafe_code, reason = "C entry points take pointers, and mappings are made by hand")]
#![allow(missing_docs, reason = "the functions are documented in framelane-hobot-sys")]
#![allow(clippy::not_unsafe_ptr_arg_deref, reason = "entry points for C, which has no unsafe")]

mod alloc;
mod by_address;
mod by_phys;
mod cache;
mod counts;
mod dma;
mod entry;
mod geometry;
mod group;
mod import;
mod lookup;
mod map;
mod module;
mod pool;
mod queue;
mod share_pool;
