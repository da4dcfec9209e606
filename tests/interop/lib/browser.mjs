// Chromium, and what people do in it.

import { chromium } from "playwright-core";

// Chromium with a fixed look, so that two machines see the same pages.
export function launch(deployment) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", ...deployment.trust()],
  });
}

// Sends the form with this action that is visible on the page, and waits for what comes.
export async function send(page, action, button = "button") {
  const form = page.locator(`form[action="${action}"]`).first();
  await Promise.all([page.waitForEvent("domcontentloaded"), form.locator(button).first().click()]);
  await page.waitForLoadState("load");
}

export async function fill(page, values) {
  for (const [id, value] of Object.entries(values)) await page.fill(`#${id}`, value);
}

// From the sign-in page to whatever it leads to, with the letter's number and two squares of its grid.
export async function signInWithLetter(page, letter, { look = async () => {}, wrongFirst = false } = {}) {
  await page.fill("#letter", letter.number);
  await send(page, "/signin/letter");
  if (wrongFirst) {
    await fill(page, { first: "222", second: "222" });
    await send(page, "/signin/code");
    await look("squares, wrong");
  }
  await look("squares");
  const square = async (id) => letter.square((await page.locator(`label[for="${id}"]`).innerText()).match(/[A-H][1-5]/)[0]);
  await fill(page, { first: await square("first"), second: await square("second") });
  await send(page, "/signin/code");
}

// An authenticator that Chromium believes is part of the device (WebAuthn section 11.2).
export async function addAuthenticator(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
}

// Presses Tab until the element is reached; says so if it never is.
export async function tabTo(page, selector) {
  for (let pressed = 0; pressed < 60; pressed += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
  }
  throw new Error(`Tab does not reach ${selector}`);
}
