//! libvpf: frames from the camera through its image processors.

use crate::hbmem::GraphicBuf;
use crate::load::library;
use crate::plain::plain;

/// Kinds of processors.
#[allow(missing_docs, reason = "the vendor's names")]
pub mod node {
    pub const VIN: i32 = 0;
    pub const ISP: i32 = 1;
    pub const VSE: i32 = 2;
    /// Context id that the library chooses.
    pub const AUTO_ALLOC_ID: i32 = -1;
}

/// `frame_format_e`: not the numbers of libhbmem.
#[allow(missing_docs, reason = "the vendor's names")]
pub mod frame_format {
    pub const RAW: i32 = 1;
    pub const NV12: i32 = 2;
}

plain! {
    /// `struct timeval`.
    TimeVal, 16 {
        seconds: i64 = 0,
        microseconds: i64 = 8,
    }
}

plain! {
    /// `hbn_frame_info_t`.
    FrameInfo, 56 {
        frame_id: u32 = 0,
        hole: u32 = 4,
        /// In a unit that the vendor does not document.
        timestamps: u64 = 8,
        tv: TimeVal = 16,
        trig_tv: TimeVal = 32,
        frame_done: u32 = 48,
        bufferindex: i32 = 52,
    }
}

plain! {
    /// `hbn_vnode_image_t`.
    Image, 224 {
        info: FrameInfo = 0,
        buffer: GraphicBuf = 56,
        metadata: u64 = 216,
    }
}

plain! {
    /// `hbn_buf_alloc_attr_t`.
    BufAttr, 16 {
        flags: i64 = 0,
        buffers_num: u32 = 8,
        is_contig: u32 = 12,
    }
}

plain! {
    /// `common_rect_t`.
    Rect, 16 {
        x: u32 = 0,
        y: u32 = 4,
        w: u32 = 8,
        h: u32 = 12,
    }
}

plain! {
    /// `vse_ichn_attr_t`, and `isp_ichn_attr_t`, which has the same fields.
    InputAttr, 20 {
        tpg_en: i32 = 0,
        width: u32 = 4,
        height: u32 = 8,
        fmt: i32 = 12,
        bit_width: u32 = 16,
    }
}

plain! {
    /// `vse_ochn_attr_t`.
    VseOutputAttr, 48 {
        chn_en: i32 = 0,
        roi: Rect = 4,
        target_w: u32 = 20,
        target_h: u32 = 24,
        y_stride: u32 = 28,
        uv_stride: u32 = 32,
        fmt: i32 = 36,
        bit_width: u32 = 40,
        src_fps: u16 = 44,
        dst_fps: u16 = 46,
    }
}

plain! {
    /// `isp_attr_t`.
    IspAttr, 32 {
        input_mode: i32 = 0,
        sched_mode: i32 = 4,
        tile_mode: i32 = 8,
        sensor_mode: i32 = 12,
        crop: Rect = 16,
    }
}

plain! {
    /// `isp_ochn_attr_t`.
    IspOutputAttr, 28 {
        ddr_en: i32 = 0,
        out: Rect = 4,
        fmt: i32 = 20,
        bit_width: u32 = 24,
    }
}

plain! {
    /// `cim_attr`, the first part of `vin_node_attr_t`.
    CimAttr, 88 {
        mipi_en: u32 = 0,
        mipi_rx: u32 = 4,
        vc_index: u32 = 8,
        ipi_channel: u32 = 12,
        cim_pym_flyby: u32 = 16,
        cim_isp_flyby: u32 = 20,
        tpg_en: u32 = 24,
        tpg_fps: u32 = 28,
        enable_frame_id: u32 = 32,
        set_init_frame_id: u32 = 36,
        time_stamp_en: u32 = 40,
        time_stamp_mode: u32 = 44,
        ts_src: u32 = 48,
        pps_src: u32 = 52,
        enable_pattern: u32 = 56,
        skip_frame: u32 = 60,
        input_fps: u32 = 64,
        output_fps: u32 = 68,
        skip_nums: u32 = 72,
        hw_extract_m: u32 = 76,
        hw_extract_n: u32 = 80,
        hdr_mode: u32 = 84,
    }
}

plain! {
    /// `vin_node_attr_t`.
    VinAttr, 412 {
        cim: CimAttr = 0,
        lpwm: [u32; 29] = 88,
        vcon: [u32; 51] = 204,
        flow_id: u32 = 408,
    }
}

plain! {
    /// `vin_ichn_attr_t`.
    VinInputAttr, 12 {
        format: u32 = 0,
        width: u32 = 4,
        height: u32 = 8,
    }
}

plain! {
    /// `vin_ochn_attr_t`.
    VinOutputAttr, 72 {
        ddr_en: u32 = 0,
        roi_en: u32 = 4,
        emb_en: u32 = 8,
        rawds_en: u32 = 12,
        ochn_attr_type: u32 = 16,
        pack_mode: u32 = 20,
        wstride: u32 = 24,
        vstride: u32 = 28,
        format: u32 = 32,
        rawds: u32 = 36,
        roi: Rect = 40,
        emb: Rect = 56,
    }
}

plain! {
    /// `hbn_isp_ae_statistics_t`.
    AeStatistics, 16400 {
        /// 32 by 32 zones of four values.
        exposure: [u32; 4096] = 0,
        datatype: u32 = 16384,
        frame_id: u32 = 16388,
        timestamps: u64 = 16392,
    }
}

plain! {
    /// `hbn_version_t`. That the first number is the major one is assumed.
    FlowVersion, 8 {
        major: u32 = 0,
        minor: u32 = 4,
    }
}

library! {
    /// The functions of libvpf.
    Vpf, &["libvpf.so.1", "libvpf.so"];

    /// Opens a processor.
    fn hbn_vnode_open(kind: i32, hw_id: u32, ctx_id: i32, node: *mut i64) -> i32;
    /// Closes it.
    fn hbn_vnode_close(node: i64);
    /// Sets what the whole processor does.
    fn hbn_vnode_set_attr(node: i64, attr: *mut std::ffi::c_void) -> i32;
    /// Sets what goes in.
    fn hbn_vnode_set_ichn_attr(node: i64, channel: u32, attr: *mut std::ffi::c_void) -> i32;
    /// Sets what comes out.
    fn hbn_vnode_set_ochn_attr(node: i64, channel: u32, attr: *mut std::ffi::c_void) -> i32;
    /// Gives an output buffers of its own.
    fn hbn_vnode_set_ochn_buf_attr(node: i64, channel: u32, attr: *mut BufAttr) -> i32;
    /// The next frame of an output; 0 and over 1000 ms wait for 4000 ms.
    fn hbn_vnode_getframe(node: i64, channel: u32, timeout_ms: u32, image: *mut Image) -> i32;
    /// Gives a frame's buffer back to the hardware. Only `info.bufferindex` is looked at.
    fn hbn_vnode_releaseframe(node: i64, channel: u32, image: *mut Image) -> i32;
    /// A descriptor to poll: it can be read from while an output has a frame. It stays the
    /// library's.
    fn hbn_vnode_get_fd(node: i64, channel: u32, fd: *mut i32) -> i32;
    /// Sends a picture into a processor that no other leads into; blocks for about 33 ms at most.
    fn hbn_vnode_sendframe(node: i64, channel: u32, image: *mut Image) -> i32;
    /// Of the interface.
    fn hbn_vflow_get_version(version: *mut FlowVersion) -> i32;
    /// A chain of processors.
    fn hbn_vflow_create(flow: *mut i64) -> i32;
    /// Ends it.
    fn hbn_vflow_destroy(flow: i64);
    /// Puts a processor into it.
    fn hbn_vflow_add_vnode(flow: i64, node: i64) -> i32;
    /// Leads one's output into another's input.
    fn hbn_vflow_bind_vnode(flow: i64, from: i64, out: u32, to: i64, into: u32) -> i32;
    /// Starts it.
    fn hbn_vflow_start(flow: i64) -> i32;
    /// Stops it; whoever waits for a frame is told.
    fn hbn_vflow_stop(flow: i64) -> i32;
    /// How bright the last exposures were.
    fn hbn_isp_get_ae_statistics(node: i64, statistics: *mut AeStatistics) -> i32;
}
