//! What must hold on every page, for every reader.

use std::collections::BTreeSet;

use kaname_web::pages::{Lang, asset, samples};

use crate::html::{Element, read};

/// Checks every page in every language; afterwards how many there were.
fn on_every_page(check: impl Fn(Lang, &[Element], &str) -> Vec<String>) {
    let mut problems = Vec::new();
    let mut seen = 0;
    for lang in Lang::ALL {
        for (name, page) in samples(lang) {
            seen += 1;
            look_at(lang, name, &page);
            match read(&page) {
                Ok(elements) => problems.extend(
                    check(lang, &elements, &page).into_iter().map(|p| format!("{name} {}: {p}", lang.code())),
                ),
                Err(problem) => problems.push(format!("{name} {}: {problem}", lang.code())),
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(seen >= 4 * 40, "only {seen} pages were checked");
}

/// Writes a page into the folder that KANAME_PAGES names, to be looked at in a browser.
fn look_at(lang: Lang, name: &str, page: &str) {
    if let Some(folder) = std::env::var_os("KANAME_PAGES") {
        let style = asset(kaname_web::pages::asset_url("kaname.css")).map(|(_, bytes, _)| bytes);
        let style = String::from_utf8_lossy(style.unwrap_or_default()).into_owned();
        let file = std::path::Path::new(&folder).join(format!("{name}.{}.html", lang.code()));
        std::fs::write(file, page.replace("</head>", &format!("<style>{style}</style></head>"))).unwrap();
    }
}

#[test]
fn pages_say_their_language_and_direction() {
    on_every_page(|lang, elements, _| {
        let html = &elements[0];
        let right = html.name == "html"
            && html.get("lang") == Some(lang.code())
            && html.get("dir") == Some(lang.dir())
            && (lang.dir() == "rtl") == (lang == Lang::Ar);
        if right { vec![] } else { vec![format!("{html:?}")] }
    });
}

#[test]
fn pages_have_one_title_and_one_heading() {
    on_every_page(|_, elements, _| {
        let of = |name| elements.iter().filter(|e| e.name == name).collect::<Vec<_>>();
        let mut problems = Vec::new();
        for name in ["h1", "title", "main"] {
            let found = of(name);
            if found.len() != 1 || found[0].text.trim().is_empty() {
                problems.push(format!("{} times <{name}>, or an empty one", found.len()));
            }
        }
        // Headings go down one level at a time, so that they read as a table of contents.
        let levels: Vec<u8> = elements
            .iter()
            .filter(|e| matches!(e.name.as_str(), "h1" | "h2" | "h3") && e.get("id") != Some("summary-title"))
            .map(|e| e.name.as_bytes()[1] - b'0')
            .collect();
        if levels.windows(2).any(|pair| pair[1] > pair[0] + 1) {
            problems.push(format!("headings jump: {levels:?}"));
        }
        problems
    });
}

#[test]
fn no_text_is_missing() {
    let keys = crate::words::keys_in_use();
    assert!(keys.len() > 250, "only {} keys were found", keys.len());
    on_every_page(|_, elements, _| {
        let words: BTreeSet<&str> = elements[0].text.split(|c: char| c.is_whitespace() || c == ',').collect();
        let in_attributes = elements.iter().flat_map(|e| &e.attributes).map(|(_, value)| value.as_str());
        let shown: BTreeSet<&str> = words.into_iter().chain(in_attributes).collect();
        let mut problems: Vec<String> = keys
            .iter()
            .filter(|key| shown.contains(key.as_str()))
            .map(|key| format!("shows the key {key}"))
            .collect();
        if elements[0].text.contains(['{', '}']) {
            problems.push("shows a placeholder".to_owned());
        }
        problems
    });
}

#[test]
fn every_input_has_a_label_and_every_id_is_one() {
    on_every_page(|_, elements, _| {
        let mut problems = Vec::new();
        let ids: Vec<&str> = elements.iter().filter_map(|e| e.get("id")).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        if unique.len() != ids.len() {
            problems.push("an id is used twice".to_owned());
        }
        for element in elements {
            for reference in ["aria-describedby", "aria-labelledby", "for"] {
                for id in element.get(reference).unwrap_or_default().split(' ').filter(|id| !id.is_empty()) {
                    if !unique.contains(id) {
                        problems.push(format!("{reference} leads to no {id}"));
                    }
                }
            }
            let fillable = matches!(element.name.as_str(), "input" | "textarea" | "select")
                && element.get("type") != Some("hidden");
            let labelled = element.get("id").is_some_and(|id| {
                elements
                    .iter()
                    .any(|e| e.name == "label" && e.get("for") == Some(id) && !e.text.trim().is_empty())
            }) || element.inside.iter().any(|index| elements[*index].name == "label");
            if fillable && !labelled {
                problems.push(format!("no label for {:?}", element.get("name")));
            }
            if element.name == "button" && element.text.trim().is_empty() {
                problems.push("a button without words".to_owned());
            }
            if element.name == "a" {
                let href = element.get("href").unwrap_or_default();
                if element.text.trim().is_empty() {
                    problems.push(format!("a link without words to {href}"));
                }
                if let Some(id) = href.strip_prefix('#')
                    && !unique.contains(id)
                {
                    problems.push(format!("a link to nothing: {href}"));
                }
            }
        }
        problems
    });
}

#[test]
fn every_post_form_carries_the_token() {
    on_every_page(|_, elements, _| {
        let mut problems = Vec::new();
        for (index, form) in elements.iter().enumerate().filter(|(_, e)| e.name == "form") {
            let tokens = elements
                .iter()
                .filter(|e| e.inside.contains(&index) && e.name == "input" && e.get("name") == Some("csrf"))
                .filter(|e| e.get("value").is_some_and(|value| !value.is_empty()));
            if form.get("method") != Some("post") || tokens.count() != 1 {
                problems.push(format!("the form to {:?} carries no token", form.get("action")));
            }
        }
        problems
    });
}

#[test]
fn pages_fit_a_strict_content_policy() {
    on_every_page(|_, elements, page| {
        let mut problems = Vec::new();
        for element in elements {
            if element.name == "style" || element.get("style").is_some() {
                problems.push("an inline style".to_owned());
            }
            if element.name == "script" && (element.get("src").is_none() || !element.text.trim().is_empty()) {
                problems.push("an inline script".to_owned());
            }
            if element.attributes.iter().any(|(name, _)| name.starts_with("on")) {
                problems.push("an inline handler".to_owned());
            }
            for name in ["href", "src", "action"] {
                let Some(address) = element.get(name) else { continue };
                if !address.starts_with(['/', '#']) || address.starts_with("//") {
                    problems.push(format!("{address} is not an address of ours"));
                }
                if address.starts_with("/assets/") && asset(address).is_none() {
                    problems.push(format!("{address} is no asset"));
                }
            }
        }
        if page.contains("http:") || page.contains("https:") {
            problems.push("an external address".to_owned());
        }
        problems
    });
}

#[test]
fn a_reader_can_change_the_language_on_every_page_on_a_screen() {
    on_every_page(|lang, elements, _| {
        let is_paper = elements.iter().any(|e| e.name == "body" && e.get("class") == Some("paper"));
        let switches = elements.iter().filter(|e| e.name == "a" && e.get("hreflang").is_some()).count();
        let current = elements.iter().find(|e| e.get("aria-current").is_some()).and_then(|e| e.get("lang"));
        let right = if is_paper { switches == 0 } else { switches == 4 && current == Some(lang.code()) };
        if right { vec![] } else { vec![format!("{switches} switches, {current:?} is current")] }
    });
}

#[test]
fn an_error_is_said_at_the_top_and_at_its_field() {
    let mut seen = 0;
    on_every_page(|_, elements, _| {
        let Some(summary) = elements.iter().position(|e| e.get("class") == Some("summary")) else {
            return vec![];
        };
        let links = elements.iter().filter(|e| e.name == "a" && e.inside.contains(&summary));
        let mut problems = Vec::new();
        for link in links {
            let id = link.get("href").unwrap_or_default().trim_start_matches('#');
            let said = elements
                .iter()
                .filter(|e| e.get("class") == Some("wrong") && e.text.contains(link.text.trim()));
            if said.count() == 0 {
                problems.push(format!("the error of {id} stands only at the top"));
            }
        }
        problems
    });
    for lang in Lang::ALL {
        seen += samples(lang).iter().filter(|(_, page)| page.contains("class=\"summary\"")).count();
    }
    assert!(seen >= 4 * 5, "only {seen} pages with errors");
}

#[test]
fn what_a_resident_brings_is_escaped() {
    use kaname_web::pages::Template;
    use kaname_web::pages::portal::HomePage;

    let mut page = HomePage::sample(Lang::En);
    page.name = "<script>alert(1)</script>\"' {n}".to_owned();
    page.shell.user = Some(page.name.clone());
    let html = page.render().unwrap();
    assert!(!html.contains("<script>") && html.contains("&#60;script&#62;") && html.contains("{n}"));
}

/// With `KANAME_PAGES_DIR` set, writes all pages and their assets there, to look at them in a browser.
#[test]
fn pages_can_be_looked_at() {
    let Ok(folder) = std::env::var("KANAME_PAGES_DIR") else { return };
    let folder = std::path::Path::new(&folder);
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    for lang in Lang::ALL {
        for (name, page) in samples(lang) {
            for address in page.split('"').filter(|part| part.starts_with("/assets/")) {
                let (_, bytes, _) = asset(address).unwrap();
                std::fs::write(folder.join(address.trim_start_matches('/')), bytes).unwrap();
            }
            std::fs::write(folder.join(format!("{name}.{}.html", lang.code())), page).unwrap();
        }
    }
}
