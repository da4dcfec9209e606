//! The floor of HTTP: serving connections, the table of routes with their rules, problems, cookies.

mod agency_routes;
pub(crate) mod answer;
pub mod app;
pub(crate) mod call;
pub mod client;
pub(crate) mod cookies;
pub(crate) mod files;
pub(crate) mod guard;
pub(crate) mod headers;
pub(crate) mod language;
pub mod manual;
mod multipart;
mod office_routes;
mod pairs;
mod patient;
mod present;
pub mod problem;
mod refusals;
pub(crate) mod request;
pub mod routes;
pub mod serve;
pub mod tls;

pub use app::{App, Parts};
pub(crate) use call::Call;
pub use problem::Problem;
pub use routes::router;
