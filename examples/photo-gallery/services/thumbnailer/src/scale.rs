use std::io::Cursor;

use anyhow::{Context as _, Result, ensure};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{ImageReader, Limits};

const MAX_SIDE: u32 = 16_384;
const QUALITY: u8 = 80;

/// Scales a JPEG or PNG to a width, keeping its proportions; never enlarges it. The result is a JPEG.
pub fn to_width(picture: &[u8], width: u32) -> Result<Vec<u8>> {
    ensure!(width > 0, "a thumbnail cannot be 0 pixels wide");
    let mut reader = ImageReader::new(Cursor::new(picture)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    reader.limits(limits);
    let image = reader.decode().context("failed to decode the picture")?;

    let width = width.min(image.width());
    let height = u64::from(image.height()) * u64::from(width) / u64::from(image.width());
    let height = u32::try_from(height)?.max(1);
    let scaled = image.resize_exact(width, height, FilterType::Triangle).into_rgb8();

    let mut jpeg = Vec::new();
    scaled.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, QUALITY))?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, ImageFormat};

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(width, height).write_to(&mut bytes, format).expect("encoded picture");
        bytes.into_inner()
    }

    fn size_of_jpeg(bytes: &[u8]) -> (u32, u32) {
        let image = image::load_from_memory_with_format(bytes, ImageFormat::Jpeg).expect("a JPEG");
        (image.width(), image.height())
    }

    #[test]
    fn proportions_are_kept() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let thumbnail = to_width(&picture(400, 300, format), 100).expect("thumbnail");
            assert_eq!(size_of_jpeg(&thumbnail), (100, 75));
        }
    }

    #[test]
    fn nothing_is_scaled_up() {
        let thumbnail = to_width(&picture(40, 30, ImageFormat::Png), 100).expect("thumbnail");
        assert_eq!(size_of_jpeg(&thumbnail), (40, 30));
    }

    #[test]
    fn a_flat_picture_keeps_a_line() {
        let thumbnail = to_width(&picture(400, 1, ImageFormat::Png), 10).expect("thumbnail");
        assert_eq!(size_of_jpeg(&thumbnail), (10, 1));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        assert!(to_width(b"no picture", 100).is_err());
        assert!(to_width(&picture(4, 3, ImageFormat::Png), 0).is_err());
    }
}
