//! The room through its public face. One test binary, since linking the second reader (`kafka-protocol`) takes long.

mod derive;
mod hostile;
mod kafka;
mod kafka_protocol;
mod sample;

pub(crate) use wire as renamed_wire;
