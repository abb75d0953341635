//! What `--alter` is to change.

use crate::call::Failure;
use crate::options::Options;
use crate::properties::Properties;

/// Settings to set and to take away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) set: Vec<(String, String)>,
    pub(super) deleted: Vec<String>,
}

impl Change {
    pub(super) fn wanted(options: &Options) -> Result<Self, Failure> {
        let flags = ["add-config", "add-config-file", "delete-config"];
        if !flags.iter().any(|flag| options.has(flag)) {
            return Err(Failure::Told(
                "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter"
                    .to_owned(),
            ));
        }
        if options.has("add-config") && options.has("add-config-file") {
            return Err(Failure::Told(
                "Only one of --add-config or --add-config-file must be specified".to_owned(),
            ));
        }
        let mut added =
            options.value("add-config-file")?.map(Properties::read).transpose()?.unwrap_or_default();
        for (name, value) in options.value("add-config")?.map(pairs).transpose()?.unwrap_or_default() {
            added.set(&name, value);
        }
        let set: Vec<_> = (added.names())
            .map(|name| (name.to_owned(), added.get(name).unwrap_or_default().to_owned()))
            .collect();
        let is_legal = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-');
        if let Some((name, _)) = set.iter().find(|(name, _)| !name.chars().all(is_legal)) {
            return Err(Failure::Told(format!("Invalid character found for config key: {name}")));
        }
        let deleted = options.all("delete-config").flat_map(|list| list.split(','));
        Ok(Self { set, deleted: deleted.map(|name| name.trim().to_owned()).collect() })
    }

    /// All names, set or taken away.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.set.iter().map(|(name, _)| name).chain(&self.deleted).map(String::as_str)
    }

    /// Refuses to take away what is not there.
    pub(super) fn deletes_only(&self, is_set: impl Fn(&str) -> bool) -> Result<(), Failure> {
        let unknown: Vec<_> =
            (self.deleted.iter()).map(String::as_str).filter(|name| !is_set(name)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(Failure::Told(format!("Invalid config(s): {}", unknown.join(","))))
    }
}

/// `a=1,b=[2,3]`: commas and `=` within brackets part nothing, and the brackets are dropped.
fn pairs(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut parts = vec![vec![String::new()]];
    let mut within = false;
    for char in text.chars() {
        let part = parts.last_mut();
        match (char, part) {
            ('[', _) => within = true,
            (']', _) => within = false,
            (',', _) if !within => parts.push(vec![String::new()]),
            ('=', Some(part)) if !within => part.push(String::new()),
            (other, Some(part)) => part.iter_mut().next_back().into_iter().for_each(|cell| cell.push(other)),
            (_, None) => {}
        }
    }
    // Java drops what is empty at the end.
    while parts.len() > 1 && parts.last().is_some_and(|last| *last == [""]) {
        parts.pop();
    }
    let pair = |part: Vec<String>| {
        match &part[..] {
        [name, value] => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err(Failure::Told(
            "requirement failed: Invalid entity config: all configs to be added must be in the format \"key=val\" or  \
             \"key=[val1,val2]\" to group values which contain commas."
                .to_owned(),
        )),
    }
    };
    parts.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_keep_commas_together() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            pairs("a=1, cleanup.policy=[compact,delete],c=,d=[x=1,y=2],").unwrap(),
            [pair("a", "1"), pair("cleanup.policy", "compact,delete"), pair("c", ""), pair("d", "x=1,y=2")]
        );
        for wrong in ["", "a", "a=1,,b=2", "a=1=2"] {
            assert!(pairs(wrong).is_err(), "{wrong}");
        }
    }
}
