//! What a partition shows to those who do not hold its append lock: the marks, its health, and a bell.

use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;
use tokio::sync::Notify;

use crate::error::{Shut, Stopped};
use crate::marks::Marks;
use crate::waiting::{Waiters, Waiting};

/// Whether the partition takes appends. Goes from open to shut or closed, and never back.
#[derive(Clone, Debug)]
pub(crate) enum Health {
    Open,
    /// Something failed that only a restart can put right.
    Shut(Shut),
    /// It was closed or deleted.
    Closed,
}

impl Health {
    /// # Errors
    /// When no append is taken: why.
    pub(crate) fn ok(&self) -> Result<(), Stopped> {
        match self {
            Self::Open => Ok(()),
            Self::Shut(why) => Err(why.clone().into()),
            Self::Closed => Err(Stopped::Closed),
        }
    }
}

/// Marks and health. Written under the append lock (health also without it), read by anybody; the lock here is only ever
/// held to copy a few numbers.
#[derive(Debug)]
pub(crate) struct Board {
    shown: RwLock<(Marks, Health)>,
    waiters: Arc<Waiters>,
}

impl Board {
    pub(crate) fn new(marks: Marks) -> Self {
        Self { shown: RwLock::new((marks, Health::Open)), waiters: Arc::default() }
    }

    pub(crate) fn marks(&self) -> Marks {
        self.shown.read().0
    }

    pub(crate) fn health(&self) -> Health {
        self.shown.read().1.clone()
    }

    /// # Errors
    /// When no append is taken: why.
    pub(crate) fn ok(&self) -> Result<(), Stopped> {
        self.shown.read().1.ok()
    }

    /// Shows new marks, and says whether they differ from the old: then [`Self::wake`] is due.
    pub(crate) fn show(&self, marks: Marks) -> bool {
        let shown = &mut self.shown.write().0;
        let moved = *shown != marks;
        *shown = marks;
        moved
    }

    /// Shuts the door. The first reason stands; it is logged here, where it stops being an error of somebody's call.
    pub(crate) fn shut(&self, why: &Shut, dir: &Path) {
        {
            let health = &mut self.shown.write().1;
            if !matches!(health, Health::Open) {
                return;
            }
            *health = Health::Shut(why.clone());
        }
        tracing::error!(
            partition = %dir.display(),
            reason = %why,
            "no more appends are taken here until the broker restarts; reads go on"
        );
        self.wake();
    }

    /// Closes the door, unless it is shut already.
    pub(crate) fn close(&self) {
        {
            let health = &mut self.shown.write().1;
            if matches!(health, Health::Open) {
                *health = Health::Closed;
            }
        }
        self.wake();
    }

    pub(crate) fn on_advance(&self, waiter: &Arc<Notify>) -> Waiting {
        self.waiters.register(waiter)
    }

    pub(crate) fn wake(&self) {
        self.waiters.wake();
    }
}
