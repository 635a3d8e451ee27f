// The form's fields: their values as the API takes them, its errors beside them, and the lists, which the server fills.

const form = document.getElementById("create");
export const controls = [...form.querySelectorAll("[data-kind]")];
export const control = (name) => controls.find((each) => each.name === name);
export const value = (name) => control(name).value.trim();
export const REQUIRED = ["tenantId", "componentId", "fromVersionId", "toVersionId"];
export const missing = () => REQUIRED.filter((name) => !value(name));

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

export function body() {
  const found = {};
  for (const each of controls) {
    if (each.name === "tenantId" || each.closest("[hidden]")) continue;
    const read = READ[each.dataset.kind](each);
    if (read !== "") found[each.name] = read;
  }
  return found;
}

function mark(name, message) {
  const input = control(name);
  document.getElementById(`${name}-error`).textContent = message;
  if (message) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

// Shows each error beside its field; returns those that are of no field.
export function showErrors(errors) {
  const messages = new Map();
  for (const each of errors) {
    const name = String(each.field).split(".")[0];
    if (control(name)) messages.set(name, [...(messages.get(name) || []), each.message]);
  }
  for (const each of controls) mark(each.name, (messages.get(each.name) || []).join("; "));
  return errors.filter((each) => !messages.has(String(each.field).split(".")[0]));
}

export function fitStrategy() {
  for (const each of form.querySelectorAll("[data-only-for]")) {
    each.hidden = each.dataset.onlyFor !== value("strategy");
  }
}

// The option that the server has chosen in a list.
const served = (list) => Math.max(0, [...list.options].findIndex((each) => each.defaultSelected));

// The first list whose choice is not the server's: the user was faster than this script, or the browser has restored it.
export const chosenBefore = () =>
  REQUIRED.slice(0, -1).find((name) => control(name).selectedIndex !== served(control(name)));

let asked = 0;
let first = REQUIRED.length; // the first list that is not up to date

// Fetches the lists that depend on the one that was changed; the others stay, so that nothing moves below the user.
export async function offerChoices(changed) {
  const current = ++asked;
  first = Math.min(first, REQUIRED.indexOf(changed) + 1);
  const query = new URLSearchParams({ tenant: value("tenantId"), component: value("componentId") });
  if (changed === "fromVersionId") query.set("fromVersion", value("fromVersionId"));
  query.set("toVersion", value("toVersionId"));
  form.setAttribute("aria-busy", "true");
  try {
    await renew(current, query);
  } finally {
    if (current === asked) form.setAttribute("aria-busy", "false");
  }
}

async function renew(current, query) {
  const response = await fetch(`${form.dataset.home}upgrades/new/choices?${query}`, { headers: { Accept: "text/html" } });
  const found = new DOMParser().parseFromString(await response.text(), "text/html");
  if (current !== asked) return;
  if (!response.ok) throw new Error(`the lists: ${response.status}`);
  for (const name of REQUIRED.slice(first)) {
    for (const id of [name, `${name}-notes`]) {
      document.getElementById(id).replaceChildren(...found.getElementById(id).childNodes);
    }
    control(name).selectedIndex = served(control(name)); // options that move one by one end with the last one chosen
  }
  first = REQUIRED.length;
}
