use base::{LeaderEpoch, Offset, PartitionIndex, Uuid};
use wire::StrBytes;

use super::super::session::TopicKey;
use super::*;

const NOW: Millis = Millis(1_000_000);

fn by_name(index: i32) -> PartitionKey {
    PartitionKey { topic: TopicKey::Name(StrBytes::from_static("t")), index: PartitionIndex(index) }
}

fn by_id(index: i32) -> PartitionKey {
    PartitionKey { topic: TopicKey::Id(Uuid::from_u128(7)), index: PartitionIndex(index) }
}

fn from(offset: i64) -> Wanted {
    Wanted {
        offset: Offset(offset),
        max_bytes: 100,
        leader_epoch: LeaderEpoch::NONE,
        last_fetched_epoch: LeaderEpoch::NONE,
    }
}

fn wants(indexes: impl IntoIterator<Item = i32>) -> Vec<(PartitionKey, Wanted)> {
    indexes.into_iter().map(|index| (by_name(index), from(0))).collect()
}

fn ask(session: i32, epoch: i32, wanted: Vec<(PartitionKey, Wanted)>) -> Ask {
    Ask { session, epoch, by_id: false, wanted, forgotten: Vec::new() }
}

/// Nothing new, at this high watermark.
fn quiet(high_watermark: i64) -> Shown {
    Shown {
        high_watermark: Offset(high_watermark),
        log_start: Offset(0),
        records: false,
        error: false,
        diverging: false,
    }
}

fn failed() -> Shown {
    Shown { high_watermark: Offset(-1), log_start: Offset(-1), error: true, ..quiet(0) }
}

/// Ids that are 1, 2, 3, ...
fn ids() -> impl FnMut() -> i32 {
    let mut last = 0;
    move || {
        last += 1;
        last
    }
}

/// A session with these partitions, all at high watermark 0.
fn create(sessions: &mut Sessions, size: i32, now: Millis, random: &mut dyn FnMut() -> i32) -> i32 {
    let (turn, wanted) = sessions.begin(ask(0, 0, wants(0..size)), now).unwrap();
    assert_eq!(turn, Turn::Full);
    sessions.create(false, wanted.iter().map(|(key, wanted)| (key, *wanted, quiet(0))), now, random)
}

/// One step with nothing to say; gives the partitions that are fetched.
fn step(sessions: &mut Sessions, id: i32, epoch: i32, now: Millis) -> Result<Vec<i32>, SessionError> {
    let (turn, wanted) = sessions.begin(ask(id, epoch, Vec::new()), now)?;
    assert_eq!(turn, Turn::Incremental { session: id, epoch });
    Ok(wanted.iter().map(|(key, _)| key.index.0).collect())
}

fn tell(
    sessions: &mut Sessions,
    id: i32,
    epoch: i32,
    shown: &[(i32, Shown)],
) -> Result<Vec<bool>, SessionError> {
    let keys: Vec<_> = shown.iter().map(|(index, shown)| (by_name(*index), *shown)).collect();
    sessions.answer(id, epoch, keys.iter().map(|(key, shown)| (key, *shown)))
}

#[test]
fn a_session_tells_only_what_is_new() {
    let mut sessions = Sessions::new(10);
    let id = create(&mut sessions, 3, NOW, &mut ids());
    assert_eq!(step(&mut sessions, id, 1, NOW), Ok(vec![0, 1, 2]));
    assert_eq!(
        tell(&mut sessions, id, 1, &[(0, quiet(0)), (1, quiet(5)), (2, quiet(0))]),
        Ok(vec![false, true, false])
    );
    assert_eq!(step(&mut sessions, id, 2, NOW), Ok(vec![0, 1, 2]));
    let moved_start = Shown { log_start: Offset(3), ..quiet(5) };
    let diverging = Shown { diverging: true, ..quiet(0) };
    assert_eq!(
        tell(&mut sessions, id, 2, &[(0, quiet(0)), (1, moved_start), (2, diverging)]),
        Ok(vec![false, true, true])
    );
}

#[test]
fn who_was_served_goes_to_the_end() {
    let mut sessions = Sessions::new(10);
    let id = create(&mut sessions, 3, NOW, &mut ids());
    step(&mut sessions, id, 1, NOW).unwrap();
    let served = Shown { records: true, ..quiet(9) };
    assert_eq!(
        tell(&mut sessions, id, 1, &[(0, served), (1, quiet(9)), (2, quiet(0))]),
        Ok(vec![true, true, false])
    );
    assert_eq!(step(&mut sessions, id, 2, NOW), Ok(vec![1, 2, 0]));
}

#[test]
fn an_error_is_told_each_time_and_so_is_its_end() {
    let mut sessions = Sessions::new(10);
    let id = create(&mut sessions, 1, NOW, &mut ids());
    for (epoch, shown, told) in
        [(1, failed(), true), (2, failed(), true), (3, quiet(0), true), (4, quiet(0), false)]
    {
        step(&mut sessions, id, epoch, NOW).unwrap();
        assert_eq!(tell(&mut sessions, id, epoch, &[(0, shown)]), Ok(vec![told]), "epoch {epoch}");
    }
}

#[test]
fn requests_out_of_turn_are_refused_and_change_nothing() {
    let mut sessions = Sessions::new(10);
    let id = create(&mut sessions, 2, NOW, &mut ids());
    let refused = |sessions: &mut Sessions, ask| sessions.begin(ask, NOW).map(|_| ()).unwrap_err();
    assert_eq!(refused(&mut sessions, ask(99, 1, Vec::new())), SessionError::NotFound);
    assert_eq!(refused(&mut sessions, ask(NO_SESSION, 1, Vec::new())), SessionError::NotFound);
    assert_eq!(refused(&mut sessions, ask(id, 2, wants([7]))), SessionError::WrongEpoch);
    assert_eq!(refused(&mut sessions, ask(id, -2, wants([7]))), SessionError::WrongEpoch);
    let other_naming = Ask { by_id: true, wanted: vec![(by_id(0), from(0))], ..ask(id, 1, Vec::new()) };
    assert_eq!(refused(&mut sessions, other_naming), SessionError::OtherNaming);
    assert_eq!(step(&mut sessions, id, 1, NOW), Ok(vec![0, 1]));
}

#[test]
fn an_answer_to_a_request_that_was_overtaken_is_refused() {
    let mut sessions = Sessions::new(10);
    let id = create(&mut sessions, 1, NOW, &mut ids());
    step(&mut sessions, id, 1, NOW).unwrap();
    step(&mut sessions, id, 2, NOW).unwrap();
    assert_eq!(tell(&mut sessions, id, 1, &[(0, quiet(1))]), Err(SessionError::WrongEpoch));
    assert_eq!(tell(&mut sessions, id, 2, &[(0, quiet(1))]), Ok(vec![true]));
}

#[test]
fn partitions_are_added_changed_and_forgotten() {
    let mut sessions = Sessions::new(10);
    let id = create(&mut sessions, 3, NOW, &mut ids());
    let change = Ask {
        wanted: vec![(by_name(1), from(40)), (by_name(8), from(0))],
        forgotten: vec![by_name(0), by_name(77)],
        ..ask(id, 1, Vec::new())
    };
    let (_, wanted) = sessions.begin(change, NOW).unwrap();
    assert_eq!(wanted, vec![(by_name(1), from(40)), (by_name(2), from(0)), (by_name(8), from(0))]);
    // The new one is told even if nothing is in it, since its client does not know its marks.
    assert_eq!(
        tell(&mut sessions, id, 1, &[(1, quiet(0)), (2, quiet(0)), (8, quiet(0))]),
        Ok(vec![false, false, true])
    );
}

#[test]
fn a_session_without_partitions_ends() {
    let mut sessions = Sessions::new(10);
    let id = create(&mut sessions, 1, NOW, &mut ids());
    let last = Ask { forgotten: vec![by_name(0)], ..ask(id, 1, Vec::new()) };
    assert_eq!(sessions.begin(last, NOW), Ok((Turn::Sessionless, Vec::new())));
    assert_eq!(step(&mut sessions, id, 2, NOW), Err(SessionError::NotFound));
    assert_eq!((sessions.partitions, sessions.sessions.len()), (0, 0));
}

#[test]
fn a_full_request_ends_the_session_it_names() {
    let mut sessions = Sessions::new(10);
    let mut random = ids();
    for epoch in [INITIAL_EPOCH, FINAL_EPOCH] {
        let id = create(&mut sessions, 1, NOW, &mut random);
        sessions.begin(ask(id, epoch, wants([0])), NOW).unwrap();
        assert_eq!(step(&mut sessions, id, 1, NOW), Err(SessionError::NotFound));
    }
}

#[test]
fn a_partition_named_twice_is_fetched_once_and_as_the_last_one_says() {
    let twice = vec![(by_name(0), from(1)), (by_name(1), from(2)), (by_name(0), from(3))];
    let once = vec![(by_name(0), from(3)), (by_name(1), from(2))];
    let mut sessions = Sessions::new(10);
    assert_eq!(
        sessions.begin(ask(0, FINAL_EPOCH, twice.clone()), NOW),
        Ok((Turn::Sessionless, once.clone()))
    );
    let id = create(&mut sessions, 1, NOW, &mut ids());
    let (_, wanted) = sessions.begin(ask(id, 1, twice), NOW).unwrap();
    assert_eq!(wanted, once);
}

#[test]
fn an_id_is_positive_and_free() {
    let mut sessions = Sessions::new(10);
    let mut drawn = [0, -5, 8, 8, 9].into_iter();
    let mut random = || drawn.next().unwrap();
    assert_eq!(create(&mut sessions, 1, NOW, &mut random), 8);
    assert_eq!(create(&mut sessions, 1, NOW, &mut random), 9);
}

#[test]
fn epochs_go_round_without_0() {
    assert_eq!(next_epoch(INITIAL_EPOCH), 1);
    assert_eq!(next_epoch(1), 2);
    assert_eq!(next_epoch(i32::MAX), 1);
    assert_eq!(next_epoch(FINAL_EPOCH), FINAL_EPOCH);
    assert_eq!(next_epoch(i32::MIN), FINAL_EPOCH);
}

#[test]
fn a_full_house_refuses_until_someone_may_be_evicted() {
    let mut sessions = Sessions::new(2);
    let mut random = ids();
    let small = create(&mut sessions, 1, NOW, &mut random);
    let large = create(&mut sessions, 5, NOW, &mut random);
    assert_eq!(create(&mut sessions, 9, NOW, &mut random), NO_SESSION, "nobody is old enough");

    // Used a moment before, so neither is stale; old enough to give way to a larger one.
    let later = NOW.plus(EVICTION_MS + 1);
    step(&mut sessions, small, 1, later).unwrap();
    step(&mut sessions, large, 1, later).unwrap();
    assert_eq!(create(&mut sessions, 1, later, &mut random), NO_SESSION, "not larger than the smallest");
    assert_ne!(create(&mut sessions, 2, later, &mut random), NO_SESSION);
    assert_eq!(step(&mut sessions, small, 2, later), Err(SessionError::NotFound));
    assert!(step(&mut sessions, large, 2, later).is_ok());
}

#[test]
fn a_stale_session_goes_first_whatever_its_size() {
    let mut sessions = Sessions::new(2);
    let mut random = ids();
    let stale = create(&mut sessions, 50, NOW, &mut random);
    let fresh = create(&mut sessions, 1, NOW, &mut random);
    let later = NOW.plus(EVICTION_MS + 1);
    step(&mut sessions, fresh, 1, later).unwrap();
    assert_ne!(create(&mut sessions, 1, later, &mut random), NO_SESSION);
    assert_eq!(step(&mut sessions, stale, 1, later), Err(SessionError::NotFound));
}

#[test]
fn without_slots_there_are_no_sessions() {
    assert_eq!(create(&mut Sessions::new(0), 1, NOW, &mut ids()), NO_SESSION);
}

#[test]
fn all_sessions_together_hold_a_bounded_number_of_partitions() {
    let mut sessions = Sessions::new(2);
    let mut random = ids();
    let id = create(&mut sessions, 1500, NOW, &mut random);
    assert_ne!(id, NO_SESSION);
    assert_eq!(create(&mut sessions, 501, NOW, &mut random), NO_SESSION);
    let too_much = sessions.begin(ask(id, 1, wants(1500..2001)), NOW);
    assert_eq!(too_much, Err(SessionError::NotFound), "it grew beyond its bounds and is gone");
    assert_ne!(create(&mut sessions, 2000, NOW, &mut random), NO_SESSION);
}

/// Random clients; after each step the bookkeeping agrees with the sessions there are.
#[test]
fn the_bookkeeping_holds_whatever_clients_do() {
    let mut sessions = Sessions::new(8);
    let mut random = ids();
    let mut seed = 1_u64;
    let mut draw = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut now = NOW;
    let mut known = Vec::new();
    for _ in 0..5000 {
        now = now.plus(i64::try_from(draw(20_000)).unwrap());
        let some = i32::try_from(draw(6)).unwrap();
        match draw(3) {
            0 => known.push((create(&mut sessions, some, now, &mut random), 1)),
            _ if known.is_empty() => {}
            _ => {
                let pick = usize::try_from(draw(known.len() as u64)).unwrap();
                let (id, epoch) = known[pick];
                let change = Ask { forgotten: vec![by_name(some)], ..ask(id, epoch, wants([some + 1])) };
                match sessions.begin(change, now) {
                    Ok((Turn::Incremental { .. }, wanted)) => {
                        let shown = Shown { records: draw(2) == 0, ..quiet(0) };
                        sessions.answer(id, epoch, wanted.iter().map(|(key, _)| (key, shown))).unwrap();
                        known[pick].1 += 1;
                    }
                    Ok(_) | Err(SessionError::NotFound) => drop(known.swap_remove(pick)),
                    Err(other) => panic!("{other}"),
                }
            }
        }
        let sizes = sessions.sessions.values().map(Session::len).sum::<usize>();
        assert_eq!(sessions.partitions, sizes);
        assert_eq!(sessions.by_last_use.len(), sessions.sessions.len());
        assert!(sessions.sessions.len() <= 8);
        for (size, id) in &sessions.by_size {
            assert_eq!(sessions.sessions[id].len(), *size);
        }
    }
}
