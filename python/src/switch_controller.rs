//! The controller of a switch.

use crate::errors::{failure, raise};
use crate::waiting::{Deadline, seconds};
use crate::{descriptor, log, options};
use framelane::{Access, ErrorKind, SwitchChoice, SwitchControllerOptions};
use pyo3::prelude::*;
use pyo3::types::PyString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Owns a switch and says which of its lanes is active. Usable from several threads.
#[pyclass(frozen, module = "framelane")]
pub struct SwitchController {
    controller: Mutex<Option<Arc<framelane::SwitchController>>>,
    name: String,
}

impl SwitchController {
    fn controller(&self) -> PyResult<Arc<framelane::SwitchController>> {
        let held = self.controller.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone()
            .ok_or_else(|| failure(ErrorKind::Closed, format!("switch {:?} is closed", self.name)))
    }
}

#[pymethods]
impl SwitchController {
    #[new]
    #[pyo3(signature = (
        name, lanes, *, active=0, access=None, trust="same_user", directory=None
    ))]
    fn new(
        name: &str,
        lanes: Vec<String>,
        active: usize,
        access: Option<Bound<'_, PyAny>>,
        trust: &str,
        directory: Option<PathBuf>,
    ) -> PyResult<Self> {
        let options = SwitchControllerOptions::new()
            .active(active)
            .access(access.as_ref().map_or(Ok(Access::Owner), options::access)?)
            .trust(options::trust(trust)?)
            .directory(directory);
        let lanes: Vec<&str> = lanes.iter().map(String::as_str).collect();
        let made = framelane::SwitchController::create(name, &lanes, options).map_err(raise)?;
        Ok(SwitchController { controller: Mutex::new(Some(Arc::new(made))), name: name.to_owned() })
    }

    /// Name of the switch.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// Names of the lanes, by index.
    #[getter]
    fn lanes(&self) -> PyResult<Vec<String>> {
        Ok(self.controller()?.lanes().to_vec())
    }

    /// Makes a lane active, by its index or name; the switch epoch.
    fn select(&self, lane: &Bound<'_, PyAny>) -> PyResult<u64> {
        let controller = self.controller()?;
        let done = match lane.cast::<PyString>() {
            Ok(name) => controller.select_lane(name.to_cow()?.as_ref()),
            Err(_) => controller.select(lane.extract()?),
        };
        done.map_err(raise)
    }

    /// What a policy wants: makes a lane active unless somebody has chosen. Whether it is active.
    fn propose(&self, index: usize) -> PyResult<bool> {
        self.controller()?.propose(index).map_err(raise)
    }

    /// Takes a choice back: from now on a policy chooses.
    fn set_automatic(&self) -> PyResult<()> {
        self.controller()?.set_automatic().map_err(raise)
    }

    /// Waits up to `timeout` seconds while the switch epoch is `switch_epoch`; the epoch of now.
    #[pyo3(signature = (switch_epoch, timeout=None))]
    fn wait_switched(
        &self,
        py: Python<'_>,
        switch_epoch: u64,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        let deadline = Deadline::after(timeout, "timeout")?;
        loop {
            let slice = deadline.slice().unwrap_or_default();
            let controller = self.controller()?; // anew: it may be closed between two slices
            // Given up in there: the last one that drops it waits for its thread.
            let now = py.detach(move || controller.wait_switched(switch_epoch, slice));
            let now = now.map_err(raise)?;
            py.check_signals()?;
            if now != switch_epoch || deadline.slice().is_none() {
                return Ok(now);
            }
        }
    }

    /// How the switch is: lanes, selection, counts and readers.
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        log::pass_on(py);
        let controller = self.controller()?;
        let report = py.detach(move || Box::new(controller.report()));
        descriptor::report(py, &report)
    }

    /// Index of the active lane.
    #[getter]
    fn active(&self) -> PyResult<usize> {
        Ok(self.controller()?.active())
    }

    /// How many-th selection this is, from 1.
    #[getter]
    fn switch_epoch(&self) -> PyResult<u64> {
        Ok(self.controller()?.switch_epoch())
    }

    /// Whether somebody has chosen and no policy is to choose otherwise.
    #[getter]
    fn held(&self) -> PyResult<bool> {
        Ok(self.controller()?.is_held())
    }

    /// Random id of this controller incarnation.
    #[getter]
    fn epoch(&self) -> PyResult<u64> {
        Ok(self.controller()?.epoch())
    }

    /// Readers attached now.
    #[getter]
    fn readers(&self) -> PyResult<usize> {
        Ok(self.controller()?.readers())
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.controller.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Ends the switch, also while another thread waits, which raises `Closed`. Readers go on with
    /// the lane that is active.
    fn close(&self, py: Python<'_>) {
        let taken = self.controller.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(controller) = taken else { return };
        py.detach(move || controller.end()); // waits for its thread
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (_kind, _error, _trace, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) {
        self.close(py);
    }

    fn __repr__(&self) -> String {
        format!("<framelane.SwitchController {:?}>", self.name)
    }
}

/// Selects a lane of a switch whose controller is another process, by its index or name, or with
/// None takes an earlier choice back; index of the active lane, and switch epoch.
#[pyfunction]
#[pyo3(signature = (switch, lane, *, timeout=1.0, directory=None))]
pub fn select(
    py: Python<'_>,
    switch: &str,
    lane: Option<&Bound<'_, PyAny>>,
    timeout: f64,
    directory: Option<PathBuf>,
) -> PyResult<(usize, u64)> {
    let timeout = seconds(timeout, "timeout")?;
    let choice = match lane {
        None => SwitchChoice::Automatic,
        Some(lane) => match lane.cast::<PyString>() {
            Ok(name) => SwitchChoice::Lane(name.to_cow()?.into_owned()),
            Err(_) => SwitchChoice::Index(lane.extract()?),
        },
    };
    py.detach(|| framelane::select(switch, &choice, directory.as_deref(), timeout)).map_err(raise)
}
