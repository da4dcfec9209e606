//! The register's answer to userinfo: a resident's attributes by the pack's codes, each only if it was asked for.

use kaname_base::Instant;
use kaname_base::pack::Pack;
use kaname_base::time::BirthDate;
use kaname_person::{Address, Name, PersonError, Resident, show};
use kaname_signin::userinfo::{Attributes, Disclosed};
use kaname_signin::{Refusal, SigninError};
use kaname_store::Tx;
use kaname_trust::Receipt;
use serde_json::{Map, Value, json};

/// The register of residents, as far as userinfo reads it.
pub(super) struct Register {
    pub(super) pack: Pack,
    pub(super) now: Instant,
}

impl Attributes for Register {
    fn open(
        &self,
        tx: &mut Tx<'_>,
        receipt: &Receipt<'_>,
        attributes: &[&str],
    ) -> Result<Disclosed, SigninError> {
        let resident = show::resident_with(tx, receipt).map_err(of_person)?;
        let mut values = Map::new();
        for attribute in attributes {
            let value = match *attribute {
                "number" => Some(Value::from(show::number_with(tx, receipt).map_err(of_person)?.as_str())),
                other => self.value(&resident, other),
            };
            values.extend(value.map(|value| ((*attribute).to_owned(), value)));
        }
        Ok(Disclosed { person: receipt.person(), values })
    }
}

impl Register {
    fn value(&self, resident: &Resident, attribute: &str) -> Option<Value> {
        let of = &resident.particulars;
        let name = |name: &Name| Value::from(name.full(&self.pack));
        let text = |text: &str| (!text.is_empty()).then(|| Value::from(text));
        match attribute {
            "name" => Some(name(&of.name)),
            "name_reading" => of.reading.as_ref().map(name),
            "name_latin" => of.latin.as_ref().map(name),
            "birth_date" => Some(Value::from(of.born.to_string())),
            "age_over_18" => Some(Value::from(self.is_at_least(of.born, 18))),
            "age_over_65" => Some(Value::from(self.is_at_least(of.born, 65))),
            "sex" => text(&of.sex),
            "status" => text(&of.status),
            "address" => Some(json!({
                "formatted": address_lines(&of.address).join("\n"),
                "street_address": of.address.line,
                "locality": of.address.city,
                "region": of.address.region,
                "postal_code": of.address.postcode,
            })),
            "postcode" => text(&of.address.postcode),
            "phone" => of.phone.as_deref().and_then(text),
            "email" => of.email.as_deref().and_then(text),
            _ => None,
        }
    }

    /// Whether she has had that birthday, by the country's own date. Of a day that is not known it is the last that it can be.
    fn is_at_least(&self, born: BirthDate, years: i16) -> bool {
        let today = self.now.date_in(&self.pack.time_zone);
        let birthday = (born.year() + years, born.month().unwrap_or(12), born.day().unwrap_or(31));
        (today.year(), today.month(), today.day()) >= birthday
    }
}

/// The address a line each, without parts that are not known.
pub(crate) fn address_lines(address: &Address) -> Vec<String> {
    let parts = [&address.postcode, &address.region, &address.city, &address.line];
    parts.into_iter().filter(|part| !part.is_empty()).cloned().collect()
}

fn of_person(error: PersonError) -> SigninError {
    match error {
        PersonError::Trust(error) => SigninError::Trust(error),
        PersonError::Store(error) => SigninError::Store(error),
        // She left the register after she signed in: her token stands for nobody.
        PersonError::Refused(_) => SigninError::Refused(Refusal::TokenUnknown),
    }
}
