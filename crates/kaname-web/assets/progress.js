// Keeps the figures of a running payout fresh. Without it the page has a link that does the same by hand.

const control = document.querySelector("[data-live]");
const box = control?.querySelector("input");

async function refresh() {
  if (!box.checked || document.hidden) return;
  // A reader who is on a link inside the figures keeps the focus there.
  if (document.getElementById("live").contains(document.activeElement)) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("live");
  if (!fresh) return;
  document.getElementById("live").replaceWith(fresh);
  // The run has ended: the new page has no switch any more.
  if (!page.querySelector("[data-live]")) {
    control.remove();
    clearInterval(timer);
  }
}

let timer;
if (control) {
  control.hidden = false;
  timer = setInterval(() => refresh().catch(() => {}), Number(control.dataset.everyMs) || 2000);
}
