//! A setup in the vendor's words.

use super::setup::{ChannelSetup, SensorSetup};
use framelane_hobot_sys::{CameraConfig, InputAttr, MipiConfig, Rect, VseOutputAttr, frame_format};

/// RAW10 as MIPI numbers it.
pub(super) const RAW10: u32 = 0x2B;

pub(super) fn input(sensor: &SensorSetup, fmt: i32, bit_width: u32) -> InputAttr {
    InputAttr { tpg_en: 0, width: sensor.width, height: sensor.height, fmt, bit_width }
}

pub(super) fn output(channel: &ChannelSetup, sensor: &SensorSetup) -> VseOutputAttr {
    let crop = channel.crop_of(sensor);
    VseOutputAttr {
        chn_en: 1,
        roi: Rect { x: crop.x, y: crop.y, w: crop.width, h: crop.height },
        target_w: channel.width,
        target_h: channel.height,
        fmt: frame_format::NV12,
        bit_width: 8,
        ..VseOutputAttr::zeroed()
    }
}

/// Bit and index of `stop_check_instart` among the extra attributes.
const STOP_CHECK: usize = 6;

pub(super) fn mipi_config(sensor: &SensorSetup) -> MipiConfig {
    let mut extra = [0; 37];
    extra[STOP_CHECK] = 1;
    MipiConfig {
        rx_enable: 1,
        phy: 0,
        lane: sensor.lanes,
        datatype: RAW10 as u16,
        fps: sensor.fps as u16,
        mclk: 24,
        mipiclk: sensor.mipi_clock,
        width: sensor.width as u16,
        height: sensor.height as u16,
        linelenth: sensor.line_length,
        framelenth: sensor.frame_length,
        settle: 30,
        ppi_pg: 0,
        hsa_time: 0,
        hbp_time: 0,
        hsd_time: 0,
        channel_num: 1,
        channel_sel: [0; 4],
        padding: 0,
        rx_ex_mask: 1 << STOP_CHECK,
        rx_attr_ex: extra,
        bypass: std::ptr::null_mut(),
        end_flag: 0,
    }
}

pub(super) fn camera_config(sensor: &SensorSetup, mipi: &mut MipiConfig) -> CameraConfig {
    CameraConfig {
        name: text(&sensor.name),
        addr: sensor.address,
        isp_addr: 0,
        eeprom_addr: 0,
        serial_addr: 0,
        sensor_mode: 1,
        sensor_clk: 0,
        gpio_enable_bit: 1,
        gpio_level_bit: 0,
        bus_select: 0,
        bus_timeout: 0,
        fps: sensor.fps,
        width: sensor.width,
        height: sensor.height,
        format: RAW10,
        flags: 0,
        extra_mode: 0,
        config_index: 0,
        ts_compensate: 0,
        mipi_cfg: mipi,
        calib_lname: text(&sensor.calibration),
        sensor_param: std::ptr::null_mut(),
        iparam_mode: 0,
        end_flag: 0,
    }
}

/// A name that ends in zero; the setup was checked to fit.
fn text(name: &str) -> [u8; 108] {
    let mut bytes = [0; 108];
    let length = name.len().min(107);
    bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
    bytes
}
