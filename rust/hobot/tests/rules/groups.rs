//! Groups of pictures.

use super::*;
use framelane_hobot_sys::GraphicBufGroup;

const INVALID_GROUPID: i32 = -16_777_194;

/// Sizes, formats and flags of eight pictures, each of its own.
struct Asked {
    width: [i32; 8],
    height: [i32; 8],
    format: [i32; 8],
    flags: [i64; 8],
    stride: [i32; 8],
    vstride: [i32; 8],
}

impl Asked {
    fn new() -> Self {
        let (contiguous, apart) = (READ | WRITE | CONTIGUOUS, READ | WRITE);
        Asked {
            width: [64; 8],
            height: std::array::from_fn(|index| 32 << index),
            format: [NV12; 8],
            flags: std::array::from_fn(|index| if index % 2 == 0 { contiguous } else { apart }),
            stride: [0; 8],
            vstride: [0; 8],
        }
    }

    fn alloc(&mut self, pictures: u32) -> Result<GraphicBufGroup, i32> {
        let mut made = GraphicBufGroup::zeroed();
        match call!(hb_mem_alloc_graph_buf_group(
            self.width.as_mut_ptr(),
            self.height.as_mut_ptr(),
            self.format.as_mut_ptr(),
            self.flags.as_mut_ptr(),
            self.stride.as_mut_ptr(),
            self.vstride.as_mut_ptr(),
            &mut made,
            pictures
        )) {
            0 => Ok(made),
            code => Err(code),
        }
    }
}

fn import_group(from: &GraphicBufGroup) -> Result<GraphicBufGroup, i32> {
    let (mut asked, mut made) = (*from, GraphicBufGroup::zeroed());
    match call!(hb_mem_import_graph_buf_group(&mut asked, &mut made)) {
        0 => Ok(made),
        code => Err(code),
    }
}

/// Allocates a group, and waits to be killed.
pub fn owner() {
    assert_eq!(call!(hb_mem_module_open()), 0);
    let made = Asked::new().alloc(0b101).unwrap();
    put(made.graph_group[2].virt_addr[1], 66);
    say(to_text(&made));
    hear();
}

#[test]
fn a_group_has_the_pictures_of_its_bits_and_is_freed_as_one() {
    let module = Module::open();
    let made = Asked::new().alloc(0b110).unwrap();
    let [none, apart, whole] = [0, 1, 2].map(|index| made.graph_group[index]);
    assert_eq!((made.bit_map, none), (0b110, GraphicBuf::ZERO));
    assert!(made.group_id > 0);
    assert_eq!((apart.is_contig, apart.height, apart.size), (0, 64, [4096, 2048, 0]));
    assert_eq!((whole.is_contig, whole.height, whole.size), (1, 128, [8192, 4096, 0]));
    assert_eq!((apart.share_id, whole.share_id), ([1, 2, 0], [3, 0, 0]));
    assert_eq!(whole.virt_addr[1], whole.virt_addr[0] + 8192);
    let mut found = GraphicBufGroup::zeroed();
    assert_eq!(call!(hb_mem_get_graph_buf_group(apart.fd[1], &mut found)), 0);
    assert_eq!(to_text(&found), to_text(&made));
    found = GraphicBufGroup::zeroed();
    let inside = whole.virt_addr[1] + 3;
    assert_eq!(call!(hb_mem_get_graph_buf_group_with_vaddr(inside, &mut found)), 0);
    assert_eq!(to_text(&found), to_text(&made));
    let mut picture = GraphicBuf::ZERO;
    assert_eq!(call!(hb_mem_get_graph_buf(whole.fd[0], &mut picture)), INVALID_FD, "no picture");
    assert_eq!(free(whole.fd[0]), 0);
    assert_eq!(free(apart.fd[0]), INVALID_FD, "freed already");
    assert!(module.0.ids().is_empty());
}

#[test]
fn one_impossible_picture_and_there_is_no_group() {
    let module = Module::open();
    for bits in [0, 0x100, 0x101] {
        assert_eq!(Asked::new().alloc(bits).err(), Some(INVALID_PARAMS), "{bits:#x}");
    }
    let mut asked = Asked::new();
    asked.stride[2] = 63;
    assert_eq!(asked.alloc(0b111).err(), Some(INVALID_PARAMS));
    assert!(module.0.ids().is_empty());
    let made = asked.alloc(0b011).unwrap();
    assert_eq!(free(made.graph_group[0].fd[0]), 0, "what is not asked for is not looked at");
}

#[test]
fn a_group_is_imported_as_a_whole_or_not_at_all() {
    let module = Module::open();
    let role = module.0.start("group");
    let theirs: GraphicBufGroup = from_text(&role.line());
    let change = |change: fn(&mut GraphicBufGroup)| {
        let mut asked = theirs;
        change(&mut asked);
        import_group(&asked).err()
    };
    assert_eq!(change(|group| group.group_id = 0), Some(INVALID_GROUPID));
    assert_eq!(change(|group| group.bit_map = 0), Some(INVALID_PARAMS));
    assert_eq!(change(|group| group.bit_map = 0b111), Some(INVALID_PARAMS), "no such picture");
    assert_eq!(change(|group| group.graph_group[2].width = 62), Some(INVALID_PARAMS));
    assert_eq!(change(|group| group.graph_group[2].flags |= CACHED), Some(INVALID_PARAMS));
    let ids = [0, 2].map(|index| theirs.graph_group[index].share_id[0]);
    assert_eq!(ids.map(|id| module.0.counts(id)), [(1, 0); 2], "what failed holds nothing");
    let mut mine = import_group(&theirs).unwrap();
    assert_eq!((mine.group_id, mine.bit_map), (theirs.group_id, theirs.bit_map));
    assert_eq!(byte(mine.graph_group[2].virt_addr[1]), 66);
    assert_eq!(call!(hb_mem_inc_graph_buf_group_consume_cnt(&mut mine)), 0);
    assert_eq!(ids.map(|id| module.0.counts(id)), [(2, 1); 2]);
    for picture in [0, 2].map(|index| mine.graph_group[index]) {
        assert_eq!(call!(hb_mem_dec_consume_cnt(picture.fd[0])), 0);
        assert_eq!(call!(hb_mem_inc_user_consume_cnt(picture.fd[0])), INVALID_PARAMS);
    }
    drop(role);
    assert_eq!(byte(mine.graph_group[2].virt_addr[1]), 66, "it outlives its owner");
    assert_eq!(free(mine.graph_group[2].fd[0]), 0);
    assert!(module.0.ids().is_empty());
}

#[test]
fn an_address_in_a_group_tells_so() {
    let _module = Module::open();
    let made = Asked::new().alloc(0b1).unwrap();
    let address = made.graph_group[0].virt_addr[1];
    let (mut kind, mut common, mut graphic) = (-1, CommonBuf::ZERO, GraphicBuf::ZERO);
    assert_eq!(call!(hb_mem_get_buf_type_with_vaddr(address, &mut kind)), 0);
    assert_eq!(kind, 2);
    let mut group = GraphicBufGroup::zeroed();
    let code = call!(hb_mem_get_buf_and_type_with_vaddr(
        address,
        &mut kind,
        &mut common,
        &mut graphic,
        &mut group
    ));
    assert_eq!((code, kind, to_text(&group)), (0, 2, to_text(&made)));
    assert_eq!((common, graphic), (CommonBuf::ZERO, GraphicBuf::ZERO));
    assert_eq!(free(made.graph_group[0].fd[0]), 0);
}
