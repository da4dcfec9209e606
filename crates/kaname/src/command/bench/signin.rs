//! Complete sign-ins.
use super::{Measured, Place};
use crate::error::Failure;
pub(super) fn measure(_place: &Place, _count: u64) -> Result<Measured, Failure> { Err(Failure::usage("later")) }
