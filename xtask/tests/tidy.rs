//! The layout of the project keeps its promises: layers, purity, documents, conformance.
//!
//! Each rule is a test here and nowhere else. Where a rule and good sense part, change the rule in
//! this file, and say why in the commit.

#[path = "tidy/conformance.rs"]
mod conformance;

#[path = "tidy/device.rs"]
mod device;
#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/licences.rs"]
mod licences;
#[path = "tidy/purity.rs"]
mod purity;
#[path = "tidy/sources.rs"]
mod sources;
