//! Invented people and figures for every page, in the setting of each language.

use kaname_base::time::BirthDate;
use kaname_base::{Amount, Currency, Instant};

use super::common::*;
use super::delegates::*;
use super::desk::*;
use super::library::*;
use super::link::*;
use super::number::*;
use super::office::*;
use super::paper::*;
use super::portal::*;
use super::{Acting, CounterBanner, Field, Lang, Notice, NoticeKind, Shell};

mod desk;
mod links;

/// Every page with its sample, rendered: a name for the file, and the HTML.
pub fn samples(lang: Lang) -> Vec<(&'static str, String)> {
    let mut pages = Vec::new();
    let mut add = |name, page: &dyn askama::DynTemplate| {
        pages.push((name, page.dyn_render().expect("writing to a string does not fail")));
    };
    add("start", &StartPage::sample(lang));
    add("signin", &SignInPage::sample(lang));
    add("signin-error", &SignInPage::sample_with_errors(lang));
    add("squares", &SquaresPage::sample(lang));
    add("activate", &ActivatePage::sample(lang));
    add("activate-error", &ActivatePage::sample_with_errors(lang));
    add("activate-passkey", &ActivatePasskeyPage::sample(lang));
    add("activate-done", &ActivateDonePage::sample(lang));
    add("consent", &ConsentPage::sample(lang));
    add("home", &HomePage::sample(lang));
    add("data", &MyDataPage::sample(lang));
    add("history", &MyHistoryPage::sample(lang));
    add("photo", &MyPhotoPage::sample(lang));
    add("number", &MyNumberPage::sample(lang));
    add("number-shown", &MyNumberPage::sample_shown(lang));
    add("aliases", &MyAliasesPage::sample(lang));
    add("aliases-error", &MyAliasesPage::sample_with_errors(lang));
    add("delegates", &MyDelegatesPage::sample(lang));
    add("delegates-error", &MyDelegatesPage::sample_with_errors(lang));
    add("acting", &ActingPage::sample(lang));
    add("access", &MyAccessPage::sample(lang));
    add("access-none", &MyAccessPage::sample_empty(lang));
    add("payments", &MyPaymentsPage::sample(lang));
    add("signins", &MySignInsPage::sample(lang));
    add("services", &MyServicesPage::sample(lang));
    add("links", &MyLinksPage::sample(lang));
    add("link-letter", &LinkLetterPage::sample(lang));
    add("link-undone-letter", &LinkUndonePage::sample(lang));
    add("link-notice-letter", &LinkNoticePage::sample(lang));
    add("office-counter-links", &CounterLinksPage::sample(lang));
    add("office-link-lists", &LinkListsPage::sample(lang));
    add("office-links", &LinkedPage::sample(lang));
    add("office-link-case", &LinkCasePage::sample(lang));
    add("office-link-report", &LinkReportPage::sample(lang));
    add("office-photo", &OfficePhotoPage::sample(lang));
    add("office-introducer", &OfficeIntroducerPage::sample(lang));
    add("office-finding", &FindingPage::sample(lang, false));
    add("office-finding-twice", &FindingPage::sample(lang, true));
    add("link-statistics", &LinkStatisticsPage::sample(lang));
    add("signed-out", &SignedOutPage::sample(lang));
    add("office-home", &OfficeHomePage::sample(lang));
    add("office-find", &OfficeFindPage::sample(lang));
    add("office-not-found", &OfficeNotFoundPage::sample(lang));
    add("office-counter", &OfficeCounterPage::sample(lang));
    add("office-counter-ended", &OfficeCounterEndedPage::sample(lang));
    add("office-counter-over", &OfficeCounterOverPage::sample(lang));
    add("office-form", &OfficeFormPage::sample(lang));
    add("office-form-error", &OfficeFormPage::sample_with_errors(lang));
    add("office-list", &OfficeListPage::sample(lang));
    add("office-list-none", &OfficeListPage::sample_empty(lang));
    add("office-as-of", &OfficeAsOfPage::sample(lang));
    add("office-decision", &OfficeDecisionPage::sample(lang));
    add("office-decision-own", &OfficeDecisionPage::sample_own(lang));
    add("office-decision-elsewhere", &OfficeDecisionPage::sample_elsewhere(lang));
    add("office-account", &OfficeAccountPage::sample(lang));
    add("office-account-done", &OfficeAccountDonePage::sample(lang));
    add("office-account-refused", &OfficeAccountDonePage::sample_refused(lang));
    add("office-register", &OfficeRegisterPage::sample(lang));
    add("office-register-error", &OfficeRegisterPage::sample_with_errors(lang));
    add("office-duplicates", &OfficeDuplicatesPage::sample(lang));
    add("office-registered", &OfficeRegisteredPage::sample(lang));
    add("office-imports", &ImportListPage::sample(lang));
    add("office-import", &ImportPage::sample(lang));
    add("office-payouts", &PayoutListPage::sample(lang));
    add("office-payout-new", &PayoutNewPage::sample(lang));
    add("office-payout", &PayoutPage::sample(lang));
    add("office-payout-planned", &PayoutPage::sample_planned(lang));
    add("problem", &ProblemPage::sample(lang));
    add("error", &ErrorPage::sample(lang));
    add("not-found", &NotFoundPage::sample(lang));
    add("busy", &BusyPage::sample(lang));
    add("letter", &LetterPage::sample(lang));
    add("voucher", &VoucherPage::sample(lang));
    add("library-start", &LibraryStartPage::sample(lang));
    add("library-reader", &LibraryReaderPage::sample(lang));
    add("library-error", &LibraryErrorPage::sample(lang));
    pages
}

/// A setting: who lives there, in which currency they are paid, and what things are called.
struct Setting {
    zone: &'static str,
    currency: Currency,
    each_minor: u64,
    name: &'static str,
    reading: Option<&'static str>,
    latin: &'static str,
    address: &'static [&'static str],
    phone: &'static str,
    number: &'static str,
    officer: &'static str,
    second: &'static str,
    role: &'static str,
    agency: &'static str,
    library: &'static str,
    clinic: &'static str,
    purpose: &'static str,
    basis: &'static str,
    programme: &'static str,
    other_programme: &'static str,
    rule: &'static str,
    asks: [&'static str; 3],
    authority: &'static str,
    office: [&'static str; 2],
    device: &'static str,
    wrong: [&'static str; 3],
}

fn setting(lang: Lang) -> Setting {
    let currency = |code, exponent| Currency::new(code, exponent).expect("a currency of ISO 4217");
    match lang {
        Lang::En => Setting {
            zone: "Europe/London",
            currency: currency("GBP", 2),
            each_minor: 25_000,
            name: "Margaret O’Connell-Adeyemi",
            reading: None,
            latin: "MARGARET OCONNELL ADEYEMI",
            address: &["14 Harbour Row", "Whitby", "YO21 3PU"],
            phone: "01632 960 119",
            number: "943 476 5919",
            officer: "T. Hargreaves",
            second: "L. Novak",
            role: "Registration officer",
            agency: "Whitby Town Office",
            library: "City Library",
            clinic: "Harbour Clinic",
            purpose: "Renewal of a parking permit",
            basis: "Road Traffic Act, section 45",
            programme: "Winter Heating Grant 2026",
            other_programme: "School Start Grant 2026",
            rule: "Everyone aged 65 or over on 1 November 2026",
            asks: [
                "To write your name on your library card",
                "To choose the children’s or the adults’ collection",
                "To send you a letter when a book is late",
            ],
            authority: "Example Registry Authority",
            office: ["Whitby Town Office", "2 Market Square, Whitby YO21 1AA"],
            device: "Firefox on Windows",
            wrong: ["Enter the name", "There is no 31 April", "Choose how you saw who this is"],
        },
        Lang::Ja => Setting {
            zone: "Asia/Tokyo",
            currency: currency("JPY", 0),
            each_minor: 100_000,
            name: "山田 花子",
            reading: Some("ヤマダ ハナコ"),
            latin: "YAMADA HANAKO",
            address: &["〒000-0001", "見本県要市扇町一丁目2番3号", "要ハイツ 405号室"],
            phone: "03-0000-0119",
            number: "1234 5678 9018",
            officer: "佐藤 健一",
            second: "鈴木 美咲",
            role: "住民記録の担当職員",
            agency: "要市役所 市民課",
            library: "市立図書館",
            clinic: "扇町クリニック",
            purpose: "転入届の確認",
            basis: "住民基本台帳法 第22条",
            programme: "令和8年度 特別給付金",
            other_programme: "入学準備金",
            rule: "2026年11月1日に住民として登録されている全員",
            asks: [
                "図書館カードにお名前を記載するため",
                "児童書と一般書のどちらをご案内するか決めるため",
                "返却期限が過ぎたときにお知らせを送るため",
            ],
            authority: "見本県 住民登録局",
            office: ["要市役所 市民課", "〒000-0002 見本県要市要町1番1号"],
            device: "Windows の Firefox",
            wrong: ["氏名を入力してください", "4月31日は存在しません", "本人確認の方法を選んでください"],
        },
        Lang::Hi => Setting {
            zone: "Asia/Kolkata",
            currency: currency("INR", 2),
            each_minor: 10_000_000,
            name: "सुनीता देवी शर्मा",
            reading: None,
            latin: "SUNITA DEVI SHARMA",
            address: &["मकान संख्या 27, गली 4", "नमूना नगर", "भोपाल 462001"],
            phone: "0755 000 0119",
            number: "2345 6789 0124",
            officer: "राजेश वर्मा",
            second: "अनीता राव",
            role: "पंजीकरण अधिकारी",
            agency: "नमूना नगर पालिका",
            library: "नगर पुस्तकालय",
            clinic: "आशा स्वास्थ्य केंद्र",
            purpose: "राशन कार्ड का नवीनीकरण",
            basis: "खाद्य सुरक्षा अधिनियम, धारा 10",
            programme: "आवास सहायता योजना 2026",
            other_programme: "छात्रवृत्ति योजना 2026",
            rule: "वे सभी परिवार जो 1 नवंबर 2026 को सूची में हैं",
            asks: [
                "पुस्तकालय कार्ड पर आपका नाम लिखने के लिए",
                "बच्चों या बड़ों की किताबें दिखाने के लिए",
                "किताब लौटाने में देर होने पर पत्र भेजने के लिए",
            ],
            authority: "नमूना पंजीकरण प्राधिकरण",
            office: ["नमूना नगर पालिका", "1 मुख्य मार्ग, भोपाल 462001"],
            device: "Windows पर Firefox",
            wrong: ["नाम लिखें", "31 अप्रैल कोई तारीख़ नहीं है", "चुनें कि पहचान कैसे देखी गई"],
        },
        Lang::Ar => Setting {
            zone: "Asia/Amman",
            currency: currency("JOD", 3),
            each_minor: 25_000,
            name: "ليلى أحمد الخطيب",
            reading: None,
            latin: "LAYLA AHMAD AL KHATIB",
            address: &["شارع النموذج 12، الطابق 3", "حي الياسمين", "عمّان 11118"],
            phone: "06 000 0119",
            number: "9871 234 560",
            officer: "سامر حدّاد",
            second: "رنا عبد الله",
            role: "موظف تسجيل",
            agency: "مكتب الأحوال المدنية في عمّان",
            library: "مكتبة المدينة",
            clinic: "مركز الياسمين الصحي",
            purpose: "تجديد دفتر العائلة",
            basis: "قانون الأحوال المدنية، المادة 9",
            programme: "دعم الخبز 2026",
            other_programme: "منحة بداية المدرسة 2026",
            rule: "كل أسرة مسجّلة في 1 نوفمبر 2026",
            asks: [
                "لكتابة اسمك على بطاقة المكتبة",
                "لاختيار قسم الأطفال أو قسم الكبار",
                "لإرسال رسالة إليك إذا تأخر كتاب",
            ],
            authority: "هيئة التسجيل النموذجية",
            office: ["مكتب الأحوال المدنية", "شارع الملك 1، عمّان 11110"],
            device: "Firefox على Windows",
            wrong: ["اكتب الاسم", "لا يوجد يوم 31 أبريل", "اختر كيف تحققت من الهوية"],
        },
    }
}

fn money(minor: u64) -> Amount {
    Amount::from_minor(minor).expect("sample amounts are small")
}

/// The moment of all samples: 22 November 2026, 04:45 UTC.
fn now() -> Instant {
    Instant::from_seconds(1_795_322_700)
}

fn days(count: i64) -> Instant {
    now().plus_seconds(count * 86_400)
}

fn tally(lang: Lang, residents: u64) -> Tally {
    Tally { residents, amount: money(residents * setting(lang).each_minor) }
}

fn visitor(lang: Lang, here: &str) -> Shell {
    let set = setting(lang);
    Shell {
        lang,
        authority: set.authority.to_owned(),
        zone: set.zone.to_owned(),
        here: here.to_owned(),
        csrf: "q8Zt3mJx0c1sV7dKp4Yw2A".to_owned(),
        demo: true,
        ..Shell::default()
    }
}

fn resident(lang: Lang, here: &str) -> Shell {
    Shell { user: Some(setting(lang).name.to_owned()), ..visitor(lang, here) }
}

fn officer(lang: Lang, here: &str) -> Shell {
    let pages = crate::http::guard::MENU.iter();
    let mut menu: Vec<_> = pages.map(|(_, address, title)| (*address, *title)).collect();
    menu.dedup();
    Shell { user: Some(setting(lang).officer.to_owned()), menu, ..visitor(lang, here) }
}

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn person(lang: Lang) -> PersonView {
    let set = setting(lang);
    PersonView {
        name: set.name.to_owned(),
        reading: set.reading.map(str::to_owned),
        latin: Some(set.latin.to_owned()),
        born: BirthDate::parse("1958-04-21").expect("a day that exists"),
        address: strings(set.address),
        phone: Some(set.phone.to_owned()),
        status: setting(lang).role.to_owned(),
    }
}

const OPTIONS: &str =
    r#"{"challenge":"c2FtcGxlLWNoYWxsZW5nZQ","rpId":"localhost","userVerification":"required"}"#;
const NEW_OPTIONS: &str = r#"{"challenge":"c2FtcGxlLWNoYWxsZW5nZQ","rp":{"id":"localhost","name":"Kaname"},"user":{"id":"cmVzaWRlbnQ","name":"KN4T-7P2X","displayName":"Kaname"},"pubKeyCredParams":[{"type":"public-key","alg":-7}]}"#;

macro_rules! only_shell {
    ($($page:ident $frame:ident $here:literal),*) => {
        $(impl $page {
            /// With invented content.
            pub fn sample(lang: Lang) -> $page {
                $page { shell: $frame(lang, $here) }
            }
        })*
    };
}
only_shell!(
    StartPage visitor "/",
    SignedOutPage visitor "/signed-out",
    NotFoundPage visitor "/",
    OfficeNotFoundPage officer "/office/find",
    OfficeCounterEndedPage officer "/office/counter/ended",
    OfficeCounterOverPage at_counter "/office/counter/ctr_1"
);

impl SignInPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> SignInPage {
        SignInPage {
            shell: visitor(lang, "/signin?next=r-7Qk2"),
            asked_by: Some(setting(lang).library.to_owned()),
            next: "r-7Qk2".to_owned(),
            passkey_options: OPTIONS.to_owned(),
            passkey_error: None,
            by_letter: true,
            letter: Field::default(),
        }
    }

    /// As it comes back.
    pub fn sample_with_errors(lang: Lang) -> SignInPage {
        let page = SignInPage::sample(lang);
        let wrong = page.shell.t("wrong.letter");
        let passkey_error = Some(page.shell.t("wrong.passkey"));
        SignInPage { letter: Field::of("KN4T 7P2").wrong(wrong), passkey_error, ..page }
    }
}

impl SquaresPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> SquaresPage {
        let shell = visitor(lang, "/signin");
        let wrong = shell.t("wrong.square");
        SquaresPage {
            shell,
            next: "r-7Qk2".to_owned(),
            letter: "KN4T-7P2X-93QM".to_owned(),
            squares: ["C4".to_owned(), "H1".to_owned()],
            first: Field::of("7HQ").wrong(wrong),
            second: Field::default(),
        }
    }
}

impl ActivatePage {
    /// With invented content.
    pub fn sample(lang: Lang) -> ActivatePage {
        ActivatePage { shell: visitor(lang, "/activate"), letter: Field::default(), code: Field::default() }
    }

    /// As it comes back.
    pub fn sample_with_errors(lang: Lang) -> ActivatePage {
        let page = ActivatePage::sample(lang);
        let (letter, code) = (page.shell.t("wrong.letter"), page.shell.t("wrong.code"));
        ActivatePage { letter: Field::of("KN4T").wrong(letter), code: Field::of("").wrong(code), ..page }
    }
}

impl ActivatePasskeyPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> ActivatePasskeyPage {
        ActivatePasskeyPage {
            shell: resident(lang, "/activate/passkey"),
            base: "/activate",
            passkey_options: NEW_OPTIONS.to_owned(),
            passkey_error: None,
            may_decline: true,
        }
    }
}

impl ActivateDonePage {
    /// With invented content.
    pub fn sample(lang: Lang) -> ActivateDonePage {
        ActivateDonePage { shell: resident(lang, "/activate/done"), has_passkey: false }
    }
}

impl ConsentPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> ConsentPage {
        let set = setting(lang);
        let asked = ["name", "birth_date", "address"].iter().zip(set.asks);
        ConsentPage {
            shell: resident(lang, "/consent?request=r-7Qk2"),
            party: set.library.to_owned(),
            request: "r-7Qk2".to_owned(),
            asked: asked
                .map(|(attribute, purpose)| AskedAttribute {
                    attribute: (*attribute).to_owned(),
                    purpose: purpose.to_owned(),
                })
                .collect(),
        }
    }
}

impl HomePage {
    /// With invented content.
    pub fn sample(lang: Lang) -> HomePage {
        let name = setting(lang).name.to_owned();
        HomePage { shell: resident(lang, "/home"), name, sign_ins: 2, links_to_see: 1 }
    }
}

impl MyDataPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> MyDataPage {
        let shell = resident(lang, "/my/data");
        let since = shell.t1("data.since", "day", shell.day(&days(-900)));
        let more = vec![
            (shell.t("attribute.email"), vec![shell.t("data.none")]),
            (shell.word("relation", "spouse"), vec![setting(lang).officer.to_owned(), since]),
        ];
        MyDataPage { person: person(lang), more, shell }
    }
}

impl MyPhotoPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> MyPhotoPage {
        MyPhotoPage { shell: resident(lang, "/my/photo"), has_one: true }
    }
}

impl MyNumberPage {
    /// Hidden, as it is first seen.
    pub fn sample(lang: Lang) -> MyNumberPage {
        MyNumberPage { shell: resident(lang, "/my/number"), number: None }
    }

    /// After it was asked for.
    pub fn sample_shown(lang: Lang) -> MyNumberPage {
        MyNumberPage { number: Some(setting(lang).number.to_owned()), ..MyNumberPage::sample(lang) }
    }
}

fn acting(lang: Lang) -> Acting {
    Acting { name: setting(lang).name.to_owned(), base: "/for/q8Zt3mJx0c1sV7dKp4Yw2A".to_owned() }
}

impl MyDelegatesPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> MyDelegatesPage {
        let shell = resident(lang, "/my/delegates");
        let set = setting(lang);
        let scope = || strings(&["see-data", "payments"]);
        let given = |id: &str, holder: Option<&str>, state: &str, by: Option<&str>| GivenView {
            id: id.to_owned(),
            holder: holder.map(str::to_owned),
            kind: set.role.to_owned(),
            scope: scope(),
            state: state.to_owned(),
            until: Some(shell.day(&days(200))),
            by: by.map(str::to_owned),
            at: days(-3),
        };
        let held = |id: &str, name: &str, state: &str| HeldView {
            id: id.to_owned(),
            name: name.to_owned(),
            kind: set.role.to_owned(),
            scope: scope(),
            state: state.to_owned(),
            until: None,
        };
        let kinds = vec![Choice {
            code: "representative".to_owned(),
            label: set.role.to_owned(),
            hint: String::new(),
        }];
        let scopes = ["payments", "see-data", "see-log"];
        let scopes = scopes.map(|code| ScopeView {
            code: code.to_owned(),
            field: format!("scope-{code}"),
            checked: code == "see-data",
        });
        MyDelegatesPage {
            request: "c3".to_owned(),
            given: vec![
                given("m1", Some(set.second), "active", None),
                given("m2", None, "offered", None),
                given("m3", Some(set.officer), "ended", Some(set.officer)),
            ],
            held: vec![held("h1", set.officer, "active"), held("h2", set.second, "offered")],
            kinds,
            scopes: scopes.to_vec(),
            scope_error: None,
            kind: Field::of("representative"),
            holder: Field::default(),
            days: Field::default(),
            longest_days: 1_096,
            shell,
        }
    }

    /// As it comes back, for somebody who has none yet.
    pub fn sample_with_errors(lang: Lang) -> MyDelegatesPage {
        let page = MyDelegatesPage::sample(lang);
        let (holder, scope) = (page.shell.t("wrong.holder"), page.shell.t("wrong.scope"));
        MyDelegatesPage {
            given: Vec::new(),
            held: Vec::new(),
            holder: Field::of("12").wrong(holder),
            scope_error: Some(scope),
            ..page
        }
    }
}

impl ActingPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> ActingPage {
        let shell = Shell { acting: Some(acting(lang)), ..resident(lang, "/for/q8Zt3mJx0c1sV7dKp4Yw2A") };
        ActingPage { scope: strings(&["see-data", "see-log", "payments", "number"]), shell }
    }
}

impl MyAliasesPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> MyAliasesPage {
        let shell = resident(lang, "/my/number/aliases");
        let alias = |n, alias: &str, kind: &str, state: &str, ended_by: Option<&str>| AliasView {
            n,
            alias: alias.to_owned(),
            kind: kind.to_owned(),
            state: state.to_owned(),
            made_at: days(-n),
            until: (kind == "temporary").then(|| shell.day(&days(6))),
            ended_at: (state != "active").then(|| days(0)),
            ended_by: ended_by.map(str::to_owned),
        };
        let aliases = vec![
            alias(4, "7310 4482 9056 1170", "temporary", "active", None),
            alias(3, "2095 6613 0478 8821", "permanent", "active", None),
            alias(2, "9482 0071 3356 2906", "single-use", "used", Some(setting(lang).clinic)),
            alias(1, "5507 2219 6604 8133", "permanent", "revoked", None),
        ];
        let kinds = ["permanent", "temporary", "single-use"].map(|code| Choice {
            code: code.to_owned(),
            label: shell.word("alias.kind", code),
            hint: shell.word("alias.hint", code),
        });
        MyAliasesPage {
            base: "/my".to_owned(),
            locked: false,
            requests: ["a1", "b2"].map(str::to_owned),
            aliases,
            kinds: kinds.to_vec(),
            kind: Field::default(),
            days: Field::default(),
            longest_days: 366,
            shell,
        }
    }

    /// As it comes back, while the number is locked.
    pub fn sample_with_errors(lang: Lang) -> MyAliasesPage {
        let page = MyAliasesPage::sample(lang);
        let wrong = page.shell.t1("wrong.days", "most", 366);
        let acting = Some(acting(lang));
        MyAliasesPage {
            locked: true,
            aliases: Vec::new(),
            kind: Field::of("temporary"),
            days: Field::of("many").wrong(wrong),
            shell: Shell { acting, ..page.shell },
            ..page
        }
    }
}

impl MyAccessPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> MyAccessPage {
        let set = setting(lang);
        let entry = |number, at, who: Option<&str>, role: &str, fields: &[&str]| AccessEntryView {
            number,
            at,
            who: who.map(str::to_owned),
            role: role.to_owned(),
            purpose: set.purpose.to_owned(),
            basis: set.basis.to_owned(),
            fields: strings(fields),
        };
        MyAccessPage {
            shell: resident(lang, "/my/access"),
            total: 1_204,
            entries: vec![
                entry(1_204, now(), None, "", &["number"]),
                entry(1_203, days(-1), Some(set.agency), set.role, &["name", "birth_date", "address"]),
                entry(1_202, days(-3), Some(set.library), "OpenID Connect", &["name", "birth_date"]),
            ],
            newer: None,
            older: Some("/my/access?before=1202".to_owned()),
        }
    }

    /// Nobody has looked yet.
    pub fn sample_empty(lang: Lang) -> MyAccessPage {
        MyAccessPage { total: 0, entries: Vec::new(), older: None, ..MyAccessPage::sample(lang) }
    }
}

impl MyPaymentsPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> MyPaymentsPage {
        let set = setting(lang);
        let payment = |programme: &str, at, state| PaymentView {
            programme: programme.to_owned(),
            amount: money(set.each_minor),
            currency: set.currency,
            at,
            state,
        };
        MyPaymentsPage {
            shell: resident(lang, "/my/payments"),
            payments: vec![
                payment(
                    set.programme,
                    days(-1),
                    PaymentStateView::Voucher { code: "7KQ4 M2XP 93".to_owned(), how: set.rule.to_owned() },
                ),
                payment(
                    set.other_programme,
                    days(-20),
                    PaymentStateView::Pending { reason: "account_closed".to_owned() },
                ),
                payment(set.programme, days(-200), PaymentStateView::Paid { last_digits: "1234".to_owned() }),
            ],
        }
    }
}

impl MySignInsPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> MySignInsPage {
        let set = setting(lang);
        let session = |id: &str, means: &str, current| SessionView {
            id: id.to_owned(),
            since: days(-2),
            last_used: now(),
            device: set.device.to_owned(),
            means: means.to_owned(),
            current,
        };
        MySignInsPage {
            shell: Shell {
                notice: Some(Notice {
                    kind: NoticeKind::Done,
                    text: Shell { lang, ..Shell::default() }.t("signins.ended"),
                }),
                ..resident(lang, "/my/signins")
            },
            sessions: vec![session("s-91", "passkey", true), session("s-88", "letter", false)],
            past: vec![
                PastSignInView { at: days(-2), means: "passkey".to_owned(), party: None },
                PastSignInView {
                    at: days(-9),
                    means: "letter".to_owned(),
                    party: Some(set.library.to_owned()),
                },
            ],
        }
    }
}

impl MyServicesPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> MyServicesPage {
        let set = setting(lang);
        let service = |id: &str, party: &str, attributes: &[&str]| ConnectedServiceView {
            id: id.to_owned(),
            party: party.to_owned(),
            attributes: strings(attributes),
            since: days(-40),
        };
        MyServicesPage {
            shell: resident(lang, "/my/services"),
            services: vec![
                service("c-12", set.library, &["name", "birth_date"]),
                service("c-15", set.clinic, &["name", "birth_date", "address", "phone"]),
            ],
        }
    }
}

impl OfficeHomePage {
    /// With invented content.
    pub fn sample(lang: Lang) -> OfficeHomePage {
        OfficeHomePage {
            shell: officer(lang, "/office"),
            role: setting(lang).role.to_owned(),
            waiting_runs: 1,
            imports_with_rejects: 2,
        }
    }
}

fn choice(code: &str, label: &str, hint: &str) -> Choice {
    Choice { code: code.to_owned(), label: label.to_owned(), hint: hint.to_owned() }
}

impl OfficeFindPage {
    /// As it comes back.
    pub fn sample(lang: Lang) -> OfficeFindPage {
        let set = setting(lang);
        let shell = officer(lang, "/office/find");
        let wrong = shell.t("wrong.purpose");
        OfficeFindPage {
            shell,
            reference: Field::of("RES-4K7Q-92"),
            purpose: Field::of("").wrong(wrong),
            purposes: vec![choice("move", set.purpose, set.basis), choice("grant", set.programme, set.basis)],
        }
    }
}

/// The frame while the invented resident is served.
fn at_counter(lang: Lang, here: &str) -> Shell {
    let counter = CounterBanner {
        id: "ctr_1".to_owned(),
        name: setting(lang).name.to_owned(),
        purpose: setting(lang).purpose.to_owned(),
        since: now(),
    };
    Shell { counter: Some(counter), ..officer(lang, here) }
}

impl OfficeCounterPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> OfficeCounterPage {
        OfficeCounterPage {
            shell: at_counter(lang, "/office/counter/ctr_1"),
            person: Some(person(lang)),
            opened_at: now(),
            may_print: true,
            standing: Some(at_counter(lang, "/").word("standing", "here")),
            doors: vec![(
                "/office/counter/ctr_1/event".to_owned(),
                at_counter(lang, "/").t("record.title"),
                at_counter(lang, "/").t("record.text"),
            )],
            base: "/office/counter/ctr_1".to_owned(),
        }
    }
}

impl OfficeAccountPage {
    /// As it comes back.
    pub fn sample(lang: Lang) -> OfficeAccountPage {
        let shell = at_counter(lang, "/office/counter/ctr_1/account");
        let wrong = shell.t("wrong.account");
        OfficeAccountPage {
            bank: Field::of("one"),
            banks: vec![choice("one", setting(lang).agency, ""), choice("two", setting(lang).authority, "")],
            number: Field::of("12").wrong(wrong),
            base: "/office/counter/ctr_1".to_owned(),
            shell,
        }
    }
}

impl OfficeAccountDonePage {
    /// With invented content.
    pub fn sample(lang: Lang) -> OfficeAccountDonePage {
        let base = "/office/counter/ctr_1".to_owned();
        let shell = at_counter(lang, "/office/counter/ctr_1/account");
        OfficeAccountDonePage { outcome: AccountOutcome::Active, base, shell }
    }

    /// As it comes back.
    pub fn sample_refused(lang: Lang) -> OfficeAccountDonePage {
        let outcome = AccountOutcome::Refused("holder-name-differs");
        OfficeAccountDonePage { outcome, ..OfficeAccountDonePage::sample(lang) }
    }
}

impl OfficeRegisterPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> OfficeRegisterPage {
        let set = setting(lang);
        let shell = officer(lang, "/office/register");
        let input = |id, key: &str| InputView {
            id,
            label: shell.t(key),
            hint: shell.t("register.name_hint"),
            field: Field::default(),
        };
        OfficeRegisterPage {
            request: "req-58".to_owned(),
            names: vec![input("family_name", "field.family_name"), input("given_name", "field.given_name")],
            birth_year: Field::default(),
            birth_month: Field::default(),
            birth_day: Field::default(),
            sex: Field::default(),
            sexes: vec![choice("F", set.role, ""), choice("M", set.agency, "")],
            status: Field::default(),
            statuses: vec![choice("citizen", set.office[0], "")],
            places: vec![input("postcode", "register.postal_code"), input("address", "field.address")],
            evidence: Field::default(),
            evidences: vec![choice("passport", set.purpose, ""), choice("birth", set.basis, "")],
            introducer: [
                input("introducer", "register.introducer"),
                input("introducer_how", "register.introducer_how"),
            ],
            shell,
        }
    }

    /// As it comes back.
    pub fn sample_with_errors(lang: Lang) -> OfficeRegisterPage {
        let set = setting(lang);
        let mut page = OfficeRegisterPage::sample(lang);
        page.names[0].field = Field::of("").wrong(set.wrong[0]);
        page.names[1].field = Field::of(set.latin);
        page.places[1].field = Field::of(set.address.join(" "));
        OfficeRegisterPage {
            birth_year: Field::of("1958"),
            birth_month: Field::of("4"),
            birth_day: Field::of("31").wrong(set.wrong[1]),
            evidence: Field::of("").wrong(set.wrong[2]),
            ..page
        }
    }
}

impl OfficeDuplicatesPage {
    /// As it comes back.
    pub fn sample(lang: Lang) -> OfficeDuplicatesPage {
        let (set, shell) = (setting(lang), officer(lang, "/office/register"));
        let line = |label: &str, here: &str, says| ComparedView {
            label: label.to_owned(),
            entered: set.name.to_owned(),
            here: here.to_owned(),
            says,
        };
        let wrong = shell.t("wrong.choice");
        OfficeDuplicatesPage {
            kept: vec![("family_name".to_owned(), set.name.to_owned())],
            shown: "t-53".to_owned(),
            candidates: vec![CandidateView {
                place: 1,
                percent: 94,
                person: person(lang),
                compared: vec![
                    line(&shell.word("compared", "family-name"), set.name, "for"),
                    line(&shell.word("compared", "address"), set.office[1], "against"),
                    line(&shell.word("compared", "phone"), set.phone, "little"),
                ],
            }],
            decision: Field::of("").wrong(wrong),
            choices: vec![
                choice("same-1", &shell.t2("duplicate.same", "n", "1", "name", set.name), ""),
                choice("other", &shell.t("duplicate.other"), ""),
            ],
            why: Field::default(),
            shell,
        }
    }
}

impl OfficeRegisteredPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> OfficeRegisteredPage {
        OfficeRegisteredPage {
            shell: at_counter(lang, "/office/counter/ctr_1/registered"),
            number: setting(lang).number.to_owned(),
            base: "/office/counter/ctr_1".to_owned(),
        }
    }
}

fn import(lang: Lang) -> ImportView {
    ImportView {
        id: "imp-7".to_owned(),
        file: "residents-2026-11-20.csv".to_owned(),
        at: days(-2),
        by: setting(lang).officer.to_owned(),
        state: "finished".to_owned(),
        lines: 1_250_000,
        added: 1_249_100,
        unchanged: 858,
        rejected: 42,
    }
}

impl ImportListPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> ImportListPage {
        let earlier = ImportView {
            id: "imp-6".to_owned(),
            file: "pilot.csv".to_owned(),
            at: days(-30),
            state: "interrupted".to_owned(),
            ..import(lang)
        };
        ImportListPage { shell: officer(lang, "/office/imports"), imports: vec![import(lang), earlier] }
    }
}

impl ImportPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> ImportPage {
        let reject = |line, column: &str, reason: &str| RejectView {
            line,
            column: column.to_owned(),
            reason: reason.to_owned(),
        };
        ImportPage {
            shell: officer(lang, "/office/imports/imp-7"),
            import: import(lang),
            rejects: vec![
                reject(17, "birth_date", "no-such-day"),
                reject(2_041, "phone", "not-a-phone"),
                reject(10_330, "name", "missing"),
                reject(88_120, "number", "duplicate"),
            ],
            previous: None,
            next: Some("/office/imports/imp-7?after=88120".to_owned()),
        }
    }
}

impl PayoutListPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> PayoutListPage {
        let set = setting(lang);
        let run = |id: &str, programme: &str, state, residents: u64| RunLineView {
            id: id.to_owned(),
            programme: programme.to_owned(),
            state,
            planned_at: days(-3),
            residents,
            total: tally(lang, residents).amount,
            currency: set.currency,
        };
        PayoutListPage {
            shell: officer(lang, "/office/payouts"),
            may_plan: true,
            runs: vec![
                run("run-3", set.programme, RunState::Planned, 1_250_000),
                run("run-2", set.other_programme, RunState::Running, 84_000),
                run("run-1", set.programme, RunState::Finished, 9_700),
            ],
        }
    }
}

impl PayoutNewPage {
    /// As it comes back.
    pub fn sample(lang: Lang) -> PayoutNewPage {
        let set = setting(lang);
        let shell = officer(lang, "/office/payouts/new");
        let wrong = shell.t("wrong.programme");
        let programme = |code: &str, name: &str, residents| ProgrammeView {
            code: code.to_owned(),
            name: name.to_owned(),
            rule: set.rule.to_owned(),
            each: money(set.each_minor),
            residents,
            total: tally(lang, residents).amount,
            currency: set.currency,
        };
        PayoutNewPage {
            shell,
            run: "run-4".to_owned(),
            programme: Field::of("").wrong(wrong),
            programmes: vec![
                programme("main", set.programme, 1_250_000),
                programme("other", set.other_programme, 84_000),
            ],
        }
    }
}

impl PayoutPage {
    /// Under way.
    pub fn sample(lang: Lang) -> PayoutPage {
        let set = setting(lang);
        PayoutPage {
            shell: officer(lang, "/office/payouts/run-3"),
            id: "run-3".to_owned(),
            programme: set.programme.to_owned(),
            state: RunState::Running,
            planned_by: set.officer.to_owned(),
            planned_at: days(-3),
            started_by: Some(set.second.to_owned()),
            started_at: Some(now()),
            start: MayStart::NotTheirRole,
            may_stop: true,
            currency: set.currency,
            all: tally(lang, 1_250_000),
            paid: tally(lang, 840_000),
            vouchers: tally(lang, 61_500),
            cash: tally(lang, 0),
            pending: vec![
                ("waiting".to_owned(), tally(lang, 310_500)),
                ("no_account".to_owned(), tally(lang, 24_000)),
                ("name_differs".to_owned(), tally(lang, 11_000)),
                ("account_closed".to_owned(), tally(lang, 2_100)),
            ],
            returned: tally(lang, 900),
            sum_out: tally(lang, 1_250_000).amount,
            received: tally(lang, 840_000).amount,
            in_vouchers: tally(lang, 61_500).amount,
            in_pending: tally(lang, 348_500).amount,
        }
    }

    /// Before the second officer has agreed.
    pub fn sample_planned(lang: Lang) -> PayoutPage {
        PayoutPage {
            state: RunState::Planned,
            started_by: None,
            started_at: None,
            start: MayStart::Yes,
            ..PayoutPage::sample(lang)
        }
    }
}

impl ProblemPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> ProblemPage {
        let shell = resident(lang, "/my/payments");
        ProblemPage {
            title: shell.t("problem.title"),
            explanation: shell.t("problem.text"),
            next_step: String::new(),
            code: "unavailable".to_owned(),
            trace: "4bf92f3577b34da6".to_owned(),
            shell,
        }
    }
}

impl ErrorPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> ErrorPage {
        ErrorPage {
            shell: visitor(lang, "/errors/busy"),
            code: "busy".to_owned(),
            meaning: "Many people are here at once.".to_owned(),
            advice: "Try again in a moment.".to_owned(),
        }
    }
}

impl BusyPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> BusyPage {
        BusyPage { shell: visitor(lang, "/"), retry_after_s: 30 }
    }
}

impl LetterPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> LetterPage {
        let set = setting(lang);
        let letters: Vec<char> = "23456789ACDEFGHJKLMNPQRTUVWXY".chars().collect();
        let code = |row: usize, column: usize| -> String {
            (0..4)
                .map(|i| letters[(row * 11 + column * 17 + (i + 1) * (row * 8 + column + 3)) % letters.len()])
                .collect()
        };
        LetterPage {
            shell: visitor(lang, "/office/letter"),
            name: set.name.to_owned(),
            address: strings(set.address),
            sender: strings(&set.office),
            at: now(),
            letter_id: "KN4T 7P2X".to_owned(),
            activation_code: "93QX MT7K 4HWD".to_owned(),
            until: days(30),
            site: "kaname.example".to_owned(),
            grid: std::array::from_fn(|row| std::array::from_fn(|column| code(row, column))),
        }
    }
}

impl VoucherPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> VoucherPage {
        let set = setting(lang);
        VoucherPage {
            shell: visitor(lang, "/my/payments/v-31/voucher"),
            name: set.name.to_owned(),
            programme: set.programme.to_owned(),
            amount: money(set.each_minor),
            currency: set.currency,
            code: "7KQ4 M2XP 93".to_owned(),
            scan: super::qr::path(
                "an example that nobody signed, as long as a signed one would be: 7KQ4 M2XP 93",
            ),
            places: strings(&[set.agency, set.office[1]]),
            until: days(60),
        }
    }
}

impl LibraryStartPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> LibraryStartPage {
        LibraryStartPage { shell: visitor(lang, "/library"), signin: "/library/signin".to_owned() }
    }
}

impl LibraryReaderPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> LibraryReaderPage {
        let set = setting(lang);
        LibraryReaderPage {
            shell: resident(lang, "/library/reader"),
            name: set.name.to_owned(),
            subject: "pw_4cJ1vYk0m9bq2Zs7tXhR8eNfLdA3uGoKi5Qx6Wy1Tz".to_owned(),
            assurance: "urn:kaname:loa:substantial".to_owned(),
            claims: vec![
                ("name".to_owned(), set.name.to_owned()),
                ("birthdate".to_owned(), "1958-04-21".to_owned()),
            ],
        }
    }
}

impl LibraryErrorPage {
    /// With invented content.
    pub fn sample(lang: Lang) -> LibraryErrorPage {
        LibraryErrorPage {
            shell: visitor(lang, "/library/error"),
            code: "access_denied".to_owned(),
            signin: "/library/signin".to_owned(),
        }
    }
}
