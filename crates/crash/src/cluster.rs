//! The broker below the network, as the stories start it.

use std::path::Path;
use std::sync::Arc;

use base::{Millis, NodeId, Uuid};
use catalog::{Catalog, CatalogConfig, OpenError};
use disk::Disk;
use settings::{Endpoint, Settings};

/// The data directory. The one above it does not exist either when a story begins.
pub const DIR: &str = "/srv/data";

/// When every story begins.
pub const BEGIN: Millis = Millis(1_000_000_000_000);

/// Starts the broker. `life` makes the ids of this start differ from those of others.
///
/// # Errors
/// When the directory cannot be opened.
pub fn start(disk: Arc<dyn Disk>, life: u64, now: Millis) -> Result<Arc<Catalog>, OpenError> {
    let mut last = u128::from(life + 1) << 64;
    let ids = move || {
        last += 1;
        Uuid::from_u128(last)
    };
    Catalog::open_in_order(disk, config(), Box::new(ids), now)
}

fn config() -> CatalogConfig {
    CatalogConfig {
        data_dir: Path::new(DIR).to_owned(),
        node_id: NodeId(1),
        cluster_id: Some("4L6g3nShT-eMCtK--X86sw".to_owned()),
        endpoints: vec![Endpoint { name: "PLAINTEXT".to_owned(), host: "localhost".to_owned(), port: 9092 }],
        settings: Arc::new(settings()),
    }
}

/// The metadata log gets its snapshots, and loses what lies before them, within a story.
fn settings() -> Settings {
    let mut settings = Settings::default();
    let small = [
        ("metadata.log.max.record.bytes.between.snapshots", "400"),
        ("metadata.max.retention.bytes", "1500"),
    ];
    for (key, value) in small {
        settings.set(key, value).expect("both may be as small as that");
    }
    settings
}
