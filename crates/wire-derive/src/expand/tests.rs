//! What the macro says to a declaration that makes no sense.

use super::message;

/// The error for `declaration`.
fn error(declaration: &str) -> String {
    let input = syn::parse_str(declaration).expect("the tests write Rust");
    message(&input).expect_err(declaration).to_string()
}

#[test]
fn a_message_says_what_it_is() {
    let what =
        "must say what it is: `request = Api, response = Type`, `response = Api`, `record = 3` or `data`";
    for attribute in [
        r#"versions = "0", flexible = "none""#,
        r#"data, record = 1, versions = "0", flexible = "none""#,
        r#"request = Fetch, response = FetchResponse, data, versions = "0", flexible = "none""#,
    ] {
        let said = error(&format!("#[message({attribute})] struct Ping {{}}"));
        assert_eq!(said, format!("`#[message]` of `Ping` {what}"));
    }
    assert_eq!(
        error(r#"#[message(request = Fetch, versions = "0", flexible = "none")] struct Ping {}"#),
        "`#[message]` of `Ping` names a `request` without the type of its `response`"
    );
    assert_eq!(
        error(r#"#[message(response = Vec<Fetch>, versions = "0", flexible = "none")] struct Ping {}"#),
        "name the API, such as `response = InitProducerId`"
    );
}

#[test]
fn a_message_has_versions() {
    assert_eq!(
        error(r#"#[message(data, flexible = "none")] struct Ping {}"#),
        "`#[message]` of `Ping` lacks `versions`, such as `versions = \"0-5\"`"
    );
    assert_eq!(
        error(r#"#[message(data, versions = "0")] struct Ping {}"#),
        "`#[message]` of `Ping` lacks `flexible`, such as `flexible = \"2+\"` or \"none\""
    );
    assert_eq!(
        error(r#"#[message(data, versions = "0+", flexible = "none")] struct Ping {}"#),
        "`#[message]` of `Ping` needs a first and a last version, such as `versions = \"0-5\"`"
    );
    assert_eq!(
        error(r#"#[message(data, versions = "0", flexible = "1-2")] struct Ping {}"#),
        "`flexible` names the first flexible version: write \"2+\" or \"none\""
    );
    assert_eq!(
        error(r#"#[message(data, versions = "x", flexible = "none")] struct Ping {}"#),
        "`x` is no version range: write \"3\", \"0-5\", \"2+\" or \"none\""
    );
}

#[test]
fn unknown_and_repeated_attributes_are_named() {
    assert_eq!(
        error("#[message(key = 3)] struct Ping {}"),
        "unknown attribute of a message: there are `request`, `response`, `record`, `data`, `versions`, `flexible` and \
         `crate`"
    );
    assert_eq!(
        error("struct Ping { #[field(since = 3)] a: i8 }"),
        "unknown attribute of a field: there are `versions`, `nullable`, `default`, `tag`, `ignorable` and `name`"
    );
    assert_eq!(error("struct Ping { #[field(tag = 1, tag = 2)] a: i8 }"), "this attribute is already there");
}

#[test]
fn a_field_makes_sense_within_its_message() {
    assert_eq!(
        error(
            r#"#[message(data, versions = "2-3", flexible = "none")] struct Ping { #[field(versions = "0-1")] a: i8 }"#
        ),
        "`a` exists at no version of this message"
    );
    assert_eq!(
        error(r#"struct Ping { #[field(nullable = "1+")] a: StrBytes }"#),
        "`a` can be null at some version, so its type must be an `Option`"
    );
    assert_eq!(
        error("struct Ping { #[field(tag = 0)] a: i8, #[field(tag = 0)] b: i8 }"),
        "tag 0 is already taken"
    );
}

#[test]
fn only_a_plain_struct_is_a_message() {
    assert_eq!(error("enum Ping { A }"), "only a struct can be a message");
    assert_eq!(error("struct Ping(i8);"), "the fields of a message have names");
    assert_eq!(error("struct Ping<T> { a: T }"), "a message has no type or lifetime parameters");
}
