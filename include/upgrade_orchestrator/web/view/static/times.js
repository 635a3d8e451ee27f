// Shows times relative to now ("3 min ago"); the title has the exact time.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

export function showTimes(root = document) {
  for (const each of root.querySelectorAll("time")) {
    if (each.closest("details:not([open])")) continue;
    const moment = new Date(each.dateTime);
    const text = relative((Date.now() - moment) / 1000);
    if (each.textContent !== text) each.textContent = text;
    if (!each.title) each.title = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  }
}

function relative(seconds) {
  const ahead = seconds < -5;
  let left = Math.abs(Math.round(seconds));
  if (left < 5) return "just now";
  const parts = [];
  for (const [unit, size] of UNITS) {
    const number = Math.floor(left / size);
    left -= number * size;
    if (number && parts.length < (seconds < 3600 ? 1 : 2)) parts.push(`${number} ${unit}`);
  }
  return ahead ? `in ${parts.join(" ")}` : `${parts.join(" ")} ago`;
}
