// The create form: asks the API what the upgrade would be while somebody types, and creates it when told to.
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
    const told = [];
    for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
      const number = Math.floor(seconds / size);
      seconds -= number * size;
      if (number) told.push(`${number} ${unit}`);
    }
    return told.slice(0, 2).join(" ") || "0 s";
  };

  // what was typed goes to the API as it is: it says better than this script what is wrong with it
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
    const answer = await fetch(api + path, { ...options, headers });
    const said = await answer.json().catch(() => ({}));
    return { ok: answer.ok, status: answer.status, said };
  };
  const path = (...parts) => parts.map(encodeURIComponent).join("/");

  const tell = (...parts) => outcome.replaceChildren(...parts);
  const words = (answer) => answer.said.detail || answer.said.title || `the server answered ${answer.status}`;
  const mark = (name, message) => {
    const input = control(name);
    document.getElementById(`${name}-error`).textContent = message;
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  const showErrors = (errors) => {
    const told = new Map();
    for (const each of errors) {
      const name = String(each.field).split(".")[0];
      if (control(name)) told.set(name, [...(told.get(name) || []), each.message]);
    }
    for (const each of controls) mark(each.name, (told.get(each.name) || []).join("; "));
    return errors.filter((each) => !told.has(String(each.field).split(".")[0]));
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
    state.textContent = !plan ? "There is no plan for this." : `${plural(plan.totalInstances, "instance")} in ${
      plural(plan.batches.length, "batch", "batches")}${plan.budget === null ? "" : `, at most ${plan.budget} unavailable at once`
    }, about ${span(plan.estimatedSeconds)}. ${validation.valid ? "It can start." : "It would not be admitted."}`;
    shown.replaceChildren(
      ...list("What stops it", validation.blockers, "bad"),
      ...list("What to know", validation.warnings, "warn"),
      ...list("Checks that would not pass now", bad.map((each) => `${each.name}: ${each.message || each.status}`),
        "warn"),
      ...(plan ? list("Plan", plan.batches.map(batch), "", "ol") : []),
    );
  };
  const showProblem = (answer) => {
    const errors = showErrors(answer.said.errors || []);
    state.textContent = answer.said.errors && !errors.length ? "Some fields need another value." : words(answer);
    shown.replaceChildren(...list("What stops it", [...errors.map((each) => `${each.field}: ${each.message}`),
      ...(answer.said.blockers || [])], "bad"));
  };

  const dryRun = async () => {
    const mine = ++asked;
    if (REQUIRED.some((name) => !control(name).value.trim())) {
      state.textContent = "Choose tenant, component and versions to see the plan.";
      shown.replaceChildren();
      return;
    }
    preview.classList.add("stale");
    try {
      const request = { method: "POST", body: JSON.stringify(body()) };
      const answer = await call(`tenants/${path(tenant())}/upgrades?dryRun=true`, request);
      if (mine !== asked) return; // somebody has typed on: a later answer is the one that counts
      if (answer.ok) showErrors([]);
      if (answer.ok) showPreview(answer.said);
      else showProblem(answer);
    } catch {
      if (mine !== asked) return;
      state.textContent = "The server does not answer; the plan comes when it does and something is changed.";
      shown.replaceChildren();
    }
    preview.classList.remove("stale");
  };
  const soon = () => {
    asked += 1; // whatever is on its way is about what was there before
    clearTimeout(timer);
    timer = setTimeout(dryRun, WAIT);
  };

  const offerVersions = async () => {
    const component = control("componentId").value.trim();
    const offered = document.getElementById("versions");
    const found = component ? await call(`components/${path(component)}/versions?limit=200`).catch(() => null) : null;
    if (component !== control("componentId").value.trim()) return;
    offered.replaceChildren(...(found && found.ok ? found.said.items : []).map((each) => {
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
    from.value = found.said.currentVersionId;
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
  const refused = (answer) => {
    keyed = null; // the next try is another one
    const elsewhere = showErrors(answer.said.errors || []);
    const more = [...elsewhere.map((each) => `${each.field}: ${each.message}`), ...(answer.said.blockers || [])];
    tell(make("p", [words(answer), ...more].join(" ")));
    if (answer.said.activeExecutionId) {
      const link = make("a", "Show that upgrade");
      link.href = path(answer.said.activeExecutionId);
      outcome.append(link);
    }
    const wrong = controls.find((each) => each.getAttribute("aria-invalid"));
    (wrong || outcome).focus();
  };
  const start = async (id, sent) => {
    const answer = await call(`upgrades/${path(id)}/start`, { method: "POST", body: "{}", headers: sent });
    if (answer.ok) return true;
    const link = make("a", "Show it");
    link.href = path(id);
    tell(make("p", `It was created, but not started: ${words(answer)}`), link);
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
    const mine = newKey(tenant() + sent);
    const request = { method: "POST", body: sent, headers: { "Idempotency-Key": mine } };
    const answer = await call(`tenants/${path(tenant())}/upgrades`, request);
    if (!answer.ok) return refused(answer);
    if (thenStart && !(await start(answer.said.id, { "Idempotency-Key": `${mine}-start` }))) return;
    location.assign(path(answer.said.id));
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return;
    sending = true;
    tell();
    try {
      await create(Boolean(event.submitter && event.submitter.value === "start"));
    } catch {
      tell(make("p", "The server did not answer. Try again: nothing is created twice."));
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
