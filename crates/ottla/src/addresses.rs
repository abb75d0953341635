//! The file in which a broker leaves where it listens, so that a health check in the same container finds it however the
//! broker was started. The image names it by a variable; without that there is none.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

const VARIABLE: &str = "OTTLA_ADDRESSES_FILE";

/// Where the file is, if there is to be one.
pub(crate) fn file() -> Option<PathBuf> {
    std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Leaves the addresses: HOST:PORT separated by commas, as clients in the same container take them.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn leave(file: &Path, bound: impl Iterator<Item = SocketAddr>) -> io::Result<()> {
    let addresses: Vec<_> = bound.flat_map(from_inside).map(|address| address.to_string()).collect();
    fs::write(file, addresses.join(",") + "\n")
}

/// The addresses that a broker has left.
///
/// # Errors
/// When none has, or the file cannot be read.
pub(crate) fn left(file: &Path) -> io::Result<String> {
    fs::read_to_string(file).map(|text| text.trim_end().to_owned())
}

/// Every interface is reached through the loopback one. Those of IPv6 are mostly those of IPv4 too, and many containers have
/// no IPv6.
fn from_inside(address: SocketAddr) -> Vec<SocketAddr> {
    let port = address.port();
    match address {
        _ if !address.ip().is_unspecified() => vec![address],
        SocketAddr::V4(_) => vec![(Ipv4Addr::LOCALHOST, port).into()],
        SocketAddr::V6(_) => vec![(Ipv4Addr::LOCALHOST, port).into(), (Ipv6Addr::LOCALHOST, port).into()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("addresses");
        assert_eq!(left(&file).expect_err("nobody has").kind(), io::ErrorKind::NotFound);
        let bound = ["0.0.0.0:1", "[::]:2", "10.0.0.1:3", "[::9]:4"].map(|text| text.parse().expect("one"));
        leave(&file, bound.into_iter()).expect("written");
        assert_eq!(left(&file).expect("there"), "127.0.0.1:1,127.0.0.1:2,[::1]:2,10.0.0.1:3,[::9]:4");
    }
}
