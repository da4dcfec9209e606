//! Residents imported, from a CSV file to the register.

use kaname_person::import::{BATCH, Mapping};

use super::{Measured, Place};
use crate::command::{resident, sim};
use crate::deployment::Deployment;
use crate::error::Failure;

pub(super) fn measure(place: &Place, count: u64, quiet: bool) -> Result<Measured, Failure> {
    let deployment = place.deployment(count, 0)?;
    sim::write_people("example", 1, count, &place.file("residents.csv"))?;
    super::measure(place, "import", "residents", || import(place, &deployment, count, quiet))
}

/// Imports the file of residents; every one of them must get in.
pub(super) fn import(
    place: &Place,
    deployment: &Deployment,
    count: u64,
    quiet: bool,
) -> Result<u64, Failure> {
    let (file, rejects) = (place.file("residents.csv"), place.file("rejects.csv"));
    let note = resident::note(&file);
    let report =
        resident::import_with_progress(deployment, &file, &rejects, &Mapping::own(), &note, BATCH, quiet)?;
    match report.progress.registered == count {
        true => Ok(count),
        false => Err(Failure::refused(format!(
            "only {} of {count} residents were registered",
            report.progress.registered
        ))),
    }
}
