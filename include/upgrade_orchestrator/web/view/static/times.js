// Says times as people do ("3 min ago"); the exact one is in the title.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

export function tell(root = document) {
  for (const each of root.querySelectorAll("time")) {
    if (each.closest("details:not([open])")) continue;
    const moment = new Date(each.dateTime);
    const said = relative((Date.now() - moment) / 1000);
    if (each.textContent !== said) each.textContent = said;
    if (!each.title) each.title = moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
  }
}

function relative(seconds) {
  const ahead = seconds < -5;
  let left = Math.abs(Math.round(seconds));
  if (left < 5) return "just now";
  const told = [];
  for (const [unit, size] of UNITS) {
    const number = Math.floor(left / size);
    left -= number * size;
    if (number && told.length < (seconds < 3600 ? 1 : 2)) told.push(`${number} ${unit}`);
  }
  return ahead ? `in ${told.join(" ")}` : `${told.join(" ")} ago`;
}
