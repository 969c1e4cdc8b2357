//! Random numbers from the kernel.

/// A random number that is not 0.
pub(crate) fn nonzero_u64() -> u64 {
    loop {
        let mut bytes = [0; 8];
        let got = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty());
        let number = u64::from_ne_bytes(bytes);
        if got == Ok(8) && number != 0 {
            return number;
        }
    }
}
