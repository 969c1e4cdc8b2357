//! Sensors.

use crate::entry::{Answer, enter, give, read, vio};
use crate::status::{ATTRIBUTE, INVALID_NODE, NODE_TYPE, NULL};
use framelane_hobot_sys::{CameraConfig, node};

#[derive(Clone, Copy)]
pub struct Sensor {
    pub fps: u32,
    pub size: (u32, u32),
}

fn checked(config: *const CameraConfig) -> Answer<Sensor> {
    let config = read(config)?;
    let mipi = read(config.mipi_cfg)?;
    let named = config.name[0] != 0 && config.name.contains(&0);
    let plausible = named
        && config.addr != 0
        && (1..=120).contains(&config.fps)
        && config.width > 0
        && config.height > 0
        && mipi.rx_enable == 1
        && u32::from(mipi.fps) == config.fps
        && (u32::from(mipi.width), u32::from(mipi.height)) == (config.width, config.height);
    if !plausible {
        return Err(ATTRIBUTE);
    }
    Ok(Sensor { fps: config.fps, size: (config.width, config.height) })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_camera_create(config: *mut CameraConfig, handle: *mut i64) -> i32 {
    enter("hbn_camera_create", || {
        if handle.is_null() {
            return Err(NULL);
        }
        let sensor = checked(config)?;
        let mut vio = vio();
        let new = vio.new_handle();
        vio.sensors.insert(new, sensor);
        give(handle, new)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_camera_destroy(handle: i64) -> i32 {
    enter("hbn_camera_destroy", || {
        let mut vio = vio();
        vio.nodes.values_mut().filter(|n| n.sensor == Some(handle)).for_each(|n| n.sensor = None);
        vio.sensors.remove(&handle).map(drop).ok_or(INVALID_NODE)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_camera_attach_to_vin(handle: i64, vin: i64) -> i32 {
    enter("hbn_camera_attach_to_vin", || {
        let mut vio = vio();
        let size = vio.sensors.get(&handle).ok_or(INVALID_NODE)?.size;
        let node = vio.node(vin)?;
        if node.kind != node::VIN {
            return Err(NODE_TYPE);
        }
        if node.input != Some(size) {
            return Err(ATTRIBUTE);
        }
        node.sensor = Some(handle);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_camera_detach_from_vin(handle: i64) -> i32 {
    enter("hbn_camera_detach_from_vin", || {
        let mut vio = vio();
        let node = vio.nodes.values_mut().find(|node| node.sensor == Some(handle));
        node.map(|node| node.sensor = None).ok_or(INVALID_NODE)
    })
}
