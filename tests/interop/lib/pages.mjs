// What is asked of every page: WCAG 2.2 A and AA as far as axe can tell, no sideways scrolling at 320 pixels (1.4.10), valid HTML, and
// the language and direction that it claims. Pictures of the page are taken on the way where they are wanted.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { HtmlValidate } from "html-validate";
import { check } from "./check.mjs";

const LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const NARROWEST = { width: 320, height: 640 };

// The standard's errors; taste in whitespace and in how to write void elements and attributes is ours.
const validator = new HtmlValidate({
  extends: ["html-validate:standard", "html-validate:a11y"],
  rules: {
    "no-trailing-whitespace": "off", "attribute-boolean-style": "off", "doctype-style": "off", "void-style": "off",
    "no-implicit-button-type": "off", "no-redundant-role": "off", "prefer-native-element": "off",
    "long-title": "off", "wcag/h32": "off",
  },
});

const shots = process.env.KANAME_SHOTS;

// Looks at pages in one language; remembers the HTML that the server sent, which is what is validated.
export class Reader {
  constructor(country, lang) {
    Object.assign(this, { country, lang, sources: new WeakMap(), seen: new Set() });
  }

  follow(page) {
    page.on("response", async (response) => {
      if (!response.request().isNavigationRequest() || response.status() >= 300 && response.status() < 400) return;
      this.sources.set(page, response.text().catch(() => ""));
    });
    return page;
  }

  // Looks at the page; `name` tells it from the others, and is the picture's name where `picture` says so.
  async look(page, name, picture) {
    const label = `[${this.country}, ${this.lang}] ${name}`;
    if (this.seen.has(name)) return;
    this.seen.add(name);
    await check(`${label}: language and direction`, async () => {
      const [lang, dir] = await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]);
      assert.equal(lang, this.lang);
      assert.equal(dir, this.lang === "ar" ? "rtl" : "ltr");
    });
    await check(`${label}: WCAG 2.2 A and AA`, async () => {
      // The pages have no frames, so axe need not look into any, which takes a page of its own.
      const axe = new AxeBuilder({ page }).setLegacyMode(true).options({ runOnly: LEVELS, preload: false });
      const { violations, passes } = await axe.analyze();
      assert.ok(passes.length > 5, "axe has looked");
      assert.deepEqual(violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`), []);
    });
    await check(`${label}: fits 320 pixels`, async () => {
      await page.setViewportSize(NARROWEST);
      const [has, wants] = await page.evaluate(() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]);
      const wide = await page.evaluate(() => [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && getComputedStyle(one).position !== "absolute").slice(0, 3).map((one) => one.outerHTML.slice(0, 120)));
      assert.ok(wants <= has, `${wants} pixels wide: ${wide.join(" | ")}`);
    });
    if (shots && picture) await this.shoot(page, picture);
    await page.setViewportSize(WIDE);
    await check(`${label}: valid HTML`, async () => {
      const source = await this.sources.get(page);
      assert.ok(source, "the page came over the network");
      const { results } = await validator.validateString(source);
      assert.deepEqual(results.flatMap((one) => one.messages.map((found) => `${found.line}: ${found.ruleId}: ${found.message}`)), []);
    });
  }

  async shoot(page, picture) {
    mkdirSync(shots, { recursive: true });
    for (const [size, viewport] of [["wide", WIDE], ["phone", PHONE]]) {
      await page.setViewportSize(viewport);
      await page.screenshot({ path: join(shots, `${this.country}-${this.lang}-${picture}-${size}.png`), fullPage: true });
    }
  }
}
