//! A thing of a list, and what can be done with it: events, relations, mandates, decisions have one look.

/// One thing of a list.
#[derive(Clone, Debug, Default)]
pub struct EntryView {
    /// What it is called, in the reader's language.
    pub head: String,
    /// Where it stands: the class of the tag, and the words.
    pub tag: Option<(&'static str, String)>,
    /// What is known of it, a line or more for each term.
    pub rows: Vec<(String, Vec<String>)>,
    /// Where more of it is: address and words.
    pub doors: Vec<(String, String)>,
    /// What can be done with it.
    pub buttons: Vec<ButtonView>,
}

/// A form that is only a button.
#[derive(Clone, Debug)]
pub struct ButtonView {
    /// Where it is sent.
    pub action: String,
    /// What is sent with it.
    pub hidden: Vec<(&'static str, String)>,
    /// Its words.
    pub label: String,
    /// Whether it is what most people come for.
    pub main: bool,
}

impl EntryView {
    /// Adds a line, unless there is nothing to say.
    pub fn say(&mut self, term: String, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.rows.push((term, vec![value]));
        }
    }
}
