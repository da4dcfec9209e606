//! The program as its users meet it: the binary, on both databases.

mod aliases;
mod database;
mod delegates;
mod dump;
mod enrol;
mod everything;
mod export;
mod four_eyes;
mod imports;
mod instant;
mod kill;
mod kill_register;
mod links;
mod lives;
mod log;
mod needles;
mod numbers;
mod officer_keys;
mod packs;
mod payments;
mod program;
mod serve;
mod summary;
