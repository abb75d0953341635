use super::*;

const NOW: Millis = Millis(1_795_369_603_000);
const ID: Uuid = Uuid::from_u128(7);

fn peer(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn client() -> Client<'static> {
    Client { peer: peer(5000), client_id: "orders" }
}

fn subscription(pairs: &[(&str, &str)]) -> Arc<Subscription> {
    let configs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Arc::new(Subscription::read(&configs).expect("sound"))
}

/// Wants all metrics each second, at most a hundred bytes of them.
fn telemetry() -> Telemetry {
    let mut telemetry = Telemetry::new(100);
    telemetry.want(vec![subscription(&[("metrics", "*"), ("interval.ms", "1000")])]);
    telemetry
}

fn push(subscription_id: i32) -> Push {
    Push { instance: ID, subscription_id, is_last: false, compression: 0, bytes: 10 }
}

fn later(ms: i64) -> Millis {
    NOW.plus(ms)
}

#[test]
fn a_client_asks_and_pushes_as_often_as_it_was_told() {
    let mut telemetry = telemetry();
    let wanted = telemetry.ask(ID, client(), NOW).expect("the first question");
    assert_eq!((&wanted.metrics[..], wanted.interval_ms), (&["*".to_owned()][..], 1000));
    let push = push(wanted.subscription_id);
    assert_eq!(telemetry.ask(ID, client(), later(999)), Err(Refusal::TooEarly));
    assert_eq!(telemetry.push(push, client(), later(500)), Ok(()), "the first one after a question");
    assert_eq!(telemetry.push(push, client(), later(1499)), Err(Refusal::TooEarly));
    assert_eq!(telemetry.push(push, client(), later(1500)), Ok(()));
    assert_eq!(telemetry.ask(ID, client(), later(2499)), Err(Refusal::TooEarly), "a push counts as well");
    assert_eq!(telemetry.ask(ID, client(), later(2500)), Ok(wanted));
    assert_eq!(telemetry.push(push, client(), later(2501)), Ok(()));
    assert_eq!(telemetry.push(push, client(), NOW), Ok(()), "the clock was set back");
}

#[test]
fn what_a_push_may_not_be() {
    let number = telemetry().ask(ID, client(), NOW).expect("the first question").subscription_id;
    let refused = |push: Push| {
        let mut telemetry = telemetry();
        telemetry.ask(ID, client(), NOW).expect("the first question");
        telemetry.push(push, client(), NOW)
    };
    assert_eq!(refused(Push { bytes: 100, ..push(number) }), Ok(()));
    assert_eq!(refused(Push { bytes: 101, ..push(number) }), Err(Refusal::TooLarge));
    assert_eq!(refused(push(number ^ 1)), Err(Refusal::UnknownSubscription));
    for compression in [-1, 5] {
        assert_eq!(refused(Push { compression, ..push(number) }), Err(Refusal::UnknownCompression));
    }
    for id in [0, 1] {
        let strange = Push { instance: Uuid::from_u128(id), ..push(number) };
        assert_eq!(refused(strange), Err(Refusal::Invalid));
    }
}

#[test]
fn a_change_is_seen_at_the_next_push_and_may_be_asked_for_at_once() {
    let mut telemetry = telemetry();
    let before = telemetry.ask(ID, client(), NOW).expect("the first question");
    telemetry.push(push(before.subscription_id), client(), later(1)).expect("in time");
    telemetry.want(vec![subscription(&[("metrics", "a."), ("interval.ms", "2000")])]);
    let old = telemetry.push(push(before.subscription_id), client(), later(2));
    assert_eq!(old, Err(Refusal::UnknownSubscription));
    let after = telemetry.ask(ID, client(), later(3)).expect("it has to");
    assert_eq!((&after.metrics[..], after.interval_ms), (&["a.".to_owned()][..], 2000));
    assert_ne!(after.subscription_id, before.subscription_id);
    assert_eq!(telemetry.ask(ID, client(), later(4)), Err(Refusal::TooEarly), "once");
    assert_eq!(telemetry.push(push(after.subscription_id), client(), later(5)), Err(Refusal::TooEarly));
    assert_eq!(telemetry.push(push(after.subscription_id), client(), later(2002)), Ok(()));
}

#[test]
fn the_last_push_comes_when_it_has_to_and_is_the_last() {
    let mut telemetry = telemetry();
    let number = telemetry.ask(ID, client(), NOW).expect("the first question").subscription_id;
    let last = Push { is_last: true, ..push(number) };
    assert_eq!(telemetry.push(push(number), client(), later(1)), Ok(()));
    assert_eq!(telemetry.push(last, client(), later(2)), Ok(()), "early");
    assert_eq!(telemetry.push(last, client(), later(3000)), Err(Refusal::Invalid));
    assert_eq!(telemetry.push(push(number), client(), later(6000)), Err(Refusal::Invalid));
    assert_eq!(telemetry.push(push(number), client(), later(9000)), Ok(()), "the one before was no farewell");
}

#[test]
fn who_is_not_known_any_more_begins_anew() {
    for forgotten in ["its connection ends", "it is silent"] {
        let mut telemetry = telemetry();
        let wanted = telemetry.ask(ID, client(), NOW).expect("the first question");
        telemetry
            .push(Push { is_last: true, ..push(wanted.subscription_id) }, client(), NOW)
            .expect("in time");
        let now = match forgotten {
            "it is silent" => later(60_000),
            _ => {
                telemetry.ended(client().peer);
                assert!(!telemetry.knows(ID));
                NOW
            }
        };
        assert_eq!(telemetry.ask(ID, client(), now), Ok(wanted.clone()), "{forgotten}");
        assert_eq!(telemetry.push(push(wanted.subscription_id), client(), now), Ok(()), "{forgotten}");
    }
}

#[test]
fn only_so_many_are_known() {
    let mut telemetry = telemetry();
    for number in 0..20_000u32 {
        let id = Uuid::from_u128(100 + u128::from(number));
        let client = Client { peer: peer(5000), client_id: "c" };
        telemetry.ask(id, client, NOW).expect("each is new");
    }
    assert_eq!((telemetry.instances.len(), telemetry.by_use.len()), (MOST_INSTANCES, MOST_INSTANCES));
    assert_eq!(telemetry.connections.len(), 1);
    assert!(!telemetry.knows(Uuid::from_u128(100)) && telemetry.knows(Uuid::from_u128(20_099)));
}

#[test]
fn clients_are_told_apart_by_what_they_run_on() {
    let mut telemetry = Telemetry::new(100);
    let java = [("metrics", "java."), ("match", "client_software_name=java,client_source_port=5001")];
    telemetry.want(vec![
        subscription(&java),
        subscription(&[("metrics", "u."), ("match", "client_software_name=unknown")]),
    ]);
    telemetry.introduced(peer(5001), "java", "4.1.1");
    assert_eq!(telemetry.software(peer(5001)), ("java", "4.1.1"));
    let metrics = |telemetry: &mut Telemetry, port, id| {
        let client = Client { peer: peer(port), client_id: "c" };
        telemetry.ask(Uuid::from_u128(id), client, NOW).expect("new").metrics
    };
    assert_eq!(metrics(&mut telemetry, 5001, 8), ["java."]);
    assert_eq!(metrics(&mut telemetry, 5002, 9), ["u."]);
}

#[test]
fn ids_are_shown_as_kafka_shows_them() {
    for (number, text) in [
        (0, "AAAAAAAAAAAAAAAAAAAAAA"),
        (1, "AAAAAAAAAAAAAAAAAAAAAQ"),
        (u128::MAX, "_____________________w"),
        (0x0123_4567_89ab_cdef_0123_4567_89ab_cdef, "ASNFZ4mrze8BI0VniavN7w"),
    ] {
        assert_eq!(shown(Uuid::from_u128(number)), text);
    }
}
