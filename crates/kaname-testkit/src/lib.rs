//! Stores for tests. A contract test is a function over a [`TestStore`], and [`on_every_store!`] runs it three times:
//! on SQLite, on one PostgreSQL, and on two PostgreSQL databases of two clusters that share the buckets by parity.
//!
//! ```ignore
//! use kaname_testkit::{TestStore, on_every_store};
//!
//! on_every_store!(a_transfer_moves_money_once);
//!
//! fn a_transfer_moves_money_once(t: &TestStore) {
//!     let store = t.open(&[kaname_pay::MIGRATIONS]);
//!     store.write(t.bucket(3), |tx| ...).unwrap();
//!     drop(store);
//!     let store = t.reopen();                 // the same data, as after a restart
//! }
//! ```
//!
//! On two databases a unit of work that left its bucket would not find its rows: half of them lie elsewhere.
//!
//! Without a PostgreSQL at hand the two PostgreSQL runs say so and pass; with `KANAME_REQUIRE_POSTGRES=1` they fail.
//! Nothing of PostgreSQL has to run beforehand: a private cluster is started for each test process, without TCP, in a
//! temporary folder which goes away with the process, however it ends ([`Postgres`]).

mod cluster;
mod store;

pub use cluster::{Options, Postgres};
pub use store::{TestStore, on_postgres, on_sqlite, on_two_postgres};

/// Makes of each `fn(&TestStore)` three tests: `name::sqlite`, `name::postgres` and `name::two_postgres`.
#[macro_export]
macro_rules! on_every_store {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[test]
            fn sqlite() {
                $crate::on_sqlite(super::$test);
            }
            #[test]
            fn postgres() {
                $crate::on_postgres(super::$test);
            }
            #[test]
            fn two_postgres() {
                $crate::on_two_postgres(super::$test);
            }
        }
    )+};
}
