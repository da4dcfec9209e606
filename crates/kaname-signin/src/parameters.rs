//! Parameters of a request, as they came in the query or the form.

use crate::Refusal;

/// Decoded names and values, each name once (RFC 6749 section 3.1).
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(String, String)>);

/// The most characters in a value, unless the name says otherwise.
const LONGEST_VALUE: usize = 2_048;

/// Client assertions are tokens, and longer; so is what we handed out ourselves, which carries other values sealed.
fn longest(name: &str) -> usize {
    match name {
        "client_assertion" => kaname_codec::jose::MAX_TOKEN_BYTES,
        "request_uri" | "code" => 8 * LONGEST_VALUE,
        _ => LONGEST_VALUE,
    }
}

impl Parameters {
    /// Takes decoded pairs. An empty value is the same as none (RFC 6749 section 3.1).
    ///
    /// # Errors
    /// [`Refusal::ParameterRepeated`], [`Refusal::ParameterTooLong`]. Both belong on a page or in a JSON answer: where to
    /// redirect cannot be told from a request that has two readings.
    pub fn read<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Parameters, Refusal> {
        let mut read: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs {
            let (name, value) = (name.into(), value.into());
            if value.len() > longest(&name) || name.len() > LONGEST_VALUE || read.len() > 64 {
                return Err(Refusal::ParameterTooLong);
            }
            if read.iter().any(|(known, _)| *known == name) {
                return Err(Refusal::ParameterRepeated);
            }
            read.push((name, value));
        }
        read.retain(|(_, value)| !value.is_empty());
        Ok(Parameters(read))
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
