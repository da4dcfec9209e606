//! `kaname payout` and `kaname ledger`: money, with two pairs of eyes, by command line; and books that show what was done to them.

use serde_json::Value;

use crate::database::Database;
use crate::program::{Place, answer, finished, refusal, run as program, spoken, text};

#[test]
fn a_payout_by_command_line_takes_money_and_two_officers() {
    let place = Place::with_deployment("example", &["--population", "1000", "--simulated-banks"]);
    let (people, folder) = (place.people("example", 200), place.folder());
    let config = ["--config", text(&folder)];
    let with =
        |args: &[&str]| -> Vec<String> { args.iter().chain(&config).map(|arg| (*arg).to_owned()).collect() };
    let ask = |args: &[&str]| {
        let args = with(&[args, &["--json"]].concat());
        answer(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let refuse = |args: &[&str], code| {
        let args = with(args);
        refusal(&args.iter().map(String::as_str).collect::<Vec<_>>(), code)
    };
    ask(&["resident", "import", text(&people)]);
    let accounts = ask(&["sim", "accounts", text(&people)]);
    assert!(accounts["active"].as_u64().unwrap() > 150, "{accounts}");
    assert_eq!(ask(&["sim", "accounts", text(&people)])["active"], accounts["active"], "twice is once");
    let [boss, planner, approver] = place.staff();

    let words = refuse(&["payout", "plan", "--officer", &boss], 1);
    assert!(words.contains("no role that may plan a payout"), "{words}");
    refuse(&["payout", "plan", "--officer", "somebody"], 2);
    let words = refuse(&["payout", "plan", "--officer", &planner, "--programme", "gift"], 2);
    assert!(words.contains("choose one of"), "{words}");
    let plan = ask(&["payout", "plan", "--officer", &planner]);
    let run = plan["run"].as_str().unwrap();
    assert_eq!(plan["count"], 200);

    let words = refuse(&["payout", "run", run, "--officer", &planner], 1);
    assert!(words.to_lowercase().contains("officer"), "{words}");
    let words = refuse(&["payout", "run", run, "--officer", &approver], 1);
    assert!(words.contains("kaname payout fund"), "the treasury is empty: {words}");
    let words = refuse(&["payout", "fund", run, "--officer", &planner], 1);
    assert!(words.contains("another officer"), "whoever planned does not fund: {words}");
    let funded = ask(&["payout", "fund", run, "--officer", &approver]);
    assert_eq!(funded["total"], plan["total"]);
    let done = ask(&["payout", "run", run, "--officer", &approver]);
    assert_eq!((&done["state"], &done["report"]["sound"]), (&"finished".into(), &true.into()), "{done}");
    assert_eq!(ask(&["payout", "status", run])["people"], done["report"]["people"]);
    let report = spoken(&["payout", "report", run, "--config", text(&folder)], 0);
    assert!(report.contains("the books balance"), "{report}");
    assert!(refuse(&["payout", "report", "run_nonsense"], 2).contains("names no payout run"));

    // Planned again, it says that the same people would be paid twice.
    let plan = ["payout", "plan", "--officer", &planner, "--config", text(&folder)];
    let again = spoken(&plan, 0);
    assert!(again.contains(&format!("LOOK: {run} of")) && again.contains("is paid twice"), "{again}");
    assert!(again.contains(&format!("--officer OFFICER --config {}", folder.display())), "{again}");

    // Whoever has no account takes cash for a paper: printed by one officer, paid out by another, once.
    let paper = place.beside("voucher.html");
    let print = |who: &str, by: &str| {
        let args = with(&["payout", "voucher", "print", run, who, "--officer", by, "--paper", text(&paper)]);
        program(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let residents = kaname_sim::read_csv(std::fs::File::open(&people).unwrap()).unwrap();
    let who = residents.iter().map(|resident| resident.reference.as_str());
    let who =
        who.into_iter().find(|who| print(who, &planner).status.success()).expect("one in ten has no account");
    let printed = std::fs::read_to_string(&paper).unwrap();
    assert!(!printed.contains("http"), "the paper is whole without a server");
    let digits = |part: &str| part.len() == 4 && part.bytes().all(|letter| letter.is_ascii_alphanumeric());
    let is_code =
        |word: &&str| word.len() == 14 && word.split('-').count() == 3 && word.split('-').all(digits);
    let code = printed.split(['<', '>']).find(is_code).expect("the code stands on the paper");
    // A counter without a network checks what it scans with the public key alone.
    let public = place.write("vouchers.jwks", ask(&["payout", "voucher", "key"]).to_string());
    let scanned = scan(&printed);
    let verify =
        |scanned: &str| program(&["payout", "voucher", "verify", scanned, "--key", text(&public), "--json"]);
    let stated: Value = serde_json::from_slice(&verify(&scanned).stdout).unwrap();
    assert_eq!(stated["jti"], code, "{stated}");
    let forged = verify(&scanned.replacen('.', ".e30", 1));
    assert!(
        !forged.status.success() && String::from_utf8_lossy(&forged.stderr).contains("no voucher of ours")
    );
    let redeem = ["payout", "voucher", "redeem", &scanned];
    assert!(refuse(&[&redeem[..], &[who, "--officer", &planner]].concat(), 1).contains("another officer"));
    let other =
        residents.iter().map(|resident| resident.reference.as_str()).find(|other| *other != who).unwrap();
    assert!(refuse(&[&redeem[..], &[other, "--officer", &approver]].concat(), 1).contains("no such voucher"));
    let cash = ask(&[&redeem[..], &[who, "--officer", &approver]].concat());
    assert_eq!((&cash["run"], &cash["amount"]), (&run.into(), &stated["amount"]));
    assert!(refuse(&[&redeem[..], &[who, "--officer", &approver]].concat(), 1).contains("paid out before"));
    let report = ask(&["payout", "report", run]);
    assert_eq!((&report["people"]["cash"], &report["sound"]), (&1.into(), &true.into()));
    assert_eq!(ask(&["ledger", "fsck"])["sound"], true);
    let fsck = ask(&["ledger", "fsck"]);
    assert_eq!((&fsck["sound"], &fsck["wrong_count"]), (&true.into(), &0.into()));
    assert!(fsck["net"].as_object().unwrap().values().all(|net| net == "0"), "{fsck}");
    let accounts = ask(&["ledger", "account"]);
    let is_used =
        |account: &&serde_json::Value| account["paid_in"] != "0.00" && account["paid_out"] != "0.00";
    let used = accounts.as_array().unwrap().iter().find(is_used).unwrap();
    let (id, bucket) = (used["account"].as_str().unwrap(), used["bucket"].to_string());
    let lines = ask(&["ledger", "statement", id, "--bucket", &bucket, "--most", "1"]);
    assert_eq!((lines.as_array().unwrap().len(), &lines[0]["after"]["balance"]), (1, &used["balance"]));
    let last = lines[0]["transfer"].as_str().unwrap();
    let older = ask(&["ledger", "statement", id, "--bucket", &bucket, "--behind", last]);
    assert!(!older.as_array().unwrap().is_empty(), "it was paid into before it paid");
    let then = ask(&["ledger", "account", id, "--bucket", &bucket, "--at", "2020-01-01T00:00:00Z"]);
    assert_eq!(then[0]["balance"], "0.00");
    let since = ["--from", "2020-01-01T00:00:00Z", "--most", "1000"];
    let made = ask(&[&["ledger", "transfers", "--bucket", &bucket][..], &since].concat());
    assert!(made.as_array().unwrap().iter().any(|transfer| transfer["transfer"] == *last));
    assert_eq!(ask(&["ledger", "expire"])["released"], 0);
    assert!(
        refuse(&["ledger", "statement", "acc_00000000000000000000000000000000"], 1)
            .contains("no such account")
    );
    assert!(refuse(&["ledger", "account", "acc_1"], 2).contains("acc_"));

    let bare = Place::with_deployment("example", &["--population", "1000"]);
    let words = refusal(&["sim", "accounts", text(&people), "--config", text(&bare.folder())], 2);
    assert!(words.contains("--simulated-banks"), "{words}");
}

#[test]
fn books_that_somebody_changed_show_it() {
    let changes = [
        ("UPDATE pay_account SET credits_posted = credits_posted + 1", 2),
        ("UPDATE pay_account SET debits_pending = debits_pending + 1", 2),
        ("UPDATE pay_transfer SET amount = amount + 1", 1),
        ("UPDATE pay_transfer SET credit = debit, debit = credit", 1),
        ("DELETE FROM pay_transfer", 1),
        ("DELETE FROM pay_account", 2),
    ];
    for (change, order) in changes {
        let place = finished();
        let folder = place.folder();
        let mut database = Database::sqlite(&folder);
        let used = "SELECT id FROM pay_account WHERE credits_posted > 0 ORDER BY id";
        let row = match order {
            1 => "id = (SELECT id FROM pay_transfer WHERE kind = 0 ORDER BY id LIMIT 1)".to_owned(),
            _ => format!("id = ({used} LIMIT 1)"),
        };
        assert_eq!(database.execute(&format!("{change} WHERE {row}")), 1, "{change}");
        let said = spoken(&["ledger", "fsck", "--config", text(&folder)], 1);
        assert!(said.contains("wrong"), "{change}: {said}");
    }
    let place = finished();
    let folder = place.folder();
    assert!(spoken(&["ledger", "fsck", "--config", text(&folder)], 0).contains("The books are sound"));
}

/// What another's reader of QR codes sees in the picture on the page.
fn scan(page: &str) -> String {
    const DOTS: usize = 4;
    let (_, page) = page.split_once("class=\"scan\"").expect("there is a code to scan");
    let between = |from: &str, to: &str| page.split_once(from).unwrap().1.split_once(to).unwrap().0;
    let side: usize = between("viewBox=\"0 0 ", " ").parse().unwrap();
    let mut dark = vec![false; side * side];
    for bar in between("<path d=\"M", "z\"").split("zM") {
        let mut parts = bar.split(['h', 'v']);
        let (x, y) = parts.next().unwrap().split_once(' ').unwrap();
        let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
        let long: usize = parts.next().unwrap().parse().unwrap();
        dark[y * side + x..][..long].fill(true);
    }
    let shade = |x: usize, y: usize| if dark[y / DOTS * side + x / DOTS] { 0 } else { 255 };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side * DOTS, side * DOTS, shade);
    let found = picture.detect_grids();
    assert_eq!(found.len(), 1, "one code is found on the page");
    found[0].decode().unwrap().1
}
