//! Use cases: keep a photo of a resident, and show it. The picture is sealed on its own, so that no list and no page that does not
//! ask for it ever opens it.

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_codec::b64;
use kaname_store::{Store, Tx};
use kaname_trust::person::bucket_of;
use kaname_trust::{Keys, Record, Sealed, seal};
use serde::{Deserialize, Serialize};

use super::record::{NewEvent, Side, record};
use super::{Change, table as own};
use crate::show::{Asking, log, record_with};
use crate::{Action, PersonError, Refusal, policy};

/// The most bytes of a photo. A picture of a face for a card needs a tenth of it.
pub const LARGEST_PHOTO: usize = 256 * 1024;

/// The least and the most dots on a side: less shows no face, more hides something else.
const SIDES: std::ops::RangeInclusive<u32> = 100..=4_000;

/// How a PNG file begins, up to its width: signature, then the length and the name of its first chunk.
const PNG_START: &[u8] = b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR";

/// How it ends: the chunk IEND, which is empty, with its check sum.
const PNG_END: &[u8] = b"\0\0\0\0IEND\xAE\x42\x60\x82";

/// A photo: a JPEG or PNG picture of a sensible size.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Photo {
    base64: String,
}

impl Photo {
    /// Checks that the bytes are a JPEG (ISO/IEC 10918-1, annex B) or PNG file (ISO/IEC 15948) of a face's size.
    ///
    /// # Errors
    /// [`Refusal::BadPhoto`].
    pub fn read(file: &[u8]) -> Result<Photo, Refusal> {
        if file.len() > LARGEST_PHOTO {
            return Err(Refusal::BadPhoto);
        }
        match jpeg_sides(file).or_else(|| png_sides(file)) {
            Some((width, height)) if SIDES.contains(&width) && SIDES.contains(&height) => {
                Ok(Photo { base64: b64::std_encode(file) })
            }
            _ => Err(Refusal::BadPhoto),
        }
    }

    /// The file.
    pub fn file(&self) -> Vec<u8> {
        b64::std_decode(&self.base64).unwrap_or_default() // made by `read`, and sealed since
    }

    /// What the file is: `image/jpeg` or `image/png`.
    pub fn media_type(&self) -> &'static str {
        if self.file().starts_with(PNG_START) { "image/png" } else { "image/jpeg" }
    }
}

impl Record for Photo {
    const KIND: &'static str = "person.photo";
}

/// Personal data: the debug form tells nothing.
impl std::fmt::Debug for Photo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Photo(…)")
    }
}

/// Width and height by the header of the first frame; `None` when the file has none, or no end.
fn jpeg_sides(jpeg: &[u8]) -> Option<(u32, u32)> {
    let mut rest = jpeg.strip_prefix(&[0xFF, 0xD8])?.strip_suffix(&[0xFF, 0xD9])?;
    loop {
        let [0xFF, marker, high, low, after @ ..] = rest else { return None };
        let length = usize::from(u16::from_be_bytes([*high, *low])).checked_sub(2)?;
        let (segment, next) = after.split_at_checked(length)?;
        match marker {
            // SOF0 to SOF15, but not DHT (C4), JPG (C8) and DAC (CC), which share their range.
            0xC0..=0xCF if ![0xC4, 0xC8, 0xCC].contains(marker) => {
                let [_precision, h1, h0, w1, w0, ..] = segment else { return None };
                return Some((u32::from_be_bytes([0, 0, *w1, *w0]), u32::from_be_bytes([0, 0, *h1, *h0])));
            }
            // The picture itself: a frame should have come before.
            0xDA => return None,
            _ => rest = next,
        }
    }
}

/// Width and height by the first chunk; `None` when there is none, or no end.
fn png_sides(png: &[u8]) -> Option<(u32, u32)> {
    let rest = png.strip_prefix(PNG_START)?.strip_suffix(PNG_END)?;
    let (width, rest) = rest.split_first_chunk()?;
    let (height, _) = rest.split_first_chunk()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

/// Keeps a photo, by an event of the kind [`Change::Photo`]. Earlier ones stay with the events that brought them.
///
/// # Errors
/// As [`super::record_event`]; [`Refusal::RecordedOtherwise`] for an event of another kind.
pub fn keep_photo(
    store: &Store,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &NewEvent,
    photo: &Photo,
) -> Result<i64, PersonError> {
    policy::may(&ask.by, Action::RecordEvent)?;
    if ask.change != Change::Photo {
        return Err(Refusal::RecordedOtherwise.into());
    }
    let (keys, pack, env) = (keys.clone(), pack.clone(), env.again());
    let (ask, photo) = (ask.clone(), photo.clone());
    store.write(bucket_of(ask.person, store.buckets()), move |tx| {
        let n = record(tx, &keys, &pack, &env.again(), &ask, Side::Hers)?;
        let sealed = seal::data_key(tx, &keys, ask.person)?.seal(&photo);
        own::keep_photo(tx, ask.person, n, sealed.bytes())?;
        Ok(n)
    })
}

/// Opens the photo that counts, if there is one.
///
/// # Errors
/// As [`crate::show::open_resident`].
pub fn open_photo(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    ask: &Asking,
) -> Result<Option<Photo>, PersonError> {
    let receipt = log(tx, keys, pack, env, ask, Action::OpenResident, &["photo"])?;
    let Some(n) = record_with(tx, &receipt)?.life.photo else { return Ok(None) };
    let Some(sealed) = own::photo(tx, ask.person, n)? else { return Ok(None) };
    Ok(Some(Sealed::<Photo>::from_bytes(&sealed).open(&receipt)?.of(ask.person)?))
}
