// The form for a new upgrade: shows the API's dry run while the user types, and creates the upgrade on submit.
import { body, chosenBefore, control, controls, fitStrategy, missing, offerChoices, REQUIRED, showErrors, value } from "./fields.js";
import { make, say, showPreview, showProblem, words } from "./preview.js";

const WAIT = 300;
const form = document.getElementById("create");
const preview = document.getElementById("preview");
const outcome = document.getElementById("outcome");
let asked = 0;
let timer = null;
let sending = false;
let key = null;
let keyed = null;

const call = async (path, options = {}) => {
  const headers = { Accept: "application/json", ...options.headers };
  if (options.body) headers["Content-Type"] = "application/json";
  const response = await fetch(form.dataset.api + path, { ...options, headers });
  const body = await response.json().catch(() => ({}));
  return { ok: response.ok, status: response.status, body };
};
const path = (...parts) => parts.map(encodeURIComponent).join("/");
const showOutcome = (...parts) => outcome.replaceChildren(...parts);

const dryRun = async () => {
  const current = ++asked;
  if (missing().length) return say("Choose tenant, component and versions to see the plan.");
  preview.classList.add("stale");
  try {
    const request = { method: "POST", body: JSON.stringify(body()) };
    const response = await call(`tenants/${path(value("tenantId"))}/upgrades?dryRun=true`, request);
    if (current !== asked) return; // the input has changed since: a later response counts
    if (response.ok) showErrors([]);
    if (response.ok) showPreview(response.body);
    else showProblem(response);
  } catch {
    if (current !== asked) return;
    say("The server does not answer. Change any field to try again.");
  }
  preview.classList.remove("stale");
};
const soon = () => {
  asked += 1; // responses on their way are for earlier input
  clearTimeout(timer);
  timer = setTimeout(dryRun, WAIT);
};

const newKey = (sent) => {
  if (sent !== keyed) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    key = [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
    keyed = sent;
  }
  return key;
};
const refused = (response) => {
  keyed = null; // the next try is a new call
  const elsewhere = showErrors(response.body.errors || []);
  const more = [...elsewhere.map((each) => `${each.field}: ${each.message}`), ...(response.body.blockers || [])];
  showOutcome(make("p", [words(response), ...more].join(" ")));
  if (response.body.activeExecutionId) {
    const link = make("a", "Show the active upgrade");
    link.href = path(response.body.activeExecutionId);
    outcome.append(link);
  }
  const wrong = controls.find((each) => each.getAttribute("aria-invalid"));
  (wrong || outcome).focus();
};
const start = async (id, sent) => {
  const response = await call(`upgrades/${path(id)}/start`, { method: "POST", body: "{}", headers: sent });
  if (response.ok) return true;
  const link = make("a", "Show it");
  link.href = path(id);
  showOutcome(make("p", `It was created, but not started: ${words(response)}`), link);
  outcome.focus();
  return false;
};
const create = async (thenStart) => {
  const lacking = missing();
  if (lacking.length) {
    showErrors(lacking.map((field) => ({ field, message: "is required" })));
    control(lacking[0]).focus();
    return;
  }
  const sent = JSON.stringify(body());
  const current = newKey(value("tenantId") + sent);
  const request = { method: "POST", body: sent, headers: { "Idempotency-Key": current } };
  const response = await call(`tenants/${path(value("tenantId"))}/upgrades`, request);
  if (!response.ok) return refused(response);
  if (thenStart && !(await start(response.body.id, { "Idempotency-Key": `${current}-start` }))) return;
  location.assign(path(response.body.id));
};

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (sending) return;
  sending = true;
  showOutcome();
  const then = event.submitter ? event.submitter.value : "";
  try {
    if (then === "check") await dryRun();
    else await create(then === "start");
  } catch {
    showOutcome(make("p", "The server did not answer. Try again: nothing is created twice."));
    outcome.focus();
  }
  sending = false;
});
form.addEventListener("input", soon);
const renewLists = async (name) => {
  await offerChoices(name).catch(() => showOutcome(make("p", "The server does not answer: the lists are not up to date.")));
  soon();
};
form.addEventListener("change", ({ target: { name } }) => {
  if (name === "strategy") fitStrategy();
  if (REQUIRED.includes(name) && name !== "toVersionId") renewLists(name);
});
fitStrategy();
const early = chosenBefore();
if (early) renewLists(early);
else soon();
