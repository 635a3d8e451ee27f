// Keeps the page up to date: listens to the server's events and fetches the changed part, rendered by the server, at
// most three times a second. Without events it asks by itself every few seconds, and says so.

import { morph } from "./morph.js";
import { tell } from "./times.js";

const GAP = 330; // ms between two fetches
const POLL = 3000; // ms between two questions while no events come
const SLOW = 10000; // ms: what no event tells of, such as Airflow's own task states
const AGAIN = 4000; // ms until a refused stream is tried again
const PATIENCE = 5000; // ms: streams end by themselves now and then, and are there again after two seconds

const EVENTS = [
  "created", "status-changed", "check-completed", "batch-started", "batch-completed", "instance-changed", "progress",
  "canary-polled", "approval-requested", "approval-decided", "command-received", "rollback-started",
  "rollback-completed",
].map((what) => `registry.upgrade.${what}.v1`);

const part = document.getElementById("part");
const live = document.getElementById("live");
let source = null;
let fetched = -Infinity;
let running = null;
let again = false;
let over = false;
let stopped = false;
let connected = false;
let alone = performance.now(); // since when no stream is open

export function follow() {
  connect();
  setInterval(() => connected || ask(), POLL);
  setInterval(() => connected && ask(), SLOW);
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : comeBack()));
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => event.persisted && comeBack());
}

function comeBack() {
  alone = performance.now();
  connect();
  ask();
}

export function ask() {
  if (document.hidden || stopped) return running;
  if (running) again = true;
  else running = fetchAfter(Math.max(0, fetched + GAP - performance.now())).finally(settle);
  return running;
}

function settle() {
  running = null;
  if (again) {
    again = false;
    ask();
  }
}

async function fetchAfter(wait) {
  await new Promise((done) => setTimeout(done, wait));
  fetched = performance.now();
  try {
    const answer = await fetch(part.dataset.part, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (answer.ok) show(await answer.text());
    else refuse(answer.status);
  } catch {
    say("No connection: what you see may be out of date. Trying again …", true);
  }
}

function show(html) {
  const wanted = new DOMParser().parseFromString(`<div id="part">${html}</div>`, "text/html").getElementById("part");
  const before = document.getElementById("head")?.dataset.status;
  for (const { name, value } of part.attributes) wanted.setAttribute(name, value);
  morph(part, wanted);
  tell(part);
  announce(before);
  if (over) say("Ended");
  else if (connected) say("Live");
  else sayLost();
}

function announce(before) {
  const head = document.getElementById("head");
  const told = document.getElementById("told");
  if (!head || !told || head.dataset.status === before) return;
  told.textContent = `${head.dataset.words}: ${document.getElementById("why").textContent}`;
}

function refuse(status) {
  if (status === 401) {
    stopped = true;
    disconnect();
    say("Your session has expired: reload the whole browser tab to sign in again", true);
  } else if (status === 404 || status === 403) {
    stopped = true;
    disconnect();
    say("You may not see this any more, or it is gone", true);
  } else say("The server does not answer right now: what you see may be out of date. Trying again …", true);
}

function connect() {
  if (source || over || stopped || document.hidden) return;
  const head = document.getElementById("head");
  const after = head ? `?after=${head.dataset.sequence}` : "";
  source = new EventSource(part.dataset.events + after);
  source.onopen = () => {
    connected = true;
    ask();
  };
  source.onerror = lost;
  for (const name of [...EVENTS, "changed"]) source.addEventListener(name, ask);
  source.addEventListener("end", ended);
}

function sayLost() {
  if (performance.now() - alone > PATIENCE) say("Live connection lost: asking every few seconds", true);
}

function lost() {
  if (connected) alone = performance.now();
  connected = false;
  if (source?.readyState === EventSource.CLOSED) {
    disconnect();
    setTimeout(connect, AGAIN);
  }
}

function ended() {
  over = true;
  disconnect();
  connected = false;
  ask();
}

function disconnect() {
  source?.close();
  source = null;
  if (connected) alone = performance.now();
  connected = false;
}

function say(words, wrong = false) {
  live.hidden = false;
  live.classList.toggle("lost", wrong);
  if (live.textContent !== words) live.textContent = words;
}
