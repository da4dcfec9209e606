//! Letters on paper: HTML files that are printed, and are whole without a server.

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use kaname_pay::payout::Voucher;
use kaname_pay::payout::ticket::VoucherKey;
use kaname_signin::letter::Letter;
use kaname_web::pages::paper::{LetterPage, VoucherPage};
use kaname_web::pages::{Template, asset, asset_url};

use crate::clock;
use crate::deployment::Deployment;
use crate::error::Failure;

/// Writes an activation letter, readable by the owner of the file only.
pub(crate) fn write_letter(
    file: &Path,
    deployment: &Deployment,
    name: &str,
    address: &[String],
    letter: &Letter,
) -> Result<(), Failure> {
    let shell = deployment.shell();
    let issuer = &deployment.config.serve.issuer;
    let view = LetterPage {
        name: name.to_owned(),
        address: address.to_vec(),
        sender: vec![deployment.authority()],
        at: clock::now(),
        letter_id: letter.number.clone(),
        activation_code: letter.code.clone(),
        until: letter.expires,
        site: issuer.split_once("://").map_or(issuer.as_str(), |(_, site)| site).to_owned(),
        grid: letter.grid.clone(),
        shell,
    };
    write_page(file, &view)
}

/// Writes a page that is whole without a server, readable by the owner of the file only.
pub(crate) fn write_page(file: &Path, page: &impl Template) -> Result<(), Failure> {
    let html = page.render().map_err(Failure::unavailable)?;
    write_owner_only(file, with_style_inside(&html).as_bytes())
}

/// Writes a voucher, readable by the owner of the file only.
pub(crate) fn write_voucher(
    file: &Path,
    deployment: &Deployment,
    name: &str,
    voucher: &Voucher,
) -> Result<(), Failure> {
    let ticket = VoucherKey::open(&deployment.keys)?.sign(voucher, deployment.pack.currency);
    let view = VoucherPage::of(&deployment.pack, deployment.shell(), name, voucher, &ticket);
    write_page(file, &view)
}

/// The page with the stylesheet in it instead of a link to it, and without a link to the icon: paper has none.
fn with_style_inside(html: &str) -> String {
    let url = asset_url("kaname.css");
    let Some(style) = asset(url) else { return html.to_owned() };
    let style = String::from_utf8_lossy(style.1);
    let link = format!("<link rel=\"stylesheet\" href=\"{url}\">");
    let icon = format!("<link rel=\"icon\" type=\"image/svg+xml\" href=\"{}\">", asset_url("mark.svg"));
    html.replace(&link, &format!("<style>{style}</style>")).replace(&icon, "")
}

/// Writes a file that only its owner can read.
pub(crate) fn write_owner_only(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    let failed =
        |error: std::io::Error| Failure::unavailable(format!("cannot write {}: {error}", file.display()));
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut options = std::fs::OpenOptions::new();
    let mut out = options.write(true).create(true).truncate(true).mode(0o600).open(file).map_err(failed)?;
    out.write_all(bytes).map_err(failed)
}
