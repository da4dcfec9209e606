//! What is handed out sealed, in few bytes: values one after another, texts and lists with their length in front. Addresses and
//! forms carry it, so it is shorter than JSON, and no longer for odd characters.

use kaname_base::Instant;

use crate::rules::{Level, Means};

/// A value as bytes, and back.
pub(crate) trait Packed: Sized {
    /// Appends the bytes.
    fn pack(&self, to: &mut Vec<u8>);
    /// Takes the bytes off the front; `None` if they are none of ours.
    fn unpack(from: &mut &[u8]) -> Option<Self>;
}

/// A structure is its fields in order.
macro_rules! packed {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::packed::Packed for $name {
            fn pack(&self, to: &mut Vec<u8>) {
                $($crate::packed::Packed::pack(&self.$field, to);)*
            }

            fn unpack(from: &mut &[u8]) -> Option<$name> {
                Some($name { $($field: $crate::packed::Packed::unpack(from)?),* })
            }
        }
    };
}
pub(crate) use packed;

impl<const N: usize> Packed for [u8; N] {
    fn pack(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self);
    }

    fn unpack(from: &mut &[u8]) -> Option<[u8; N]> {
        let (bytes, rest) = from.split_first_chunk()?;
        *from = rest;
        Some(*bytes)
    }
}

impl Packed for u8 {
    fn pack(&self, to: &mut Vec<u8>) {
        to.push(*self);
    }

    fn unpack(from: &mut &[u8]) -> Option<u8> {
        <[u8; 1]>::unpack(from).map(|[byte]| byte)
    }
}

impl Packed for bool {
    fn pack(&self, to: &mut Vec<u8>) {
        u8::from(*self).pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<bool> {
        u8::unpack(from).map(|byte| byte != 0)
    }
}

impl Packed for u16 {
    fn pack(&self, to: &mut Vec<u8>) {
        self.to_be_bytes().pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<u16> {
        Packed::unpack(from).map(u16::from_be_bytes)
    }
}

impl Packed for i64 {
    fn pack(&self, to: &mut Vec<u8>) {
        self.to_be_bytes().pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<i64> {
        Packed::unpack(from).map(i64::from_be_bytes)
    }
}

impl Packed for Instant {
    fn pack(&self, to: &mut Vec<u8>) {
        self.micros().pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Instant> {
        Packed::unpack(from).map(Instant::from_micros)
    }
}

impl Packed for String {
    fn pack(&self, to: &mut Vec<u8>) {
        length(self.len()).pack(to);
        to.extend_from_slice(self.as_bytes());
    }

    fn unpack(from: &mut &[u8]) -> Option<String> {
        let length = u16::unpack(from)?;
        let (text, rest) = from.split_at_checked(usize::from(length))?;
        *from = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

impl<T: Packed> Packed for Vec<T> {
    fn pack(&self, to: &mut Vec<u8>) {
        length(self.len()).pack(to);
        self.iter().for_each(|value| value.pack(to));
    }

    fn unpack(from: &mut &[u8]) -> Option<Vec<T>> {
        let length = u16::unpack(from)?;
        (0..length).map(|_| T::unpack(from)).collect()
    }
}

impl<T: Packed> Packed for Option<T> {
    fn pack(&self, to: &mut Vec<u8>) {
        self.is_some().pack(to);
        self.iter().for_each(|value| value.pack(to));
    }

    fn unpack(from: &mut &[u8]) -> Option<Option<T>> {
        match bool::unpack(from)? {
            true => T::unpack(from).map(Some),
            false => Some(None),
        }
    }
}

impl Packed for Level {
    fn pack(&self, to: &mut Vec<u8>) {
        matches!(self, Level::Passkey).pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Level> {
        bool::unpack(from).map(|passkey| if passkey { Level::Passkey } else { Level::Letter })
    }
}

const MEANS: [Means; 4] = [Means::Activation, Means::Grid, Means::DevicePasskey, Means::SyncedPasskey];

impl Packed for Means {
    fn pack(&self, to: &mut Vec<u8>) {
        let place = MEANS.iter().position(|means| means == self).expect("all of them stand in the list");
        (place as u8).pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Means> {
        MEANS.get(usize::from(u8::unpack(from)?)).copied()
    }
}

/// Parameters are far shorter than 64 KiB: [`crate::Parameters`] sees to it, as registration does to the rest.
fn length(length: usize) -> u16 {
    u16::try_from(length).expect("what is handed out was read from short parameters")
}
