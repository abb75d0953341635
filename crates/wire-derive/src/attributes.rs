//! What stands in `#[message(...)]` and `#[field(...)]`.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, LitInt, LitStr, Path, Token, Type, parse_quote};

use crate::versions::Versions;

/// What a message is.
pub(crate) enum Kind {
    Request { api: Ident, response: Box<Type> },
    Response { api: Ident },
    Record { key: i16 },
    Data,
}

/// `#[message(...)]` of a whole message.
pub(crate) struct Whole {
    pub(crate) kind: Kind,
    pub(crate) versions: Versions,
    /// From this version on; `i16::MAX` for never.
    pub(crate) flexible_from: i16,
}

/// `#[message(...)]`, if there is one.
pub(crate) struct MessageAttributes {
    /// `None` for a struct that is a part of messages.
    pub(crate) whole: Option<Whole>,
    /// Where `wire` is.
    pub(crate) wire: Path,
}

impl MessageAttributes {
    pub(crate) fn parse(name: &Ident, attributes: &[Attribute]) -> syn::Result<Self> {
        let mut request = None;
        let mut response = None;
        let mut record = None;
        let mut data = false;
        let mut versions = None;
        let mut flexible = None;
        let mut wire: Path = parse_quote!(::wire);
        let mut written = false;
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("message")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("crate") {
                    wire = meta.value()?.call(Path::parse_mod_style)?;
                    return Ok(());
                }
                written = true;
                if meta.path.is_ident("request") {
                    once(&meta, &mut request, meta.value()?.call(Ident::parse_any)?)
                } else if meta.path.is_ident("response") {
                    once(&meta, &mut response, meta.value()?.parse::<Type>()?)
                } else if meta.path.is_ident("record") {
                    once(&meta, &mut record, meta.value()?.parse::<LitInt>()?.base10_parse()?)
                } else if meta.path.is_ident("data") {
                    data = true;
                    Ok(())
                } else if meta.path.is_ident("versions") {
                    once(&meta, &mut versions, Versions::parse(&meta.value()?.parse()?)?)
                } else if meta.path.is_ident("flexible") {
                    let text: LitStr = meta.value()?.parse()?;
                    let range = Versions::parse(&text)?;
                    if !range.is_empty() && range.last != i16::MAX {
                        return Err(syn::Error::new(
                            text.span(),
                            "`flexible` names the first flexible version: write \"2+\" or \"none\"",
                        ));
                    }
                    once(&meta, &mut flexible, if range.is_empty() { i16::MAX } else { range.first })
                } else {
                    Err(meta.error(
                        "unknown attribute of a message: there are `request`, `response`, `record`, `data`, \
                         `versions`, `flexible` and `crate`",
                    ))
                }
            })?;
        }
        if !written {
            return Ok(Self { whole: None, wire });
        }
        let fails = |what: &str| syn::Error::new(name.span(), format!("`#[message]` of `{name}` {what}"));
        let kind = match (request, response, record, data) {
            (Some(api), Some(response), None, false) => Kind::Request { api, response: Box::new(response) },
            (None, Some(api), None, false) => Kind::Response { api: response_api(&api)? },
            (None, None, Some(key), false) => Kind::Record { key },
            (None, None, None, true) => Kind::Data,
            (Some(_), None, None, false) => {
                return Err(fails("names a `request` without the type of its `response`"));
            }
            _ => {
                return Err(fails(
                    "must say what it is: `request = Api, response = Type`, `response = Api`, `record = 3` or `data`",
                ));
            }
        };
        let versions: Versions =
            versions.ok_or_else(|| fails("lacks `versions`, such as `versions = \"0-5\"`"))?;
        if versions.is_empty() || versions.last == i16::MAX {
            return Err(fails("needs a first and a last version, such as `versions = \"0-5\"`"));
        }
        let flexible_from =
            flexible.ok_or_else(|| fails("lacks `flexible`, such as `flexible = \"2+\"` or \"none\""))?;
        Ok(Self { whole: Some(Whole { kind, versions, flexible_from }), wire })
    }
}

/// In a response, `response` names the API rather than a type.
fn response_api(written: &Type) -> syn::Result<Ident> {
    let api = match written {
        Type::Path(path) if path.qself.is_none() => path.path.get_ident(),
        _ => None,
    };
    api.cloned()
        .ok_or_else(|| syn::Error::new_spanned(written, "name the API, such as `response = InitProducerId`"))
}

/// A default that the schema names.
pub(crate) enum FieldDefault {
    Null,
    Text(LitStr),
    Value(Expr),
}

/// `#[field(...)]`.
pub(crate) struct FieldAttributes {
    pub(crate) versions: Versions,
    /// `None` when not said.
    pub(crate) nullable: Option<Versions>,
    pub(crate) default: Option<FieldDefault>,
    pub(crate) tag: Option<u32>,
    pub(crate) ignorable: bool,
    /// Kafka's spelling, if it is written out.
    pub(crate) name: Option<LitStr>,
}

impl FieldAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut versions = None;
        let mut nullable = None;
        let mut default = None;
        let mut tag = None;
        let mut ignorable = false;
        let mut name = None;
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("field")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("versions") {
                    once(&meta, &mut versions, Versions::parse(&meta.value()?.parse()?)?)
                } else if meta.path.is_ident("nullable") {
                    once(&meta, &mut nullable, Versions::parse(&meta.value()?.parse()?)?)
                } else if meta.path.is_ident("default") {
                    let value = meta.value()?;
                    let written = if value.peek(LitStr) && !value.peek2(Token![.]) {
                        FieldDefault::Text(value.parse()?)
                    } else {
                        match value.parse()? {
                            Expr::Path(path) if path.path.is_ident("null") => FieldDefault::Null,
                            expression => FieldDefault::Value(expression),
                        }
                    };
                    once(&meta, &mut default, written)
                } else if meta.path.is_ident("tag") {
                    once(&meta, &mut tag, meta.value()?.parse::<LitInt>()?.base10_parse()?)
                } else if meta.path.is_ident("ignorable") {
                    ignorable = true;
                    Ok(())
                } else if meta.path.is_ident("name") {
                    once(&meta, &mut name, meta.value()?.parse()?)
                } else {
                    Err(meta.error(
                        "unknown attribute of a field: there are `versions`, `nullable`, `default`, `tag`, `ignorable` \
                         and `name`",
                    ))
                }
            })?;
        }
        Ok(Self { versions: versions.unwrap_or(Versions::ALL), nullable, default, tag, ignorable, name })
    }
}

fn once<T>(meta: &ParseNestedMeta<'_>, place: &mut Option<T>, value: T) -> syn::Result<()> {
    if place.is_some() {
        return Err(meta.error("this attribute is already there"));
    }
    *place = Some(value);
    Ok(())
}

/// Kafka's spelling of a field: `topic_data` is `topicData`.
pub(crate) fn camel_case(name: &Ident) -> LitStr {
    let mut camel = String::new();
    for part in name.unraw().to_string().split('_') {
        let mut letters = part.chars();
        match letters.next() {
            Some(first) if camel.is_empty() => camel.push(first),
            Some(first) => camel.extend(first.to_uppercase()),
            None => {}
        }
        camel.push_str(letters.as_str());
    }
    LitStr::new(&camel, Span::call_site())
}
