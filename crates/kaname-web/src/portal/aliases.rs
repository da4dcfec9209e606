//! What a person gives instead of her number, and the lock on the number itself.

use axum::http::StatusCode;
use kaname_base::pack::AliasKind;
use kaname_person::number::alias::{self, Alias, AliasState, MakeAlias};
use kaname_person::number::lock::{self, LockNumber};
use kaname_person::{Numbers, PersonError};
use kaname_trust::keys::random;

use super::subject::Subject;
use crate::http::answer::{Answer, page_with, see_other};
use crate::http::guard::Resident;
use crate::http::{App, Call, Problem, request};
use crate::pages::number::{AliasView, MyAliasesPage};
use crate::pages::office::Choice;
use crate::pages::{Field, NoticeKind, Saying, Shell};

/// What was just done, by the word that the form sent her back with.
const DONE: &[Saying] = &[
    ("made", NoticeKind::Done, "alias.made"),
    ("ended", NoticeKind::Done, "alias.taken_back"),
    ("locked", NoticeKind::Done, "lock.locked"),
    ("unlocked", NoticeKind::Done, "lock.unlocked"),
];

/// `GET /my/number/aliases`
pub(crate) fn list(app: &App, call: &Call, resident: &Resident) -> Answer {
    page(app, call, resident, &Subject::own(resident))
}

/// `POST /my/number/aliases`
pub(crate) fn make(app: &App, call: &Call, resident: &Resident) -> Answer {
    make_for(app, call, resident, &Subject::own(resident))
}

/// `POST /my/number/aliases/end`
pub(crate) fn end(app: &App, call: &Call, resident: &Resident) -> Answer {
    end_for(app, call, &Subject::own(resident))
}

/// `POST /my/number/lock`
pub(crate) fn change_lock(app: &App, call: &Call, resident: &Resident) -> Answer {
    lock_for(app, call, &Subject::own(resident))
}

/// The page about this person.
pub(super) fn page(app: &App, call: &Call, resident: &Resident, subject: &Subject) -> Answer {
    let form = (Field::default(), Field::default());
    form_page(app, call, resident, subject, StatusCode::OK, form)
}

/// Makes an alias for this person.
pub(super) fn make_for(app: &App, call: &Call, resident: &Resident, subject: &Subject) -> Answer {
    let shell = subject.shell(app, call, resident);
    let (kind, days) = (call.form.text("kind"), call.form.text("days").trim());
    let (mut chosen, mut typed) = (Field::of(kind), Field::of(days));
    let rules = app.pack.alias.as_ref().ok_or_else(Problem::not_found)?;
    let kind = AliasKind::of_code(kind).filter(|kind| rules.kinds.contains(kind));
    if kind.is_none() {
        chosen = chosen.wrong(shell.t("wrong.choice"));
    }
    let until = match kind {
        Some(AliasKind::Temporary) => {
            let days = days.parse::<u16>().ok().filter(|days| (1..=rules.longest_days).contains(days));
            let until = days.and_then(|days| alias::last_day(&call.env, &app.pack, days));
            if until.is_none() {
                let most = shell.count(u64::from(rules.longest_days));
                typed = typed.wrong(shell.t1("wrong.days", "most", most));
            }
            until
        }
        _ => None,
    };
    let (Some(kind), None, None) = (kind, &chosen.error, &typed.error) else {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return form_page(app, call, resident, subject, status, (chosen, typed));
    };
    let ask = MakeAlias { request: request::read(call)?, asking: subject.asking.clone(), kind, until };
    let aliases = app.aliases().ok_or_else(Problem::not_found)?;
    alias::make_alias(&app.store, &app.keys, &app.pack, aliases, &call.env, &ask)?;
    see_other(&format!("{}/number/aliases?done=made", subject.base))
}

/// Takes back an alias of this person.
pub(super) fn end_for(app: &App, call: &Call, subject: &Subject) -> Answer {
    let n = call.form.need("alias")?.parse::<i64>().map_err(|_| Problem::not_found())?;
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let asking = subject.asking.clone();
    app.write_of(subject.person, move |tx| alias::revoke_alias(tx, &keys, &pack, &env.again(), &asking, n))?;
    see_other(&format!("{}/number/aliases?done=ended", subject.base))
}

/// Locks or unlocks the number of this person.
pub(super) fn lock_for(app: &App, call: &Call, subject: &Subject) -> Answer {
    let locked = match call.form.need("lock")? {
        "on" => true,
        "off" => false,
        _ => return Err(Problem::malformed("the field `lock` is neither on nor off")),
    };
    let ask = LockNumber {
        request: request::read(call)?,
        asking: subject.asking.clone(),
        locked,
        why: "own-wish".to_owned(),
        evidence: String::new(),
    };
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    app.write_of(subject.person, move |tx| lock::lock_number(tx, &keys, &pack, &env.again(), &ask))?;
    let done = if locked { "locked" } else { "unlocked" };
    see_other(&format!("{}/number/aliases?done={done}", subject.base))
}

fn form_page(
    app: &App,
    call: &Call,
    resident: &Resident,
    subject: &Subject,
    status: StatusCode,
    (kind, days): (Field, Field),
) -> Answer {
    let (keys, pack, env) = (app.keys.clone(), app.pack.clone(), call.env.clone());
    let asking = subject.asking.clone();
    let (aliases, locked) = app.write_of::<_, PersonError, _>(subject.person, move |tx| {
        let aliases = alias::aliases_of(tx, &keys, &pack, &env.again(), &asking)?;
        Ok((aliases, lock::is_locked(tx, asking.person)?))
    })?;
    let shell = subject.shell(app, call, resident).said(call.query.get("done"), DONE);
    let rules = app.pack.alias.as_ref();
    let kinds = rules.map_or(&[][..], |rules| &rules.kinds).iter().map(|kind| Choice {
        code: kind.code().to_owned(),
        label: shell.word("alias.kind", kind.code()),
        hint: shell.word("alias.hint", kind.code()),
    });
    let view = MyAliasesPage {
        base: subject.base.clone(),
        locked,
        requests: [random(), random()].map(|id: [u8; 16]| request::write(&id)),
        aliases: aliases.iter().map(|alias| view(app, call, &shell, alias)).collect(),
        kinds: kinds.collect(),
        kind,
        days,
        longest_days: u64::from(rules.map_or(0, |rules| rules.longest_days)),
        shell,
    };
    page_with(status, &view)
}

fn view(app: &App, call: &Call, shell: &Shell, alias: &Alias) -> AliasView {
    let is_over = alias.is_over(call.env.now.date_in(&app.pack.time_zone));
    let scheme = app.pack.alias.as_ref().map(|rules| &rules.scheme);
    let state = if alias.state == AliasState::Active && is_over { "over" } else { alias.state.code() };
    let by_herself = |actor: &kaname_trust::Actor| actor.kind == kaname_trust::ActorKind::Resident;
    AliasView {
        n: alias.n,
        alias: scheme.map_or_else(|| alias.alias.as_str().to_owned(), |scheme| scheme.show(&alias.alias)),
        kind: alias.kind.code().to_owned(),
        state: state.to_owned(),
        made_at: alias.made_at,
        until: alias
            .until
            .map(|day| crate::pages::format::date(shell.lang, day.year(), day.month(), day.day())),
        ended_at: alias.ended.as_ref().map(|(at, _)| *at),
        ended_by: alias.ended.as_ref().filter(|(_, by)| !by_herself(by)).map(|(_, by)| by.id.clone()),
    }
}

/// The aliases of the deployment's pack.
impl App {
    pub(crate) fn aliases(&self) -> Option<&Numbers> {
        self.made().aliases.as_ref()
    }
}
