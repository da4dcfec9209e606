//! Just enough of an HTML reader to check our own pages: elements, attributes and their nesting.

/// An element of a page.
#[derive(Debug)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// The indexes of the elements around it, outermost first.
    pub(crate) inside: Vec<usize>,
    /// The text directly and indirectly in it.
    pub(crate) text: String,
}

impl Element {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

const VOID: [&str; 9] = ["meta", "link", "input", "br", "path", "circle", "rect", "img", "hr"];

/// The elements of `page` in order, or what is wrong with its nesting.
pub(crate) fn read(page: &str) -> Result<Vec<Element>, String> {
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut rest = page.trim().strip_prefix("<!doctype html>").ok_or("no doctype")?;
    while let Some(at) = rest.find('<') {
        for index in &open {
            elements[*index].text.push_str(&rest[..at]);
        }
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('/') {
            let (name, after) = after.split_once('>').ok_or("an end tag without an end")?;
            let index = open.pop().ok_or(format!("</{name}> closes nothing"))?;
            if elements[index].name != name {
                return Err(format!("</{name}> closes <{}>", elements[index].name));
            }
            rest = after;
            continue;
        }
        let (element, closed, after) = start_tag(rest, &open)?;
        let stays_open = !closed && !VOID.contains(&element.name.as_str());
        elements.push(element);
        if stays_open {
            open.push(elements.len() - 1);
        }
        rest = after;
    }
    match open.pop() {
        Some(index) => Err(format!("<{}> is not closed", elements[index].name)),
        None => Ok(elements),
    }
}

fn start_tag<'p>(tag: &'p str, open: &[usize]) -> Result<(Element, bool, &'p str), String> {
    let end = tag.find([' ', '>', '/', '\n']).ok_or("a tag without an end")?;
    let name = tag[..end].to_owned();
    let mut attributes: Vec<(String, String)> = Vec::new();
    let mut rest = &tag[end..];
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            return Ok((
                Element { name, attributes, inside: open.to_vec(), text: String::new() },
                true,
                after,
            ));
        }
        if let Some(after) = rest.strip_prefix('>') {
            return Ok((
                Element { name, attributes, inside: open.to_vec(), text: String::new() },
                false,
                after,
            ));
        }
        let end = rest.find(['=', ' ', '>', '/', '\n']).ok_or(format!("<{name}> has no end"))?;
        let key = rest[..end].to_owned();
        if key.is_empty() || attributes.iter().any(|(known, _)| *known == key) {
            return Err(format!("<{name}> has the attribute `{key}` twice or without a name"));
        }
        rest = &rest[end..];
        let mut value = "";
        if let Some(after) = rest.strip_prefix("=\"") {
            let (quoted, after) = after.split_once('"').ok_or(format!("`{key}` has no closing quote"))?;
            if quoted.contains('<') {
                return Err(format!("`{key}` of <{name}> is not escaped"));
            }
            (value, rest) = (quoted, after);
            if !rest.starts_with([' ', '>', '/', '\n']) {
                return Err(format!("no space after `{key}` of <{name}>"));
            }
        }
        attributes.push((key, value.to_owned()));
    }
}
