//! QR codes (ISO/IEC 18004) as one SVG path: sharp at any size, on paper and without JavaScript.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};

/// A QR code to be drawn into a square of so many units.
#[derive(Clone, Debug)]
pub struct QrPath {
    /// How wide and high it is, with the quiet zone of four modules that scanners need around it.
    pub side: usize,
    /// What is black, for the `d` of an SVG path.
    pub path: String,
}

/// Modules without ink around the code (section 6.3.8).
const QUIET: usize = 4;

/// `text` as a QR code. A quarter of it may be dirt or a fold (level Q), or less when it would be too fine otherwise.
///
/// # Panics
/// When the text is longer than any QR code holds (2,953 bytes): what is drawn here is ours and short.
pub(super) fn path(text: &str) -> QrPath {
    let level = if text.len() > 300 { EcLevel::M } else { EcLevel::Q };
    let code = QrCode::with_error_correction_level(text, level).expect("our texts are short");
    let (width, colors) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in colors.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            if run[0] == Color::Dark {
                let long = run.len();
                write!(path, "M{} {}h{long}v1h-{long}z", x + QUIET, y + QUIET).expect("a string takes all");
            }
            x += run.len();
        }
    }
    QrPath { side: width + 2 * QUIET, path }
}
