//! Whose pages these are: the reader's own, or those of a person for whom she acts. The address says which, so that each tab stays
//! with its person, whatever is opened in another.

use kaname_person::show::Asking;
use kaname_trust::PersonId;

use crate::http::guard::Resident;
use crate::http::{App, Call};
use crate::pages::Shell;

/// The person whom a page is about, and who looks.
pub(crate) struct Subject {
    pub(crate) person: PersonId,
    pub(crate) asking: Asking,
    /// Where the pages about this person begin: `/my`, or an address of its own for each mandate.
    pub(crate) base: String,
    /// Her name, when somebody acts for her.
    pub(crate) acting: Option<String>,
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

    /// The frame, which says for whom she acts.
    pub(crate) fn shell(&self, app: &App, call: &Call, resident: &Resident) -> Shell {
        Shell { acting: self.acting.clone(), ..resident.shell(app, call) }
    }
}
