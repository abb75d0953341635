use super::*;
use base::Millis;

const NOW: Millis = Millis(1_700_000_000_000);

fn entity(parts: &[(&str, Option<&str>)]) -> Entity {
    Entity::new(parts.iter().map(|(kind, name)| ((*kind).to_owned(), name.map(str::to_owned))))
}

fn wish(parts: &[(&str, Option<&str>)], changes: &[(&str, Option<f64>)]) -> Alteration {
    let changes = changes.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
    Alteration { entity: entity(parts), changes }
}

fn quotas(wishes: &[Alteration]) -> Quotas {
    let mut quotas = Quotas::default();
    alter(&mut quotas, wishes).into_iter().for_each(|answer| answer.unwrap());
    quotas
}

/// Alters, and lets the image follow.
fn alter(quotas: &mut Quotas, wishes: &[Alteration]) -> Vec<Result<(), Refusal>> {
    let decision = quotas.alter(wishes);
    decision.records.iter().for_each(|record| quotas.apply(record));
    decision.answers.into_iter().map(|(_, answer)| answer).collect()
}

#[test]
fn what_is_set_is_there_until_it_is_removed() {
    let user = &[(USER, Some("a"))];
    let mut image =
        quotas(&[wish(user, &[(PRODUCER_BYTE_RATE, Some(5.0)), (REQUEST_PERCENTAGE, Some(0.5))])]);
    assert_eq!(image.get(&entity(user), PRODUCER_BYTE_RATE), Some(5.0));
    let same = image.alter(&[wish(user, &[(PRODUCER_BYTE_RATE, Some(5.0)), (CONSUMER_BYTE_RATE, None)])]);
    assert!(same.records.is_empty(), "nothing changes");
    assert_eq!(same.answers, [(entity(user), Ok(()))]);
    alter(&mut image, &[wish(user, &[(PRODUCER_BYTE_RATE, None), ("no_such_key", None)])]);
    assert_eq!(image.records().count(), 1);
    alter(&mut image, &[wish(user, &[(REQUEST_PERCENTAGE, None)])]);
    assert!(image.is_empty());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let rate = |value| [(PRODUCER_BYTE_RATE, Some(value))];
    let user = &[(USER, Some("a"))];
    let key = || PRODUCER_BYTE_RATE.to_owned();
    for (wish, refusal) in [
        (wish(&[], &rate(1.0)), Refusal::EmptyEntity),
        (wish(&[("group", None)], &rate(1.0)), Refusal::UnknownType("group".to_owned())),
        (wish(&[(USER, Some(""))], &rate(1.0)), Refusal::EmptyName(USER.to_owned())),
        (wish(&[(IP, None), (USER, None)], &[(CONNECTION_CREATION_RATE, Some(1.0))]), Refusal::IpWithOthers),
        (
            wish(&[(IP, Some("example.org"))], &[(CONNECTION_CREATION_RATE, Some(1.0))]),
            Refusal::NotAnAddress("example.org".to_owned()),
        ),
        (wish(&[(IP, Some("::1"))], &rate(1.0)), Refusal::UnknownKey(key())),
        (
            wish(user, &[(CONNECTION_CREATION_RATE, Some(1.0))]),
            Refusal::UnknownKey(CONNECTION_CREATION_RATE.to_owned()),
        ),
        (wish(user, &rate(0.0)), Refusal::NotPositive(key())),
        (wish(user, &rate(-1.0)), Refusal::NotPositive(key())),
        (wish(user, &rate(f64::NAN)), Refusal::NotPositive(key())),
        (wish(user, &rate(1.5)), Refusal::Fraction(key())),
        (wish(user, &rate(1e19)), Refusal::TooLarge(key())),
        (
            wish(&[(IP, None)], &[(CONNECTION_CREATION_RATE, Some(2_147_483_648.0))]),
            Refusal::TooLarge(CONNECTION_CREATION_RATE.to_owned()),
        ),
        (
            wish(user, &[(PRODUCER_BYTE_RATE, Some(1.0)), (PRODUCER_BYTE_RATE, None)]),
            Refusal::KeyTwice(key()),
        ),
    ] {
        let decision = Quotas::default().alter(std::slice::from_ref(&wish));
        assert_eq!(decision.answers, [(wish.entity, Err(refusal))]);
        assert!(decision.records.is_empty());
    }
}

#[test]
fn entities_stand_or_fall_alone_and_one_named_twice_falls() {
    let mut image = Quotas::default();
    let answers = alter(
        &mut image,
        &[
            wish(&[(USER, Some("a"))], &[(PRODUCER_BYTE_RATE, Some(1.0))]),
            wish(&[(USER, Some("b"))], &[("bad", Some(1.0))]),
            wish(&[(USER, Some("c"))], &[(REQUEST_PERCENTAGE, Some(0.25))]),
            wish(&[(USER, Some("a"))], &[(CONSUMER_BYTE_RATE, Some(1.0))]),
        ],
    );
    assert_eq!(answers, [Err(Refusal::EntityTwice), Err(Refusal::UnknownKey("bad".to_owned())), Ok(())]);
    assert_eq!(image.records().count(), 1);
}

#[test]
fn a_request_has_an_end() {
    let many: Vec<Alteration> = (0..=MOST_RECORDS)
        .map(|number| wish(&[(USER, Some(&number.to_string()))], &[(PRODUCER_BYTE_RATE, Some(1.0))]))
        .collect();
    let decision = Quotas::default().alter(&many);
    assert!(decision.records.is_empty());
    assert!(decision.answers.iter().all(|(_, answer)| *answer == Err(Refusal::TooMany)));
    let long = |count: usize| {
        let name = |number| format!("{number:0>32000}");
        let one = |number| wish(&[(CLIENT_ID, Some(&name(number)))], &[(PRODUCER_BYTE_RATE, Some(1.0))]);
        Quotas::default().alter(&(0..count).map(one).collect::<Vec<_>>()).records.len()
    };
    assert_eq!([long(130), long(132)], [130, 0], "4 MiB of names");
}

#[test]
fn filters_pick_entities() {
    let rate = [(PRODUCER_BYTE_RATE, Some(1.0))];
    let image = quotas(&[
        wish(&[(USER, Some("a"))], &rate),
        wish(&[(USER, None)], &rate),
        wish(&[(USER, Some("a")), (CLIENT_ID, Some("x"))], &rate),
        wish(&[(USER, Some("b")), (CLIENT_ID, None)], &rate),
        wish(&[(CLIENT_ID, Some("x"))], &rate),
        wish(&[(IP, Some("10.0.0.1"))], &[(CONNECTION_CREATION_RATE, Some(1.0))]),
    ]);
    let found = |strict, components: &[(&str, Match)]| {
        let components = components
            .iter()
            .map(|(kind, wanted)| Component { kind: (*kind).to_owned(), wanted: wanted.clone() })
            .collect();
        image.describe(&Filter { components, strict }).map(Iterator::count)
    };
    let exact = |name: &str| Match::Exact(name.to_owned());
    assert_eq!(found(false, &[]), Ok(6));
    assert_eq!(found(true, &[]), Ok(0));
    assert_eq!(found(false, &[(USER, Match::Any)]), Ok(4));
    assert_eq!(found(true, &[(USER, Match::Any)]), Ok(2));
    assert_eq!(found(false, &[(USER, exact("a"))]), Ok(2));
    assert_eq!(found(true, &[(USER, exact("a"))]), Ok(1));
    assert_eq!(found(false, &[(USER, Match::Default)]), Ok(1));
    assert_eq!(found(true, &[(USER, Match::Any), (CLIENT_ID, Match::Default)]), Ok(1));
    assert_eq!(found(true, &[(CLIENT_ID, exact("x"))]), Ok(1));
    assert_eq!(found(true, &[(IP, Match::Any)]), Ok(1));
    assert_eq!(found(false, &[("", Match::Any)]), Err(FilterError::EmptyType));
    assert_eq!(found(false, &[("group", Match::Any)]), Err(FilterError::UnknownType("group".to_owned())));
    let twice = Err(FilterError::TypeTwice(USER.to_owned()));
    assert_eq!(found(false, &[(USER, Match::Any), (USER, Match::Default)]), twice);
    assert_eq!(found(false, &[(IP, Match::Any), (USER, Match::Any)]), Err(FilterError::IpWithOthers));
}

/// The steps of Kafka's order, the most specific first; each with the limit that only it gives.
#[test]
fn the_most_specific_quota_counts() {
    let steps: [&[(&str, Option<&str>)]; 8] = [
        &[(USER, Some("u")), (CLIENT_ID, Some("c"))],
        &[(USER, Some("u")), (CLIENT_ID, None)],
        &[(USER, Some("u"))],
        &[(USER, None), (CLIENT_ID, Some("c"))],
        &[(USER, None), (CLIENT_ID, None)],
        &[(USER, None)],
        &[(CLIENT_ID, Some("c"))],
        &[(CLIENT_ID, None)],
    ];
    let client = Client { user: "u", id: "c" };
    for first in 0..steps.len() {
        let mut wishes = Vec::new();
        for (number, step) in (1_u32..).zip(steps).skip(first) {
            wishes.push(wish(step, &[(PRODUCER_BYTE_RATE, Some(number.into()))]));
        }
        let limits = limits::Limits::new(&quotas(&wishes));
        let limit = limits.of_client(Kind::Produce, client).unwrap();
        assert_eq!(limit.value, f64::from(u32::try_from(first).unwrap() + 1));
        let shared_by = match first {
            2 | 5 => Client { user: "u", id: "" },
            6 | 7 => Client { user: "", id: "c" },
            _ => client,
        };
        assert_eq!(limit.shared_by, shared_by, "step {first}");
        assert_eq!(limits.of_client(Kind::Fetch, client), None, "each kind has limits of its own");
        let nameless = limits.of_client(Kind::Produce, Client { user: "u", id: "" }).map(|limit| limit.value);
        let expected = if first <= 2 { Some(3.0) } else { Some(6.0).filter(|_| first <= 5) };
        assert_eq!(nameless, expected, "step {first}");
    }
}

fn meters(parts: &[(&str, Option<&str>)], key: &str, value: f64) -> Meters {
    let mut meters = Meters::new(Window::new(11, 1), Window::new(11, 1));
    meters.set(&quotas(&[wish(parts, &[(key, Some(value))])]));
    meters
}

#[test]
fn who_has_no_quota_is_not_measured() {
    let mut meters = meters(&[(USER, Some("u"))], PRODUCER_BYTE_RATE, 1.0);
    assert!(meters.limits(Kind::Produce) && !meters.limits(Kind::Fetch) && !meters.limits_addresses());
    assert_eq!(meters.charge(Kind::Produce, Client { user: "v", id: "c" }, 1e9, NOW), 0);
    assert_eq!(meters.charge(Kind::Fetch, Client { user: "u", id: "c" }, 1e9, NOW), 0);
    assert!(meters.is_empty());
    assert_eq!(meters.charge(Kind::Produce, Client { user: "u", id: "c" }, 20.0, NOW), 10_000);
}

#[test]
fn clients_of_one_user_share_its_quota_and_default_ids_do_not() {
    let (one, two) = (Client { user: "u", id: "1" }, Client { user: "u", id: "2" });
    let mut shared = meters(&[(USER, None)], PRODUCER_BYTE_RATE, 10.0);
    assert_eq!(shared.charge(Kind::Produce, one, 100.0, NOW), 0);
    assert!(shared.charge(Kind::Produce, two, 100.0, NOW) > 0);
    let mut apart = meters(&[(USER, None), (CLIENT_ID, None)], PRODUCER_BYTE_RATE, 10.0);
    assert_eq!(apart.charge(Kind::Produce, one, 100.0, NOW), 0);
    assert_eq!(apart.charge(Kind::Produce, two, 100.0, NOW), 0);
    assert!(apart.charge(Kind::Produce, two, 1.0, NOW) > 0);
    assert_eq!(apart.most_at_once(Kind::Produce, one), Some(100.0));
    assert_eq!(apart.most_at_once(Kind::Fetch, one), None);
}

#[test]
fn what_is_refunded_does_not_count() {
    let client = Client { user: "u", id: "c" };
    let mut meters = meters(&[(CLIENT_ID, Some("c"))], CONSUMER_BYTE_RATE, 10.0);
    assert!(meters.charge(Kind::Fetch, client, 1000.0, NOW) > 0);
    meters.refund(Kind::Fetch, client, 1000.0, NOW);
    assert_eq!(meters.charge(Kind::Fetch, client, 100.0, NOW), 0);
}

#[test]
fn request_time_lets_wait_for_one_sample_at_most() {
    let mut meters = meters(&[(CLIENT_ID, None)], REQUEST_PERCENTAGE, 0.01);
    assert_eq!(meters.charge(Kind::Request, Client { user: "u", id: "c" }, 500.0, NOW), 1000);
}

#[test]
fn partitions_are_refused_or_paid_for() {
    let client = Client { user: "u", id: "c" };
    let mut meters = meters(&[(USER, None)], CONTROLLER_MUTATION_RATE, 1.0);
    // A burst of eleven is there, and the last one may go into debt.
    assert_eq!(meters.permit(client, 20, Strictness::Strict, NOW), Permit { granted: true, throttle_ms: 0 });
    let refused = meters.permit(client, 1, Strictness::Strict, NOW);
    assert_eq!(refused, Permit { granted: false, throttle_ms: 9000 });
    let paid = meters.permit(client, 1, Strictness::Permissive, NOW.plus(1000));
    assert_eq!(paid, Permit { granted: true, throttle_ms: 9000 });
    assert!(meters.permit(client, 1, Strictness::Strict, NOW.plus(10_000)).granted);
}

#[test]
fn connections_that_are_too_many_do_not_count() {
    let mut meters = meters(&[(IP, Some("10.0.0.1"))], CONNECTION_CREATION_RATE, 1.0);
    let (here, elsewhere) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
    assert!(meters.limits_addresses());
    for _ in 0..10 {
        assert_eq!(meters.connect(here, NOW), 0);
    }
    assert_eq!(meters.connect(here, NOW), 1000);
    assert_eq!(meters.connect("::ffff:10.0.0.1".parse().unwrap(), NOW), 1000);
    assert_eq!(meters.connect(elsewhere, NOW), 0);
    assert_eq!(meters.connect(here, NOW.plus(12_000)), 0);
}

#[test]
fn connections_of_all_addresses_have_a_rate() {
    let mut meters = meters(&[(IP, Some("10.0.0.1"))], CONNECTION_CREATION_RATE, 1.0);
    for _ in 0..20 {
        assert_eq!(meters.accept(2.0, NOW), 0);
    }
    meters.unaccept(NOW);
    assert_eq!(meters.accept(2.0, NOW), 0);
    // (21 in 10 s - 2) / 2 * 10 s; then a sample at most.
    assert_eq!(meters.accept(2.0, NOW), 500);
    assert_eq!((0..4).fold(0, |_, _| meters.accept(2.0, NOW)), 1000);
    assert_eq!(meters.accept(0.0, NOW), 1000, "none is welcome, so each one waits");
    assert_eq!(meters.connect("10.0.0.1".parse().unwrap(), NOW), 0, "an address is measured by itself");
    assert_eq!(meters.accept(2.0, NOW.plus(12_000)), 0);
}

#[test]
fn a_clock_that_is_set_back_begins_anew() {
    let client = Client { user: "u", id: "c" };
    let mut meters = meters(&[(USER, None)], PRODUCER_BYTE_RATE, 10.0);
    assert!(meters.charge(Kind::Produce, client, 1000.0, NOW) > 0);
    assert!(meters.charge(Kind::Produce, client, 1.0, NOW.plus(-500)) > 0, "requests overlap");
    assert_eq!(meters.charge(Kind::Produce, client, 1.0, NOW.plus(-3_600_000)), 0);
}

#[test]
fn quotas_that_are_changed_count_at_once() {
    let client = Client { user: "u", id: "c" };
    let mut meters = meters(&[(USER, None)], PRODUCER_BYTE_RATE, 100.0);
    assert_eq!(meters.charge(Kind::Produce, client, 1000.0, NOW), 0);
    meters.set(&quotas(&[wish(&[(USER, None)], &[(PRODUCER_BYTE_RATE, Some(50.0))])]));
    assert_eq!(meters.charge(Kind::Produce, client, 0.0, NOW), 10_000);
    meters.set(&Quotas::default());
    assert_eq!(meters.charge(Kind::Produce, client, 1e9, NOW), 0);
    assert!(meters.is_empty());
}
