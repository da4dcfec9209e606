//! Officers: members of staff, with roles of the country's pack.

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::Tx;
use kaname_trust::{Actor, Keys};

use crate::table::OfficerRow;
use crate::{Action, PersonError, Refusal, policy, table};

kaname_base::id_types! {
    /// An officer.
    OfficerId(OfficerKind) = "off";
}

/// An officer.
#[derive(Clone, PartialEq, Eq)]
pub struct Officer {
    /// What the access log names.
    pub id: OfficerId,
    /// Wrapped in the table; staff are people too.
    pub name: String,
    /// Codes of the pack.
    pub roles: Vec<String>,
    /// Whether still on duty.
    pub active: bool,
}

impl Officer {
    /// The officer in one of her roles.
    ///
    /// # Errors
    /// [`Refusal::NoSuchOfficer`] when she left, [`Refusal::UnknownRole`] when she does not have the role.
    pub fn acting_as(&self, role: &str) -> Result<Actor, Refusal> {
        if !self.active {
            return Err(Refusal::NoSuchOfficer);
        }
        if !self.roles.iter().any(|own| own == role) {
            return Err(Refusal::UnknownRole);
        }
        Ok(Actor::officer(self.id.to_string(), role))
    }
}

/// Personal data: the debug form shows the id only.
impl std::fmt::Debug for Officer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Officer({})", self.id)
    }
}

/// Adds an officer, in the home bucket. `by` is `None` for the first one of a deployment only.
///
/// # Errors
/// [`Refusal::UnknownRole`], [`Refusal::NotAllowed`].
pub fn add_officer(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    by: Option<&Actor>,
    name: &str,
    roles: &[&str],
) -> Result<OfficerId, PersonError> {
    match by {
        Some(by) => policy::may(by, Action::ManageOfficers)?,
        None if table::officers(tx)?.is_empty() => {}
        None => return Err(not_allowed()),
    }
    let roles = known_roles(pack, roles)?;
    let id = env.id(tx.bucket());
    let wrapped = keys.wrap(&context(id), name.as_bytes());

    table::insert_officer(tx, &OfficerRow { id, active: true, roles, wrapped, version: 1 })?;
    Ok(id)
}

/// The officer with this id; one who left is found too, and is not active.
///
/// # Errors
/// [`Refusal::NoSuchOfficer`].
pub fn officer(tx: &mut Tx<'_>, keys: &Keys, id: OfficerId) -> Result<Officer, PersonError> {
    let row = table::officer(tx, id)?.ok_or(Refusal::NoSuchOfficer)?;
    read(keys, &row)
}

/// All officers, by the time they were added.
///
/// # Errors
/// [`PersonError::Trust`] when a name was tampered with.
pub fn officers(tx: &mut Tx<'_>, keys: &Keys) -> Result<Vec<Officer>, PersonError> {
    table::officers(tx)?.iter().map(|row| read(keys, row)).collect()
}

/// Gives an officer other roles, or lets her go (`active` false) or come back.
///
/// # Errors
/// [`Refusal::NoSuchOfficer`], [`Refusal::UnknownRole`], [`Refusal::NotAllowed`].
pub fn change_officer(
    tx: &mut Tx<'_>,
    pack: &Pack,
    by: &Actor,
    id: OfficerId,
    roles: &[&str],
    active: bool,
) -> Result<(), PersonError> {
    policy::may(by, Action::ManageOfficers)?;
    let row = table::officer(tx, id)?.ok_or(Refusal::NoSuchOfficer)?;
    let roles = known_roles(pack, roles)?;

    table::replace_officer(tx, &OfficerRow { roles, active, ..row })?;
    Ok(())
}

fn not_allowed() -> PersonError {
    Refusal::NotAllowed { role: "nobody".to_owned(), action: Action::ManageOfficers }.into()
}

fn known_roles(pack: &Pack, roles: &[&str]) -> Result<String, Refusal> {
    match roles.iter().all(|role| pack.role(role).is_some()) {
        true => Ok(roles.join(" ")),
        false => Err(Refusal::UnknownRole),
    }
}

fn read(keys: &Keys, row: &OfficerRow) -> Result<Officer, PersonError> {
    let name = keys.unwrap(&context(row.id), &row.wrapped)?;
    Ok(Officer {
        id: row.id,
        name: String::from_utf8_lossy(&name).into_owned(),
        roles: row.roles.split_whitespace().map(str::to_owned).collect(),
        active: row.active,
    })
}

/// Bound into the wrapping, so that one officer's name never stands for another's.
fn context(id: OfficerId) -> Vec<u8> {
    [b"person.officer\0".as_slice(), id.bytes()].concat()
}
