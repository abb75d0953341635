//! `ottla health`: whether the broker that these settings are for answers.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use settings::{Endpoint, Settings};

use crate::addresses;
use crate::arguments::{self, HealthArguments};
use crate::sources::{Failure, Sources};

/// Asks, says what came of it, and gives 0 or 1.
pub(crate) fn run(arguments: &HealthArguments) -> ExitCode {
    let patience = Duration::from_millis(arguments.timeout_ms);
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    let servers = match &arguments.bootstrap_server {
        Some(servers) => Ok(servers.clone()),
        None => match addresses::file().filter(|_| arguments.config.is_none()) {
            Some(file) => addresses::left(&file).map_err(|error| {
                format!("no broker says where it listens: cannot read {}: {error}", file.display()).into()
            }),
            None => servers(arguments, arguments::variables()),
        },
    };
    // Whoever runs health checks may close their output; the exit code is what counts.
    let code = match servers {
        Ok(servers) => tools::health(&servers, patience, &mut out, &mut err).unwrap_or(1),
        Err(why) => {
            let _ = writeln!(err, "{why}");
            1
        }
    };
    ExitCode::from(code)
}

/// Where the broker listens, by the file of settings, or by the variables when there is none.
fn servers(
    arguments: &HealthArguments,
    variables: impl Iterator<Item = (String, String)>,
) -> Result<String, Failure> {
    let mut sources = Sources::default();
    match &arguments.config {
        Some(path) => sources.read_file(path)?,
        None => sources.read_environment(variables),
    }
    let (settings, _) = sources.settings()?;
    addresses(&settings)
}

fn addresses(settings: &Settings) -> Result<String, Failure> {
    let addresses: Vec<_> = settings.listeners()?.iter().map(address).collect();
    Ok(addresses.join(","))
}

/// Every interface is reached through the loopback one.
fn address(Endpoint { host, port, .. }: &Endpoint) -> String {
    match host.as_str() {
        "" | "0.0.0.0" => format!("127.0.0.1:{port}"),
        "::" => format!("[::1]:{port}"),
        host if host.contains(':') => format!("[{host}]:{port}"),
        host => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(config: Option<&str>, variables: &[(&str, &str)]) -> String {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let config = config.map(|text| {
            std::fs::write(file.path(), text).expect("written");
            file.path().to_owned()
        });
        let arguments = HealthArguments { bootstrap_server: None, config, timeout_ms: 1 };
        let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        servers(&arguments, variables).expect("sound settings")
    }

    #[test]
    fn the_listeners_in_force_are_asked_and_not_those_of_controllers() {
        let file = "listeners=CONTROLLER://:1,A://:2,B://0.0.0.0:3,C://[::]:4,D://[::9]:5,E://h:6\n\
                    controller.listener.names=CONTROLLER\n\
                    listener.security.protocol.map=CONTROLLER:PLAINTEXT,A:PLAINTEXT,B:PLAINTEXT,C:PLAINTEXT,D:PLAINTEXT,E:PLAINTEXT\n";
        let all = "127.0.0.1:2,127.0.0.1:3,[::1]:4,[::9]:5,h:6";
        assert_eq!(asked(Some(file), &[("KAFKA_LISTENERS", "PLAINTEXT://:9")]), all);
    }

    #[test]
    fn without_a_file_the_variables_count_and_then_the_default() {
        assert_eq!(asked(None, &[("KAFKA_LISTENERS", "PLAINTEXT://:9")]), "127.0.0.1:9");
        assert_eq!(asked(None, &[]), "127.0.0.1:9092");
    }
}
