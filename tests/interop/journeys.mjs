// People's journeys in Chromium, once in each language of each country that is named on the command line: an officer registers a
// resident, who activates her letter, makes a passkey, visits the library and is paid by two officers. Every page on the way is looked at.

import assert from "node:assert/strict";
import { addAuthenticator, fill, launch, send, signInWithLetter, tabTo } from "./lib/browser.mjs";
import { check, end } from "./lib/check.mjs";
import { Deployment, letterIn } from "./lib/deployment.mjs";
import { Reader } from "./lib/pages.mjs";

const LANGUAGES = { japan: ["ja", "en"], jordan: ["ar", "en"], india: ["hi", "en"] };

// Whom the officer registers. Names of a kind; nobody's.
const PEOPLE = {
  japan: { family_name: "試験", given_name: "花子", family_reading: "シケン", given_reading: "ハナコ", family_latin: "Shiken", given_latin: "Hanako", postcode: "100-0001", region: "東京都", city: "千代田区", address: "千代田1-1" },
  jordan: { family_name: "التجريبي", given_name: "ليلى", family_latin: "Altajribi", given_latin: "Layla", region: "عمان", city: "عمان", address: "شارع التجربة 1" },
  india: { family_name: "परीक्षण", given_name: "मीरा", family_latin: "Parikshan", given_latin: "Mira", postcode: "110001", region: "दिल्ली", city: "नई दिल्ली", address: "परीक्षण मार्ग 1" },
};

async function journey(country, lang) {
  const kaname = Deployment.fromEnvironment(country.toUpperCase());
  const browser = await launch(kaname);
  const reader = new Reader(country, lang);
  const step = (name, work) => check(`[${country}, ${lang}] ${name}`, work);

  const visitor = async (more = {}) => {
    const context = await browser.newContext({ locale: lang, viewport: { width: 1280, height: 900 }, ...more });
    // What somebody chose before; the library goes by the language of the browser.
    await context.addCookies([{ name: "kaname_language", value: lang, url: kaname.url }]);
    context.setDefaultTimeout(20_000);
    return reader.follow(await context.newPage());
  };
  const goto = (page, path) => page.goto(kaname.url + path);
  const path = (page) => new URL(page.url()).pathname;
  const heading = (page) => page.locator("main h1").innerText();
  const look = (page, name, picture) => reader.look(page, name, picture);

  const officer = async (letter) => {
    const page = await visitor();
    await goto(page, "/office");
    await signInWithLetter(page, letter);
    assert.equal(path(page), "/office");
    return page;
  };

  // ── The counter ──
  let counter, letter, number;
  await step("an officer signs in with her letter", async () => {
    counter = await officer(kaname.officers("registrar")[0]);
  });
  if (!counter) return browser.close();
  await look(counter, "office", "office");
  await step("a resident is not found by a wrong reference, and without a purpose not looked for", async () => {
    await goto(counter, "/office/find");
    await look(counter, "find");
    await send(counter, "/office/find");
    assert.equal(await counter.locator("main .summary li").count(), 2);
    await look(counter, "find, nothing filled in");
    await counter.fill("#reference", "R0000000000");
    await counter.check("#purpose");
    await send(counter, "/office/find");
    await look(counter, "find, nobody");
  });
  const serving = (page) => page.locator("section.counter strong").innerText();
  const begin = async (page, reference) => {
    await goto(page, "/office/find");
    await page.fill("#reference", reference);
    await page.check("#purpose");
    await send(page, "/office/find");
    assert.match(path(page), /^\/office\/counter\/ctr_/);
  };
  await step("she is found by her reference, with a purpose, and the banner says who is served", async () => {
    await begin(counter, kaname.reference(1));
    assert.ok((await counter.locator("main .rows").innerText()).includes(await serving(counter)));
    await look(counter, "a resident's record", "record");
  });
  await step("a second resident comes: the tab of the first does nothing for her, and shows nothing of her", async () => {
    const old = await counter.context().newPage();
    await reader.follow(old).goto(counter.url());
    const first = await serving(old);
    await begin(counter, kaname.reference(2));
    assert.notEqual(await serving(counter), first);
    await Promise.all([old.waitForEvent("domcontentloaded"), old.locator('form[action$="/letter"] button').click()]);
    await old.waitForLoadState("load");
    assert.ok((await old.content()).includes("counter-over"));
    assert.notEqual(await serving(old), first);
    await look(old, "a page of a session that is over", "counter-over");
    await old.close();
  });
  await step("the session ends, and the way back shows nobody", async () => {
    const served = await serving(counter);
    await Promise.all([counter.waitForEvent("domcontentloaded"), counter.locator("section.counter button").click()]);
    await counter.waitForURL("**/office/counter/ended");
    await look(counter, "the session has ended", "counter-ended");
    await counter.goBack({ waitUntil: "load" }).catch(() => {});
    assert.ok(!(await counter.content()).includes(served), "the page before the end shows nobody");
    await goto(counter, "/office");
    assert.equal(await counter.locator("section.counter").count(), 0);
  });
  await step("a form with mistakes comes back with them", async () => {
    await goto(counter, "/office/register");
    await look(counter, "register");
    await send(counter, "/office/register");
    assert.equal(await counter.locator("main .summary").count(), 1);
    await fill(counter, { ...PEOPLE[country], birth_year: "1990", birth_month: "2", birth_day: "30" });
    await counter.check("#sex");
    await counter.check("#status");
    await counter.check("#evidence");
    await send(counter, "/office/register");
    assert.equal(await counter.locator("main .summary").count(), 1);
    assert.equal(await counter.inputValue("#given_name"), PEOPLE[country].given_name);
    await look(counter, "register, no such day", "register-mistake");
  });
  await step("the corrected form registers her and tells her number", async () => {
    await fill(counter, { birth_month: "3" });
    await send(counter, "/office/register");
    // In the second language somebody like her is here already: the officer compares and decides.
    if (await counter.locator("#decision").count()) {
      await look(counter, "somebody like her", "duplicate");
      await send(counter, "/office/register");
      assert.equal(await counter.locator("main .summary").count(), 1);
      await counter.check('input[name="decision"][value="other"]');
      await counter.fill("#why", "another journey's guest");
      await send(counter, "/office/register");
    }
    number = await counter.locator(".panel .figure").innerText();
    assert.ok(number.length >= 9, number);
    await look(counter, "registered");
  });
  await step("her letter is printed", async () => {
    await Promise.all([counter.waitForEvent("domcontentloaded"), counter.locator('form[action$="/letter"] button').click()]);
    await counter.waitForLoadState("load");
    letter = letterIn(await counter.content());
    await look(counter, "letter", "letter");
  });
  await step("imports, and what was rejected", async () => {
    await goto(counter, "/office/imports");
    await look(counter, "imports");
    await counter.locator("main table a").first().click();
    await counter.waitForLoadState("load");
    await look(counter, "an import");
  });
  await step("what her role does not allow is refused", async () => {
    assert.equal((await goto(counter, "/office/payouts")).status(), 403);
    await look(counter, "forbidden");
  });
  if (!letter) return browser.close();

  // ── The resident begins ──
  const home = await visitor();
  await addAuthenticator(home);
  await step("start", async () => {
    await goto(home, "/");
    await look(home, "start", "start");
    assert.equal((await goto(home, "/nowhere")).status(), 404);
    await look(home, "not found");
    await goto(home, "/errors/busy");
    await look(home, "a page about an error");
  });
  await step("a letter with a wrong code is refused, with the right one she is in", async () => {
    await goto(home, "/activate");
    await look(home, "activate");
    await fill(home, { letter: letter.number, code: "2222-2222-2222" });
    await send(home, "/activate");
    await look(home, "activate, wrong code", "activate-mistake");
    await fill(home, { letter: letter.number, code: letter.code });
    await send(home, "/activate");
    assert.equal(path(home), "/activate/passkey");
    await look(home, "offer of a passkey", "passkey");
  });
  await step("she makes a passkey", async () => {
    await home.click("#passkey");
    await home.waitForURL("**/activate/done*");
    await look(home, "activated");
    await home.locator("main a.btn").click();
    await home.waitForURL("**/home");
    assert.ok((await heading(home)).includes(PEOPLE[country].given_name));
    await look(home, "home", "home");
  });
  await step("she signs out", async () => {
    await send(home, "/signout");
    await look(home, "signed out");
    await goto(home, "/home");
    assert.equal(path(home), "/signin");
    await look(home, "sign in", "signin");
  });
  await step("she signs in with her passkey, by keyboard alone", async () => {
    await tabTo(home, "#passkey");
    await home.keyboard.press("Enter");
    await home.waitForURL("**/home");
  });

  // ── Her own pages ──
  await step("her data and her number", async () => {
    await goto(home, "/my/data");
    await look(home, "my data");
    await goto(home, "/my/number");
    assert.ok(!(await home.content()).includes(number));
    await look(home, "my number, hidden");
    await send(home, "/my/number");
    assert.equal(await home.locator("#number").innerText(), number);
    await look(home, "my number, shown");
  });
  await step("who looked: the officer who registered her, and she herself", async () => {
    await goto(home, "/my/access");
    assert.ok((await home.locator("main .entries > li").count()) >= 4);
    // Her entries are numbered without a gap.
    assert.match(await home.locator("main .entries .tag").last().innerText(), /[1١१]/);
    await look(home, "who looked", "access");
  });

  // ── Another organisation ──
  const library = async () => {
    await home.goto(kaname.library);
    await look(home, "library", "library");
    await tabTo(home, "main .btn");
    await home.keyboard.press("Enter");
    await home.waitForURL(`${kaname.url}/**`);
    await home.waitForLoadState("load");
  };
  await step("she refuses the library, and is back there without a name given", async () => {
    await library();
    await look(home, "consent", "consent");
    await tabTo(home, 'button[value="refuse"]');
    await home.keyboard.press("Enter");
    await home.waitForURL(`${kaname.library}/callback*`);
    assert.ok((await home.locator("main code").first().innerText()) === "access_denied");
    await look(home, "library, refused");
  });
  await step("she agrees, by keyboard alone, and the library greets her", async () => {
    await library();
    await tabTo(home, 'button[value="allow"]');
    await home.keyboard.press("Enter");
    await home.waitForURL(`${kaname.library}/callback*`);
    assert.ok((await heading(home)).includes(PEOPLE[country].given_name));
    assert.ok(!(await home.content()).includes(number));
    await look(home, "library, signed in", "library-reader");
  });
  await step("the library's own sign-out works", async () => {
    await send(home, "/library/signout");
    assert.equal(home.url(), `${kaname.library}/`);
  });
  await step("the next time the library asks nothing", async () => {
    await home.goto(`${kaname.library}/signin`);
    assert.equal(new URL(home.url()).origin, kaname.library);
    assert.ok((await heading(home)).includes(PEOPLE[country].given_name));
  });
  await step("a browser that is not signed in signs in for the library, without JavaScript and with a wrong square first", async () => {
    const plain = await visitor({ javaScriptEnabled: false });
    await plain.goto(`${kaname.library}/signin`);
    await signInWithLetter(plain, letter, { wrongFirst: true, look: () => assert.ok(plain.url().startsWith(kaname.url)) });
    assert.equal(new URL(plain.url()).origin, kaname.library);
    assert.ok((await heading(plain)).includes(PEOPLE[country].given_name));
    await plain.goto(`${kaname.url}/my/data`);
    assert.equal(path(plain), "/my/data");
  });
  await step("the pages of the grid", async () => {
    const page = await visitor();
    await goto(page, "/signin");
    await page.fill("#letter", "AAAA-AAAA-AAAA");
    await send(page, "/signin/letter");
    await goto(page, "/signin");
    await signInWithLetter(page, letter, { wrongFirst: true, look: (name) => look(page, name, name === "squares" ? "squares" : undefined) });
    await page.context().close();
  });
  await step("she ends the session of another device", async () => {
    await goto(home, "/my/signins");
    await look(home, "sign-ins", "signins");
    const before = await home.locator('form[action="/my/signins/end"]').count();
    assert.ok(before >= 2);
    await home.locator('form[action="/my/signins/end"] button').last().click();
    await home.waitForURL("**/my/signins?done=1");
    assert.equal(await home.locator('form[action="/my/signins/end"]').count(), before - 1);
    await look(home, "sign-ins, one ended");
  });
  await step("she disconnects the library, which asks again from then on", async () => {
    await goto(home, "/my/services");
    await look(home, "services", "services");
    await send(home, "/my/services/end");
    assert.equal(await home.locator('form[action="/my/services/end"]').count(), 0);
    await look(home, "services, none");
    await home.goto(`${kaname.library}/signin`);
    assert.equal(await home.locator('form[action="/consent"]').count(), 1);
  });

  // ── A payout by two officers ──
  let planner, approver, run;
  await step("an officer plans a payout, not without a programme", async () => {
    planner = await officer(kaname.officers("payments")[0]);
    await goto(planner, "/office/payouts");
    await look(planner, "payouts", "payouts");
    await goto(planner, "/office/payouts/new");
    await look(planner, "a new payout", "payout-new");
    await send(planner, "/office/payouts");
    assert.equal(await planner.locator("main .summary").count(), 1);
    await look(planner, "a new payout, nothing chosen");
    await planner.check("#programme");
    await send(planner, "/office/payouts");
    run = path(planner);
    assert.match(run, /^\/office\/payouts\/run_/);
  });
  await step("she cannot approve what she planned", async () => {
    await planner.waitForFunction(() => document.querySelector("#start"));
    assert.equal(await planner.locator(`form[action="${run}/start"]`).count(), 0);
    await look(planner, "a payout, planned");
    const csrf = await planner.locator('form[action="/office/signout"] input[name="csrf"]').inputValue();
    const forced = await planner.request.post(`${kaname.url}${run}/start`, { form: { csrf, people: "301", total: "1" }, maxRedirects: 0 });
    assert.ok(forced.status() >= 400, `status ${forced.status()}`);
  });
  await step("without money in the treasury it cannot be approved", async () => {
    approver = await officer(kaname.officers("payments")[1]);
    await goto(approver, run);
    await send(approver, `${run}/start`);
    assert.ok((await approver.content()).includes("insufficient-funds"));
    await look(approver, "a payout, without money");
  });
  await step("another officer approves, and the page follows the run to its end", async () => {
    await kaname.kaname("payout", "fund", run.split("/").at(-1), "--officer", await kaname.officerId("payments", 1));
    await goto(approver, run);
    await look(approver, "a payout, to be approved", "payout-approve");
    await send(approver, `${run}/start`);
    await approver.waitForFunction(() => document.querySelector("#live .books") && document.querySelector("#live .tag.good"), undefined, { timeout: 60_000 });
  });
  await step("the books balance", async () => {
    await goto(approver, run);
    const sums = await approver.locator(".books dd").allInnerTexts();
    const figures = sums.map((text) => Number(text.normalize("NFKC").replace(/[٠-٩]/g, (digit) => digit.charCodeAt(0) - 0x660).replace(/[०-९]/g, (digit) => digit.charCodeAt(0) - 0x966).replace(/[^0-9]/g, "")));
    assert.ok(figures[0] > 0 && figures[0] === figures[1] + figures[2] + figures[3], sums.join(" / "));
    await look(approver, "a payout, finished", "payout-finished");
  });
  await step("she sees her payment", async () => {
    await goto(home, "/my/payments");
    assert.ok((await home.locator("main .entries > li").count()) >= 1);
    await look(home, "payments", "payments");
  });
  await step("the officers sign out", async () => {
    await send(planner, "/office/signout");
    await goto(planner, "/office");
    assert.equal(path(planner), "/signin");
  });
  await browser.close();
}

for (const country of process.argv.slice(2)) {
  for (const lang of LANGUAGES[country]) {
    await check(`[${country}, ${lang}] the journey comes to its end`, () => journey(country, lang));
  }
}
end();
