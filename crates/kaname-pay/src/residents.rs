//! What this block asks of the register of residents. [`Register`] is the register; a test may bring another.

use kaname_person::matching::{HolderMatch, compare_holder};
use kaname_person::{PersonError, register, show};
use kaname_store::Tx;
use kaname_trust::{PersonId, Receipt};

use crate::PayError;

/// The register, as far as paying needs it. Called within a unit of work on the residents' bucket.
pub trait Residents: Send + Sync + 'static {
    /// Active residents of the unit's bucket that come after `after` in the register's own order, at most `most`.
    ///
    /// # Errors
    /// [`PayError`] as the register has it.
    fn active(
        &self,
        tx: &mut Tx<'_>,
        after: Option<PersonId>,
        most: usize,
    ) -> Result<Vec<PersonId>, PayError>;

    /// Compares the receipt's resident with the holder's name that a bank has; `None` when she is not in the register.
    ///
    /// # Errors
    /// [`PayError`] as the register has it.
    fn compare_holder(
        &self,
        tx: &mut Tx<'_>,
        receipt: &Receipt<'_>,
        holder: &str,
    ) -> Result<Option<HolderMatch>, PayError>;
}

/// The register of the person block.
#[derive(Clone, Copy, Debug, Default)]
pub struct Register;

impl Residents for Register {
    fn active(
        &self,
        tx: &mut Tx<'_>,
        after: Option<PersonId>,
        most: usize,
    ) -> Result<Vec<PersonId>, PayError> {
        Ok(register::people_in_bucket(tx, after, most)?)
    }

    fn compare_holder(
        &self,
        tx: &mut Tx<'_>,
        receipt: &Receipt<'_>,
        holder: &str,
    ) -> Result<Option<HolderMatch>, PayError> {
        match show::resident_with(tx, receipt) {
            Ok(resident) => Ok(Some(compare_holder(&resident.particulars, holder))),
            Err(PersonError::Refused(_)) => Ok(None),
            Err(PersonError::Trust(error)) => Err(error.into()),
            Err(PersonError::Store(error)) => Err(error.into()),
        }
    }
}
