//! Whose pages these are: the reader's own, or those of a person for whom she acts. The address says which, so that each tab stays
//! with its person, whatever is opened in another.

use kaname_codec::b64;
use kaname_person::delegate::acting::act;
use kaname_person::show::Asking;
use kaname_trust::PersonId;

use crate::http::guard::Resident;
use crate::http::{App, Call, Problem};
use crate::pages::{Acting, Shell};

/// The person whom a page is about, and who looks.
pub(crate) struct Subject {
    pub(crate) person: PersonId,
    pub(crate) asking: Asking,
    /// Where the pages about this person begin: `/my`, or an address of its own for each mandate.
    pub(crate) base: String,
    /// Her name, when somebody acts for her.
    pub(crate) acting: Option<Acting>,
}

impl Subject {
    /// The reader herself.
    pub(crate) fn own(resident: &Resident) -> Subject {
        Subject {
            person: resident.person,
            asking: Asking::herself(resident.person),
            base: "/my".to_owned(),
            acting: None,
        }
    }

    /// The person for whom the reader acts, by the mandate that the address names. Its use stands in the reader's own log.
    ///
    /// # Errors
    /// 404 for a mandate that is not hers, 409 for one that does not hold.
    pub(crate) fn of_mandate(app: &App, call: &Call, resident: &Resident) -> Result<Subject, Problem> {
        let named = call.param("mandate");
        let index = b64::url_decode_array::<16>(named).map_err(|_| Problem::not_found())?;
        let holder = Asking::herself(resident.person);
        let acting = act(&app.store, &app.keys, &app.pack, &call.env, &holder, index)?;
        let base = format!("/for/{named}");
        Ok(Subject {
            person: acting.person,
            asking: Asking { person: acting.person, actor: acting.actor, purpose: holder.purpose },
            acting: Some(Acting { name: acting.name, base: base.clone() }),
            base,
        })
    }

    /// The frame, which says for whom she acts.
    pub(crate) fn shell(&self, app: &App, call: &Call, resident: &Resident) -> Shell {
        Shell { acting: self.acting.clone(), ..resident.shell(app, call) }
    }
}
