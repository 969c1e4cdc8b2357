//! Messages on a lane's socket: SEQPACKET packets of fixed size, described in `schema/wire.fbs`.

pub(crate) mod message;
pub(crate) mod peer;
pub(crate) mod socket;
