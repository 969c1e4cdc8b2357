//! Renders a clip that pans and zooms over a picture:
//! `make_clip --picture PICTURE --out CLIP.y4m [--size 640x480] [--pictures 300] [--fps 30]`.

use framelane::PixelFormat;
use framelane_camera::{Rate, images::Images, y4m};
use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut picture, mut out) = (None, None);
    let (mut size, mut pictures, mut rate) = ((640, 480), 300, Rate::DEFAULT);
    let mut words = std::env::args().skip(1);
    while let Some(name) = words.next() {
        let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--picture" => picture = Some(value),
            "--out" => out = Some(value),
            "--size" => {
                let (width, height) = value.split_once('x').ok_or("a size is WIDTHxHEIGHT")?;
                size = (width.parse()?, height.parse()?);
            }
            "--pictures" => pictures = value.parse()?,
            "--fps" => rate = value.parse()?,
            _ => return Err(format!("no option {name}").into()),
        }
    }
    let picture = picture.ok_or("--picture is missing")?;
    let out = out.ok_or("--out is missing")?;
    let mut source = Images::open(Path::new(&picture), PixelFormat::I420, size.0, size.1, rate)?;
    let mut file = BufWriter::new(File::create(&out)?);
    y4m::render(&mut source, pictures, &mut file)?;
    eprintln!("{out}: {pictures} pictures of {}x{} at {rate} per second", size.0, size.1);
    Ok(())
}
