//! `ottla image-setup`: which properties are in force in a container (Kafka: `KafkaDockerWrapper.prepareServerConfigs`).
//!
//! A mounted file counts, and the variables after it. Without one the variables alone count, and nothing of the default
//! file: that counts only when there is nothing else.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::arguments::{self, ImageSetupArguments};
use crate::sources;

/// Writes the file. Gives 1 when that cannot be done, and says why.
pub(crate) fn run(arguments: &ImageSetupArguments) -> ExitCode {
    match write(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "error while preparing configs: {why}");
            ExitCode::FAILURE
        }
    }
}

fn write(arguments: &ImageSetupArguments) -> Result<(), String> {
    let ImageSetupArguments { default_file, mounted_file, final_file } = arguments;
    let mounted = match mounted_file {
        Some(path) => read(path)?,
        None => None,
    };
    let mut text = in_force(mounted, arguments::variables());
    if text.trim_ascii().is_empty()
        && let Some(path) = default_file
    {
        text = read(path)?.ok_or_else(|| format!("{} is missing", path.display()))?;
    }
    fs::write(final_file, text).map_err(|error| told("write", final_file, &error))
}

/// The mounted file, and a line for each variable that is a setting; a variable's text stands as it is.
fn in_force(mounted: Option<Vec<u8>>, variables: impl Iterator<Item = (String, String)>) -> Vec<u8> {
    let mut text = mounted.unwrap_or_default();
    let mut lines: Vec<_> = variables
        .filter(|(name, value)| !sources::is_service_link(name, value))
        .filter_map(|(name, value)| Some(format!("{}={value}\n", sources::property(&name)?)))
        .collect();
    lines.sort_unstable();
    if !lines.is_empty() && !text.is_empty() {
        text.push(b'\n');
    }
    text.extend(lines.concat().into_bytes());
    text
}

/// What is in the file, if it is there.
fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(told("read", path, &error)),
    }
}

fn told(what: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {what} {}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forced(mounted: Option<&str>, variables: &[(&str, &str)]) -> String {
        let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let text = in_force(mounted.map(|text| text.as_bytes().to_vec()), variables);
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn variables_stand_behind_a_mounted_file() {
        let variables =
            [("KAFKA_NODE_ID", "7"), ("KAFKA_A__B", r"x\\y"), ("KAFKA_OPTS", "-D"), ("PATH", "/bin")];
        assert_eq!(forced(None, &variables), "a_b=x\\\\y\nnode.id=7\n");
        assert_eq!(forced(Some("a=1"), &variables), "a=1\na_b=x\\\\y\nnode.id=7\n");
        assert_eq!(forced(Some("a=1\n"), &[]), "a=1\n");
        assert_eq!(forced(None, &[("KAFKA_PORT", "tcp://10.0.0.1:9092")]), "");
    }

    #[test]
    fn the_default_file_counts_when_nothing_else_says_anything() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("default"), "node.id=1\n").expect("written");
        let arguments = ImageSetupArguments {
            default_file: Some(at("default")),
            mounted_file: Some(at("mounted")),
            final_file: at("final"),
        };
        write(&arguments).expect("possible");
        assert_eq!(fs::read_to_string(at("final")).expect("written"), "node.id=1\n");
        fs::write(at("mounted"), "node.id=2\n").expect("written");
        write(&arguments).expect("possible");
        assert_eq!(fs::read_to_string(at("final")).expect("written"), "node.id=2\n");
        fs::remove_file(at("default")).expect("there");
        fs::remove_file(at("mounted")).expect("there");
        assert!(write(&arguments).expect_err("no default file").contains("is missing"));
    }
}
