//! Our meters beside Kafka's: the same amounts at the same times, the same times to wait.

use base::Millis;
use state_machines::quotas::{
    CLIENT_ID, CONTROLLER_MUTATION_RATE, Client, Entity, Kind, Meters, PRODUCER_BYTE_RATE, Quotas, Record,
    Strictness, Window,
};

const THROTTLES: &str = include_str!("fixtures/quotas/throttles.tsv");
const CLIENT: Client<'static> = Client { user: "ANONYMOUS", id: "c" };

fn meters(kind: &str, samples: i32, sample_ms: i32, value: f64) -> Meters {
    let key = if kind == "rate" { PRODUCER_BYTE_RATE } else { CONTROLLER_MUTATION_RATE };
    let mut quotas = Quotas::default();
    let entity = Entity::new([(CLIENT_ID.to_owned(), Some("c".to_owned()))]);
    quotas.apply(&Record { entity, key: key.to_owned(), value: Some(value) });
    let window = Window::new(samples, sample_ms / 1000);
    let mut meters = Meters::new(window, window);
    meters.set(&quotas);
    meters
}

#[test]
fn times_to_wait_are_kafkas() {
    let mut current = None;
    let (mut waits, mut lines) = (0, 0);
    for (number, line) in THROTTLES.lines().enumerate() {
        let columns: Vec<&str> = line.split('\t').collect();
        if let [kind @ ("rate" | "bucket"), samples, sample_ms, limit] = columns[..] {
            let (samples, sample_ms) = (samples.parse().unwrap(), sample_ms.parse().unwrap());
            current = Some(meters(kind, samples, sample_ms, limit.parse().unwrap()));
            continue;
        }
        let meters = current.as_mut().unwrap();
        let (now, amount) = (Millis(columns[0].parse().unwrap()), columns[1].parse::<f64>().unwrap());
        let expected: Vec<i64> = columns[2..].iter().map(|ms| ms.parse().unwrap()).collect();
        let got: Vec<i64> = if let [_] = expected[..] {
            vec![meters.charge(Kind::Produce, CLIENT, amount, now).into()]
        } else {
            let before = meters.permit(CLIENT, 0, Strictness::Strict, now);
            assert_eq!(before.granted, before.throttle_ms == 0);
            let after = meters.permit(CLIENT, amount as usize, Strictness::Permissive, now);
            vec![before.throttle_ms.into(), after.throttle_ms.into()]
        };
        assert_eq!(got, expected, "line {}: {line}", number + 1);
        lines += 1;
        waits += usize::from(expected.iter().any(|ms| *ms > 0));
    }
    assert_eq!(lines, 2400);
    assert!(waits > 800, "{waits} of them have to wait");
}
