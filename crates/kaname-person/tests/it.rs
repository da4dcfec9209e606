//! All tests of this crate, in one binary.

#[path = "it/agencies.rs"]
mod agencies;
#[path = "it/aliases.rs"]
mod aliases;
#[path = "it/attacks.rs"]
mod attacks;
#[path = "it/audits.rs"]
mod audits;
#[path = "it/counters.rs"]
mod counters;
#[path = "it/delegates.rs"]
mod delegates;
#[path = "it/duplicates.rs"]
mod duplicates;
#[path = "it/enrolments.rs"]
mod enrolments;
#[path = "it/event_rules.rs"]
mod event_rules;
#[path = "it/events.rs"]
mod events;
#[path = "it/feeds.rs"]
mod feeds;
#[path = "it/identities.rs"]
mod identities;
#[path = "it/imports.rs"]
mod imports;
#[path = "it/introductions.rs"]
mod introductions;
#[path = "it/linkage.rs"]
mod linkage;
#[path = "it/links.rs"]
mod links;
#[path = "it/merges.rs"]
mod merges;
#[path = "it/mixing.rs"]
mod mixing;
#[path = "it/names.rs"]
mod names;
#[path = "it/numbers.rs"]
mod numbers;
#[path = "it/officers.rs"]
mod officers;
#[path = "it/registers.rs"]
mod registers;
#[path = "it/rules.rs"]
mod rules;
#[path = "it/world.rs"]
mod world;
