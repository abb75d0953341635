//! Feature levels (KIP-584): what this broker could speak, and what the cluster has agreed on.

/// The versions of a feature that this broker supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureRange {
    /// Name, such as `metadata.version`.
    pub name: &'static str,
    /// The lowest version.
    pub min: i16,
    /// The highest version.
    pub max: i16,
}

/// The level of a feature that the cluster has agreed on; never 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureLevel {
    /// Name, such as `metadata.version`.
    pub name: String,
    /// The level.
    pub level: i16,
}

/// Supported and finalized features, as ApiVersions shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Features {
    /// What this broker supports, by name.
    pub supported: &'static [FeatureRange],
    /// What the cluster has agreed on, by name.
    pub finalized: Vec<FeatureLevel>,
}
