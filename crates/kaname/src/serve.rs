//! Serving: the pages and interfaces of a deployment, and beside them the work that never ends: publishing the log, sweeping what
//! has expired, letting the next signing key take over.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use kaname_codec::jose::Es256Key;
use kaname_pay::payout::{Payer, Programme};
use kaname_person::Numbers;
use kaname_signin::client::{self, Asked, Profile, Registration};
use kaname_signin::{Level, Provider, keys, sweep};
use kaname_store::jobs::Stop;
use kaname_web::Runs;
use kaname_web::http::client::Client;
use kaname_web::http::serve::serve;
use kaname_web::http::tls::TlsFiles;
use kaname_web::http::{App, Parts, router};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock;
use crate::deployment::Deployment;
use crate::error::Failure;
use crate::library::{self, Party};
use crate::work::Jobs;

/// How often new entries are brought into the published log.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);

/// How often expired sign-ins and sessions are swept away.
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// How often money is given back that was reserved for a time that is over. Nobody can have it in the meantime.
const EXPIRE_EVERY: Duration = Duration::from_secs(15);

/// How often sessions at the counter are ended that nobody came back to.
const LEAVE_EVERY: Duration = Duration::from_secs(60);

/// How often the next signing key takes over. A party that keeps a key set for an hour always knows it by then.
const ROTATE_EVERY: Duration = Duration::from_secs(86_400);

/// Serves a deployment until Ctrl-C.
pub(crate) fn deployment(deployment: &Deployment) -> Result<ExitCode, Failure> {
    run(deployment, None)
}

/// Serves the demonstration: the deployment, and the City Library on the next port.
pub(crate) fn demo(deployment: &Deployment, port: u16) -> Result<ExitCode, Failure> {
    run(deployment, Some(port))
}

fn run(deployment: &Deployment, demo_port: Option<u16>) -> Result<ExitCode, Failure> {
    // An old copy of the database must not be served: what it opens could never be published, and nobody would see it.
    deployment.log()?.publish()?;
    let provider = deployment.provider()?;
    let app = app(deployment, &provider, demo_port.is_some())?;
    let tls = match deployment.config.serve.tls {
        false => None,
        true => {
            let files = TlsFiles::new(&deployment.folder.join("tls"));
            files.create().and_then(|()| files.server_config()).map(Some).map_err(Failure::unavailable)?
        }
    };
    let library = demo_port.map(|port| library(deployment, &provider, port)).transpose()?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::unavailable)?;
    runtime.block_on(async {
        let listener = listen(&deployment.config.serve.listen).await?;
        // Before it answers anybody: who asks it to stop right then is heard.
        let stop_asked = asked_to_stop().map_err(Failure::unavailable)?;
        let (stop, stopped) = watch::channel(false);
        let no_more_jobs = Stop::default();
        let jobs = Jobs::of(deployment).start(no_more_jobs.clone()).map_err(Failure::unavailable)?;
        let instant = crate::instants::start(deployment, no_more_jobs.clone())?;
        let counters = Counters {
            pack: Arc::clone(&deployment.pack),
            keys: deployment.keys.clone(),
            store: deployment.store.clone(),
        };
        let chores =
            tokio::spawn(chores(deployment.log()?, provider, counters, app.clone(), stopped.clone()));
        let mut servers = vec![tokio::spawn(serve(listener, tls, router(app), until(stopped.clone())))];
        if let Some((port, library)) = library {
            let listener = listen(&format!("127.0.0.1:{port}")).await?;
            servers.push(tokio::spawn(serve(listener, None, library, until(stopped))));
        }
        eprintln!("Serving {} (Ctrl-C stops)", deployment.config.serve.issuer);
        stop_asked.await;
        // Before the log is published for the last time: a job opens records, too.
        no_more_jobs.pull();
        let _ = tokio::task::spawn_blocking(move || (jobs.join(), instant.map(|thread| thread.join()))).await;
        let _ = stop.send(true);
        for server in servers {
            let _ = server.await;
        }
        let _ = chores.await;
        eprintln!("Stopped; nothing is lost");
        Ok(ExitCode::SUCCESS)
    })
}

fn app(deployment: &Deployment, provider: &Provider, demo: bool) -> Result<App, Failure> {
    let desk = deployment.desk()?;
    let authority = deployment.authority();
    let name = authority.clone();
    let payer = move |programme: &Programme| payer(&name, programme);
    Ok(App::new(Parts {
        store: deployment.store.clone(),
        keys: deployment.keys.clone(),
        pack: Arc::clone(&deployment.pack),
        signin: provider.clone(),
        numbers: Numbers::new(&deployment.keys, &deployment.pack),
        runs: Runs::start(desk.clone(), payer, clock::env)?,
        desk,
        log_folder: deployment.log_folder(),
        imports_folder: deployment.imports_folder(),
        authority,
        office_by_letter: deployment.config.office_by_letter,
        demo,
        env: clock::env,
    }))
}

/// Who pays, as banks and receivers read it.
pub(crate) fn payer(authority: &str, programme: &Programme) -> Payer {
    Payer {
        name: authority.chars().take(140).collect(),
        account: "TREASURY".to_owned(),
        remittance: programme.code.to_uppercase(),
    }
}

/// Makes the library a relying party of this deployment, with the key that it keeps in the invented world.
fn library(deployment: &Deployment, provider: &Provider, port: u16) -> Result<(u16, axum::Router), Failure> {
    let port = port.saturating_add(1);
    let redirect_uri = format!("http://{}:{port}/callback", library::HOST);
    let wanted = ["name", "birth_date"];
    let attributes = wanted.iter().filter_map(|code| {
        let attribute = deployment.pack.attribute(code)?;
        Some(Asked { attribute: attribute.code.clone(), purpose: attribute.purposes.first()?.clone() })
    });
    let attributes: Vec<Asked> = attributes.collect();
    let scopes: Vec<&str> = attributes.iter().map(|asked| asked.attribute.as_str()).collect();
    let party = Party {
        client_id: "city-library".to_owned(),
        redirect_uri: redirect_uri.clone(),
        scope: format!("openid {}", scopes.join(" ")),
        issuer: deployment.config.serve.issuer.clone(),
        http: Client::new(
            deployment.config.serve.tls.then(|| deployment.folder.join("tls/ca.pem")).as_deref(),
        )
        .map_err(Failure::unavailable)?,
        key: library_key(&deployment.folder.join("world/library.key"))?,
    };
    let registration = Registration {
        client_id: party.client_id.clone(),
        names: library_names(deployment),
        redirect_uris: vec![redirect_uri],
        sector: "library".to_owned(),
        jwks: party.jwks(),
        profile: Profile::Fapi2,
        attributes,
        level: Level::Letter,
        agency: None,
    };
    let env = clock::env();
    let known = client::list(provider, &env)?;
    if known.iter().find(|client| client.id() == registration.client_id).map(|client| client.registration())
        != Some(&registration)
    {
        client::register(provider, &env, &crate::command::program(), &registration)?;
    }
    let shell = kaname_web::pages::Shell { demo: true, ..deployment.shell() };
    Ok((port, library::router(party, shell)))
}

/// The library's name in each language of the pack.
fn library_names(deployment: &Deployment) -> Vec<(String, String)> {
    let texts = kaname_web::pages::texts();
    let tags = deployment.pack.languages.iter().map(|language| language.tag.clone());
    tags.map(|tag| {
        let name = texts.get(&tag, "library.name", &[]);
        (tag, name)
    })
    .collect()
}

fn library_key(path: &Path) -> Result<Es256Key, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::unavailable(format!("{}: {error}", path.display()));
    if !path.exists() {
        let new = Es256Key::generate().map_err(|error| failed(&error))?;
        crate::paper::write_owner_only(path, &new)?;
    }
    let bytes = std::fs::read(path).map_err(|error| failed(&error))?;
    Es256Key::from_pkcs8(&bytes).map_err(|error| failed(&error))
}

async fn listen(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))
}

/// Says before all the work that its end, serving, would fail.
pub(crate) fn check_ports(deployment: &Deployment, port: u16) -> Result<(), Failure> {
    for address in [deployment.config.serve.listen.clone(), library_address(port)] {
        std::net::TcpListener::bind(&address).map_err(|error| cannot_listen(&address, &error))?;
    }
    Ok(())
}

/// The library is on the port after the deployment's.
fn library_address(port: u16) -> String {
    format!("127.0.0.1:{}", port.saturating_add(1))
}

fn cannot_listen(address: &str, error: &std::io::Error) -> Failure {
    Failure::unavailable(format!("cannot listen on {address}: {error}"))
        .mend("stop the program that uses the port, or choose another: kaname demo --port, or `listen` and `issuer` in kaname.toml")
}

/// What ends by itself when its time is over: sessions at the counter of officers who never came back, and reservations of money.
#[derive(Clone)]
struct Counters {
    store: kaname_store::Store,
    keys: kaname_trust::Keys,
    pack: Arc<kaname_base::pack::Pack>,
}

impl Counters {
    fn sweep(&self) -> Result<u64, kaname_person::PersonError> {
        kaname_person::counter::sweep(&self.store, &self.keys, &self.pack, &clock::env())
    }

    fn expire(&self) -> Result<u64, kaname_pay::PayError> {
        kaname_pay::ledger::expire_all(&self.store, &clock::env())
    }
}

/// Publishes the log and sweeps, until the end; publishes once more at the end.
async fn chores(
    log: kaname_trust::log::Log,
    provider: Provider,
    counters: Counters,
    app: App,
    mut stopped: watch::Receiver<bool>,
) {
    let log = std::sync::Arc::new(log);
    let mut publish = tokio::time::interval(PUBLISH_EVERY);
    let mut clean = tokio::time::interval(SWEEP_EVERY);
    let mut leave = tokio::time::interval(LEAVE_EVERY);
    let mut expire = tokio::time::interval(EXPIRE_EVERY);
    let mut rotate = tokio::time::interval_at(tokio::time::Instant::now() + ROTATE_EVERY, ROTATE_EVERY);
    loop {
        let last = tokio::select! {
            _ = publish.tick() => false,
            _ = clean.tick() => {
                let provider = provider.clone();
                let swept = tokio::task::spawn_blocking(move || sweep::sweep(&provider, &clock::env())).await;
                if let Ok(Err(error)) = swept {
                    tracing::error!(%error, "expired sign-ins could not be swept");
                }
                continue;
            }
            _ = expire.tick() => {
                let counters = counters.clone();
                if let Ok(Err(error)) = tokio::task::spawn_blocking(move || counters.expire()).await {
                    tracing::error!(%error, "reserved money could not be given back");
                }
                continue;
            }
            _ = leave.tick() => {
                let counters = counters.clone();
                if let Ok(Err(error)) = tokio::task::spawn_blocking(move || counters.sweep()).await {
                    tracing::error!(%error, "sessions at the counter could not be ended");
                }
                continue;
            }
            _ = rotate.tick() => {
                let provider = provider.clone();
                let rotated = tokio::task::spawn_blocking(move || keys::rotate(&provider, &clock::env())).await;
                if let Ok(Err(error)) = rotated {
                    tracing::error!(%error, "the signing key could not be rotated");
                }
                continue;
            }
            _ = stopped.changed() => true,
        };
        let log = std::sync::Arc::clone(&log);
        let published = tokio::task::spawn_blocking(move || log.publish()).await;
        app.note_published(matches!(published, Ok(Ok(_))));
        if let Ok(Err(error)) = published {
            tracing::error!(%error, "the log could not be published");
        }
        if last {
            return;
        }
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Ctrl-C, or a polite request of the system to end. It is listened for from the call on.
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
