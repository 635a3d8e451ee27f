// The commands: a dialog that shows the impact, then a call of the API, whose errors are shown in the dialog.

import { ask } from "./live.js";

const part = document.getElementById("part");
const keys = new WeakMap(); // confirming the same dialog twice is one command

export function steer() {
  document.addEventListener("click", (event) => {
    const opens = event.target.closest("[data-opens]");
    if (opens) return open(document.getElementById(opens.dataset.opens));
    const dialog = event.target.closest("dialog");
    if (!dialog) return undefined;
    if (event.target.closest("[data-close]")) return dialog.close();
    if (event.target.closest("[data-confirm]")) return confirm(dialog);
    return undefined;
  });
  document.addEventListener("submit", (event) => {
    const dialog = event.target.closest("dialog");
    if (!dialog) return;
    event.preventDefault();
    confirm(dialog);
  });
  document.addEventListener("outdated", ({ target }) => outdate(target), true);
}

function open(dialog) {
  keys.set(dialog, newKey());
  complain(dialog, "");
  dialog.showModal();
}

function outdate(dialog) {
  dialog.querySelector("[data-confirm]").disabled = true;
  complain(dialog, "This is not possible any more: the upgrade has changed in the meantime.");
  dialog.addEventListener("close", () => dialog.remove(), { once: true });
}

async function confirm(dialog) {
  const form = dialog.querySelector("form");
  const button = dialog.querySelector("[data-confirm]");
  if (button.disabled || !form.reportValidity()) return;
  button.disabled = true;
  complain(dialog, "");
  try {
    await answered(dialog, await send(dialog, form));
  } catch {
    complain(dialog, "The server could not be reached. Try again: the command is carried out only once.");
  }
  if (dialog.isConnected) button.disabled = false;
}

function send(dialog, form) {
  const { command, reason: target } = dialog.dataset;
  const reason = form.elements.reason?.value.trim();
  const query = new URLSearchParams();
  if (reason && target === "query") query.set("reason", reason);
  if (form.elements.force?.checked) query.set("force", "true");
  const parameters = query.size ? `?${query}` : "";
  return fetch(part.dataset.api + command + parameters, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": keys.get(dialog) },
    body: reason && target === "body" ? JSON.stringify({ reason }) : "{}",
  });
}

async function answered(dialog, response) {
  if (response.ok) {
    const body = await response.json();
    dialog.close();
    if (body.id !== part.dataset.execution) return location.assign(encodeURIComponent(body.id));
    await ask();
    return focusAgain();
  }
  keys.set(dialog, newKey()); // errors are not stored: the next try is a new call
  complain(dialog, await words(response, dialog));
  return ask();
}

function focusAgain() {
  // the pressed button does not exist any more: move the focus to the next one
  if (document.activeElement !== document.body) return;
  (document.querySelector("#buttons button:not(:disabled)") ?? document.getElementById("main")).focus();
}

async function words(response, dialog) {
  const problem = await response.json().catch(() => ({}));
  if (response.status === 401) return "Your session has expired: reload the whole browser tab to sign in again.";
  if (problem.code === "CANARY_UNHEALTHY") insist(dialog);
  const more = [...(problem.errors ?? []).map((each) => `${each.field} ${each.message}`), ...(problem.blockers ?? [])];
  const text = problem.detail ?? `The server responded with ${response.status}.`;
  return more.length ? `${text} (${more.join("; ")})` : text;
}

function insist(dialog) {
  const force = dialog.querySelector(".force");
  if (!force) return;
  force.hidden = false;
  force.querySelector("input").disabled = false;
}

function complain(dialog, text) {
  const error = dialog.querySelector(".error");
  error.textContent = text;
  error.hidden = !text;
}

function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");
}
