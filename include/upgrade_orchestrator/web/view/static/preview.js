// What a dry run has found: the plan, each blocker once with a link to where it is mended, and what can be done now.
import { control, showErrors, value } from "./fields.js";

const form = document.getElementById("create");
const mends = JSON.parse(form.dataset.mends).map(([pattern, address, words]) => [new RegExp(pattern), address, words]);
const state = document.getElementById("preview-state");
const shown = document.getElementById("preview-body");
const primary = document.getElementById("primary");
const hint = document.getElementById("then-hint");
const onlyCreate = document.getElementById("only-create");

export const make = (tag, text, css) => {
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

export const words = ({ body: problem, status }) =>
  problem.detail || problem.title || `the server responded with ${status}`;

const HINTS = {
  start: 'With "Create" alone, the upgrade waits until a person starts it.',
  create: '"Create" makes it now; started as things are, it would fail.',
  check: "It cannot be created as things are. Mend what the blockers say, or change the fields.",
};

// "start": it can be created and started. "create": a check would fail at the start. "check": it cannot be created.
function offer(can) {
  primary.value = can === "start" ? "start" : "check";
  primary.textContent = can === "start" ? "Create and start" : "Check again";
  onlyCreate.hidden = can === "check";
  hint.textContent = HINTS[can];
}

export function say(text) {
  state.textContent = text;
  shown.replaceChildren();
  offer("start");
}

function mendOf(text) {
  for (const [pattern, address, place] of mends) {
    const found = pattern.exec(text);
    if (!found) continue;
    const link = make("a", place);
    const inside = address.replace("{component}", encodeURIComponent(value("componentId")));
    const whole = inside.replace("{1}", () => encodeURIComponent(found[1]));
    link.href = whole.startsWith("#") ? whole : form.dataset.home + whole;
    return [" ", link];
  }
  return [];
}

function item(text, css, prefix = "") {
  const made = make("li", prefix + text, css);
  made.append(...mendOf(text));
  return made;
}

function list(title, items, tag = "ul") {
  if (!items.length) return [];
  const made = make(tag);
  made.append(...items);
  return [make("h3", title), made];
}

// What a check says beyond what is said already: its message joins its findings with "; ".
function beyond(message, known) {
  let left = message;
  for (const each of [...known].sort((a, b) => b.length - a.length)) left = left.split(each).join("");
  return /[^;\s]/.test(left) ? left.replace(/^[;\s]+|[;\s]+$/g, "").replace(/;(?:\s*;)+/g, ";") : "";
}

const batch = (each) => `${each.number}. ${each.kind}: ${plural(each.instances.length, "instance")} (${
  each.instances.slice(0, 6).join(", ")}${each.instances.length > 6 ? ", …" : ""})`;

const summary = (plan, valid) => `${plural(plan.totalInstances, "instance")} in ${
  plural(plan.batches.length, "batch", "batches")}${plan.budget === null ? "" : `, at most ${plan.budget} unavailable at once`
}, about ${span(plan.estimatedSeconds)}. ${valid ? "It can start." : "The checks would not pass."}`;

export function showPreview({ plan, validation }) {
  const known = [...validation.blockers, ...validation.warnings];
  const more = (status) => validation.checks.filter((each) => each.status === status)
    .map((each) => [each.name, each.message ? beyond(each.message, known) : status]).filter(([, text]) => text);
  const failed = more("FAILED");
  state.textContent = plan ? summary(plan, validation.valid) : "There is no plan for this request.";
  shown.replaceChildren(
    ...list("Blockers", validation.blockers.map((each) => item(each, "bad"))),
    ...list("Checks that would not pass", failed.map(([name, text]) => item(text, "bad", `${name}: `))),
    ...list("Warnings", [
      ...validation.warnings.map((each) => item(each, "warn")),
      ...more("WARNING").map(([name, text]) => item(text, "warn", `${name}: `)),
    ]),
    ...(plan ? list("Plan", plan.batches.map((each) => make("li", batch(each))), "ol") : []),
  );
  offer(validation.valid ? "start" : validation.blockers.length || !plan ? "check" : "create");
}

// A dry run that was refused.
export function showProblem(response) {
  const errors = response.body.errors || [];
  const elsewhere = showErrors(errors).map((each) => `${each.field}: ${each.message}`);
  const blockers = [...elsewhere, ...(response.body.blockers || [])];
  const said = errors.length && !elsewhere.length ? "Some fields are invalid." : "There is no plan for this request.";
  state.textContent = said;
  if (!errors.length && !blockers.length) blockers.push(words(response));
  shown.replaceChildren(...list("Blockers", blockers.map((each) => item(each, "bad"))));
  offer("check");
}

// A double click on "Check again" must not be a click on what the button says once the check has passed.
let pressed = primary.value;
primary.addEventListener("click", (event) => {
  if (event.detail > 1 && pressed !== primary.value) event.preventDefault();
  else pressed = primary.value;
});
primary.addEventListener("keydown", (event) => event.repeat && event.preventDefault());
form.addEventListener("click", (event) => {
  const field = event.target.closest("#preview-body a[href^='#']");
  if (!field) return;
  event.preventDefault();
  control(field.getAttribute("href").slice(1)).focus();
});
