//! How the value of a field lies in a message: numbers, strings, bytes, lists, structs, and their nullable forms.

use bytes::Bytes;
use uuid::Uuid;

use crate::decoder::{DecodeError, DecodeFault, Decoder};
use crate::encoder::{EncodeError, EncodeFault, Encoder};
use crate::payload::Payload;
use crate::str_bytes::StrBytes;
use crate::value::Value;

/// What decides how a field lies in a message: the version, and whether that version is flexible (KIP-482), which is
/// so for a message and all that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    version: i16,
    flexible: bool,
    nullable: bool,
    tagged: bool,
}

impl Layout {
    /// The layout of a message at `version`.
    #[must_use]
    pub const fn new(version: i16, flexible: bool) -> Self {
        Self { version, flexible, nullable: false, tagged: false }
    }

    /// The version of the message.
    #[must_use]
    #[inline]
    pub const fn version(self) -> i16 {
        self.version
    }

    /// Whether lengths are compact and every struct ends in tagged fields.
    #[must_use]
    #[inline]
    pub const fn is_flexible(self) -> bool {
        self.flexible
    }

    /// The layout of one field of this message, which may be null or not.
    #[must_use]
    #[inline]
    pub const fn nullable(self, nullable: bool) -> Self {
        Self { nullable, tagged: false, ..self }
    }

    /// The layout of the content of a tagged field.
    #[must_use]
    #[inline]
    pub const fn tagged(self) -> Self {
        Self { tagged: true, ..self }
    }

    /// Whether this is the content of a tagged field, where the byte before a struct that may be null is a varint: 0
    /// for null, else 1.
    #[must_use]
    #[inline]
    pub const fn is_tagged(self) -> bool {
        self.tagged
    }
}

/// A value that can be a field of a message. `#[derive(Message)]` implements it for structs.
pub trait Field: Sized + PartialEq {
    /// Kafka's default where the schema names none: 0, false, and empty, also for what may be null.
    fn unset() -> Self;

    /// Whether this is [`Field::unset`].
    fn is_unset(&self) -> bool {
        *self == Self::unset()
    }

    /// The fewest bytes that a value takes. A list may not claim more elements than fit.
    fn smallest(layout: Layout) -> usize;

    /// Reads a value.
    ///
    /// # Errors
    /// When the bytes hold none.
    fn read(from: &mut Decoder, layout: Layout) -> Result<Self, DecodeError>;

    /// Writes the value.
    ///
    /// # Errors
    /// When it cannot be written at this version.
    fn write(&self, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError>;

    /// The value as a tree, as Kafka's JSON converters show it.
    fn to_value(&self, layout: Layout) -> Value;
}

/// A [`Field`] that also exists as `Option`, with null as a length of -1 (or 0 in compact form), or for a struct as
/// a byte before it: -1 or 1, in a tagged field 0 or 1.
pub trait Nullable: Field {
    /// The fewest bytes that a value or null takes.
    fn smallest_nullable(layout: Layout) -> usize;

    /// Reads a value or null, whether the layout allows null or not.
    ///
    /// # Errors
    /// When the bytes hold neither.
    fn read_nullable(from: &mut Decoder, layout: Layout) -> Result<Option<Self>, DecodeError>;

    /// Writes a value or null, whether the layout allows null or not.
    ///
    /// # Errors
    /// When it cannot be written at this version.
    fn write_nullable(value: Option<&Self>, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError>;
}

impl<T: Nullable> Field for Option<T> {
    fn unset() -> Self {
        Some(T::unset())
    }

    fn is_unset(&self) -> bool {
        self.as_ref().is_some_and(T::is_unset)
    }

    fn smallest(layout: Layout) -> usize {
        if layout.nullable { T::smallest_nullable(layout) } else { T::smallest(layout) }
    }

    #[inline]
    fn read(from: &mut Decoder, layout: Layout) -> Result<Self, DecodeError> {
        if layout.nullable { T::read_nullable(from, layout) } else { T::read(from, layout).map(Some) }
    }

    #[inline]
    fn write(&self, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
        match self {
            _ if layout.nullable => T::write_nullable(self.as_ref(), to, layout),
            Some(value) => value.write(to, layout),
            None => Err(EncodeFault::UnexpectedNull.into()),
        }
    }

    fn to_value(&self, layout: Layout) -> Value {
        self.as_ref().map_or(Value::Null, |value| value.to_value(layout))
    }
}

macro_rules! numbers {
    ($($number:ident)*) => {$(
        impl Field for $number {
            fn unset() -> Self {
                Self::default()
            }

            fn smallest(_: Layout) -> usize {
                size_of::<$number>()
            }

            #[inline]
            fn read(from: &mut Decoder, _: Layout) -> Result<Self, DecodeError> {
                from.$number()
            }

            #[inline]
            fn write(&self, to: &mut Encoder, _: Layout) -> Result<(), EncodeError> {
                to.$number(*self);
                Ok(())
            }

            fn to_value(&self, _: Layout) -> Value {
                Value::from(*self)
            }
        }
    )*};
}
numbers!(i8 i16 u16 i32 u32 i64 f64);

impl Field for bool {
    fn unset() -> Self {
        false
    }

    fn smallest(_: Layout) -> usize {
        1
    }

    fn read(from: &mut Decoder, _: Layout) -> Result<Self, DecodeError> {
        Ok(from.i8()? != 0)
    }

    fn write(&self, to: &mut Encoder, _: Layout) -> Result<(), EncodeError> {
        to.i8(i8::from(*self));
        Ok(())
    }

    fn to_value(&self, _: Layout) -> Value {
        Value::Bool(*self)
    }
}

impl Field for Uuid {
    fn unset() -> Self {
        Self::nil()
    }

    fn smallest(_: Layout) -> usize {
        16
    }

    #[inline]
    fn read(from: &mut Decoder, _: Layout) -> Result<Self, DecodeError> {
        from.uuid()
    }

    #[inline]
    fn write(&self, to: &mut Encoder, _: Layout) -> Result<(), EncodeError> {
        to.uuid(*self);
        Ok(())
    }

    fn to_value(&self, _: Layout) -> Value {
        Value::Uuid(*self)
    }
}

/// The length before bytes or a list: 32 bits unless compact.
fn long_length(from: &mut Decoder, layout: Layout) -> Result<Option<usize>, DecodeError> {
    from.length(layout, |from| from.i32().map(i64::from))
}

/// The length before a string: 16 bits unless compact.
fn short_length(from: &mut Decoder, layout: Layout) -> Result<Option<usize>, DecodeError> {
    from.length(layout, |from| from.i16().map(i64::from))
}

fn write_long_length(length: Option<usize>, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
    let length = match length {
        Some(length) => i32::try_from(length).map_err(|_| EncodeFault::TooLong(length))?,
        None => -1,
    };
    if layout.flexible {
        // -1 to 2147483647, so one more is 0 to 2147483648.
        to.unsigned_varint(length.wrapping_add(1).cast_unsigned());
    } else {
        to.i32(length);
    }
    Ok(())
}

fn write_short_length(length: Option<usize>, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
    let length = match length {
        Some(length) => i16::try_from(length).map_err(|_| EncodeFault::StringTooLong(length))?,
        None => -1,
    };
    if layout.flexible {
        to.unsigned_varint(i32::from(length).wrapping_add(1).cast_unsigned());
    } else {
        to.i16(length);
    }
    Ok(())
}

/// A [`Field`] whose null is a length of -1: `Nullable` holds the encoding, `Field` refuses null.
macro_rules! null_by_length {
    ($($generic:ident)?, $type:ty, $plain_length:literal, $value:expr) => {
        impl$(<$generic: Field>)? Field for $type {
            fn unset() -> Self {
                <$type>::default()
            }

            fn is_unset(&self) -> bool {
                self.is_empty()
            }

            fn smallest(layout: Layout) -> usize {
                if layout.is_flexible() { 1 } else { $plain_length }
            }

            #[inline]
            fn read(from: &mut Decoder, layout: Layout) -> Result<Self, DecodeError> {
                Self::read_nullable(from, layout)?.ok_or_else(|| DecodeFault::UnexpectedNull.into())
            }

            #[inline]
            fn write(&self, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
                Self::write_nullable(Some(self), to, layout)
            }

            fn to_value(&self, layout: Layout) -> Value {
                let value: fn(&Self, Layout) -> Value = $value;
                value(self, layout)
            }
        }
    };
}

null_by_length!(, StrBytes, 2, |text, _| Value::Str(text.as_str().to_owned()));
null_by_length!(, Bytes, 4, |bytes, _| Value::Bytes(bytes.to_vec()));
// Kafka's converters show no records: they put an empty run of bytes in their place (KIP-673).
null_by_length!(, Payload, 4, |_, _| Value::Bytes(Vec::new()));
null_by_length!(T, Vec<T>, 4, |list, layout| {
    Value::List(list.iter().map(|element| element.to_value(layout)).collect())
});

impl Nullable for StrBytes {
    fn smallest_nullable(layout: Layout) -> usize {
        Self::smallest(layout)
    }

    #[inline]
    fn read_nullable(from: &mut Decoder, layout: Layout) -> Result<Option<Self>, DecodeError> {
        match short_length(from, layout)? {
            Some(length) if length > i16::MAX as usize => Err(DecodeFault::StringTooLong(length).into()),
            Some(length) => Self::try_from(from.take(length)?).map(Some),
            None => Ok(None),
        }
    }

    #[inline]
    fn write_nullable(value: Option<&Self>, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
        write_short_length(value.map(|text| text.len()), to, layout)?;
        if let Some(text) = value {
            to.copy(text.as_bytes());
        }
        Ok(())
    }
}

impl Nullable for Bytes {
    fn smallest_nullable(layout: Layout) -> usize {
        Self::smallest(layout)
    }

    fn read_nullable(from: &mut Decoder, layout: Layout) -> Result<Option<Self>, DecodeError> {
        long_length(from, layout)?.map(|length| from.take(length)).transpose()
    }

    fn write_nullable(value: Option<&Self>, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
        write_long_length(value.map(Self::len), to, layout)?;
        if let Some(bytes) = value {
            to.share(bytes);
        }
        Ok(())
    }
}

impl Nullable for Payload {
    fn smallest_nullable(layout: Layout) -> usize {
        Self::smallest(layout)
    }

    fn read_nullable(from: &mut Decoder, layout: Layout) -> Result<Option<Self>, DecodeError> {
        Ok(Bytes::read_nullable(from, layout)?.map(Self::Bytes))
    }

    fn write_nullable(value: Option<&Self>, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
        write_long_length(value.map(Self::len), to, layout)?;
        match value {
            Some(Self::Bytes(bytes)) => to.share(bytes),
            Some(&Self::External { len, slot }) => to.external(len, slot)?,
            None => {}
        }
        Ok(())
    }
}

impl<T: Field> Nullable for Vec<T> {
    fn smallest_nullable(layout: Layout) -> usize {
        Self::smallest(layout)
    }

    #[inline]
    fn read_nullable(from: &mut Decoder, layout: Layout) -> Result<Option<Self>, DecodeError> {
        let layout = layout.nullable(false);
        long_length(from, layout)?.map(|claimed| from.list(claimed, layout)).transpose()
    }

    #[inline]
    fn write_nullable(value: Option<&Self>, to: &mut Encoder, layout: Layout) -> Result<(), EncodeError> {
        write_long_length(value.map(Self::len), to, layout)?;
        value.into_iter().flatten().try_for_each(|element| element.write(to, layout.nullable(false)))
    }
}
