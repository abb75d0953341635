//! `cargo xtask image`: the docker image without a registry. A static release binary and Debian's static busybox are laid
//! out by `docker/assemble`, packed with fixed times and owners, and built `FROM scratch` with what the Dockerfile says from
//! there on; so the Dockerfile and this cannot differ.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::command::{Run, Workspace, can_run, in_ci};

/// What the image may weigh, unpacked, in bytes.
const LARGEST_IMAGE: u64 = 15_000_000;
/// What the binary in it may weigh, in bytes.
const LARGEST_BINARY: u64 = 12_000_000;
/// The same as in `docker/assemble`: 2020-01-01.
const EPOCH: &str = "1577836800";

/// How to call it.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The image's names; `ottla:VERSION` and `ottla:latest` without one
    #[arg(long = "tag", value_name = "NAME:TAG")]
    tags: Vec<String>,
    /// Only build the context, below the target directory, and say where it is
    #[arg(long)]
    context_only: bool,
}

pub(crate) fn run(workspace: &Workspace, chosen: &Chosen) -> bool {
    match build(workspace, chosen) {
        Ok(()) => true,
        Err(why) => {
            println!("no image: {why}");
            false
        }
    }
}

/// Builds the image under one name.
pub(crate) fn build_as(workspace: &Workspace, tag: &str) -> Result<(), String> {
    build(workspace, &Chosen { tags: vec![tag.to_owned()], context_only: false })
}

/// The image's names when nobody says.
pub(crate) fn usual_tags(workspace: &Workspace) -> Vec<String> {
    let packages = workspace.metadata["packages"].as_array().cloned().unwrap_or_default();
    let ottla = packages.into_iter().find(|package| package["name"] == "ottla");
    let version = ottla.and_then(|package| package["version"].as_str().map(str::to_owned));
    version.into_iter().chain(["latest".to_owned()]).map(|tag| format!("ottla:{tag}")).collect()
}

fn build(workspace: &Workspace, chosen: &Chosen) -> Result<(), String> {
    let busybox = busybox()?;
    if !chosen.context_only && !can_run("docker", &["version"]) {
        return Err("no docker daemon answers `docker version`".to_owned());
    }
    let at = workspace.target.join("image");
    let binary = static_binary(workspace, &at.join("build"))?;
    let context = at.join("context");
    drop(fs::remove_dir_all(&context));
    fs::create_dir_all(&context).map_err(|why| format!("cannot make {}: {why}", context.display()))?;
    let root = at.join("rootfs");
    assemble(workspace, &root, &binary, &busybox)?;
    pack(workspace, &root, &context.join("rootfs.tar"))?;
    let dockerfile = read(&workspace.root.join("docker/Dockerfile"))?;
    fs::write(context.join("Dockerfile"), from_scratch(&dockerfile)?).map_err(|why| why.to_string())?;
    println!("context: {}", context.display());
    if chosen.context_only {
        return Ok(());
    }

    let tags = if chosen.tags.is_empty() { usual_tags(workspace) } else { chosen.tags.clone() };
    let named = tags.iter().flat_map(|tag| ["--tag", tag]);
    done(workspace.run("docker").args(["build", "--quiet"]).args(named).arg(&context))?;
    weigh(workspace, &tags[0], &binary)
}

/// A busybox that runs without libraries: the variable `OTTLA_BUSYBOX` names it, or Debian's package brings it.
fn busybox() -> Result<PathBuf, String> {
    let named = std::env::var_os("OTTLA_BUSYBOX").map(PathBuf::from);
    let candidates =
        named.map_or_else(|| vec!["/bin/busybox".into(), "/usr/bin/busybox".into()], |one| vec![one]);
    let bytes = |path: &PathBuf| fs::read(path).ok();
    let is_static = |path: &PathBuf| bytes(path).is_some_and(|bytes| !names_a_loader(&bytes));
    candidates.into_iter().find(is_static).ok_or_else(|| {
        "a static busybox is missing: install busybox-static, or name one with OTTLA_BUSYBOX".to_owned()
    })
}

/// Whether a program of the ELF format names the loader of its libraries, which stands near its beginning.
fn names_a_loader(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(4096)];
    !start.starts_with(b"\x7fELF")
        || start.windows(8).any(|window| window == b"/ld-linu" || window == b"/ld-musl")
}

/// Builds the broker for this machine, with everything it needs inside, and without the paths of this checkout.
///
/// The target is named, or its flags would be those of build scripts too, which load libraries.
fn static_binary(workspace: &Workspace, folder: &Path) -> Result<PathBuf, String> {
    let triple = &host(workspace)?;
    let cargo_home = cargo_home()?;
    let remapped = [(workspace.root.display().to_string(), "/ottla"), (cargo_home.clone(), "/cargo")];
    let locked: &[&str] = if in_ci() { &["--locked"] } else { &[] };
    let cargo =
        workspace.cargo().env("CARGO_INCREMENTAL", "0").env("CARGO_ENCODED_RUSTFLAGS", flags(&remapped));
    let cargo = cargo.env("CFLAGS", format!("-ffile-prefix-map={cargo_home}=/cargo"));
    let cargo = cargo.args(["build", "--release", "--package", "ottla", "--target", triple]).args(locked);
    done(cargo.arg("--target-dir").arg(folder))?;
    Ok(folder.join(triple).join("release/ottla"))
}

/// What rustc is told, as `CARGO_ENCODED_RUSTFLAGS` takes it: a path may hold spaces.
fn flags(remapped: &[(String, &str)]) -> String {
    const SEPARATOR: &str = "\x1f";
    // Half a megabyte of the places that depend on where the program is loaded becomes a few kilobytes.
    let fixed = ["-C", "target-feature=+crt-static", "-C", "link-arg=-Wl,-z,pack-relative-relocs"];
    let remapped = remapped.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}"));
    fixed.into_iter().map(str::to_owned).chain(remapped).collect::<Vec<_>>().join(SEPARATOR)
}

/// The binary of the last image.
pub(crate) fn binary(workspace: &Workspace) -> Result<PathBuf, String> {
    let path = workspace.target.join("image/build").join(host(workspace)?).join("release/ottla");
    if path.exists() { Ok(path) } else { Err("there is no image yet: cargo xtask image".to_owned()) }
}

/// The triple of this machine.
fn host(workspace: &Workspace) -> Result<String, String> {
    let version = workspace.run("rustc").arg("-vV").output().ok_or("rustc does not answer")?;
    let version = String::from_utf8_lossy(&version).into_owned();
    let triple = version.lines().find_map(|line| line.strip_prefix("host: "));
    triple.map(str::to_owned).ok_or_else(|| "rustc names no host".to_owned())
}

fn cargo_home() -> Result<String, String> {
    let named = std::env::var("CARGO_HOME").ok();
    let home = || std::env::var("HOME").ok().map(|home| format!("{home}/.cargo"));
    named.or_else(home).ok_or_else(|| "neither CARGO_HOME nor HOME is set".to_owned())
}

/// Lays out the root: the two programs, the links to them, and what is in `docker/rootfs`.
fn assemble(workspace: &Workspace, root: &Path, binary: &Path, busybox: &Path) -> Result<(), String> {
    let assemble = workspace.run("sh").env("SOURCE_DATE_EPOCH", EPOCH).arg("docker/assemble");
    done(assemble.arg(root).arg(binary).arg(busybox))
}

/// Packs the root: what is listed in `docker/owned` belongs to the user of the container, the rest to the superuser.
fn pack(workspace: &Workspace, root: &Path, archive: &Path) -> Result<(), String> {
    let owned = read(&workspace.root.join("docker/owned"))?;
    let owned: Vec<String> = owned.lines().map(|path| format!("./{path}")).collect();
    let tar = |mode: &str, user: &str| {
        let tar =
            workspace.run("tar").args(["--format=ustar", "--sort=name", "--numeric-owner", "--anchored"]);
        let tar = tar.args([&format!("--mtime=@{EPOCH}"), &format!("--owner={user}"), "--group=0"]);
        tar.args([mode, "--file"]).arg(archive).arg("--directory").arg(root)
    };
    let left_out = owned.iter().map(|path| format!("--exclude={path}"));
    done(tar("--create", "0").args(left_out).arg("."))?;
    done(tar("--append", "1000").args(owned))
}

/// The Dockerfile's last stage, with the packed root in the place of the stage that it copies from.
fn from_scratch(dockerfile: &str) -> Result<String, String> {
    const COPY: &str = "COPY --from=build /rootfs/ /\n";
    let start = dockerfile.find("FROM scratch\n").ok_or("docker/Dockerfile has no `FROM scratch`")?;
    let last = &dockerfile[start..];
    match last.matches(COPY).count() {
        1 => Ok(last.replace(COPY, "ADD rootfs.tar /\n")),
        _ => Err(format!("docker/Dockerfile must say `{}` once after `FROM scratch`", COPY.trim_end())),
    }
}

/// Says what the image weighs. Too much is a failure.
fn weigh(workspace: &Workspace, tag: &str, binary: &Path) -> Result<(), String> {
    let format = "{{.Size}} {{.Id}} {{json .RootFS.Layers}}";
    let said = workspace.run("docker").args(["image", "inspect", "--format", format, tag]).output();
    let said = String::from_utf8_lossy(&said.ok_or("the image is not there")?).into_owned();
    let mut words = said.split_whitespace();
    let size: u64 = words.next().and_then(|word| word.parse().ok()).ok_or("docker names no size")?;
    let weight = fs::metadata(binary).map_err(|why| why.to_string())?.len();
    println!(
        "{tag}: {:.1} MB, of which the binary {:.1} MB; {}",
        megabytes(size),
        megabytes(weight),
        words.collect::<Vec<_>>().join(" ")
    );
    for (what, is, most) in [("image", size, LARGEST_IMAGE), ("binary", weight, LARGEST_BINARY)] {
        if is > most {
            return Err(format!("the {what} has {is} bytes, and may have {most}"));
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a size to look at")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|why| format!("cannot read {}: {why}", path.display()))
}

fn done(run: Run) -> Result<(), String> {
    let line = run.line();
    if run.succeeds() { Ok(()) } else { Err(format!("this failed: {line}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_is_taken_over() {
        let dockerfile = "FROM x AS build\nRUN y\n\nFROM scratch\nCOPY --from=build /rootfs/ /\nUSER z\n";
        assert_eq!(from_scratch(dockerfile).expect("complete"), "FROM scratch\nADD rootfs.tar /\nUSER z\n");
        assert!(from_scratch("FROM x\nUSER z\n").is_err());
        assert!(from_scratch("FROM scratch\nUSER z\n").is_err());
    }

    #[test]
    fn the_dockerfile_of_this_checkout_has_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker/Dockerfile");
        let stage = from_scratch(&read(&path).expect("there")).expect("it has a last stage");
        assert!(stage.contains("ADD rootfs.tar /") && stage.contains("HEALTHCHECK"), "{stage}");
    }

    #[test]
    fn a_checkout_whose_path_holds_a_space_is_one_flag() {
        let flags = flags(&[("/my code".to_owned(), "/ottla"), ("/c".to_owned(), "/cargo")]);
        let flags: Vec<_> = flags.split('\x1f').skip(4).collect();
        assert_eq!(flags, ["--remap-path-prefix=/my code=/ottla", "--remap-path-prefix=/c=/cargo"]);
    }

    /// Wherever, whenever and in whatever order it is laid out. What the binary is, is the compiler's business.
    #[test]
    fn the_same_programs_are_the_same_layer() {
        let workspace = Workspace::find().expect("a checkout");
        let folder = std::env::temp_dir().join(format!("ottla-xtask-image-{}", std::process::id()));
        let packed = ["first", "an other/second"].map(|name| {
            let here = folder.join(name);
            fs::create_dir_all(&here).expect("a folder");
            let programs = ["ottla", "busybox"].map(|program| {
                let path = here.join(program);
                fs::write(&path, program).expect("written");
                path
            });
            let root = here.join("root");
            assemble(&workspace, &root, &programs[0], &programs[1]).expect("laid out");
            let made = fs::metadata(root.join("usr/local/bin/ottla")).and_then(|it| it.modified());
            let age = made.expect("there").duration_since(std::time::UNIX_EPOCH).expect("since 1970");
            assert_eq!(age.as_secs().to_string(), EPOCH, "what the Dockerfile copies is as old");
            pack(&workspace, &root, &here.join("rootfs.tar")).expect("packed");
            fs::read(here.join("rootfs.tar")).expect("there")
        });
        assert!(packed[0] == packed[1]);
        for license in ["ottla/LICENSE", "busybox/GPL-2", "glibc/LGPL-2.1"] {
            let path = folder.join("first").join("root").join("usr/share/licenses").join(license);
            assert!(fs::metadata(&path).expect("there").len() > 1000, "{license}");
        }
        fs::remove_dir_all(&folder).expect("there");
    }

    #[test]
    fn a_program_with_a_loader_is_not_static() {
        assert!(names_a_loader(b"\x7fELF....../lib64/ld-linux-x86-64.so.2"));
        assert!(!names_a_loader(b"\x7fELF......"));
        assert!(names_a_loader(b"#!/bin/sh"), "it is no program at all");
    }
}
