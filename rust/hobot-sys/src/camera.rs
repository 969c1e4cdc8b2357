//! libcam: the sensor.

use crate::load::library;
use std::mem::{align_of, offset_of, size_of};

/// `mipi_config_t`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[allow(missing_docs, reason = "the vendor's fields, described in its manual")]
pub struct MipiConfig {
    pub rx_enable: u32,
    pub phy: u16,
    pub lane: u16,
    pub datatype: u16,
    pub fps: u16,
    pub mclk: u16,
    pub mipiclk: u16,
    pub width: u16,
    pub height: u16,
    pub linelenth: u16,
    pub framelenth: u16,
    pub settle: u16,
    pub ppi_pg: u16,
    pub hsa_time: u16,
    pub hbp_time: u16,
    pub hsd_time: u16,
    pub channel_num: u16,
    pub channel_sel: [u16; 4],
    pub padding: u32,
    pub rx_ex_mask: u64,
    /// Named by the bits of `rx_ex_mask`.
    pub rx_attr_ex: [u32; 37],
    pub bypass: *mut std::ffi::c_void,
    pub end_flag: u32,
}

/// `camera_config_t`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[allow(missing_docs, reason = "the vendor's fields, described in its manual")]
pub struct CameraConfig {
    pub name: [u8; 108],
    pub addr: u32,
    pub isp_addr: u32,
    pub eeprom_addr: u32,
    pub serial_addr: u32,
    pub sensor_mode: u32,
    pub sensor_clk: u32,
    pub gpio_enable_bit: u32,
    pub gpio_level_bit: u32,
    pub bus_select: u32,
    pub bus_timeout: u32,
    pub fps: u32,
    pub width: u32,
    pub height: u32,
    pub format: u32,
    pub flags: u32,
    pub extra_mode: u32,
    pub config_index: u32,
    pub ts_compensate: u32,
    pub mipi_cfg: *mut MipiConfig,
    pub calib_lname: [u8; 108],
    pub sensor_param: *mut std::ffi::c_void,
    pub iparam_mode: u32,
    pub end_flag: u32,
}

const _: () = {
    assert!(size_of::<MipiConfig>() == 224 && align_of::<MipiConfig>() == 8);
    assert!(offset_of!(MipiConfig, phy) == 4);
    assert!(offset_of!(MipiConfig, rx_ex_mask) == 48);
    assert!(offset_of!(MipiConfig, rx_attr_ex) == 56);
    assert!(offset_of!(MipiConfig, bypass) == 208);
    assert!(size_of::<CameraConfig>() == 320 && align_of::<CameraConfig>() == 8);
    assert!(offset_of!(CameraConfig, addr) == 108);
    assert!(offset_of!(CameraConfig, sensor_mode) == 124);
    assert!(offset_of!(CameraConfig, fps) == 148);
    assert!(offset_of!(CameraConfig, format) == 160);
    assert!(offset_of!(CameraConfig, mipi_cfg) == 184);
    assert!(offset_of!(CameraConfig, calib_lname) == 192);
    assert!(offset_of!(CameraConfig, sensor_param) == 304);
    assert!(offset_of!(CameraConfig, end_flag) == 316);
};

library! {
    /// The functions of libcam.
    Cam, &["libcam.so.1", "libcam.so"];

    /// Opens a sensor.
    fn hbn_camera_create(config: *mut CameraConfig, camera: *mut i64) -> i32;
    /// Closes it.
    fn hbn_camera_destroy(camera: i64) -> i32;
    /// Leads its pictures into a VIN processor.
    fn hbn_camera_attach_to_vin(camera: i64, vin: i64) -> i32;
    /// And no more.
    fn hbn_camera_detach_from_vin(camera: i64) -> i32;
}
