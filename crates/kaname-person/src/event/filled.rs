//! An event as somebody filled it in, at a counter or in a row of a file, and what it says once it is checked.

use jiff::civil::Date;
use kaname_base::pack::Pack;
use kaname_trust::PersonId;

use super::{Change, Corrected, EventKind};
use crate::{Address, Entry, Field, Particulars, PersonError, Reason, Refusal, RelationKind};

/// What was filled in. Which of it counts depends on the kind.
#[derive(Clone, Default)]
pub struct Filled<'a> {
    /// New values: of the address for a move and a return, of the name for a change of name, a marriage and a divorce, of the
    /// status for a change of status, of phone and mail for a change of contact.
    pub entry: Entry<'a>,
    /// The fields that a correction sets, with what is right.
    pub set: Vec<(Field, &'a str)>,
    /// The other resident: whom she married, whose guardian she became.
    pub other: Option<PersonId>,
    /// What the other is to her.
    pub relation: Option<RelationKind>,
    /// For where she left.
    pub place: &'a str,
    /// Which of her events is annulled.
    pub annuls: Option<i64>,
}

impl Filled<'_> {
    /// The change, checked by the country's rules. `now` is her record of today: what is not filled in, such as the readings of
    /// her name that a citizen must have, is judged with it.
    ///
    /// # Errors
    /// [`Refusal::Invalid`]; [`Refusal::AddressInPart`]; [`Refusal::UnknownRelation`] when another resident is needed; [`Refusal::RecordedOtherwise`] for kinds
    /// that are not filled in.
    pub fn change(
        &self,
        kind: EventKind,
        now: &Particulars,
        pack: &Pack,
        today: Date,
    ) -> Result<Change, PersonError> {
        let other = || self.other.ok_or(Refusal::UnknownRelation);
        let relation = || self.relation.ok_or(Refusal::UnknownRelation);
        Ok(match kind {
            EventKind::Move => {
                let address = Particulars::check_address(&self.entry, pack)?;
                if address.is_empty() {
                    return Err(Field::City.fault(Reason::Missing).into());
                }
                is_whole(&address, &now.address, pack)?;
                Change::Move { address }
            }
            EventKind::ChangeOfName => Change::ChangeOfName { names: self.names(now, pack)? },
            EventKind::ChangeOfStatus => {
                let (status, stay) = Particulars::check_status(&self.entry, pack, now.born)?;
                Change::ChangeOfStatus { status, stay }
            }
            EventKind::ChangeOfContact => {
                let (phone, email) = Particulars::check_contact(&self.entry)?;
                Change::ChangeOfContact { phone, email }
            }
            EventKind::Marriage => Change::Marriage { with: other()?, names: self.maybe_names(now, pack)? },
            EventKind::Divorce => Change::Divorce { from: other()?, names: self.maybe_names(now, pack)? },
            EventKind::Parenthood | EventKind::Guardianship | EventKind::Household => {
                let change = Change::RelationBegins { relation: relation()?, to: other()? };
                if change.kind() != kind {
                    return Err(Refusal::UnknownRelation.into());
                }
                change
            }
            EventKind::RelationEnded => Change::RelationEnds { relation: relation()?, to: other()? },
            EventKind::Emigration => {
                Change::Emigration { to: Particulars::check_place(self.place, Field::City, pack)? }
            }
            EventKind::Return => {
                let address = Particulars::check_address(&self.entry, pack)?;
                if !address.is_empty() {
                    is_whole(&address, &now.address, pack)?;
                }
                Change::Return { address: (!address.is_empty()).then_some(address) }
            }
            EventKind::Death => Change::Death,
            EventKind::Correction => Change::Correction { set: self.corrected(now, pack, today)? },
            EventKind::Annulment => Change::Annulment { of: self.annuls.ok_or(Refusal::NoSuchEvent)? },
            EventKind::Registration
            | EventKind::Birth
            | EventKind::Arrival
            | EventKind::NumberReplaced
            | EventKind::NumberLocked
            | EventKind::NumberUnlocked
            | EventKind::Photo
            | EventKind::Bereavement
            | EventKind::Merge
            | EventKind::Split => return Err(Refusal::RecordedOtherwise.into()),
        })
    }

    fn names(&self, now: &Particulars, pack: &Pack) -> Result<crate::Names, PersonError> {
        let citizen = pack.status(&now.status).is_some_and(|status| status.citizen);
        Ok(Particulars::check_names(&self.entry, pack, citizen)?)
    }

    fn maybe_names(&self, now: &Particulars, pack: &Pack) -> Result<Option<crate::Names>, PersonError> {
        let is_given = !self.entry.family_name.is_empty() || !self.entry.given_name.is_empty();
        is_given.then(|| self.names(now, pack)).transpose()
    }

    fn corrected(&self, now: &Particulars, pack: &Pack, today: Date) -> Result<Vec<Corrected>, PersonError> {
        if self.set.is_empty() {
            return Err(Refusal::NothingChanges.into());
        }
        Ok(now.corrected(&self.set, pack, today)?)
    }
}

/// Whether a new address has every part that the present one has: what is left out would be lost. Whoever loses her home has no
/// postcode any more; and with whom she was reached is over with the move.
fn is_whole(new: &Address, present: &Address, pack: &Pack) -> Result<(), Refusal> {
    if new.is_unfixed(pack) || !new.care_of.is_empty() {
        return Ok(());
    }
    let parts = [
        (Field::Postcode, &new.postcode, &present.postcode),
        (Field::Region, &new.region, &present.region),
        (Field::City, &new.city, &present.city),
        (Field::Address, &new.line, &present.line),
    ];
    let lost = parts.iter().filter(|(_, new, present)| new.is_empty() && !present.is_empty());
    let missing: Vec<&str> = lost.map(|(field, ..)| field.name()).collect();
    if missing.is_empty() { Ok(()) } else { Err(Refusal::AddressInPart { missing: missing.join(", ") }) }
}
