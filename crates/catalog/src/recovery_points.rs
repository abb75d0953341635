//! `recovery-point-offset-checkpoint` is written anew after each roll: as soon as a sealed segment is flushed, so that a
//! start after a kill reads the open segments only. Kafka writes it once a minute.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use partition::SegmentsFlushed;

use crate::catalog::Catalog;

/// The file is written no more often than this, however many partitions roll: it has a line for each of them all.
const PAUSE: Duration = Duration::from_millis(100);

/// Starts the thread that writes it. It ends with the catalogue.
pub(crate) fn keep(catalog: &Arc<Catalog>) {
    let flushed = catalog.ground.flusher.segments_flushed();
    let catalog = Arc::downgrade(catalog);
    let thread = thread::Builder::new().name("recovery-points".to_owned());
    if let Err(error) = thread.spawn(move || work(&flushed, &catalog)) {
        tracing::warn!(%error, "recovery points are written from time to time only");
    }
}

fn work(flushed: &SegmentsFlushed, catalog: &Weak<Catalog>) {
    while flushed.wait() {
        let Some(catalog) = catalog.upgrade() else { return };
        catalog.write_recovery_points();
        drop(catalog);
        flushed.rest(PAUSE);
    }
}

impl Catalog {
    fn write_recovery_points(&self) {
        let mut upkeep = self.upkeep.lock();
        if let Err(error) = upkeep.write_recovery_points(&self.state.load().points()) {
            tracing::error!("{error}; it is tried again");
        }
    }
}
