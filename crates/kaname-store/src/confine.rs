//! Whether a statement stays in its bucket: a cheap reading of the text, not a parser, but one that errs on the safe side.
//!
//! Every table that the text names after FROM, JOIN, UPDATE or INTO must be asked for its bucket: there are as many
//! `bucket = $1` (or `bucket = other.bucket`) as tables, an insert puts `$1` into the column `bucket`, and nothing
//! assigns it anew. `xtask tidy` reads the same texts once more.

use std::cell::RefCell;
use std::collections::HashSet;

thread_local! {
    /// The texts that passed, by address: they are static, so one reading of each is enough.
    static PASSED: RefCell<HashSet<(usize, usize)>> = RefCell::default();
}

/// Whether `sql` is confined to the bucket bound as `$1`.
pub(crate) fn is_confined(sql: &'static str) -> bool {
    let address = (sql.as_ptr() as usize, sql.len());
    PASSED.with_borrow_mut(|passed| {
        passed.contains(&address) || (reads_as_confined(sql) && passed.insert(address))
    })
}

fn reads_as_confined(sql: &str) -> bool {
    let words = words(sql);
    let word = |i: usize| words.get(i).copied().unwrap_or_default();
    let is = |i: usize, keyword: &str| word(i).eq_ignore_ascii_case(keyword);
    let mut confined: i64 = 0; // predicates on a bucket, less the tables that need one
    let mut setting = false; // between SET and the next clause: `bucket = ` would assign
    let mut joined_as = Vec::new();
    for i in 0..words.len() {
        if is(i, "SET") {
            setting = true;
        } else if ["WHERE", "FROM", "RETURNING"].iter().any(|end| is(i, end)) {
            setting = false;
        }
        if is(i + 1, "AS")
            && (is(i + 2, "(") || is(i + 3, "("))
            && ["WITH", "RECURSIVE", ","].iter().any(|w| i > 0 && is(i - 1, w))
        {
            joined_as.push(word(i)); // a named subquery, confined by its own text
        }
        let names_table = is(i, "JOIN")
            || (is(i, "FROM") && (i == 0 || !is(i - 1, "DISTINCT")))
            || (is(i, "UPDATE") && (i == 0 || (!is(i - 1, "FOR") && !is(i - 1, "DO"))));
        if names_table {
            let mut at = i + 1;
            loop {
                at += usize::from(["ONLY", "LATERAL"].iter().any(|skipped| is(at, skipped)));
                let is_subquery = is(at, "(") || is(at + 1, "(");
                if !is_subquery && !joined_as.iter().any(|known| is(at, known)) {
                    confined -= 1;
                }
                // `FROM a x, b y`: a list names more tables.
                let next = (at + 1..at + 4).find(|&n| is(n, ","));
                let stops = |n: usize| {
                    ["(", ")", "SET", "WHERE", "JOIN", "ON", "ORDER", "UNION"].iter().any(|w| is(n, w))
                };
                match next {
                    Some(comma) if is(i, "FROM") && !is_subquery && !(at + 1..comma).any(stops) => {
                        at = comma + 1
                    }
                    _ => break,
                }
            }
        }
        if is(i, "INTO") && !inserts_bucket(&words[i..]) {
            return false;
        }
        if word(i).rsplit('.').next().is_some_and(|name| name.eq_ignore_ascii_case("bucket"))
            && is(i + 1, "=")
        {
            if setting {
                return false;
            }
            let is_bound = is(i + 2, "$1") || word(i + 2).to_ascii_lowercase().ends_with(".bucket");
            confined += i64::from(is_bound);
        }
    }
    confined >= 0 && words.contains(&"$1")
}

/// `INTO table [AS alias] (bucket, …) VALUES ($1, …)` in each of its rows, or `… SELECT $1, …`.
fn inserts_bucket(words: &[&str]) -> bool {
    let Some(open) = words.iter().position(|word| *word == "(") else { return false };
    let Some(source) =
        words.iter().position(|word| ["VALUES", "SELECT"].iter().any(|w| word.eq_ignore_ascii_case(w)))
    else {
        return false;
    };
    let is_first = words.get(open + 1).is_some_and(|name| name.eq_ignore_ascii_case("bucket"));
    let first_value = |at: usize| words.get(at) == Some(&"$1");
    if !is_first || open > source {
        return false;
    }
    if words[source].eq_ignore_ascii_case("SELECT") {
        return first_value(source + 1);
    }
    let mut depth = 0;
    for (at, word) in words.iter().enumerate().skip(source + 1) {
        match *word {
            "(" => {
                if depth == 0 && !first_value(at + 1) {
                    return false;
                }
                depth += 1;
            }
            ")" => depth -= 1,
            "," => {}
            _ if depth == 0 => break, // ON CONFLICT, RETURNING
            _ => {}
        }
    }
    true
}

/// Words, names with their qualifier, `$N`, and single signs; texts in quotes are left out.
fn words(sql: &str) -> Vec<&str> {
    let part_of_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '"');
    let mut words = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let end = if first == '\'' {
            rest[1..].find('\'').map_or(rest.len(), |at| at + 2)
        } else if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if part_of_word(first) {
            let end = rest.find(|c| !part_of_word(c)).unwrap_or(rest.len());
            words.push(&rest[..end]);
            end
        } else {
            if !first.is_whitespace() {
                words.push(&rest[..first.len_utf8()]);
            }
            first.len_utf8()
        };
        rest = &rest[end..];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_in_its_bucket_passes() {
        for sql in [
            "SELECT a FROM t WHERE bucket = $1 AND id = $2",
            "SELECT COUNT(*) FROM t WHERE bucket=$1",
            "SELECT a.x, b.y FROM a JOIN b ON b.bucket = a.bucket AND b.id = a.id WHERE a.bucket = $1",
            "SELECT a.x FROM a, b WHERE a.bucket = $1 AND b.bucket = $1",
            "SELECT x FROM (SELECT x FROM t WHERE bucket = $1) AS s WHERE x IS DISTINCT FROM $2",
            "WITH s AS (SELECT x FROM t WHERE bucket = $1) SELECT x FROM s",
            "INSERT INTO t (bucket, a) VALUES ($1, $2) ON CONFLICT (bucket, a) DO UPDATE SET a = excluded.a",
            "INSERT INTO t (bucket, a) VALUES ($1, $2), ($1, $3)",
            "INSERT INTO t (bucket, a) SELECT $1, a FROM s WHERE bucket = $1",
            "UPDATE t SET a = $2 WHERE bucket = $1 RETURNING a",
            "UPDATE t SET a = 1 WHERE bucket = $1 AND id IN (SELECT id FROM t WHERE bucket = $1 FOR UPDATE SKIP LOCKED)",
            "DELETE FROM t WHERE bucket = $1 AND note = 'FROM others'",
        ] {
            assert!(reads_as_confined(sql), "{sql}");
        }
    }

    #[test]
    fn what_may_leave_it_does_not() {
        for sql in [
            "SELECT a FROM t",
            "SELECT a FROM t WHERE bucket = $2",
            "SELECT a FROM t WHERE bucket = $10",
            "SELECT a FROM t WHERE bucket = 3 AND id = $1",
            "SELECT a FROM t WHERE note = 'bucket = $1'",
            "SELECT a FROM t -- bucket = $1",
            "SELECT a.x FROM a JOIN b ON b.id = a.id WHERE a.bucket = $1",
            "SELECT a.x FROM a, b WHERE a.bucket = $1 AND a.id = b.id",
            "SELECT a.x FROM a WHERE bucket = $1 AND id IN (SELECT id FROM b)",
            "SELECT a FROM t WHERE bucket = $1 UNION SELECT a FROM u",
            "INSERT INTO t (bucket, a) VALUES ($2, $1)",
            "INSERT INTO t (bucket, a) VALUES ($1, $2), ($3, $4)",
            "INSERT INTO t (a, bucket) VALUES ($1, $2)",
            "INSERT INTO t VALUES ($1, $2)",
            "INSERT INTO t (bucket, a) SELECT $1, a FROM s",
            "INSERT INTO t (bucket, a) SELECT bucket, a FROM s WHERE bucket = $1",
            "UPDATE t SET a = $2",
            "UPDATE t SET bucket = $1",
            "UPDATE t SET bucket = $2 WHERE bucket = $1",
            "DELETE FROM t WHERE id = $1",
        ] {
            assert!(!reads_as_confined(sql), "{sql}");
        }
    }

    #[test]
    fn a_passed_text_is_remembered_by_its_address() {
        const SQL: &str = "SELECT 1 FROM t WHERE bucket = $1";
        assert!(is_confined(SQL) && is_confined(SQL));
        assert!(!is_confined("SELECT 1 FROM t"));
    }
}
