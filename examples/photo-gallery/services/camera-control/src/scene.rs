//! What this camera sees: the sun over hills, at a different time of day in every photo.

use std::f32::consts::TAU;

use anyhow::Result;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;
const QUALITY: u8 = 90;

/// The photo with this number, as a JPEG.
pub fn picture(number: u32) -> Result<Vec<u8>> {
    let mut jpeg = Vec::new();
    scene(number).write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY))?;
    Ok(jpeg)
}

fn scene(number: u32) -> RgbImage {
    // Multiples of the golden ratio never repeat and are evenly spread.
    let time = (number as f32 * 0.618_034 + 0.3).fract();
    let sun = (time, 0.75 - 0.6 * (time * TAU / 2.0).sin());
    let aspect = WIDTH as f32 / HEIGHT as f32;

    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (x, y) = (x as f32 / WIDTH as f32, y as f32 / HEIGHT as f32);
        let distance = ((x - sun.0) * aspect).hypot(y - sun.1);
        let hill = |height: f32, waves: f32| y > height + 0.06 * (x * waves + time * TAU).sin();
        if hill(0.82, 9.0) {
            Rgb([28, 60, 44])
        } else if hill(0.68, 5.0) {
            Rgb([44, 92, 72])
        } else if distance < 0.08 {
            Rgb([255, 240, 190])
        } else {
            let glow = (0.5 - distance).max(0.0);
            sky(y, sun.1, glow)
        }
    })
}

/// The colour of the sky: blue at the top, and warmer the lower the sun is.
fn sky(height: f32, sun: f32, glow: f32) -> Rgb<u8> {
    let red = 60.0 + 170.0 * sun * height + 200.0 * glow;
    let green = 110.0 + 60.0 * height + 120.0 * glow;
    let blue = 230.0 - 130.0 * sun * height + 20.0 * glow;
    Rgb([red as u8, green as u8, blue as u8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_jpegs_that_differ() {
        let first = picture(0).expect("picture");
        let second = picture(1).expect("picture");
        let decoded = image::load_from_memory_with_format(&first, image::ImageFormat::Jpeg).expect("a JPEG");
        assert_eq!((decoded.width(), decoded.height()), (WIDTH, HEIGHT));
        assert_ne!(first, second);
    }
}
