//! The floor of HTTP: serving connections, the table of routes with their rules, problems, cookies.

pub mod app;
pub mod client;
mod cookies;
mod language;
pub mod problem;
pub mod serve;
pub mod tls;

pub use app::App;
pub use problem::Problem;
