//! Clients that obey, and clients that invent names, over simulated time.

use base::Millis;
use proptest::prelude::*;
use state_machines::quotas::{
    CLIENT_ID, Client, Entity, Kind, MOST_BYTES, Meters, PRODUCER_BYTE_RATE, Quotas, Record, Window,
};

const START: Millis = Millis(1_700_000_000_000);

fn limited(window: Window, id: Option<&str>, value: f64) -> Meters {
    let mut quotas = Quotas::default();
    let entity = Entity::new([(CLIENT_ID.to_owned(), id.map(str::to_owned))]);
    quotas.apply(&Record { entity, key: PRODUCER_BYTE_RATE.to_owned(), value: Some(value) });
    let mut meters = Meters::new(window, window);
    meters.set(&quotas);
    meters
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever waits as it is told has, over time, its rate: never more than what a window lets through at once on top of
    /// it, now and after each time of waiting.
    #[test]
    fn who_waits_as_told_keeps_its_rate(
        (samples, seconds) in (2_i32..12, 1_i32..3),
        limit in 1_000_u32..1_000_000,
        requests in proptest::collection::vec((1_u32..400_000, 0_i64..300), 50..400),
    ) {
        let window = Window::new(samples, seconds);
        let mut meters = limited(window, Some("c"), limit.into());
        let client = Client { user: "ANONYMOUS", id: "c" };
        let (mut now, mut sent, mut waited, mut waits) = (START, 0.0, 0_i64, 0);
        for (size, pause) in requests {
            now = now.plus(pause);
            let throttle_ms = meters.charge(Kind::Produce, client, size.into(), now);
            sent += f64::from(size);
            waited += i64::from(throttle_ms);
            now = now.plus(throttle_ms.into());
            let elapsed = now.since(START) as f64 / 1000.0;
            waits += i32::from(throttle_ms > 0);
            let at_once = f64::from((samples + 1) * seconds * (1 + waits));
            prop_assert!(sent <= f64::from(limit) * (elapsed + at_once), "{sent} in {elapsed} s");
        }
        // Waiting is no more than the rate asks for, with a millisecond per request for rounding.
        prop_assert!(waited as f64 <= sent / f64::from(limit) * 1000.0 + 400.0, "{waited} ms for {sent}");
    }

    /// Whoever never has more than the window lets through never waits.
    #[test]
    fn who_stays_below_never_waits(samples in 2_i32..12, steps in proptest::collection::vec(0_i64..5_000, 1..200)) {
        let window = Window::new(samples, 1);
        let mut meters = limited(window, Some("c"), 1000.0);
        let client = Client { user: "ANONYMOUS", id: "c" };
        let mut now = START;
        for step in steps {
            now = now.plus(step);
            // As much as flowed since the last time, but for what a sample may count twice.
            let amount = step.min(1000) as f64 * f64::from(samples - 1) / f64::from(samples + 1);
            prop_assert_eq!(meters.charge(Kind::Produce, client, amount, now), 0);
        }
    }

    /// Time that goes backwards, leaps and amounts of any size do no harm.
    #[test]
    fn nothing_from_outside_breaks_it(
        events in proptest::collection::vec((any::<i64>(), any::<f64>(), 0_usize..4), 1..100),
        value in any::<f64>(),
        (samples, seconds) in (any::<i32>(), any::<i32>()),
    ) {
        let mut meters = limited(Window::new(samples, seconds), None, value);
        for (now, amount, id) in events {
            let client = Client { user: "u", id: ["a", "b", "", "c"][id] };
            let throttle_ms = meters.charge(Kind::Produce, client, amount, Millis(now));
            prop_assert!(throttle_ms >= 0);
        }
    }
}

#[test]
fn a_client_that_invents_names_takes_bounded_memory() {
    let mut meters = limited(Window::new(11, 1), None, 10.0);
    let long = "x".repeat(3000);
    let mut most = 0;
    for number in 0..60_000_u32 {
        let id = if number % 3 == 0 { format!("{number}-{long}") } else { number.to_string() };
        let now = START.plus(i64::from(number / 1000));
        meters.charge(Kind::Produce, Client { user: "u", id: &id }, 1.0, now);
        most = most.max(meters.len());
    }
    assert!(most * 400 < MOST_BYTES, "{most} meters at a time");
    assert!(most > 1000, "{most} meters at a time");
}

#[test]
fn the_busy_are_remembered_while_others_come_and_go() {
    let mut meters = limited(Window::new(11, 1), None, 10.0);
    let busy = Client { user: "u", id: "busy" };
    for number in 0..60_000_u32 {
        let now = START.plus(i64::from(number / 100));
        meters.charge(Kind::Produce, Client { user: "u", id: &number.to_string() }, 1.0, now);
        meters.charge(Kind::Produce, busy, 1.0, now);
    }
    let now = START.plus(600);
    assert!(meters.charge(Kind::Produce, busy, 1.0, now) > 0, "60,000 of 110 and no word");
}
