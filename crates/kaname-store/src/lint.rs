//! Lint over the catalogue.
