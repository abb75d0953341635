//! `#[derive(Message)]` where the names around it are not what they seem, and the layouts that Kafka's own messages
//! need only at some versions.

use bytes::Bytes;
use wire::{DecodeFault, EncodeFault, Message, StrBytes, Value, decode_exact, to_bytes};

/// Everything that generated code is tempted to name, taken by something else.
#[expect(dead_code, reason = "only there to be in the way")]
#[expect(non_camel_case_types, non_upper_case_globals, reason = "names that generated code may use")]
mod shadowed {
    struct Result;
    struct Option;
    struct Some;
    struct None;
    struct Ok;
    struct Err;
    struct Vec;
    struct Default;
    struct From;
    struct Field;
    struct Value;
    struct Decoder;
    struct bool;
    struct i16;
    struct u32;
    struct usize;
    struct str;
    mod core {}
    mod std {}
    mod wire {}
    const from: () = ();
    const layout: () = ();
    const to: () = ();
    const tag: () = ();

    /// Its fields are called as the variables of generated code might be.
    #[derive(Clone, Debug, PartialEq, ::wire::Message)]
    #[message(data, versions = "0-1", flexible = "1+")]
    pub(super) struct InTheWay {
        pub(super) layout: i32,
        pub(super) from: i32,
        #[field(versions = "1+", tag = 0)]
        pub(super) tag: i32,
        pub(super) count: i32,
        pub(super) r#type: i32,
    }
}

/// A crate under another name.
mod renamed {
    use crate::renamed_wire::Message;

    #[derive(Clone, Debug, PartialEq, Message)]
    #[message(crate = crate::renamed_wire)]
    pub(super) struct Part {
        pub(super) number: i32,
    }

    #[derive(Clone, Debug, PartialEq, Message)]
    #[message(crate = crate::renamed_wire, data, versions = "0", flexible = "none")]
    pub(super) struct Whole {
        pub(super) parts: Vec<Part>,
    }
}

#[test]
fn shadowed_names_and_fields_of_any_name_do_no_harm() {
    let message = shadowed::InTheWay { layout: 1, from: 2, tag: 3, count: 4, r#type: 5 };
    let bytes = to_bytes(&message, 1).unwrap();
    assert_eq!(bytes[..], [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 5, 1, 0, 4, 0, 0, 0, 3]);
    assert_eq!(decode_exact(bytes, 1), Ok(message.clone()));
    assert_eq!(message.value(1).to_json(), r#"{"layout":1,"from":2,"tag":3,"count":4,"type":5}"#);
}

#[test]
fn the_crate_may_have_another_name() {
    let whole = renamed::Whole { parts: vec![renamed::Part { number: 7 }] };
    assert_eq!(to_bytes(&whole, 0).unwrap()[..], [0, 0, 0, 1, 0, 0, 0, 7]);
}

/// What may be null, and when.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(data, versions = "0-3", flexible = "3+")]
struct Nulls {
    #[field(nullable = "1+", default = null)]
    text: Option<StrBytes>,
    #[field(nullable = "2+")]
    part: Option<Part>,
    #[field(versions = "1+")]
    bytes: Option<Bytes>,
}

#[derive(Clone, Debug, PartialEq, Message)]
struct Part {
    #[field(default = 9)]
    number: i8,
}

#[test]
fn defaults_are_empty_unless_they_say_null() {
    let default = Nulls::default();
    let expected = Nulls { text: None, part: Some(Part { number: 9 }), bytes: Some(Bytes::new()) };
    assert_eq!(default, expected);
}

#[test]
fn a_struct_has_a_byte_before_it_only_where_it_may_be_null() {
    let written = |part: Option<Part>, version| {
        to_bytes(&Nulls { text: Some("".into()), part, bytes: Some(Bytes::new()) }, version)
    };
    assert_eq!(written(Some(Part { number: 5 }), 1).unwrap()[..], [0, 0, 5, 0, 0, 0, 0]);
    assert_eq!(written(Some(Part { number: 5 }), 2).unwrap()[..], [0, 0, 1, 5, 0, 0, 0, 0]);
    assert_eq!(written(None, 2).unwrap()[..], [0, 0, 0xff, 0, 0, 0, 0]);
    assert_eq!(written(Some(Part { number: 5 }), 3).unwrap()[..], [1, 1, 5, 0, 1, 0]);
    let error = written(None, 1).unwrap_err();
    assert_eq!((error.field.as_str(), error.fault), ("part", EncodeFault::UnexpectedNull));
}

#[test]
fn null_is_refused_where_it_does_not_exist() {
    let null = |version| decode_exact::<Nulls>(Bytes::from_static(&[0xff, 0xff, 7, 0, 0, 0, 0]), version);
    let error = null(0).unwrap_err();
    assert_eq!((error.field.as_str(), error.fault), ("text", DecodeFault::UnexpectedNull));
    let read = null(1).unwrap();
    assert_eq!(read, Nulls { text: None, part: Some(Part { number: 7 }), bytes: Some(Bytes::new()) });
    assert_eq!(read.value(1).to_json(), r#"{"text":null,"part":{"number":7},"bytes":""}"#);
}

/// What happens to fields at versions without them.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(data, versions = "0-2", flexible = "2+")]
struct Changing {
    #[field(versions = "1+", default = -1, ignorable)]
    ignorable: i64,
    #[field(versions = "1+", default = -1)]
    required: i64,
    #[field(versions = "2+", tag = 1, default = "x")]
    tagged: StrBytes,
    #[field(versions = "2+", tag = 0, ignorable)]
    tagged_ignorable: Vec<i32>,
}

#[test]
fn a_field_of_a_later_version_is_left_out_only_if_it_may_be() {
    let set = Changing { ignorable: 5, tagged_ignorable: vec![1], ..Changing::default() };
    assert_eq!(to_bytes(&set, 0).unwrap()[..], []);
    assert_eq!(decode_exact::<Changing>(Bytes::new(), 0), Ok(Changing::default()));

    for (message, field) in [
        (Changing { required: 5, ..Changing::default() }, "required"),
        (Changing { tagged: "".into(), ..Changing::default() }, "tagged"),
    ] {
        let error = to_bytes(&message, 0).unwrap_err();
        assert_eq!((error.field.as_str(), &error.fault), (field, &EncodeFault::NotInVersion { version: 0 }));
        assert!(error.to_string().contains(field), "{error}");
    }
}

#[test]
fn tagged_fields_come_in_the_order_of_their_tags_and_only_when_set() {
    let set = Changing { tagged: "y".into(), tagged_ignorable: vec![7], ..Changing::default() };
    let bytes = to_bytes(&set, 2).unwrap();
    assert_eq!(bytes[16..], [2, 0, 5, 2, 0, 0, 0, 7, 1, 2, 2, b'y']);
    assert_eq!(decode_exact(bytes, 2), Ok(set.clone()));
    assert_eq!(to_bytes(&Changing::default(), 2).unwrap()[16..], [0]);

    let Value::Struct(members) = set.value(2) else { panic!("a message is a struct") };
    assert_eq!(members.len(), 4);
    let Value::Struct(members) = Changing::default().value(2) else { panic!("a message is a struct") };
    assert_eq!(members, [("ignorable", Value::Int(-1)), ("required", Value::Int(-1))]);
}

/// A struct in a tagged field that may be null, one whose default is null and one whose default is not.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(data, versions = "0", flexible = "0+")]
struct TaggedParts {
    #[field(tag = 0)]
    there: Option<Holder>,
    #[field(tag = 1, default = null)]
    absent: Option<Part>,
}

#[derive(Clone, Debug, PartialEq, Message)]
struct Holder {
    part: Option<Part>,
}

#[test]
fn null_in_a_tagged_field_is_a_0() {
    let default = TaggedParts::default();
    assert_eq!(default, TaggedParts { there: Some(Holder::default()), absent: None });
    assert_eq!(to_bytes(&default, 0).unwrap()[..], [0]);
    let other = TaggedParts { there: None, absent: Some(Part { number: 5 }) };
    let bytes = to_bytes(&other, 0).unwrap();
    assert_eq!(bytes[..], [2, 0, 1, 0, 1, 3, 1, 5, 0]);
    assert_eq!(decode_exact(bytes, 0), Ok(other));
    // What may be null within such a struct is spelled as everywhere.
    let within = TaggedParts { there: Some(Holder { part: None }), absent: None };
    let bytes = to_bytes(&within, 0).unwrap();
    assert_eq!(bytes[..], [1, 0, 3, 1, 0xff, 0]);
    assert_eq!(decode_exact(bytes, 0), Ok(within));
}

#[test]
fn versions_that_do_not_exist_are_refused() {
    for version in [-1, 3, i16::MAX] {
        let unsupported = DecodeFault::UnsupportedVersion { message: "Changing", version };
        assert_eq!(decode_exact::<Changing>(Bytes::new(), version).unwrap_err().fault, unsupported);
        let unsupported = EncodeFault::UnsupportedVersion { message: "Changing", version };
        assert_eq!(to_bytes(&Changing::default(), version).unwrap_err().fault, unsupported);
    }
}
