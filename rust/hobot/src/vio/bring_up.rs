//! From a setup to a running flow, and back again in the right order.

use super::Vio;
use super::attributes::{RAW10, camera_config, input, mipi_config, output};
use super::frame::VioFrame;
use super::setup::{CameraSetup, SensorSetup};
use crate::error::{Error, Result, vio};
use framelane_hobot_sys::{
    AeStatistics, BufAttr, CimAttr, Image, IspAttr, IspOutputAttr, Rect, VinAttr, VinInputAttr,
    VinOutputAttr, frame_format, node, usage,
};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A sensor does not always answer at once after it was switched on.
const ATTACH_TRIES: u32 = 5;
const ATTACH_PAUSE: Duration = Duration::from_millis(500);

/// A camera that runs. Ends when it and all its frames are dropped.
pub struct Pipeline(Arc<Running>);

pub(crate) struct Running {
    pub(crate) vio: Arc<Vio>,
    sensor: Option<i64>,
    nodes: Vec<i64>,
    /// So many of the nodes, the first, belong to the flow.
    added: usize,
    flow: Option<i64>,
    started: AtomicBool,
}

impl Pipeline {
    /// Checks the setup, opens the sensor and starts the flow.
    ///
    /// # Errors
    /// `InvalidArgument` for what cannot work; otherwise what the vendor's function fails with.
    pub fn start(vio: &Arc<Vio>, setup: &CameraSetup) -> Result<Pipeline> {
        setup.check()?;
        vio.memory().refuse_fork()?;
        let mut running = Running {
            vio: vio.clone(),
            sensor: None,
            nodes: Vec::new(),
            added: 0,
            flow: None,
            started: AtomicBool::new(false),
        };
        running.open_sensor(setup)?;
        let vin = running.open_vin(setup)?;
        let isp = running.open_isp(&setup.sensor)?;
        let vse = running.open_vse(setup)?;
        running.connect(vin, isp, vse)?;
        running.attach(vin)?;
        running.run()?;
        Ok(Pipeline(Arc::new(running)))
    }

    /// The next frame of a channel. Up to 1000 ms can be waited for.
    ///
    /// # Errors
    /// A transient one when none came in time or the flow was stopped.
    pub fn get(&self, channel: u32, timeout: Duration) -> Result<VioFrame> {
        self.0.vio.memory().refuse_fork()?;
        let get = self.0.vio.vpf.hbn_vnode_getframe()?;
        let milliseconds = milliseconds(timeout);
        let mut image = Image::zeroed();
        // SAFETY: a place for the answer that lives during the call.
        vio("hbn_vnode_getframe", unsafe { get(self.0.vse(), channel, milliseconds, &mut image) })?;
        Ok(VioFrame::new(self.0.clone(), channel, image))
    }

    /// Mean of the exposure statistics, as the ISP has them now.
    ///
    /// # Errors
    /// What the library fails with.
    pub fn brightness(&self) -> Result<f32> {
        self.0.vio.memory().refuse_fork()?;
        let ask = self.0.vio.vpf.hbn_isp_get_ae_statistics()?;
        let mut told = AeStatistics::zeroed();
        // SAFETY: a place for the answer that lives during the call.
        vio("hbn_isp_get_ae_statistics", unsafe { ask(self.0.nodes[1], &mut told) })?;
        let sum: u64 = told.exposure.iter().map(|&zone| u64::from(zone)).sum();
        Ok(sum as f32 / told.exposure.len() as f32)
    }

    /// Stops the flow: whoever waits for a frame is told at once, and no more come.
    pub fn stop(&self) {
        self.0.stop();
    }
}

/// A time as the library takes it, which makes 4000 of 0 and of more than 1000.
fn milliseconds(timeout: Duration) -> u32 {
    timeout.as_millis().clamp(1, 1000) as u32
}

impl Running {
    /// The scaler, which is opened last.
    pub(crate) fn vse(&self) -> i64 {
        self.nodes.last().copied().unwrap_or(-1)
    }

    fn open_sensor(&mut self, setup: &CameraSetup) -> Result<()> {
        let create = self.vio.cam.hbn_camera_create()?;
        let mut mipi = mipi_config(&setup.sensor);
        let mut config = camera_config(&setup.sensor, &mut mipi);
        let mut sensor = 0;
        // SAFETY: both descriptions and the place for the answer live during the call.
        vio("hbn_camera_create", unsafe { create(&mut config, &mut sensor) })?;
        self.sensor = Some(sensor);
        Ok(())
    }

    fn open(&mut self, kind: i32, host: u32) -> Result<i64> {
        let open = self.vio.vpf.hbn_vnode_open()?;
        let mut node = 0;
        // SAFETY: a place for the answer that lives during the call.
        vio("hbn_vnode_open", unsafe { open(kind, host, node::AUTO_ALLOC_ID, &mut node) })?;
        self.nodes.push(node);
        Ok(node)
    }

    fn set<T>(&self, node: i64, attr: &mut T) -> Result<()> {
        let set = self.vio.vpf.hbn_vnode_set_attr()?;
        // SAFETY: the attribute of this kind of node, which lives during the call.
        vio("hbn_vnode_set_attr", unsafe { set(node, std::ptr::from_mut(attr).cast::<c_void>()) })
    }

    fn set_input<T>(&self, node: i64, attr: &mut T) -> Result<()> {
        let set = self.vio.vpf.hbn_vnode_set_ichn_attr()?;
        let attr = std::ptr::from_mut(attr).cast::<c_void>();
        // SAFETY: as for the whole node.
        vio("hbn_vnode_set_ichn_attr", unsafe { set(node, 0, attr) })
    }

    fn set_output<T>(&self, node: i64, channel: u32, attr: &mut T) -> Result<()> {
        let set = self.vio.vpf.hbn_vnode_set_ochn_attr()?;
        let attr = std::ptr::from_mut(attr).cast::<c_void>();
        // SAFETY: as for the whole node.
        vio("hbn_vnode_set_ochn_attr", unsafe { set(node, channel, attr) })
    }

    fn open_vin(&mut self, setup: &CameraSetup) -> Result<i64> {
        let (width, height) = (setup.sensor.width, setup.sensor.height);
        let vin = self.open(node::VIN, setup.host)?;
        let mut attr = VinAttr::zeroed();
        attr.cim = CimAttr {
            mipi_en: 1,
            mipi_rx: setup.host,
            ipi_channel: 1,
            cim_isp_flyby: 1,
            enable_frame_id: 1,
            ..CimAttr::zeroed()
        };
        self.set(vin, &mut attr)?;
        self.set_input(vin, &mut VinInputAttr { format: RAW10, width, height })?;
        let mut out = VinOutputAttr::zeroed();
        (out.ddr_en, out.wstride, out.vstride, out.format) = (1, width * 2, height, RAW10);
        self.set_output(vin, 0, &mut out)?;
        Ok(vin)
    }

    fn open_isp(&mut self, sensor: &SensorSetup) -> Result<i64> {
        let whole = Rect { x: 0, y: 0, w: sensor.width, h: sensor.height };
        let isp = self.open(node::ISP, 0)?;
        let mut attr = IspAttr::zeroed();
        (attr.input_mode, attr.crop) = (1, whole);
        self.set(isp, &mut attr)?;
        self.set_input(isp, &mut input(sensor, frame_format::RAW, 10))?;
        let mut out = IspOutputAttr::zeroed();
        (out.ddr_en, out.out, out.fmt, out.bit_width) = (1, whole, frame_format::NV12, 8);
        self.set_output(isp, 0, &mut out)?;
        Ok(isp)
    }

    fn open_vse(&mut self, setup: &CameraSetup) -> Result<i64> {
        let vse = self.open(node::VSE, 0)?;
        self.set(vse, &mut 0u32)?; // vse_attr_t: no rate control
        self.set_input(vse, &mut input(&setup.sensor, frame_format::NV12, 8))?;
        let set_buffers = self.vio.vpf.hbn_vnode_set_ochn_buf_attr()?;
        for channel in &setup.channels {
            self.set_output(vse, channel.number, &mut output(channel, &setup.sensor))?;
            let cached = if channel.cached { usage::CACHED } else { 0 };
            let flags = usage::CPU_READ_OFTEN | usage::CPU_WRITE_OFTEN | cached;
            let mut buffers = BufAttr { flags, buffers_num: channel.buffers, is_contig: 1 };
            // SAFETY: a description that lives during the call.
            let code = unsafe { set_buffers(vse, channel.number, &mut buffers) };
            vio("hbn_vnode_set_ochn_buf_attr", code)?;
        }
        Ok(vse)
    }

    fn connect(&mut self, vin: i64, isp: i64, vse: i64) -> Result<()> {
        let create = self.vio.vpf.hbn_vflow_create()?;
        let add = self.vio.vpf.hbn_vflow_add_vnode()?;
        let bind = self.vio.vpf.hbn_vflow_bind_vnode()?;
        let mut flow = 0;
        // SAFETY: a place for the answer that lives during the call.
        vio("hbn_vflow_create", unsafe { create(&mut flow) })?;
        self.flow = Some(flow);
        for node in [vin, isp, vse] {
            // SAFETY: plain numbers.
            vio("hbn_vflow_add_vnode", unsafe { add(flow, node) })?;
            self.added += 1;
        }
        // The VIN leads straight on, without a round through memory: its output 1.
        for (from, out, to) in [(vin, 1, isp), (isp, 0, vse)] {
            // SAFETY: plain numbers.
            vio("hbn_vflow_bind_vnode", unsafe { bind(flow, from, out, to, 0) })?;
        }
        Ok(())
    }

    fn attach(&self, vin: i64) -> Result<()> {
        let attach = self.vio.cam.hbn_camera_attach_to_vin()?;
        let sensor = self.sensor.unwrap_or(-1);
        let mut tries = 0;
        loop {
            // SAFETY: plain numbers.
            match vio("hbn_camera_attach_to_vin", unsafe { attach(sensor, vin) }) {
                Err(error) if tries + 1 < ATTACH_TRIES => {
                    tracing::info!(%error, "the sensor does not answer yet");
                    tries += 1;
                    std::thread::sleep(ATTACH_PAUSE);
                }
                other => return other,
            }
        }
    }

    fn run(&self) -> Result<()> {
        let start = self.vio.vpf.hbn_vflow_start()?;
        // SAFETY: plain numbers.
        vio("hbn_vflow_start", unsafe { start(self.flow.unwrap_or(-1)) })?;
        self.started.store(true, Ordering::Release);
        Ok(())
    }

    fn stop(&self) {
        if !self.started.swap(false, Ordering::AcqRel) {
            return;
        }
        let Some(flow) = self.flow else { return };
        let stopped = self.vio.vpf.hbn_vflow_stop().map_err(Error::from).and_then(|stop| {
            // SAFETY: plain numbers.
            vio("hbn_vflow_stop", unsafe { stop(flow) })
        });
        if let Err(error) = stopped {
            tracing::warn!(%error, "stopping a camera");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.vio.memory().is_foreign() {
            return; // the camera is the parent's
        }
        self.stop();
        let (vpf, cam) = (&self.vio.vpf, &self.vio.cam);
        // A flow closes the nodes it was given, and only those.
        if let (Some(flow), Ok(destroy)) = (self.flow, vpf.hbn_vflow_destroy()) {
            // SAFETY: each handle is this owner's, and ended once.
            unsafe { destroy(flow) };
        }
        if let Ok(close) = vpf.hbn_vnode_close() {
            // SAFETY: as above; these are the nodes that no flow has.
            self.nodes[self.added..].iter().for_each(|&node| unsafe { close(node) });
        }
        if let (Some(sensor), Ok(destroy)) = (self.sensor, cam.hbn_camera_destroy()) {
            // SAFETY: as above.
            if let Err(error) = vio("hbn_camera_destroy", unsafe { destroy(sensor) }) {
                tracing::warn!(%error, "closing a sensor");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wait_becomes_one_that_the_library_makes_longer() {
        let asked = [0, 1, 700, 1000, 2000].map(Duration::from_millis);
        assert_eq!(asked.map(milliseconds), [1, 1, 700, 1000, 1000]);
    }
}
