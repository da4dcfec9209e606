//! What a mandate may be: facts in, decision out.

use jiff::ToSpan;
use jiff::civil::Date;
use kaname_base::pack::MandateKind;
use kaname_base::time::BirthDate;

use super::Terms;
use crate::Refusal;

/// The last day of a mandate of this kind, or why there can be none: what is asked for, cut to what the country allows.
pub(super) fn last_day(
    kind: &MandateKind,
    terms: &Terms,
    born: BirthDate,
    today: Date,
) -> Result<Option<Date>, Refusal> {
    let known = |scope: &String| kind.scopes.contains(scope);
    if terms.scope.is_empty() || !terms.scope.iter().all(known) {
        return Err(Refusal::MandateTerms);
    }
    let days = match (terms.days, kind.longest_days) {
        (Some(days), Some(most)) if days > most => return Err(Refusal::MandateTerms),
        (Some(0), _) => return Err(Refusal::MandateTerms),
        (days, most) => days.or(most),
    };
    // The day on which it begins is the first of its days.
    let by_period = days.and_then(|days| today.checked_add((i64::from(days) - 1).days()).ok());
    let by_age = kind.until_age.and_then(|age| {
        let of_age = born.earliest().checked_add(i64::from(age).years()).ok()?;
        of_age.checked_sub(1.days()).ok()
    });
    let last = [by_period, by_age].into_iter().flatten().min();
    if last.is_some_and(|last| last < today) { Err(Refusal::MandateTerms) } else { Ok(last) }
}
