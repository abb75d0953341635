//! UpdateFeatures (key 57): changes feature levels of the cluster (KIP-584, KIP-778).
//!
//! The rules are the catalogue's. At version 0 `allow_downgrade` has no effect, as in Kafka 4.1
//! (`QuorumController.updateFeatures`).

use std::sync::Arc;

use catalog::{Catalog, FeatureError, FeatureUpdate, UpgradeType};
use wire::StrBytes;
use wire::messages::update_features::{
    FeatureUpdateKey, UpdatableFeatureResult, UpdateFeaturesRequest, UpdateFeaturesResponse,
};

use crate::answer::{Handled, body, message, outcome};
use crate::blocking;
use crate::broker::Request;
use crate::code::Code;

pub(crate) fn handle(catalog: &Arc<Catalog>, request: &Request) -> Handled {
    let version = request.version();
    let asked: UpdateFeaturesRequest = body(request)?;
    let updates: Vec<FeatureUpdate> = asked.feature_updates.iter().map(wish).collect();
    let features: Vec<StrBytes> = asked.feature_updates.into_iter().map(|update| update.feature).collect();
    let (catalog, now) = (catalog.clone(), request.received_at);
    Ok(blocking::answer(move || {
        let updated = catalog.update_features(&updates, asked.validate_only, now);
        outcome(&answer(updated, features, version), version)
    }))
}

fn wish(update: &FeatureUpdateKey) -> FeatureUpdate {
    let upgrade_type = match update.upgrade_type {
        1 => Some(UpgradeType::Upgrade),
        2 => Some(UpgradeType::SafeDowngrade),
        3 => Some(UpgradeType::UnsafeDowngrade),
        _ => None,
    };
    let feature = update.feature.as_str().to_owned();
    FeatureUpdate { feature, level: update.max_version_level, upgrade_type }
}

/// The features are told one by one only if all went well, and only to old clients.
fn answer(
    updated: Result<(), FeatureError>,
    features: Vec<StrBytes>,
    version: i16,
) -> UpdateFeaturesResponse {
    let result =
        |feature| UpdatableFeatureResult { feature, error_code: Code::None.into(), error_message: None };
    match updated {
        Ok(()) => UpdateFeaturesResponse {
            error_code: Code::None.into(),
            error_message: None,
            results: if version <= 1 { features.into_iter().map(result).collect() } else { Vec::new() },
            ..UpdateFeaturesResponse::default()
        },
        Err(error) => UpdateFeaturesResponse {
            error_code: Code::from(&error).into(),
            error_message: message(&error),
            ..UpdateFeaturesResponse::default()
        },
    }
}
