//! What is the same for everybody: assets, the public log, whether we are well.

use std::io::ErrorKind;
use std::path::Path;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use kaname_codec::tlog::Tile;
use kaname_store::StoreError;

use super::answer::{Answer, of, with};
use super::{App, Call, Problem};
use crate::pages;

/// What never changes under its address.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// `GET /assets/{name}`
pub(super) fn asset(_: &App, call: &Call) -> Answer {
    let (content_type, bytes, etag) = pages::asset(call.param("name")).ok_or_else(Problem::not_found)?;
    let response =
        if call.headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
            of(StatusCode::NOT_MODIFIED, content_type, "")
        } else {
            of(StatusCode::OK, content_type, bytes)
        };
    let response = with(response, header::ETAG, HeaderValue::from_static(etag));
    Ok(with(response, header::CACHE_CONTROL, FOR_EVER))
}

/// What our own interface for agencies is, for programs. The tests hold it against the table of routes and against real answers.
const OPENAPI: &str = include_str!("../../../../docs/openapi.json");

/// `GET /v1/openapi.json` (OpenAPI 3.1).
pub(super) fn openapi(_: &App, _: &Call) -> Answer {
    let response = of(StatusCode::OK, "application/json", OPENAPI);
    Ok(public(with(response, header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"))))
}

/// `GET /log/checkpoint`: the signed head of the log (C2SP tlog-tiles, "Checkpoints").
pub(super) fn checkpoint(app: &App, _: &Call) -> Answer {
    file(
        &app.log_folder.join("checkpoint"),
        "text/plain; charset=utf-8",
        HeaderValue::from_static("no-cache"),
    )
}

/// `GET /log/vkey`: the key that checkpoints verify with.
pub(super) fn vkey(app: &App, _: &Call) -> Answer {
    file(&app.log_folder.join("vkey"), "text/plain; charset=utf-8", HeaderValue::from_static("no-cache"))
}

/// `GET /log/tile/…`: one tile. The path is made anew from what was parsed, so it cannot leave the folder.
pub(super) fn tile(app: &App, call: &Call) -> Answer {
    let tile = Tile::parse(&format!("tile/{}", call.param("rest"))).map_err(|_| Problem::not_found())?;
    file(&app.log_folder.join(tile.path()), "application/octet-stream", FOR_EVER)
}

/// `GET /healthz`: the program runs. Touches nothing, so that a slow database gets nobody restarted.
pub(super) fn healthz(_: &App, _: &Call) -> Answer {
    Ok(of(StatusCode::OK, "text/plain; charset=utf-8", "ok\n"))
}

/// `GET /readyz`: the program can work: the database answers, and the log is published.
pub(super) fn readyz(app: &App, _: &Call) -> Answer {
    if !app.log_is_published() {
        return Err(Problem::unavailable());
    }
    app.store.read(app.home(), |_| Ok::<_, StoreError>(()))?;
    Ok(of(StatusCode::OK, "text/plain; charset=utf-8", "ready\n"))
}

fn file(path: &Path, content_type: &'static str, cache: HeaderValue) -> Answer {
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory => Problem::not_found(),
        _ => {
            tracing::error!(%error, "a file of the log cannot be read");
            Problem::unavailable()
        }
    })?;
    Ok(public(with(of(StatusCode::OK, content_type, bytes), header::CACHE_CONTROL, cache)))
}

/// Readable by pages of others too: it says nothing about who reads it.
pub(crate) fn public(response: Response) -> Response {
    with(response, header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))
}
