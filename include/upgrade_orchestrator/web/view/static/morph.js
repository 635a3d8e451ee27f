// Makes a part of the page what the server has just rendered, touching only what differs: focus, scroll, what is
// folded out and what is being typed stay.

const KEPT = { DETAILS: ["open"], DIALOG: ["open"], TEXTAREA: ["value"], INPUT: ["value", "checked"] };

export function morph(from, to) {
  if (from.isEqualNode(to) || isSameTime(from, to)) return;
  if (from.nodeType !== Node.ELEMENT_NODE) {
    from.nodeValue = to.nodeValue;
    return;
  }
  if (from.matches("[data-own]")) return; // what scripts have written there is theirs
  syncAttributes(from, to);
  syncChildren(from, to);
}

function isSameTime(from, to) {
  return from.nodeName === "TIME" && to.nodeName === "TIME" && from.dateTime === to.dateTime;
}

function syncAttributes(from, to) {
  const kept = KEPT[from.nodeName] ?? [];
  for (const { name, value } of [...to.attributes]) {
    if (kept.includes(name) || from.getAttribute(name) === value) continue;
    from.setAttribute(name, value);
    if (name === "class" && from.matches(".tile, .badge")) flash(from);
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !kept.includes(name)) from.removeAttribute(name);
  }
}

function flash(element) {
  element.classList.add("changed");
  element.addEventListener("animationend", () => element.classList.remove("changed"), { once: true });
}

function syncChildren(from, to) {
  const named = new Map([...from.children].filter((each) => each.id).map((each) => [each.id, each]));
  let place = from.firstChild;
  for (const child of [...to.childNodes]) {
    const match = child.id ? named.get(child.id) : like(place, child);
    if (!match || match.nodeName !== child.nodeName) {
      from.insertBefore(document.importNode(child, true), place);
      continue;
    }
    place = withoutUnnamed(place, match);
    if (match === place) place = place.nextSibling;
    else from.insertBefore(match, place);
    morph(match, child);
  }
  removeFrom(place);
}

function like(place, child) {
  return place && !place.id && place.nodeType === child.nodeType && place.nodeName === child.nodeName ? place : null;
}

// What is moved loses the focus, and a click that is under way: where only things without a name are before the match,
// they go instead.
function withoutUnnamed(place, match) {
  let next = place;
  while (next && next !== match && !next.id) next = next.nextSibling;
  if (next !== match) return place;
  removeFrom(place, match);
  return match;
}

function removeFrom(place, end = null) {
  while (place !== end) {
    const next = place.nextSibling;
    // an open question is not taken from under somebody's hands: it says that it is out of date
    if (place.nodeName === "DIALOG" && place.open) place.dispatchEvent(new Event("outdated"));
    else place.remove();
    place = next;
  }
}
