//! Chains of processors.

use crate::camera::Sensor;
use crate::clip::Clip;
use crate::engine::{Engine, Seen};
use crate::entry::{Answer, Vio, board, enter, give, vio};
use crate::ring::Ring;
use crate::status::{EXISTS, INVALID_FLOW, NOT_CONFIGURED, NOT_SUPPORTED, NULL, QUEUE, START};
use framelane_hobot_sys::{FlowVersion, node};
use std::sync::Arc;

#[derive(Default)]
pub struct Flow {
    pub nodes: Vec<i64>,
    /// From and to.
    bound: Vec<(i64, i64)>,
    engine: Option<Engine>,
}

impl Vio {
    fn flow(&mut self, handle: i64) -> Answer<&mut Flow> {
        self.flows.get_mut(&handle).ok_or(INVALID_FLOW)
    }

    /// The one processor of a kind in a flow.
    fn of_kind(&self, flow: i64, kind: i32) -> Option<i64> {
        let nodes = &self.flows.get(&flow)?.nodes;
        nodes.iter().copied().find(|handle| self.nodes.get(handle).is_some_and(|n| n.kind == kind))
    }

    /// The camera an ISP's pictures come from.
    pub fn host_of(&self, handle: i64) -> Option<u32> {
        let flow = self.flows.iter().find(|(_, flow)| flow.nodes.contains(&handle));
        let vin = self.of_kind(*flow?.0, node::VIN)?;
        Some(self.nodes.get(&vin)?.host)
    }

    /// Starts what is configured and connected: a camera, or a scaler alone.
    fn start(&mut self, handle: i64) -> Answer {
        if self.flow(handle)?.engine.is_some() {
            return Err(START);
        }
        let kinds = [node::VIN, node::ISP, node::VSE];
        let engine = match kinds.map(|kind| self.of_kind(handle, kind)) {
            [Some(vin), Some(isp), Some(vse)] => self.camera(handle, [vin, isp, vse])?,
            [None, None, Some(vse)] => {
                if !self.nodes[&vse].configured {
                    return Err(NOT_CONFIGURED);
                }
                Engine::fed(self.rings(vse)?)
            }
            _ => return Err(START),
        };
        self.flow(handle)?.engine = Some(engine);
        Ok(())
    }

    fn camera(&mut self, handle: i64, [vin, isp, vse]: [i64; 3]) -> Answer<Engine> {
        let bound = &self.flow(handle)?.bound;
        if !bound.contains(&(vin, isp)) || !bound.contains(&(isp, vse)) {
            return Err(START);
        }
        if [vin, isp, vse].iter().any(|node| !self.nodes[node].configured) {
            return Err(NOT_CONFIGURED);
        }
        let sensor = self.nodes[&vin].sensor.ok_or(START)?;
        let (host, Sensor { fps, size }) = (self.nodes[&vin].host, self.sensors[&sensor]);
        let clip = board()?.ion.clip_of(host).map(|path| Clip::open(&path, size)).transpose();
        let clip = clip.map_err(|error| {
            eprintln!("stand-in camera {host}: {error}");
            START
        })?;
        Ok(Engine::start(host, fps, self.rings(vse)?, clip))
    }

    /// Gives every output of a scaler its buffers, or none of them.
    fn rings(&mut self, vse: i64) -> Answer<Vec<Arc<Ring>>> {
        let node = self.node(vse)?;
        let input = node.input.ok_or(NOT_CONFIGURED)?;
        let mut rings = Vec::new();
        for (&channel, output) in &node.outputs {
            let Some(attr) = output.attr.filter(|attr| attr.chn_en != 0) else { continue };
            let buffers = output.buffers.ok_or(NOT_CONFIGURED)?;
            rings.push((channel, Arc::new(Ring::new(channel, &attr, &buffers, input)?)));
        }
        let give = |(channel, ring): (u32, Arc<Ring>)| {
            if let Some(output) = node.outputs.get_mut(&channel) {
                output.ring = Some(ring.clone());
            }
            ring
        };
        Ok(rings.into_iter().map(give).collect())
    }

    /// What the camera before an ISP saw last.
    pub fn seen_by(&self, isp: i64) -> Seen {
        let flow = self.flows.values().find(|flow| flow.nodes.contains(&isp));
        flow.and_then(|flow| flow.engine.as_ref()).map(Engine::seen).unwrap_or_default()
    }

    /// The outputs of a scaler that pictures can be sent to.
    pub fn to_feed(&self, vse: i64) -> Answer<Vec<Arc<Ring>>> {
        let flow = self.flows.values().find(|flow| flow.nodes.contains(&vse));
        let engine = flow.and_then(|flow| flow.engine.as_ref()).ok_or(QUEUE)?;
        engine.to_feed().ok_or(NOT_SUPPORTED)
    }

    /// The engine to stop, once nobody finds its rings any more.
    fn halt(&mut self, handle: i64) -> Answer<Option<Engine>> {
        let flow = self.flow(handle)?;
        let (engine, nodes) = (flow.engine.take(), flow.nodes.clone());
        for handle in nodes {
            let Some(node) = self.nodes.get_mut(&handle) else { continue };
            node.outputs.values_mut().for_each(|output| output.ring = None);
        }
        Ok(engine)
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vflow_create(flow: *mut i64) -> i32 {
    enter("hbn_vflow_create", || {
        if flow.is_null() {
            return Err(NULL);
        }
        let mut vio = vio();
        let new = vio.new_handle();
        vio.flows.insert(new, Flow::default());
        give(flow, new)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vflow_destroy(handle: i64) {
    let mut vio = vio();
    let engine = vio.halt(handle);
    if let Some(flow) = vio.flows.remove(&handle) {
        flow.nodes.iter().for_each(|node| drop(vio.nodes.remove(node)));
    }
    drop(vio);
    drop(engine); // waits for its thread
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vflow_add_vnode(flow: i64, node: i64) -> i32 {
    enter("hbn_vflow_add_vnode", || {
        let mut vio = vio();
        vio.node(node)?;
        if vio.flows.values().any(|flow| flow.nodes.contains(&node)) {
            return Err(EXISTS);
        }
        vio.flow(flow)?.nodes.push(node);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vflow_bind_vnode(flow: i64, from: i64, _: u32, to: i64, _: u32) -> i32 {
    enter("hbn_vflow_bind_vnode", || {
        let mut vio = vio();
        let flow = vio.flow(flow)?;
        if !flow.nodes.contains(&from) || !flow.nodes.contains(&to) {
            return Err(-15);
        }
        if flow.bound.contains(&(from, to)) {
            return Err(-19);
        }
        flow.bound.push((from, to));
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vflow_start(flow: i64) -> i32 {
    enter("hbn_vflow_start", || vio().start(flow))
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vflow_stop(flow: i64) -> i32 {
    enter("hbn_vflow_stop", || {
        let engine = vio().halt(flow)?;
        engine.map(drop).ok_or(-37)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vflow_get_version(version: *mut FlowVersion) -> i32 {
    enter("hbn_vflow_get_version", || give(version, FlowVersion { major: 1, minor: 0 }))
}
