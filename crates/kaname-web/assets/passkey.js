// Passkeys (WebAuthn): makes or asks for a credential and sends it as an ordinary form.
// The page brings the options and the words; without this module, or without WebAuthn, the page's other way stays.

const form = document.querySelector("form[data-passkey]");
const brought = document.querySelector("[data-passkey-words]")?.dataset;
const status = document.querySelector("[data-passkey-status]");
const missing = document.querySelector("[data-passkey-missing]");

const say = (text) => { status.textContent = text; };

const toBytes = (text) => {
  const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
};

const toText = (buffer) => {
  if (!buffer) return "";
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
};

// The JSON form of the options (WebAuthn Level 3, sections 5.4 and 5.5) has base64url where the API wants bytes.
const fromJson = (json) => {
  const options = { ...json, challenge: toBytes(json.challenge) };
  if (json.user) options.user = { ...json.user, id: toBytes(json.user.id) };
  for (const list of ["allowCredentials", "excludeCredentials"]) {
    if (json[list]) options[list] = json[list].map((one) => ({ ...one, id: toBytes(one.id) }));
  }
  return options;
};

const fill = (values) => {
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements.namedItem(name);
    if (field) field.value = value;
  }
};

async function ask() {
  const publicKey = fromJson(JSON.parse(brought.options));
  if (brought.kind === "create") {
    const made = await navigator.credentials.create({ publicKey });
    fill({
      credential_id: toText(made.rawId),
      client_data_json: toText(made.response.clientDataJSON),
      attestation_object: toText(made.response.attestationObject),
      transports: made.response.getTransports?.().join(" ") ?? "",
    });
  } else {
    const got = await navigator.credentials.get({ publicKey });
    fill({
      credential_id: toText(got.rawId),
      client_data_json: toText(got.response.clientDataJSON),
      authenticator_data: toText(got.response.authenticatorData),
      signature: toText(got.response.signature),
      user_handle: toText(got.response.userHandle),
    });
  }
}

if (form && brought && window.PublicKeyCredential && navigator.credentials) {
  const button = form.querySelector("button");
  missing.hidden = true;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    say(brought.working);
    try {
      await ask();
      form.submit();
    } catch (error) {
      button.removeAttribute("aria-disabled");
      // A credential that this device already has (section 5.1.3), a person who said no, or anything else.
      if (error?.name === "InvalidStateError") say(brought.known);
      else if (error?.name === "NotAllowedError" || error?.name === "AbortError") say(brought.cancelled);
      else say(brought.failed);
    }
  });
}
