// Shows times relative to now ("3 min ago"), with the exact time as title; a button in the bar shows all of them
// exactly, for those who have no mouse, and the choice is kept.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
const KEY = "upgrades.exactTimes";
const LOCAL = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  timeZoneName: "short",
});
let exact = stored() === "true";

export function showTimes(root = document) {
  for (const each of root.querySelectorAll("time")) {
    if (each.closest("details:not([open])")) continue;
    const text = textOf(each, new Date(each.dateTime));
    if (each.textContent !== text) each.textContent = text;
  }
}

export function offerExactTimes() {
  const button = document.createElement("button");
  button.type = "button";
  button.id = "exact-times";
  button.textContent = "Exact times";
  button.setAttribute("aria-pressed", exact);
  button.addEventListener("click", () => {
    exact = !exact;
    button.setAttribute("aria-pressed", exact);
    store(exact);
    showTimes();
  });
  document.querySelector(".bar nav").append(button);
}

function textOf(element, moment) {
  const lasts = element.classList.contains("elapsed");
  if (!element.title.includes("·")) element.title = `${element.title || element.dateTime} · ${LOCAL.format(moment)}`;
  if (exact) return `${lasts ? "since " : ""}${LOCAL.format(moment)}`;
  const seconds = (Date.now() - moment) / 1000;
  return lasts ? `for ${length(Math.max(0, seconds))}` : relative(seconds);
}

function relative(seconds) {
  if (Math.abs(Math.round(seconds)) < 5) return "just now";
  return seconds < 0 ? `in ${length(-seconds)}` : `${length(seconds)} ago`;
}

function length(seconds) {
  let left = Math.round(seconds);
  const parts = [];
  for (const [unit, size] of UNITS) {
    const number = Math.floor(left / size);
    left -= number * size;
    if (number && parts.length < (seconds < 3600 ? 1 : 2)) parts.push(`${number} ${unit}`);
  }
  return parts.join(" ") || "0 s";
}

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be forbidden
  }
}

function store(value) {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // then it holds for this page only
  }
}
