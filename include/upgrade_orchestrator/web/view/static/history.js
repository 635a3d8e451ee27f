// Shows the history of an instance in its tile: fetched when the tile is opened, and again after each change of the
// upgrade while it is open. Without this script the tile has a link to the same as a page.

import { showTimes } from "./times.js";

const GAP = 1000; // ms between two fetches of an open tile

let waiting = null;

function showHistories() {
  const part = document.getElementById("part");
  if (!part) {
    showTimes();
    setInterval(() => document.hidden || showTimes(), 1000);
    return;
  }
  document.addEventListener("toggle", (event) => event.target.matches(".tile[open]") && load(event.target), true);
  const changed = new MutationObserver(() => (waiting ??= setTimeout(loadOpen, GAP)));
  changed.observe(part, { subtree: true, attributes: true, attributeFilter: ["data-sequence"] });
}

function loadOpen() {
  waiting = null;
  if (!document.hidden) document.querySelectorAll(".tile[open]").forEach(load);
}

async function load(tile) {
  const link = tile.querySelector("a[data-history]");
  const own = tile.querySelector(".history-of");
  if (!link || !own) return;
  try {
    const response = await fetch(link.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (response.ok) show(own, await response.text());
  } catch {
    // the link stays, and the page says that there is no connection
  }
}

function show(own, html) {
  const found = new DOMParser().parseFromString(html, "text/html").getElementById("history-list");
  if (!found) return;
  found.removeAttribute("id");
  own.replaceChildren(document.importNode(found, true));
  showTimes(own);
}

showHistories();
