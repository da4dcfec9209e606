//! Which resident a command is about: by the reference of a source, by her number, or by an alias of it.

use clap::{ArgGroup, Args};
use kaname_person::number::resolve::{Resolve, resolve};
use kaname_person::register::find_by_reference;
use kaname_trust::keys::random;
use kaname_trust::{Actor, PersonId};

use crate::clock;
use crate::deployment::Deployment;
use crate::error::Failure;

/// A resident.
#[derive(Args)]
#[command(group = ArgGroup::new("resident").required(true).args(["reference", "of"]))]
pub(crate) struct Who {
    /// The resident's reference in the file that she was imported from
    #[arg(long)]
    reference: Option<String>,
    /// The name of that file's source, as its mapping has it
    #[arg(long, default_value = "residents")]
    source: String,
    /// Her number instead, or an alias of it; one for a single use is used up by this
    #[arg(long, value_name = "NUMBER")]
    of: Option<String>,
}

impl Who {
    /// The resident, as far as this actor is led to her.
    pub(crate) fn find(&self, deployment: &Deployment, actor: &Actor) -> Result<PersonId, Failure> {
        let Deployment { store, keys, pack, .. } = deployment;
        if let Some(text) = &self.of {
            let ask = Resolve { text, actor, use_id: random() };
            let found = resolve(store, keys, pack, &clock::env(), &ask)?;
            return found.ok_or_else(|| {
                Failure::refused("this leads to no resident").mend(
                    "check it; a number that is locked or was replaced leads only a registrar to its holder",
                )
            });
        }
        let reference = self.reference.as_deref().unwrap_or_default();
        find_by_reference(store, keys, actor, &self.source, reference)?.ok_or_else(|| {
            Failure::refused("there is no resident with this reference")
                .mend("check the reference and, if the file had a mapping, name its source with --source")
        })
    }
}
