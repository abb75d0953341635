//! From a struct to its implementations.
//!
//! The code that comes out names everything by its full path (`::core`, the path of `wire`), and its own variables as
//! nobody else does, so that neither a shadowed `Result` nor a field or constant called `from` can get in its way.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, LitStr, Path, Type};

use crate::attributes::{self, FieldAttributes, FieldDefault, Kind, MessageAttributes, Whole};
use crate::versions::Versions;

/// The implementations for `input`.
pub(crate) fn message(input: &DeriveInput) -> syn::Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new(input.ident.span(), "only a struct can be a message"));
    };
    if let Some(generic) = input.generics.params.first() {
        return Err(syn::Error::new_spanned(generic, "a message has no type or lifetime parameters"));
    }
    let attributes = MessageAttributes::parse(&input.ident, &input.attrs)?;
    let within = attributes.whole.as_ref().map_or(Versions::ALL, |whole| whole.versions);
    let fields = match &data.fields {
        Fields::Named(named) => named.named.iter().map(|field| Member::new(field, within)).collect(),
        Fields::Unit => Ok(Vec::new()),
        Fields::Unnamed(fields) => {
            return Err(syn::Error::new_spanned(fields, "the fields of a message have names"));
        }
    }?;
    let schema = Schema { name: &input.ident, wire: &attributes.wire, within, fields };
    schema.check_tags()?;
    let (default, field, nullable) = (schema.default(), schema.field(), schema.nullable());
    let whole = attributes.whole.as_ref().map(|whole| schema.message(whole));
    Ok(quote! {
        const _: () = {
            #default
            #field
            #nullable
            #whole
        };
    })
}

/// A field of the struct.
struct Member<'a> {
    name: &'a Ident,
    r#type: &'a Type,
    attributes: FieldAttributes,
    /// Kafka's spelling.
    spelling: LitStr,
    /// The variable that holds the field while the struct is being read.
    local: Ident,
}

impl<'a> Member<'a> {
    fn new(field: &'a syn::Field, within: Versions) -> syn::Result<Self> {
        let name = field.ident.as_ref().expect("only named fields come here");
        let attributes = FieldAttributes::parse(&field.attrs)?;
        let Versions { first, last } = attributes.versions;
        if attributes.versions.is_empty() || first > within.last || last < within.first {
            return Err(syn::Error::new(
                name.span(),
                format!("`{name}` exists at no version of this message"),
            ));
        }
        if attributes.nullable.is_some() && !looks_optional(&field.ty) {
            return Err(syn::Error::new(
                field.ty.span(),
                format!("`{name}` can be null at some version, so its type must be an `Option`"),
            ));
        }
        let spelling = attributes.name.clone().unwrap_or_else(|| attributes::camel_case(name));
        let local = local(&format!("field_{}", name.unraw()));
        Ok(Self { name, r#type: &field.ty, attributes, spelling, local })
    }

    /// The default as an expression.
    fn default(&self, wire: &Path) -> TokenStream {
        let Self { r#type, name, .. } = self;
        match &self.attributes.default {
            Some(FieldDefault::Null) => quote_spanned!(name.span()=> ::core::option::Option::None),
            Some(FieldDefault::Text(text)) => {
                quote_spanned!(name.span()=> <#r#type as ::core::convert::From<_>>::from(#text))
            }
            Some(FieldDefault::Value(value)) => quote!(#value),
            None => quote_spanned!(name.span()=> <#r#type as #wire::Field>::unset()),
        }
    }

    /// Whether a value, behind the reference `value`, is the default.
    fn is_default(&self, wire: &Path, value: &TokenStream) -> TokenStream {
        if self.attributes.default.is_some() {
            let (r#type, default) = (self.r#type, self.default(wire));
            quote!(<#r#type as ::core::cmp::PartialEq>::eq(#value, &#default))
        } else {
            let r#type = self.r#type;
            quote!(<#r#type as #wire::Field>::is_unset(#value))
        }
    }
}

/// A variable of generated code.
fn local(name: &str) -> Ident {
    // The span keeps variables apart; a constant in scope would still be taken for a pattern, hence the underscores.
    Ident::new(&format!("__{name}"), Span::mixed_site())
}

/// A guess, for a better error only.
fn looks_optional(r#type: &Type) -> bool {
    match r#type {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Option"),
        _ => false,
    }
}

struct Schema<'a> {
    name: &'a Ident,
    wire: &'a Path,
    /// The versions at which the struct is used.
    within: Versions,
    fields: Vec<Member<'a>>,
}

impl Schema<'_> {
    fn check_tags(&self) -> syn::Result<()> {
        for (at, field) in self.fields.iter().enumerate() {
            let Some(tag) = field.attributes.tag else { continue };
            if self.fields[..at].iter().any(|earlier| earlier.attributes.tag == Some(tag)) {
                return Err(syn::Error::new(field.name.span(), format!("tag {tag} is already taken")));
            }
        }
        Ok(())
    }

    fn untagged(&self) -> impl Iterator<Item = &Member<'_>> {
        self.fields.iter().filter(|field| field.attributes.tag.is_none())
    }

    /// The tagged fields in the order in which they are written.
    fn tagged(&self) -> Vec<(u32, &Member<'_>)> {
        let mut tagged: Vec<_> =
            self.fields.iter().filter_map(|field| field.attributes.tag.map(|tag| (tag, field))).collect();
        tagged.sort_by_key(|(tag, _)| *tag);
        tagged
    }

    /// The condition, on the layout, under which a field exists; `None` for always.
    fn exists(&self, field: &Member<'_>, layout: &Ident) -> Option<TokenStream> {
        field.attributes.versions.condition(&quote!(#layout.version()), self.within)
    }

    /// The layout that a field is read and written with.
    fn layout_of(&self, field: &Member<'_>, layout: &Ident) -> TokenStream {
        let nullable = match field.attributes.nullable {
            Some(versions) => versions
                .condition(&quote!(#layout.version()), field.attributes.versions)
                .unwrap_or_else(|| quote!(true)),
            None => quote!(true),
        };
        let tagged = field.attributes.tag.map(|_| quote!(.tagged()));
        quote!(#layout.nullable(#nullable) #tagged)
    }

    fn default(&self) -> TokenStream {
        let name = self.name;
        let fields = self.fields.iter().map(|field| {
            let (name, default) = (field.name, field.default(self.wire));
            quote!(#name: #default)
        });
        quote! {
            #[automatically_derived]
            impl ::core::default::Default for #name {
                fn default() -> Self {
                    Self { #(#fields),* }
                }
            }
        }
    }

    fn field(&self) -> TokenStream {
        let (name, wire) = (self.name, self.wire);
        let (smallest, read, write, value) = (self.smallest(), self.read(), self.write(), self.value());
        quote! {
            #[automatically_derived]
            impl #wire::Field for #name {
                fn unset() -> Self {
                    <Self as ::core::default::Default>::default()
                }
                #smallest
                #read
                #write
                #value
            }
        }
    }

    fn smallest(&self) -> TokenStream {
        let wire = self.wire;
        let layout = local("layout");
        let sizes = self.untagged().map(|field| {
            let (r#type, field_layout) = (field.r#type, self.layout_of(field, &layout));
            let size = quote!(<#r#type as #wire::Field>::smallest(#field_layout));
            match self.exists(field, &layout) {
                Some(exists) => quote!((if #exists { #size } else { 0 })),
                None => size,
            }
        });
        quote! {
            fn smallest(#layout: #wire::Layout) -> ::core::primitive::usize {
                // The number of tagged fields takes a byte.
                ::core::primitive::usize::from(#layout.is_flexible()) #(+ #sizes)*
            }
        }
    }

    fn read(&self) -> TokenStream {
        let wire = self.wire;
        let (from, layout, error, content, tag) =
            (local("from"), local("layout"), local("error"), local("content"), local("tag"));
        let read = |field: &Member<'_>, from: TokenStream| {
            let (r#type, spelling, layout) = (field.r#type, &field.spelling, self.layout_of(field, &layout));
            quote_spanned! {field.name.span()=>
                <#r#type as #wire::Field>::read(#from, #layout).map_err(|#error| #error.within(#spelling))?
            }
        };
        let untagged = self.untagged().map(|field| {
            let (variable, r#type, read) = (&field.local, field.r#type, read(field, quote!(#from)));
            match self.exists(field, &layout) {
                Some(exists) => {
                    let default = field.default(wire);
                    quote!(let #variable: #r#type = if #exists { #read } else { #default };)
                }
                None => quote!(let #variable: #r#type = #read;),
            }
        });
        let tagged = self.tagged();
        let defaults = tagged.iter().map(|(_, field)| {
            let (variable, r#type, default) = (&field.local, field.r#type, field.default(wire));
            quote!(let mut #variable: #r#type = #default;)
        });
        let known = tagged.iter().map(|(number, field)| {
            let (variable, spelling, read) =
                (&field.local, &field.spelling, read(field, quote!(&mut #content)));
            let check = self.exists(field, &layout).map(|exists| {
                quote! {
                    if !(#exists) {
                        return ::core::result::Result::Err(#wire::DecodeError::from(
                            #wire::DecodeFault::TagNotInVersion { tag: #tag, version: #layout.version() },
                        ));
                    }
                }
            });
            quote! {
                #number => {
                    #check
                    #variable = #read;
                    #from.tagged_end(&#content).map_err(|#error| #error.within(#spelling))?;
                }
            }
        });
        let read_tagged = if tagged.is_empty() {
            quote! { #from.tagged()?; }
        } else {
            quote! {
                let (#tag, mut #content) = #from.tagged()?;
                match #tag {
                    #(#known)*
                    _ => {}
                }
            }
        };
        let members = self.fields.iter().map(|field| {
            let (name, variable) = (field.name, &field.local);
            quote!(#name: #variable)
        });
        quote! {
            fn read(
                #from: &mut #wire::Decoder,
                #layout: #wire::Layout,
            ) -> ::core::result::Result<Self, #wire::DecodeError> {
                #(#untagged)*
                #(#defaults)*
                if #layout.is_flexible() {
                    for _ in 0..#from.unsigned_varint()? {
                        #read_tagged
                    }
                }
                ::core::result::Result::Ok(Self { #(#members),* })
            }
        }
    }

    fn write(&self) -> TokenStream {
        let wire = self.wire;
        let (to, layout, error, count) = (local("to"), local("layout"), local("error"), local("count"));
        let refused = |field: &Member<'_>| {
            // At a version without the field.
            if field.attributes.ignorable {
                return quote!();
            }
            let name = field.name;
            let (spelling, is_default) = (&field.spelling, field.is_default(wire, &quote!(&self.#name)));
            quote! {
                if !#is_default {
                    return ::core::result::Result::Err(#wire::EncodeError::from(
                        #wire::EncodeFault::NotInVersion { version: #layout.version() },
                    ).within(#spelling));
                }
            }
        };
        let write = |field: &Member<'_>| {
            let (name, r#type, layout) = (field.name, field.r#type, self.layout_of(field, &layout));
            // Known only once the answer is written, so the place of it is kept.
            let noted = (*name == "throttle_time_ms").then(|| quote!(#to.note_throttle_time();));
            quote_spanned!(name.span()=> {
                #noted
                <#r#type as #wire::Field>::write(&self.#name, #to, #layout)
            })
        };
        let untagged = self.untagged().map(|field| {
            let (spelling, write) = (&field.spelling, write(field));
            let write = quote!(#write.map_err(|#error| #error.within(#spelling))?;);
            match self.exists(field, &layout) {
                Some(exists) => {
                    let refused = refused(field);
                    quote!(if #exists { #write } else { #refused })
                }
                None => write,
            }
        });
        let tagged = self.tagged();
        let set = |field: &Member<'_>| {
            let name = field.name;
            let is_default = field.is_default(wire, &quote!(&self.#name));
            match self.exists(field, &layout) {
                Some(exists) => quote!(((#exists) && !#is_default)),
                None => quote!(!#is_default),
            }
        };
        let counts = tagged.iter().map(|(_, field)| {
            let set = set(field);
            quote!(::core::primitive::u32::from(#set))
        });
        let write_tagged = tagged.iter().map(|(tag, field)| {
            let (spelling, set, write) = (&field.spelling, set(field), write(field));
            quote! {
                if #set {
                    #to.tagged(#tag, |#to| #write).map_err(|#error| #error.within(#spelling))?;
                }
            }
        });
        // A tagged field cannot be written at all without flexible layout.
        let refused_tagged = tagged.iter().map(|(_, field)| {
            let refused = refused(field);
            match self.exists(field, &layout) {
                Some(exists) => quote!(if !(#layout.is_flexible() && #exists) { #refused }),
                None => quote!(if !#layout.is_flexible() { #refused }),
            }
        });
        quote! {
            fn write(
                &self,
                #to: &mut #wire::Encoder,
                #layout: #wire::Layout,
            ) -> ::core::result::Result<(), #wire::EncodeError> {
                #(#untagged)*
                #(#refused_tagged)*
                if #layout.is_flexible() {
                    let #count: ::core::primitive::u32 = 0 #(+ #counts)*;
                    #to.unsigned_varint(#count);
                    #(#write_tagged)*
                }
                ::core::result::Result::Ok(())
            }
        }
    }

    fn value(&self) -> TokenStream {
        let wire = self.wire;
        let (layout, members) = (local("layout"), local("members"));
        let push = self.fields.iter().map(|field| {
            let (name, r#type, spelling) = (field.name, field.r#type, &field.spelling);
            let push = quote! {
                #members.push((#spelling, <#r#type as #wire::Field>::to_value(&self.#name, #layout)));
            };
            let shown = field.attributes.tag.map(|_| {
                let is_default = field.is_default(wire, &quote!(&self.#name));
                quote!(!#is_default)
            });
            match (self.exists(field, &layout), shown) {
                (Some(exists), Some(shown)) => quote!(if (#exists) && #shown { #push }),
                (Some(condition), None) | (None, Some(condition)) => quote!(if #condition { #push }),
                (None, None) => push,
            }
        });
        let capacity = self.fields.len();
        quote! {
            fn to_value(&self, #layout: #wire::Layout) -> #wire::Value {
                let mut #members = ::std::vec::Vec::with_capacity(#capacity);
                #(#push)*
                #wire::Value::Struct(#members)
            }
        }
    }

    fn nullable(&self) -> TokenStream {
        let (name, wire) = (self.name, self.wire);
        let (from, to, layout, value, null) =
            (local("from"), local("to"), local("layout"), local("value"), local("null"));
        quote! {
            #[automatically_derived]
            impl #wire::Nullable for #name {
                fn smallest_nullable(_: #wire::Layout) -> ::core::primitive::usize {
                    1
                }

                fn read_nullable(
                    #from: &mut #wire::Decoder,
                    #layout: #wire::Layout,
                ) -> ::core::result::Result<::core::option::Option<Self>, #wire::DecodeError> {
                    let #null = if #layout.is_tagged() {
                        // Kafka reads a signed number, and takes one above 2147483647 for null as well.
                        #from.unsigned_varint()?.cast_signed() <= 0
                    } else {
                        #from.i8()? < 0
                    };
                    if #null {
                        ::core::result::Result::Ok(::core::option::Option::None)
                    } else {
                        <Self as #wire::Field>::read(#from, #layout).map(::core::option::Option::Some)
                    }
                }

                fn write_nullable(
                    #value: ::core::option::Option<&Self>,
                    #to: &mut #wire::Encoder,
                    #layout: #wire::Layout,
                ) -> ::core::result::Result<(), #wire::EncodeError> {
                    match #value {
                        ::core::option::Option::Some(#value) => {
                            if #layout.is_tagged() { #to.unsigned_varint(1) } else { #to.i8(1) }
                            <Self as #wire::Field>::write(#value, #to, #layout)
                        }
                        ::core::option::Option::None => {
                            if #layout.is_tagged() { #to.unsigned_varint(0) } else { #to.i8(-1) }
                            ::core::result::Result::Ok(())
                        }
                    }
                }
            }
        }
    }

    fn message(&self, whole: &Whole) -> TokenStream {
        let (name, wire) = (self.name, self.wire);
        let text = LitStr::new(&name.to_string(), name.span());
        let Versions { first, last } = whole.versions;
        let flexible_from = whole.flexible_from;
        let api_key = match &whole.kind {
            Kind::Request { api, .. } | Kind::Response { api } => quote!(#wire::ApiKey::#api.key()),
            Kind::Record { key } => quote!(#key),
            Kind::Data => quote!(-1),
        };
        let request = match &whole.kind {
            Kind::Request { api, response } => Some(quote! {
                #[automatically_derived]
                impl #wire::Request for #name {
                    const API: #wire::ApiKey = #wire::ApiKey::#api;
                    type Response = #response;
                }
            }),
            _ => None,
        };
        quote! {
            #[automatically_derived]
            impl #wire::Message for #name {
                const NAME: &'static ::core::primitive::str = #text;
                const API_KEY: ::core::primitive::i16 = #api_key;
                const VERSIONS: ::core::ops::RangeInclusive<::core::primitive::i16> = #first..=#last;
                const FLEXIBLE_FROM: ::core::primitive::i16 = #flexible_from;
            }
            #request
        }
    }
}

#[cfg(test)]
mod tests;
