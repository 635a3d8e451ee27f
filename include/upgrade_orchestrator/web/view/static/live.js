// Keeps the page up to date: listens to the server's events and fetches the changed part, rendered on the server, at
// most three times a second. Without a stream it polls every few seconds and shows that.

import { morph } from "./morph.js";
import { showTimes } from "./times.js";

const GAP = 330; // ms between two fetches
const POLL = 3000; // ms between two polls while there is no stream
const SLOW = 10000; // ms between two polls for what has no events, such as Airflow's task states
const RETRY = 4000; // ms until a refused stream is opened again
const PATIENCE = 5000; // ms until a lost stream is shown; streams are closed regularly and are back after two seconds

const EVENTS = [
  "created", "status-changed", "check-completed", "batch-started", "batch-completed", "instance-changed", "progress",
  "canary-polled", "approval-requested", "approval-decided", "settled", "command-received", "rollback-started",
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
let lostSince = performance.now(); // time since which no stream is open

export function follow() {
  connect();
  setInterval(() => connected || ask(), POLL);
  setInterval(() => connected && ask(), SLOW);
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : comeBack()));
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => event.persisted && comeBack());
}

function comeBack() {
  lostSince = performance.now();
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
    const response = await fetch(part.dataset.part, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (response.ok) show(await response.text());
    else refuse(response.status);
  } catch {
    say("No connection: this page may be out of date. Trying again …", true);
  }
}

function show(html) {
  const wanted = new DOMParser().parseFromString(`<div id="part">${html}</div>`, "text/html").getElementById("part");
  const before = { ...document.getElementById("head")?.dataset };
  for (const { name, value } of part.attributes) wanted.setAttribute(name, value);
  morph(part, wanted);
  showTimes(part);
  announce(before);
  const words = liveWords();
  if (over) say("Ended");
  else if (connected) say(words);
  else sayLost();
}

// The dot says that the page is live; it is not green while an upgrade on it does not go on.
function liveWords() {
  const stuck = part.querySelectorAll('[data-attention]:not([data-attention=""])').length;
  live.classList.toggle("stuck", stuck > 0);
  if (stuck === 0) return "Live";
  return document.getElementById("head") ? "Live · needs attention" : `Live · ${stuck} ${stuck === 1 ? "needs" : "need"} attention`;
}

function announce(before) {
  const head = document.getElementById("head");
  const announcement = document.getElementById("announcement");
  if (!head || !announcement) return;
  const { status, words, attention } = head.dataset;
  if (attention && attention !== before.attention) announcement.textContent = `Needs attention: ${attention}`;
  else if (status !== before.status) announcement.textContent = `${words}: ${document.getElementById("why").textContent}`;
}

function refuse(status) {
  if (status === 401) {
    stopped = true;
    disconnect();
    say("Your session has expired: reload the whole browser tab to sign in again", true);
  } else if (status === 404 || status === 403) {
    stopped = true;
    disconnect();
    say("You may not see this any more, or it does not exist any more", true);
  } else say("The server does not answer right now: this page may be out of date. Trying again …", true);
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
  if (performance.now() - lostSince > PATIENCE) say("Live connection lost: updating every few seconds", true);
}

function lost() {
  if (connected) lostSince = performance.now();
  connected = false;
  if (source?.readyState === EventSource.CLOSED) {
    disconnect();
    setTimeout(connect, RETRY);
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
  if (connected) lostSince = performance.now();
  connected = false;
}

function say(words, wrong = false) {
  live.hidden = false;
  live.classList.toggle("lost", wrong);
  live.classList.toggle("ended", over);
  if (live.textContent !== words) live.textContent = words;
}
