//! The public figure: how many records are linked, and how many were linked wrongly. A page for people, a document for programs.

use axum::http::StatusCode;
use kaname_person::link::rules::Shown;
use kaname_person::link::statistics::{Figures, figures};
use serde_json::{Value, json};

use crate::http::answer::{self, Answer, page};
use crate::http::{App, Call};
use crate::pages::Shell;
use crate::pages::link::{FiguresLine, LinkStatisticsPage, SourceLines};
use crate::portal::links::desk;

/// `GET /statistics/links`
pub(crate) fn links(app: &App, call: &Call) -> Answer {
    let sources = figures(&desk(app))?;
    if call.wants_document() {
        let sources: Vec<Value> = sources
            .iter()
            .map(|source| {
                let months =
                    source.months.iter().map(|(month, figures)| with_month(month, document(figures)));
                json!({
                    "source": source.source,
                    "total": document(&source.total),
                    "months": months.collect::<Vec<_>>(),
                })
            })
            .collect();
        let few = format!("at least 1 and fewer than {}", kaname_person::link::rules::LEAST_SHOWN);
        return Ok(answer::json(StatusCode::OK, &json!({ "few": few, "sources": sources })));
    }
    let shell = call.shell(app);
    let tag = shell.lang.code();
    let sources = sources
        .iter()
        .map(|source| SourceLines {
            name: app
                .pack
                .source(&source.source)
                .map_or(source.source.as_str(), |of| of.name.get(tag))
                .to_owned(),
            total: line(&shell, "", &source.total),
            months: source.months.iter().map(|(month, figures)| line(&shell, month, figures)).collect(),
        })
        .collect();
    page(&LinkStatisticsPage { sources, shell })
}

fn with_month(month: &str, mut document: Value) -> Value {
    document["month"] = month.into();
    document
}

fn document(figures: &Figures) -> Value {
    let value = |shown: Shown| match shown {
        Shown::Exactly(count) => json!(count),
        Shown::Few => json!("few"),
        Shown::Withheld => Value::Null,
    };
    json!({
        "linked": value(figures.linked),
        "confirmed": value(figures.confirmed),
        "reported": value(figures.reported),
        "wrong": value(figures.wrong),
        "reinstated": value(figures.reinstated),
    })
}

fn line(shell: &Shell, month: &str, figures: &Figures) -> FiguresLine {
    let text = |shown: Shown| match shown {
        Shown::Exactly(count) => shell.count(count),
        Shown::Few => shell.t("statistics.few"),
        Shown::Withheld => shell.t("statistics.withheld"),
    };
    FiguresLine {
        month: month.to_owned(),
        linked: text(figures.linked),
        reported: text(figures.reported),
        wrong: text(figures.wrong),
    }
}
