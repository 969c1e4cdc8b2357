//! What several threads may use at once, until one of them closes it.

use crate::failure::{Failure, Result};
use framelane::{Error, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};

/// A producer, a writer or a controller, or nothing once it was closed.
pub struct Closing<T> {
    held: Mutex<Option<Arc<T>>>,
    /// What it is, with its name.
    what: String,
}

impl<T> Closing<T> {
    pub fn new(held: T, what: String) -> Self {
        Closing { held: Mutex::new(Some(Arc::new(held))), what }
    }

    /// It, for one call.
    pub fn get(&self) -> Result<Arc<T>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        held.ok_or_else(|| -> Failure {
            Error::new(ErrorKind::Closed, format!("the {} is closed", self.what)).into()
        })
    }

    /// It, for the last time.
    pub fn take(&self) -> Option<Arc<T>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
