//! A form with a file, as browsers send it (RFC 7578): its fields, and the bytes of the one file.

use super::Problem;
use super::pairs::Pairs;

/// More parts than any form of ours has.
const MOST_PARTS: usize = 32;

/// The boundary in a media type, if it is `multipart/form-data` (RFC 2046 section 5.1.1).
pub(super) fn boundary(media_type: &str) -> Option<&str> {
    let (kind, parameters) = media_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut named = parameters.split(';').filter_map(|one| one.split_once('='));
    let (_, value) = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let value = value.trim().trim_matches('"');
    (1..=70).contains(&value.len()).then_some(value)
}

/// Reads the fields, and the bytes of the part that has a file name; no bytes without one.
///
/// # Errors
/// 400 when it is cut off, when a part has no name, for more than one file, or for a field that is not text.
pub(super) fn parse(body: &[u8], boundary: &str) -> Result<(Pairs, Vec<u8>), Problem> {
    let broken = || Problem::malformed("the form cannot be taken apart");
    let first = [b"--", boundary.as_bytes()].concat();
    let next = [b"\r\n", &first[..]].concat();
    let mut rest = body.strip_prefix(&first[..]).ok_or_else(broken)?;
    let (mut fields, mut files) = (Vec::new(), Vec::new());
    while !rest.starts_with(b"--") {
        if fields.len() + files.len() == MOST_PARTS {
            return Err(Problem::malformed("there are too many fields"));
        }
        let part = rest.strip_prefix(b"\r\n").ok_or_else(broken)?;
        let head_end = find(part, b"\r\n\r\n").ok_or_else(broken)?;
        let head = std::str::from_utf8(&part[..head_end]).map_err(|_| broken())?;
        let content = &part[head_end + 4..];
        let end = find(content, &next).ok_or_else(broken)?;
        let (name, is_file) = disposition(head).ok_or_else(broken)?;
        match is_file {
            true => files.push(content[..end].to_vec()),
            false => {
                let text = std::str::from_utf8(&content[..end]).map_err(|_| broken())?;
                if text.contains('\0') {
                    return Err(broken());
                }
                fields.push((name, text.to_owned()));
            }
        }
        rest = &content[end + next.len()..];
    }
    match files.len() {
        0 | 1 => Ok((Pairs::of(fields), files.pop().unwrap_or_default())),
        _ => Err(Problem::malformed("the form has more than one file")),
    }
}

/// The name of a part, and whether it is a file (RFC 7578 section 4.2).
fn disposition(head: &str) -> Option<(String, bool)> {
    let line = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let parameters = line.trim().strip_prefix("form-data;")?;
    let value = |wanted: &str| {
        let start = parameters.find(&format!(" {wanted}=\""))? + wanted.len() + 3;
        parameters.get(start..)?.split('"').next().map(str::to_owned)
    };
    Some((value("name")?, value("filename").is_some()))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nt-1\r\n\
        --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n\
        a,b\r\n--not x\r\n1,2\r\n\r\n--x--\r\n";

    #[test]
    fn fields_and_the_file_are_taken_apart() {
        assert_eq!(boundary("multipart/form-data; charset=utf-8; boundary=\"x\""), Some("x"));
        assert_eq!(boundary("application/x-www-form-urlencoded; boundary=x"), None);
        let (fields, file) = parse(FORM, "x").unwrap();
        assert_eq!(fields.get("csrf"), Some("t-1"));
        assert_eq!(file, b"a,b\r\n--not x\r\n1,2\r\n");
    }

    #[test]
    fn what_is_cut_off_is_refused_wherever_it_is_cut() {
        let end = FORM.len() - b"--\r\n".len();
        for length in 0..end {
            assert!(parse(&FORM[..length], "x").is_err(), "{length}");
        }
        let twice = [&FORM[..end], b"\r\n", &FORM[5..]].concat();
        assert!(parse(&twice, "x").is_err(), "two files");
    }
}
