//! Chains of processors.

use crate::engine::Engine;
use crate::entry::{Answer, Vio, enter, give, vio};
use crate::ring::Ring;
use crate::status::{EXISTS, INVALID_FLOW, NOT_CONFIGURED, NULL, START};
use framelane_hobot_sys::node;
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

    /// Starts what is configured and connected.
    fn start(&mut self, handle: i64) -> Answer {
        self.flow(handle)?;
        let kinds = [node::VIN, node::ISP, node::VSE];
        let found = kinds.map(|kind| self.of_kind(handle, kind));
        let [Some(vin), Some(isp), Some(vse)] = found else { return Err(START) };
        let flow = self.flow(handle)?;
        let connected = flow.bound.contains(&(vin, isp)) && flow.bound.contains(&(isp, vse));
        if !connected || flow.engine.is_some() {
            return Err(START);
        }
        if [vin, isp, vse].iter().any(|node| !self.nodes[node].configured) {
            return Err(NOT_CONFIGURED);
        }
        let sensor = self.nodes[&vin].sensor.ok_or(START)?;
        let (host, fps) = (self.nodes[&vin].host, self.sensors[&sensor].fps);
        let mut rings = Vec::new();
        for (&channel, output) in &mut self.node(vse)?.outputs {
            let Some(attr) = output.attr.filter(|attr| attr.chn_en != 0) else { continue };
            let buffers = output.buffers.ok_or(NOT_CONFIGURED)?;
            let ring = Arc::new(Ring::new(channel, &attr, &buffers)?);
            output.ring = Some(ring.clone());
            rings.push(ring);
        }
        self.flow(handle)?.engine = Some(Engine::start(host, fps, rings));
        Ok(())
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
