//! Numbers given out, with durable leases.

use std::collections::HashSet;

use kaname_person::Numbers;

use super::{Measured, Place};
use crate::error::Failure;

/// Numbers taken at a time: what an import of a national file asks for.
const BATCH: usize = 65_536;

pub(super) fn measure(place: &Place, count: u64) -> Result<Measured, Failure> {
    let deployment = place.deployment(count, 0)?;
    let numbers = Numbers::new(&deployment.keys, &deployment.pack);
    let mut taken = Vec::with_capacity(count as usize);
    let measured = super::measure(place, "number", "numbers", || {
        while (taken.len() as u64) < count {
            let left = count as usize - taken.len();
            taken.extend(numbers.take(&deployment.store, left.min(BATCH))?);
        }
        Ok(count)
    })?;
    let distinct: HashSet<_> = taken.iter().collect();
    match distinct.len() as u64 == count {
        true => Ok(measured),
        false => Err(Failure::refused("a number was given twice")),
    }
}
