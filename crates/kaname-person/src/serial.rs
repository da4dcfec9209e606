//! How dates and people are written in sealed records: a date as `2026-11-22`, a person as her id is shown.

pub(crate) mod date {
    use jiff::civil::Date;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

pub(crate) mod maybe_date {
    use jiff::civil::Date;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(date: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
        match date {
            Some(date) => serializer.collect_str(date),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

pub(crate) mod person {
    use kaname_trust::PersonId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(person: &PersonId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(person)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PersonId, D::Error> {
        PersonId::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

pub(crate) mod people {
    use kaname_trust::PersonId;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(people: &[PersonId], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(people.iter().map(PersonId::to_string))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PersonId>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| PersonId::parse(text).map_err(D::Error::custom)).collect()
    }
}

pub(crate) mod link {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::link::LinkId;

    pub(crate) fn serialize<S: Serializer>(link: &LinkId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(link)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LinkId, D::Error> {
        LinkId::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
