// Updates a part of the page to what the server has just rendered and touches only what differs, so that focus, scroll
// position, opened details and typed text are kept.

const KEPT = { DETAILS: ["open"], DIALOG: ["open"], TEXTAREA: ["value"], INPUT: ["value", "checked"] };

export function morph(from, to) {
  if (from.isEqualNode(to) || isSameTime(from, to)) return;
  if (from.nodeType !== Node.ELEMENT_NODE) {
    from.nodeValue = to.nodeValue;
    return;
  }
  if (from.matches("[data-own]")) return; // its content is written by scripts
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
  let node = from.firstChild;
  for (const child of [...to.childNodes]) {
    const match = child.id ? named.get(child.id) : like(node, child);
    if (!match || match.nodeName !== child.nodeName) {
      from.insertBefore(document.importNode(child, true), node);
      continue;
    }
    node = withoutUnnamed(node, match);
    if (match === node) node = node.nextSibling;
    else from.insertBefore(match, node);
    morph(match, child);
  }
  removeFrom(node);
}

function like(node, child) {
  return node && !node.id && node.nodeType === child.nodeType && node.nodeName === child.nodeName ? node : null;
}

// Moving an element loses the focus and interrupts a click. So if only elements without an id come before the match,
// remove those instead.
function withoutUnnamed(node, match) {
  let next = node;
  while (next && next !== match && !next.id) next = next.nextSibling;
  if (next !== match) return node;
  removeFrom(node, match);
  return match;
}

function removeFrom(node, end = null) {
  while (node !== end) {
    const next = node.nextSibling;
    // an open dialog is not removed while a person uses it; it shows that it is out of date
    if (node.nodeName === "DIALOG" && node.open) node.dispatchEvent(new Event("outdated"));
    else node.remove();
    node = next;
  }
}
