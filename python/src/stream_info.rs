//! Record infos, configs and what a reader knows of its stream, as Python objects.

use crate::descriptor::{class, copied, read_back};
use crate::options::choice;
use framelane::{Codec, RecordInfo, StreamConfig, StreamInfo, StreamStart};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use zerocopy::IntoBytes;

static RECORD_INFO: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static STREAM_CONFIG: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static STREAM_INFO: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A copy of what a record is, as a `RecordInfo`.
pub fn record<'py>(py: Python<'py>, info: &RecordInfo) -> PyResult<Bound<'py, PyAny>> {
    copied(py, class(py, &RECORD_INFO, "RecordInfo")?, info.as_bytes())
}

/// What a `RecordInfo` says now.
pub fn record_from(info: &Bound<'_, PyAny>) -> PyResult<RecordInfo> {
    read_back(info, class(info.py(), &RECORD_INFO, "RecordInfo")?, "RecordInfo")
}

/// A copy of a config, as a `StreamConfig`.
pub fn config<'py>(py: Python<'py>, config: &StreamConfig) -> PyResult<Bound<'py, PyAny>> {
    copied(py, class(py, &STREAM_CONFIG, "StreamConfig")?, config.as_bytes())
}

/// What a `StreamConfig` says now; a codec alone says what it is and no more.
pub fn config_from(config: &Bound<'_, PyAny>) -> PyResult<StreamConfig> {
    let class = class(config.py(), &STREAM_CONFIG, "StreamConfig")?;
    if config.is_instance(class)? {
        return read_back(config, class, "StreamConfig");
    }
    choice(config, "codec", Codec::ALL, Codec::name, |codec| codec.number().into())
        .map(StreamConfig::new)
}

/// A place of a stream.
pub fn place(value: &Bound<'_, PyAny>) -> PyResult<StreamStart> {
    let all = StreamStart::ALL;
    choice(value, "place", all, StreamStart::name, |place| place.number().into())
}

/// What a reader knows about its lane, as a `StreamInfo`.
pub fn stream<'py>(py: Python<'py>, lane: StreamInfo) -> PyResult<Bound<'py, PyAny>> {
    let facts = PyDict::new(py);
    facts.set_item("name", lane.name)?;
    facts.set_item("epoch", lane.epoch)?;
    facts.set_item("consumer_id", lane.consumer_id)?;
    facts.set_item("data_bytes", lane.data_bytes)?;
    facts.set_item("record_limit_bytes", lane.record_limit_bytes)?;
    facts.set_item("index_capacity", lane.index_capacity)?;
    facts.set_item("flags", lane.flags)?;
    facts.set_item("total_bytes", lane.total_bytes)?;
    facts.set_item("producer_pid", lane.producer_pid)?;
    facts.set_item("producer_uid", lane.producer_uid)?;
    class(py, &STREAM_INFO, "StreamInfo")?.call((), Some(&facts))
}
