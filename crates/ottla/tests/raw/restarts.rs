//! What a restart must not forget, after a clean stop and after a kill.

use testkit::broker::{Broker, Launch};

use crate::client::{batch, broker_with_topic, count, launch, produce, produce_ok, producer_id};

const OUT_OF_ORDER_SEQUENCE_NUMBER: i16 = 45;

fn clean(broker: Broker) -> Broker {
    broker.restart()
}

fn killed(broker: Broker) -> Broker {
    broker.kill().start()
}

#[test]
fn all_five_batches_of_each_producer_are_remembered_after_any_restart() {
    for restart in [clean, killed] {
        let (broker, mut client) = broker_with_topic();
        let ids = [producer_id(&mut client), producer_id(&mut client), producer_id(&mut client)];
        let mut offsets = vec![Vec::new(); ids.len()];
        for i in 0..7 {
            for (id, offsets) in ids.iter().zip(&mut offsets) {
                offsets.push(produce_ok(&mut client, batch(*id, 0, i * 3, 3)));
            }
        }
        let mut broker = broker;
        for _ in 0..2 {
            broker = restart(broker);
            let mut client = broker.connect();
            for (id, offsets) in ids.iter().zip(&offsets) {
                for i in 2..7 {
                    let again = produce_ok(&mut client, batch(*id, 0, i * 3, 3));
                    assert_eq!(again, offsets[usize::try_from(i).unwrap()], "batch {i} of producer {id}");
                }
                let forgotten = produce(&mut client, batch(*id, 0, 0, 3));
                assert_eq!(forgotten.error_code, OUT_OF_ORDER_SEQUENCE_NUMBER);
            }
            assert_eq!(count(&mut client), 63);
        }
        let mut client = broker.connect();
        assert_eq!(produce_ok(&mut client, batch(ids[0], 0, 21, 1)), 63, "the producer goes on");
    }
}

#[test]
fn producer_ids_never_repeat() {
    let launch = launch();
    let mut seen = std::collections::HashSet::new();
    let mut broker = launch.start();
    for restart in [killed, clean, killed, killed, clean] {
        let mut client = broker.connect();
        for _ in 0..3 {
            let id = producer_id(&mut client);
            assert!(seen.insert(id), "{id} was handed out before");
        }
        broker = restart(broker);
    }
}

#[test]
fn with_an_fsync_per_ack_everything_acknowledged_survives_a_kill() {
    let launch: Launch = launch().set("log.flush.interval.messages", "1");
    let broker = launch.start();
    let mut client = broker.connect();
    crate::client::create_topic(&mut client, "test", 1);
    let id = producer_id(&mut client);
    for i in 0..20 {
        produce_ok(&mut client, batch(id, 0, i, 1));
    }
    let broker = broker.kill().start();
    let mut client = broker.connect();
    assert_eq!(count(&mut client), 20);
    assert_eq!(produce_ok(&mut client, batch(id, 0, 19, 1)), 19);
}
