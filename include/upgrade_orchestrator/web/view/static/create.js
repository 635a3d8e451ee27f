// The form for a new upgrade: shows the API's dry run while the user types, and creates the upgrade on submit.
"use strict";
(() => {
  const WAIT = 300;
  const REQUIRED = ["tenantId", "componentId", "fromVersionId", "toVersionId"];
  const form = document.getElementById("create");
  const api = form.dataset.api;
  const state = document.getElementById("preview-state");
  const preview = document.getElementById("preview");
  const shown = document.getElementById("preview-body");
  const outcome = document.getElementById("outcome");
  const controls = [...form.querySelectorAll("[data-kind]")];
  const control = (name) => controls.find((each) => each.name === name);
  let asked = 0;
  let timer = null;
  let sending = false;
  let key = null;
  let keyed = null;

  const make = (tag, text, css) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (css) made.className = css;
    return made;
  };
  const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
  const span = (seconds) => {
    const parts = [];
    for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
      const number = Math.floor(seconds / size);
      seconds -= number * size;
      if (number) parts.push(`${number} ${unit}`);
    }
    return parts.slice(0, 2).join(" ") || "0 s";
  };

  // input goes to the API unchecked, because the API has the better error messages
  const whole = (text) => (/^-?\d+$/.test(text) ? Number(text) : text);
  const lines = (text) => {
    const found = {};
    for (const line of text.split("\n").map((each) => each.trim()).filter(Boolean)) {
      const [, name, version] = /^(.*?)(?:\s*[=:]\s*|\s+)(\S+)$/.exec(line) || [null, line, ""];
      Object.defineProperty(found, name, { value: version, enumerable: true, configurable: true });
    }
    return found;
  };
  const READ = {
    text: (input) => input.value.trim(),
    number: (input) => (input.validity.badInput ? "not a number" : whole(input.value.trim())),
    checkbox: (input) => input.checked,
    lines: (input) => (input.value.trim() ? lines(input.value) : ""),
    percentages: (input) => (input.value.trim() ? input.value.split(",").map((each) => whole(each.trim())) : ""),
  };
  const body = () => {
    const found = {};
    for (const each of controls) {
      if (each.name === "tenantId" || each.closest("[hidden]")) continue;
      const value = READ[each.dataset.kind](each);
      if (value !== "") found[each.name] = value;
    }
    return found;
  };
  const tenant = () => control("tenantId").value.trim();

  const call = async (path, options = {}) => {
    const headers = { Accept: "application/json", ...options.headers };
    if (options.body) headers["Content-Type"] = "application/json";
    const response = await fetch(api + path, { ...options, headers });
    const body = await response.json().catch(() => ({}));
    return { ok: response.ok, status: response.status, body };
  };
  const path = (...parts) => parts.map(encodeURIComponent).join("/");

  const showOutcome = (...parts) => outcome.replaceChildren(...parts);
  const words = ({ body: problem, status }) => problem.detail || problem.title || `the server responded with ${status}`;
  const mark = (name, message) => {
    const input = control(name);
    document.getElementById(`${name}-error`).textContent = message;
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  const showErrors = (errors) => {
    const messages = new Map();
    for (const each of errors) {
      const name = String(each.field).split(".")[0];
      if (control(name)) messages.set(name, [...(messages.get(name) || []), each.message]);
    }
    for (const each of controls) mark(each.name, (messages.get(each.name) || []).join("; "));
    return errors.filter((each) => !messages.has(String(each.field).split(".")[0]));
  };

  const list = (title, items, css, tag = "ul") => {
    if (!items.length) return [];
    const made = make(tag);
    made.append(...items.map((each) => make("li", each, css)));
    return [make("h3", title), made];
  };
  const batch = (each) => `${each.number}. ${each.kind}: ${plural(each.instances.length, "instance")} (${
    each.instances.slice(0, 6).join(", ")}${each.instances.length > 6 ? ", …" : ""})`;
  const showPreview = ({ plan, validation }) => {
    const bad = validation.checks.filter((each) => each.status === "FAILED" || each.status === "WARNING");
    state.textContent = !plan ? "There is no plan for this request." : `${plural(plan.totalInstances, "instance")} in ${
      plural(plan.batches.length, "batch", "batches")}${plan.budget === null ? "" : `, at most ${plan.budget} unavailable at once`
    }, about ${span(plan.estimatedSeconds)}. ${validation.valid ? "It can start." : "The checks would not pass."}`;
    shown.replaceChildren(
      ...list("Blockers", validation.blockers, "bad"),
      ...list("Warnings", validation.warnings, "warn"),
      ...list("Checks that fail or warn now", bad.map((each) => `${each.name}: ${each.message || each.status}`),
        "warn"),
      ...(plan ? list("Plan", plan.batches.map(batch), "", "ol") : []),
    );
  };
  const showProblem = (response) => {
    const errors = showErrors(response.body.errors || []);
    state.textContent = response.body.errors && !errors.length ? "Some fields are invalid." : words(response);
    shown.replaceChildren(...list("Blockers", [...errors.map((each) => `${each.field}: ${each.message}`),
      ...(response.body.blockers || [])], "bad"));
  };

  const dryRun = async () => {
    const current = ++asked;
    if (REQUIRED.some((name) => !control(name).value.trim())) {
      state.textContent = "Choose tenant, component and versions to see the plan.";
      shown.replaceChildren();
      return;
    }
    preview.classList.add("stale");
    try {
      const request = { method: "POST", body: JSON.stringify(body()) };
      const response = await call(`tenants/${path(tenant())}/upgrades?dryRun=true`, request);
      if (current !== asked) return; // the input has changed since: a later response counts
      if (response.ok) showErrors([]);
      if (response.ok) showPreview(response.body);
      else showProblem(response);
    } catch {
      if (current !== asked) return;
      state.textContent = "The server does not answer. Change any field to try again.";
      shown.replaceChildren();
    }
    preview.classList.remove("stale");
  };
  const soon = () => {
    asked += 1; // responses on their way are for earlier input
    clearTimeout(timer);
    timer = setTimeout(dryRun, WAIT);
  };

  const offerVersions = async () => {
    const component = control("componentId").value.trim();
    const offered = document.getElementById("versions");
    const found = component ? await call(`components/${path(component)}/versions?limit=200`).catch(() => null) : null;
    if (component !== control("componentId").value.trim()) return;
    offered.replaceChildren(...(found && found.ok ? found.body.items : []).map((each) => {
      const option = make("option", `${each.version} ${each.status}`);
      option.value = each.id;
      return option;
    }));
  };
  const fillCurrent = async () => {
    const [owner, component, from] = [tenant(), control("componentId").value.trim(), control("fromVersionId")];
    if (!owner || !component || from.value.trim()) return;
    const found = await call(`tenants/${path(owner)}/components/${path(component)}/deployment`).catch(() => null);
    if (!found || !found.ok || from.value.trim() || owner !== tenant()) return;
    from.value = found.body.currentVersionId;
    soon();
  };
  const fitStrategy = () => {
    for (const each of form.querySelectorAll("[data-only-for]")) {
      each.hidden = each.dataset.onlyFor !== control("strategy").value;
    }
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
    const missing = REQUIRED.filter((name) => !control(name).value.trim());
    if (missing.length) {
      showErrors(missing.map((field) => ({ field, message: "is required" })));
      control(missing[0]).focus();
      return;
    }
    const sent = JSON.stringify(body());
    const current = newKey(tenant() + sent);
    const request = { method: "POST", body: sent, headers: { "Idempotency-Key": current } };
    const response = await call(`tenants/${path(tenant())}/upgrades`, request);
    if (!response.ok) return refused(response);
    if (thenStart && !(await start(response.body.id, { "Idempotency-Key": `${current}-start` }))) return;
    location.assign(path(response.body.id));
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return;
    sending = true;
    showOutcome();
    try {
      await create(Boolean(event.submitter && event.submitter.value === "start"));
    } catch {
      showOutcome(make("p", "The server did not answer. Try again: nothing is created twice."));
      outcome.focus();
    }
    sending = false;
  });
  form.addEventListener("input", soon);
  form.addEventListener("change", (event) => {
    if (event.target.name === "strategy") fitStrategy();
    if (event.target.name === "componentId") offerVersions();
    if (event.target.name === "tenantId" || event.target.name === "componentId") fillCurrent();
  });
  fitStrategy();
  offerVersions();
  fillCurrent();
  soon();
})();
