//! Officers: members of staff, with roles of the country's pack.

use kaname_base::Env;
use kaname_base::pack::Pack;
use kaname_store::Tx;
use kaname_trust::{Actor, Keys};

use serde::{Deserialize, Serialize};

use crate::four_eyes::{self, Approved};
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
    /// The office, by the pack's code; none for who was added before there were offices.
    pub office: Option<String>,
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

/// Somebody who becomes an officer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOfficer {
    /// Her name.
    pub name: String,
    /// A code of the pack's offices.
    pub office: String,
    /// Codes of the pack's roles, of those that the office has.
    pub roles: Vec<String>,
}

/// Adds an officer, in the home bucket. `by` is `None` for the first one of a deployment only.
///
/// # Errors
/// [`Refusal::UnknownRole`], [`Refusal::UnknownOffice`], [`Refusal::RoleNotInOffice`], [`Refusal::NotAllowed`];
/// [`Refusal::TwoOfficers`] where the country asks for two and there are two.
pub fn add_officer(
    tx: &mut Tx<'_>,
    keys: &Keys,
    pack: &Pack,
    env: &Env,
    by: Option<&Actor>,
    second: Option<&Approved>,
    new: &NewOfficer,
) -> Result<OfficerId, PersonError> {
    // First, so that nobody is asked to approve what cannot be done.
    let roles = known_roles(pack, &new.office, &new.roles)?;
    match by {
        Some(by) => may_manage(tx, pack, Action::ManageOfficers, by, second)?,
        None if table::officers(tx)?.is_empty() => {}
        None => return Err(not_allowed()),
    }
    let id = env.id(tx.bucket());
    let wrapped = keys.wrap(&context(id), new.name.as_bytes());

    let office = Some(new.office.clone());
    table::insert_officer(tx, &OfficerRow { id, active: true, roles, office, wrapped, version: 1 })?;
    Ok(id)
}

/// Whether the actor may do something about officers, alone or with a second one. As long as nobody else could approve, the first
/// administrator acts alone: a deployment begins with one.
///
/// # Errors
/// [`Refusal::NotAllowed`], [`Refusal::TwoOfficers`].
pub fn may_manage(
    tx: &mut Tx<'_>,
    pack: &Pack,
    action: Action,
    by: &Actor,
    second: Option<&Approved>,
) -> Result<(), PersonError> {
    match four_eyes::check(pack, action, by, second) {
        Err(Refusal::TwoOfficers) if second.is_none() && !others_may(tx, action, by)? => Ok(()),
        checked => Ok(checked?),
    }
}

fn others_may(tx: &mut Tx<'_>, action: Action, by: &Actor) -> Result<bool, PersonError> {
    let others = table::officers(tx)?.into_iter().filter(|row| row.active && row.id.to_string() != by.id);
    let acting = |id: OfficerId, role: &str| Actor::officer(id.to_string(), role);
    let may = |row: &OfficerRow| {
        row.roles.split_whitespace().any(|role| policy::may(&acting(row.id, role), action).is_ok())
    };
    Ok(others.into_iter().any(|row| may(&row)))
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

/// What an officer is from now on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OfficerChange {
    /// Who.
    pub officer: String,
    /// Her office; the one she has when it is empty.
    pub office: String,
    /// Her roles.
    pub roles: Vec<String>,
    /// Whether she stays.
    pub active: bool,
}

/// Gives an officer another office or other roles, or lets her go or come back.
///
/// # Errors
/// As [`add_officer`]; [`Refusal::NoSuchOfficer`].
pub fn change_officer(
    tx: &mut Tx<'_>,
    pack: &Pack,
    by: &Actor,
    second: Option<&Approved>,
    change: &OfficerChange,
) -> Result<(), PersonError> {
    may_manage(tx, pack, Action::ManageOfficers, by, second)?;
    let id = OfficerId::parse(&change.officer).map_err(|_| Refusal::NoSuchOfficer)?;
    let row = table::officer(tx, id)?.ok_or(Refusal::NoSuchOfficer)?;
    let office = match change.office.as_str() {
        "" => row.office.clone(),
        given => Some(given.to_owned()),
    };
    let roles = match &office {
        // She leaves as she is.
        _ if !change.active && change.roles.is_empty() => row.roles.clone(),
        Some(office) => known_roles(pack, office, &change.roles)?,
        None => return Err(Refusal::UnknownOffice.into()),
    };

    table::replace_officer(tx, &OfficerRow { roles, office, active: change.active, ..row })?;
    Ok(())
}

fn not_allowed() -> PersonError {
    Refusal::NotAllowed { role: "nobody".to_owned(), action: Action::ManageOfficers }.into()
}

fn known_roles(pack: &Pack, office: &str, roles: &[String]) -> Result<String, Refusal> {
    if !roles.iter().all(|role| pack.role(role).is_some()) {
        return Err(Refusal::UnknownRole);
    }
    let office = pack.office(office).ok_or(Refusal::UnknownOffice)?;
    match roles.iter().all(|role| office.roles.contains(role)) {
        true => Ok(roles.join(" ")),
        false => Err(Refusal::RoleNotInOffice),
    }
}

fn read(keys: &Keys, row: &OfficerRow) -> Result<Officer, PersonError> {
    let name = keys.unwrap(&context(row.id), &row.wrapped)?;
    Ok(Officer {
        id: row.id,
        name: String::from_utf8_lossy(&name).into_owned(),
        roles: row.roles.split_whitespace().map(str::to_owned).collect(),
        office: row.office.clone(),
        active: row.active,
    })
}

/// Bound into the wrapping, so that one officer's name never stands for another's.
fn context(id: OfficerId) -> Vec<u8> {
    [b"person.officer\0".as_slice(), id.bytes()].concat()
}
