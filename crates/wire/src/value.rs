//! A message as a tree of values, named and typed as Kafka's JSON converters print it.

use uuid::Uuid;

/// A value of a message, for those who print messages.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Null.
    Null,
    /// A bool.
    Bool(bool),
    /// Any whole number.
    Int(i64),
    /// A float64.
    Float(f64),
    /// A string.
    Str(String),
    /// An id; Kafka prints it as 22 characters of URL-safe base64.
    Uuid(Uuid),
    /// Bytes; Kafka prints them as base64.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Value>),
    /// A struct: field names in Kafka's camelCase, in the order of the schema. Fields that the version lacks and
    /// tagged fields that have their default are left out.
    Struct(Vec<(&'static str, Value)>),
}

macro_rules! whole_numbers {
    ($($number:ty)*) => {$(
        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Int(number.into())
            }
        }
    )*};
}
whole_numbers!(i8 i16 u16 i32 u32 i64);

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}
