//! The native half of the Python package `framelane`: lanes, leases and waiting. What Python users
//! see of it stands in `framelane/_core.pyi`.

mod bytes;
mod consumer;
mod descriptor;
mod dlpack;
mod errors;
mod frame;
mod frame_mut;
mod handle;
mod lanes;
mod log;
mod numpy;
mod options;
mod plane;
mod producer;
mod reading;
mod record;
mod record_mut;
mod shape;
mod shmbuf;
mod stream_info;
mod stream_reader;
mod stream_writer;
mod switch;
mod switch_controller;
mod waiting;

use pyo3::prelude::*;

/// The extension module.
#[pymodule]
#[pyo3(name = "_core")]
mod framelane_core {
    #[pymodule_export]
    use crate::consumer::Consumer;
    #[pymodule_export]
    use crate::frame::Frame;
    #[pymodule_export]
    use crate::frame_mut::FrameMut;
    #[pymodule_export]
    use crate::lanes::{discover, layout_hash, monotonic_ns, picture, query};
    #[pymodule_export]
    use crate::plane::Plane;
    #[pymodule_export]
    use crate::producer::Producer;
    #[pymodule_export]
    use crate::record::Record;
    #[pymodule_export]
    use crate::record_mut::RecordMut;
    #[pymodule_export]
    use crate::shmbuf::{ShmbufReceiver, ShmbufSender, remove_shmbuf};
    #[pymodule_export]
    use crate::stream_reader::StreamReader;
    #[pymodule_export]
    use crate::stream_writer::StreamWriter;
    #[pymodule_export]
    use crate::switch::Switch;
    #[pymodule_export]
    use crate::switch_controller::{SwitchController, select};

    #[pymodule_init]
    fn init(_module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        crate::log::collect();
        Ok(())
    }
}
