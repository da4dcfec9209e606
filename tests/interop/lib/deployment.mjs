// The deployment under test: where it is, its letters, and its program.

import { execFile } from "node:child_process";
import { X509Certificate, createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

// A letter as its reader sees it: number, code, and what stands in a square of the grid.
export function letterIn(html) {
  const [number, code] = [...html.matchAll(/class="figure"><bdi dir="ltr">([^<]+)</g)].map((found) => found[1]);
  const rows = [...html.matchAll(/<tr><th scope="row">(\d)<\/th>(.*?)<\/tr>/g)];
  const grid = new Map();
  for (const [, row, cells] of rows) {
    [...cells.matchAll(/<td>([^<]+)<\/td>/g)].forEach((cell, at) => grid.set("ABCDEFGH"[at] + row, cell[1]));
  }
  if (!number || !code || grid.size !== 40) throw new Error("this is not a letter");
  return { number, code, square: (name) => grid.get(name) };
}

export class Deployment {
  constructor({ url, library, folder, program }) {
    Object.assign(this, { url, library, folder, program });
  }

  static fromEnvironment(name = "JAPAN") {
    const text = (part) => process.env[`KANAME_${name}_${part}`];
    return new Deployment({
      url: text("URL"), library: text("LIBRARY"), folder: text("DATA"), program: process.env.KANAME,
    });
  }

  letter(name) {
    return letterIn(readFileSync(join(this.folder, "letters", `${name}.html`), "utf8"));
  }

  // The letters of the officers in this role.
  officers(role) {
    const files = readdirSync(join(this.folder, "letters")).filter((file) => file.endsWith(`-${role}.html`));
    return files.map((file) => this.letter(file.replace(/\.html$/, "")));
  }

  // The id of an officer in this role: who acts by command line.
  async officerId(role, at = 0) {
    const officers = await this.kaname("officer", "list");
    return officers.filter((officer) => officer.roles.includes(role))[at].officer;
  }

  // The reference of the resident in this line of the file of residents, the first being 1.
  reference(line) {
    return readFileSync(join(this.folder, "residents.csv"), "utf8").split("\n")[line].split(",")[0];
  }

  async kaname(...words) {
    const { stdout } = await run(this.program, [...words, "--config", this.folder, "--json"]);
    return JSON.parse(stdout);
  }

  async register(registration) {
    const file = join(this.folder, `${registration.client_id}.json`);
    writeFileSync(file, JSON.stringify(registration));
    await this.kaname("party", "add", file, "--by", await this.officerId("administrator"));
  }

  // How Chromium is told to trust this deployment's certificate and no other one that it does not know.
  trust() {
    const certificate = join(this.folder, "tls/server.pem");
    if (!existsSync(certificate)) return [];
    const key = new X509Certificate(readFileSync(certificate)).publicKey.export({ type: "spki", format: "der" });
    return [`--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`];
  }
}
