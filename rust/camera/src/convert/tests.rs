use super::*;
use framelane::{ColorMatrix, ColorRange};

/// Y, U, V of one colour by the definition of H.273, limited range.
fn by_definition([r, g, b]: [u8; 3], (kr, kb): (f64, f64)) -> [f64; 3] {
    let [r, g, b] = [r, g, b].map(|value| f64::from(value) / 255.0);
    let y = kr * r + (1.0 - kr - kb) * g + kb * b;
    let u = (b - y) / (2.0 * (1.0 - kb));
    let v = (r - y) / (2.0 * (1.0 - kr));
    [16.0 + 219.0 * y, 128.0 + 224.0 * u, 128.0 + 224.0 * v]
}

fn near(value: u8, expected: f64, what: &str) {
    assert!((f64::from(value) - expected).abs() <= 2.0, "{what}: {value}, not {expected:.1}");
}

const SIZES: [(u32, u32); 8] =
    [(1, 1), (2, 1), (1, 2), (3, 3), (16, 14), (33, 17), (64, 6), (130, 5)];

/// Bytes of the picture's planes, by plane.
fn planes(converter: &Converter, payload: &[u8]) -> Vec<Vec<u8>> {
    let layout = converter.layout();
    let places = layout.planes[..layout.plane_count.into()].iter();
    places.map(|p| payload[p.offset_bytes as usize..][..p.size_bytes as usize].to_vec()).collect()
}

#[test]
fn flat_colors_become_what_the_definition_says() {
    let matrices = [(ColorMatrix::Bt601, (0.299, 0.114)), (ColorMatrix::Bt709, (0.2126, 0.0722))];
    for (matrix, constants) in matrices {
        for color in [[0; 3], [255; 3], [255, 0, 0], [10, 200, 90], [30, 60, 250]] {
            let [y, u, v] = by_definition(color, constants);
            for (width, height) in SIZES {
                flat_picture(matrix, color, [y, u, v], width, height);
            }
        }
    }
}

fn flat_picture(matrix: ColorMatrix, color: [u8; 3], yuv: [f64; 3], width: u32, height: u32) {
    let rgb = color.repeat((width * height) as usize);
    for &format in PixelFormat::ALL {
        if format == PixelFormat::Yuyv && !width.is_multiple_of(2) {
            continue; // no such picture
        }
        let range = ColorRange::Limited;
        let meaning = Color { matrix, range, ..Color::usual(format, height) };
        let mut converter = Converter::new(format, width, height, meaning).unwrap();
        let mut payload = vec![0x77; converter.layout().total_bytes as usize];
        converter.rgb(&rgb, &mut payload).unwrap();
        let planes = planes(&converter, &payload);
        let what = format!("{format:?} {matrix:?} {color:?} {width}x{height}");
        let [y, u, v] = yuv;
        match format {
            PixelFormat::Rgb24 => assert_eq!(planes[0], rgb, "{what}"),
            PixelFormat::Bgr24 => {
                assert!(planes[0].chunks(3).all(|p| p == [color[2], color[1], color[0]]));
            }
            PixelFormat::Grey => planes[0].iter().for_each(|&value| near(value, y, &what)),
            PixelFormat::Nv12 => {
                planes[0].iter().for_each(|&value| near(value, y, &what));
                for pair in planes[1].chunks(2) {
                    near(pair[0], u, &what);
                    near(pair[1], v, &what);
                }
            }
            PixelFormat::I420 => {
                for (plane, expected) in planes.iter().zip(yuv) {
                    plane.iter().for_each(|&value| near(value, expected, &what));
                }
            }
            PixelFormat::Yuyv => {
                for four in planes[0].chunks(4) {
                    for (&value, expected) in four.iter().zip([y, u, y, v]) {
                        near(value, expected, &what);
                    }
                }
            }
        }
    }
}

#[test]
fn planes_come_from_where_they_belong() {
    for (width, height) in SIZES {
        let from = FrameLayout::new(PixelFormat::I420, width, height).unwrap();
        let source: Vec<u8> = (0..from.total_bytes).map(|n| (n * 7 + 16) as u8 % 200).collect();
        let (y, chroma) = source.split_at(from.planes[0].size_bytes as usize);
        let (u, v) = chroma.split_at(from.planes[1].size_bytes as usize);
        let half = width.div_ceil(2) as usize;
        let at = |plane: &[u8], x: usize, row: usize| plane[row / 2 * half + x / 2];
        let usual = Color::usual(PixelFormat::I420, height);
        let converted = |format| {
            let mut converter = Converter::new(format, width, height, usual).unwrap();
            let mut payload = vec![0; converter.layout().total_bytes as usize];
            converter.i420(&source, &mut payload).unwrap();
            planes(&converter, &payload)
        };
        assert_eq!(converted(PixelFormat::I420).concat(), source);
        assert_eq!(converted(PixelFormat::Grey).concat(), y);
        let nv12 = converted(PixelFormat::Nv12);
        let pairs: Vec<u8> = u.iter().zip(v).flat_map(|(&u, &v)| [u, v]).collect();
        assert_eq!((&nv12[0][..], &nv12[1]), (y, &pairs));
        if width % 2 == 0 {
            let packed = converted(PixelFormat::Yuyv).concat();
            for (index, two) in packed.chunks(2).enumerate() {
                let (x, row) = (index % width as usize, index / width as usize);
                let chroma = if x % 2 == 0 { at(u, x, row) } else { at(v, x, row) };
                assert_eq!(two, [y[index], chroma], "({x}, {row}) of {width}x{height}");
            }
        }
        let (rgb, bgr) = (converted(PixelFormat::Rgb24), converted(PixelFormat::Bgr24));
        let turned: Vec<u8> = bgr[0].chunks(3).flat_map(|p| [p[2], p[1], p[0]]).collect();
        assert_eq!(rgb[0], turned);
    }
}

#[test]
fn payloads_that_are_too_small_are_refused() {
    let color = Color::usual(PixelFormat::Nv12, 4);
    let mut converter = Converter::new(PixelFormat::Nv12, 4, 4, color).unwrap();
    let error = converter.rgb(&[0; 48], &mut [0; 23]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let error = converter.rgb(&[0; 47], &mut [0; 24]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
}
