use std::collections::BTreeSet;

use disk::{RealDisk, read_whole, write_atomically};
use proptest::prelude::*;

use super::*;

fn at(path: &str) -> &Path {
    Path::new(path)
}

fn new_file(disk: &CrashDisk, path: &str) -> Arc<dyn DiskFile> {
    disk.open(at(path), OpenHow::New).unwrap()
}

fn write(file: &Arc<dyn DiskFile>, position: u64, bytes: &[u8]) -> Result<(), DiskError> {
    file.write_at(position, &[IoSlice::new(bytes)])
}

fn content(disk: &CrashDisk, path: &str) -> Option<Vec<u8>> {
    read_whole(disk, at(path), 1 << 20).unwrap()
}

/// All contents of `path` that a power loss leaves, over many seeds.
fn outcomes(disk: &CrashDisk, path: &str) -> BTreeSet<Option<Vec<u8>>> {
    (0..200).map(|seed| content(&disk.after_with(Crash::PowerLoss, seed), path)).collect()
}

#[test]
fn every_call_that_changes_something_counts_and_the_cut_stops_the_world() {
    let story = |disk: &CrashDisk| -> Result<(), DiskError> {
        disk.create_dir_all(at("/d"))?;
        let file = disk.open(at("/d/a"), OpenHow::Write)?;
        write(&file, 0, b"abc")?;
        file.set_len(2)?;
        file.sync()?;
        disk.open(at("/d/a"), OpenHow::Write)?;
        file.read_at(0, &mut [0; 9])?;
        disk.list(at("/d"))?;
        disk.rename(at("/d/a"), at("/d/b"))?;
        disk.sync_dir(at("/d"))?;
        disk.remove_file(at("/d/b"))?;
        disk.remove_dir_all(at("/d"))
    };
    let calm = CrashDisk::calm(1);
    story(&calm).unwrap();
    assert_eq!(calm.operations(), 9);
    for cut in 0..9 {
        let disk = CrashDisk::new(1, cut);
        let stopped = story(&disk).unwrap_err();
        assert!(
            stopped.to_string().ends_with(&format!("the disk stopped at operation {cut} (seed 1)")),
            "{stopped}"
        );
        assert!(disk.has_stopped());
        assert_eq!(disk.operations(), cut + 1);
        for refused in
            [disk.list(at("/")).is_err(), disk.entry(at("/")).is_err(), disk.sync_dir(at("/")).is_err()]
        {
            assert!(refused, "after the cut every call fails");
        }
        assert_eq!(disk.operations(), cut + 1);
    }
}

#[test]
fn files_opened_before_the_cut_stop_too() {
    let disk = CrashDisk::new(0, 2);
    let file = new_file(&disk, "/a");
    write(&file, 0, b"x").unwrap();
    write(&file, 1, b"y").unwrap_err();
    file.len().unwrap_err();
    file.read_at(0, &mut [0]).unwrap_err();
    file.sync().unwrap_err();
}

#[test]
fn a_killed_process_leaves_completed_writes_and_any_part_of_the_last() {
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let disk = CrashDisk::new(seed, 2);
        let file = new_file(&disk, "/a");
        write(&file, 0, b"whole").unwrap();
        write(&file, 5, b"half").unwrap_err();
        let left = content(&disk.after(Crash::ProcessKill), "/a").unwrap();
        assert!(b"wholehalf".starts_with(&left[..]) && left.len() >= 5, "{left:?}");
        seen.insert(left.len());
    }
    assert_eq!(seen, (5..=9).collect(), "nothing, each part, and all of the cut write is met");
}

#[test]
fn a_killed_process_may_leave_half_of_a_removed_directory() {
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        let disk = CrashDisk::new(seed, 4);
        disk.create_dir_all(at("/d")).unwrap();
        for name in ["/d/a", "/d/b", "/d/c"] {
            new_file(&disk, name);
        }
        disk.remove_dir_all(at("/d")).unwrap_err();
        let left = disk.after(Crash::ProcessKill);
        seen.insert(left.entry(at("/d")).unwrap().map(|_| left.list(at("/d")).unwrap().len()));
    }
    assert_eq!(seen, BTreeSet::from([None, Some(0), Some(1), Some(2), Some(3)]));
}

#[test]
fn power_loss_keeps_what_was_synced_and_doubts_the_rest() {
    let disk = CrashDisk::calm(0);
    let file = new_file(&disk, "/a");
    disk.sync_dir(at("/")).unwrap();
    write(&file, 0, b"safe").unwrap();
    file.sync().unwrap();
    assert_eq!(outcomes(&disk, "/a"), BTreeSet::from([Some(b"safe".to_vec())]));
    write(&file, 4, b"?").unwrap();
    let mut expected: BTreeSet<_> = [&b"safe"[..], b"safe?", b"safe\0"].map(|b| Some(b.to_vec())).into();
    assert_eq!(outcomes(&disk, "/a"), expected);
    file.set_len(2).unwrap();
    let doubtful = outcomes(&disk, "/a");
    expected.insert(Some(b"sa".to_vec()));
    assert!(doubtful.is_superset(&expected), "{doubtful:?}");
    assert!(doubtful.iter().flatten().all(|left| left.starts_with(b"sa")));
}

#[test]
fn power_loss_reorders_writes_and_tears_them_by_sector() {
    let disk = CrashDisk::calm(0);
    let file = new_file(&disk, "/a");
    file.set_len(2048).unwrap();
    disk.settle();
    write(&file, 0, &[1; 1024]).unwrap();
    write(&file, 1024, &[2; 1024]).unwrap();
    let left = outcomes(&disk, "/a");
    let sectors = |bytes: &[u8]| [0, 512, 1024, 1536].map(|at| bytes[at]);
    let met: BTreeSet<[u8; 4]> = left.iter().flatten().map(|bytes| sectors(bytes)).collect();
    for expected in [[0, 0, 0, 0], [1, 1, 2, 2], [0, 0, 2, 2], [1, 1, 0, 0], [0, 1, 0, 2], [1, 0, 2, 0]] {
        assert!(met.contains(&expected), "{expected:?} never met");
    }
}

#[test]
fn the_sync_of_a_file_does_not_keep_its_name() {
    let disk = CrashDisk::calm(0);
    let file = new_file(&disk, "/a");
    write(&file, 0, b"data").unwrap();
    file.sync().unwrap();
    assert_eq!(outcomes(&disk, "/a"), BTreeSet::from([None, Some(b"data".to_vec())]));
    disk.sync_dir(at("/")).unwrap();
    assert_eq!(outcomes(&disk, "/a"), BTreeSet::from([Some(b"data".to_vec())]));
    disk.remove_file(at("/a")).unwrap();
    assert_eq!(outcomes(&disk, "/a"), BTreeSet::from([None, Some(b"data".to_vec())]));
}

#[test]
fn a_rename_happens_whole_or_not_at_all() {
    let disk = CrashDisk::calm(0);
    write_atomically(&disk, at("/c"), b"old").unwrap();
    assert_eq!(outcomes(&disk, "/c"), BTreeSet::from([Some(b"old".to_vec())]));
    for cut in 0..7 {
        for seed in 0..20 {
            let left = disk.after_with(Crash::ProcessKill, seed);
            left.cut_after(cut);
            let said = write_atomically(&left, at("/c"), b"new");
            assert_eq!(said.is_ok(), cut >= 6);
            for crash in [Crash::ProcessKill, Crash::PowerLoss] {
                let found = content(&left.after(crash), "/c").unwrap();
                assert!(
                    found == b"new" || (found == b"old" && said.is_err()),
                    "{crash:?} at {cut}: {found:?}"
                );
            }
        }
    }
}

#[test]
fn moved_twice_it_stands_in_one_place() {
    let disk = CrashDisk::calm(0);
    new_file(&disk, "/a");
    disk.settle();
    disk.rename(at("/a"), at("/b")).unwrap();
    disk.rename(at("/b"), at("/c")).unwrap();
    let mut met = BTreeSet::new();
    for seed in 0..100 {
        let left = disk.after_with(Crash::PowerLoss, seed).list(at("/")).unwrap();
        assert_eq!(left.len(), 1);
        met.insert(left[0].name.clone());
    }
    assert_eq!(met, ["a", "b", "c"].map(String::from).into());
}

#[test]
fn without_its_directory_a_file_is_gone() {
    let disk = CrashDisk::calm(0);
    disk.create_dir_all(at("/d")).unwrap();
    new_file(&disk, "/d/a");
    disk.sync_dir(at("/d")).unwrap();
    let left: BTreeSet<_> = (0..100)
        .map(|seed| disk.after_with(Crash::PowerLoss, seed).entry(at("/d/a")).unwrap().is_some())
        .collect();
    assert_eq!(left, [false, true].into());
}

#[test]
fn a_page_cache_that_outlived_a_kill_is_still_lost_with_the_power() {
    let disk = CrashDisk::calm(0);
    let file = new_file(&disk, "/a");
    disk.settle();
    write(&file, 0, b"x").unwrap();
    let killed = disk.after(Crash::ProcessKill);
    assert_eq!(content(&killed, "/a").unwrap(), b"x");
    assert!(outcomes(&killed, "/a").contains(&Some(Vec::new())));
}

#[test]
fn the_same_seed_leaves_the_same_disk() {
    let run = |seed| {
        let disk = CrashDisk::new(seed, 40);
        let left: Vec<Option<Vec<u8>>> = (0..20_u8)
            .map(|i| {
                let path = format!("/{}", i % 5);
                if let Ok(file) = disk.open(at(&path), OpenHow::Write) {
                    let _cut = write(&file, u64::from(i), &[i; 900]);
                    let _cut = file.sync();
                }
                path
            })
            .map(|path| content(&disk.after(Crash::PowerLoss), &path))
            .collect();
        left
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn files_carry_the_time_that_was_set() {
    let disk = CrashDisk::calm(0);
    disk.set_time(Millis(5_000));
    let file = new_file(&disk, "/a");
    disk.set_time(Millis(9_000));
    let modified = || disk.entry(at("/a")).unwrap().unwrap().modified;
    assert_eq!(modified(), SystemTime::UNIX_EPOCH + Duration::from_secs(5));
    write(&file, 0, b"x").unwrap();
    assert_eq!(modified(), SystemTime::UNIX_EPOCH + Duration::from_secs(9));
}

/// One call, on names out of a small world.
#[derive(Clone, Debug)]
enum Call {
    Open(String, OpenHow),
    Write(String, u64, Vec<u8>),
    SetLen(String, u64),
    CreateDirAll(String),
    Rename(String, String),
    RemoveFile(String),
    RemoveDirAll(String),
    List(String),
    SyncDir(String),
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4).prop_map(|names| names.join("/"))
}

fn call() -> impl Strategy<Value = Call> {
    let how = prop::sample::select(vec![OpenHow::Read, OpenHow::Existing, OpenHow::Write, OpenHow::New]);
    let bytes = prop::collection::vec(any::<u8>(), 0..5);
    prop_oneof![
        (path(), how).prop_map(|(path, how)| Call::Open(path, how)),
        (path(), 0_u64..9, bytes).prop_map(|(path, at, bytes)| Call::Write(path, at, bytes)),
        (path(), 0_u64..9).prop_map(|(path, len)| Call::SetLen(path, len)),
        path().prop_map(Call::CreateDirAll),
        (path(), path()).prop_map(|(from, to)| Call::Rename(from, to)),
        path().prop_map(Call::RemoveFile),
        path().prop_map(Call::RemoveDirAll),
        path().prop_map(Call::List),
        path().prop_map(Call::SyncDir),
    ]
}

/// What a call says: names and contents, or that it failed.
fn make(disk: &dyn Disk, root: &Path, call: &Call) -> Result<String, ()> {
    let open = |path: &str| disk.open(&root.join(path), OpenHow::Write);
    let said = match call {
        Call::Open(path, how) => disk.open(&root.join(path), *how).and_then(|file| {
            // A directory can be opened for reading on a real disk; nobody does.
            let mut bytes = [0; 32];
            let read = file.read_at(0, &mut bytes)?;
            Ok(format!("{:?}", &bytes[..read]))
        }),
        Call::Write(path, at, bytes) => {
            open(path).and_then(|file| write(&file, *at, bytes)).map(|()| String::new())
        }
        Call::SetLen(path, len) => open(path).and_then(|file| file.set_len(*len)).map(|()| String::new()),
        Call::CreateDirAll(path) => disk.create_dir_all(&root.join(path)).map(|()| String::new()),
        Call::Rename(from, to) => disk.rename(&root.join(from), &root.join(to)).map(|()| String::new()),
        Call::RemoveFile(path) => disk.remove_file(&root.join(path)).map(|()| String::new()),
        Call::RemoveDirAll(path) => disk.remove_dir_all(&root.join(path)).map(|()| String::new()),
        Call::List(path) => disk.list(&root.join(path)).map(|entries| {
            let seen: Vec<_> = entries.into_iter().map(|e| (e.name, e.is_dir, e.len)).collect();
            format!("{seen:?}")
        }),
        Call::SyncDir(path) => disk.sync_dir(&root.join(path)).map(|()| String::new()),
    };
    said.map_err(drop)
}

/// Every file below `path`, with its content.
fn tree(disk: &dyn Disk, path: &Path, found: &mut Vec<(PathBuf, Option<Vec<u8>>)>) {
    for entry in disk.list(path).unwrap() {
        let path = path.join(entry.name);
        if entry.is_dir {
            found.push((path.clone(), None));
            tree(disk, &path, found);
        } else {
            found.push((path.clone(), read_whole(disk, &path, 1 << 20).unwrap()));
        }
    }
}

fn below(disk: &dyn Disk, root: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    tree(disk, root, &mut found);
    found.into_iter().map(|(path, content)| (path.strip_prefix(root).unwrap().to_owned(), content)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn without_a_crash_it_is_a_real_disk(calls in prop::collection::vec(call(), 0..40)) {
        let dir = tempfile::tempdir().unwrap();
        let twin = CrashDisk::calm(0);
        for call in &calls {
            if let Call::Open(path, OpenHow::Read) = call && dir.path().join(path).is_dir() {
                continue;
            }
            prop_assert_eq!(make(&RealDisk, dir.path(), call), make(&twin, at("/"), call), "{:?}", call);
        }
        prop_assert_eq!(below(&RealDisk, dir.path()), below(&twin, at("/")));
    }

    #[test]
    fn what_was_synced_survives_every_crash(
        calls in prop::collection::vec(call(), 0..30),
        later in prop::collection::vec(call(), 0..10),
        seed in any::<u64>(),
    ) {
        let disk = CrashDisk::calm(seed);
        for call in &calls {
            let _said = make(&disk, at("/"), call);
        }
        // By the calls a careful room makes: each file and each directory synced.
        let before = below(&disk, at("/"));
        for (path, content) in &before {
            let path = at("/").join(path);
            match content {
                Some(_) => disk.open(&path, OpenHow::Write).unwrap().sync().unwrap(),
                None => disk.sync_dir(&path).unwrap(),
            }
        }
        disk.sync_dir(at("/")).unwrap();
        prop_assert_eq!(&below(&disk.after(Crash::PowerLoss), at("/")), &before);

        // What nobody touched since survives whatever happens next.
        let touched = |path: &Path| later.iter().any(|call| match call {
            Call::Rename(from, to) => path.starts_with(from) || path.starts_with(to),
            Call::Write(at, ..) | Call::SetLen(at, _) | Call::RemoveFile(at) | Call::RemoveDirAll(at) => {
                path.starts_with(at)
            }
            _ => false,
        });
        disk.cut_after(later.len() as u64 / 2);
        for call in &later {
            let _said = make(&disk, at("/"), call);
        }
        for crash in [Crash::ProcessKill, Crash::PowerLoss] {
            let after = below(&disk.after(crash), at("/"));
            for kept in before.iter().filter(|(path, _)| !touched(path)) {
                prop_assert!(after.contains(kept), "{:?}: {:?} is not in {:?}", crash, kept, after);
            }
        }
    }
}

#[test]
fn the_journal_names_each_operation_up_to_the_cut() {
    let disk = CrashDisk::new(1, 2);
    let file = new_file(&disk, "/a");
    file.write_at(0, &[IoSlice::new(b"x")]).unwrap();
    assert_eq!(read_whole(&disk, at("/a"), 10).unwrap().unwrap(), b"x");
    assert!(file.sync().is_err() && file.sync().is_err());
    let told: Vec<_> = disk.journal().into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(told, [Operation::Open, Operation::Write, Operation::Sync]);
    assert!(disk.after(Crash::ProcessKill).journal().is_empty());
}
