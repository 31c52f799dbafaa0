// Turns what is on the page into what the server drew anew, and touches nothing that stays: elements keep their
// focus, their caret, and what a person typed or chose until the server itself changes its mind about it.

const OURS = new Set(["open", "hidden", "style", "aria-expanded", "aria-activedescendant", "aria-busy", "data-active", "data-placed"]);
const HELD = { checked: "checked", selected: "selected", value: "value" };

export function morph(old, fresh) {
  attributes(old, fresh);
  if ("keep" in old.dataset) return;
  const text = old instanceof HTMLTextAreaElement && old.defaultValue !== fresh.defaultValue;
  if (text && old !== document.activeElement) old.value = fresh.defaultValue;
  children(old, fresh);
}

function attributes(old, fresh) {
  for (const { name } of [...old.attributes]) if (!OURS.has(name) && !fresh.hasAttribute(name)) set(old, name, null);
  for (const { name, value } of fresh.attributes) if (!OURS.has(name) && old.getAttribute(name) !== value) set(old, name, value);
}

function set(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
  const busy = element === document.activeElement && name === "value";
  if (name in HELD && name in element && !busy) element[HELD[name]] = name === "value" ? (value ?? "") : value !== null;
}

function children(old, fresh) {
  const coming = new Set([...fresh.children].map((child) => child.id).filter(Boolean));
  const present = new Map([...old.children].map((child) => [child.id, child]));
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    while (place && place.id && place.id !== wanted.id && !coming.has(place.id)) place = remove(place);
    const match = wanted.id ? present.get(wanted.id) : same(place, wanted) && place;
    if (!match) old.insertBefore(document.importNode(wanted, true), place);
    else {
      if (match === place) place = place.nextSibling;
      else old.insertBefore(match, place);
      if (match.nodeType === Node.ELEMENT_NODE) morph(match, wanted);
      else if (match.data !== wanted.data) match.data = wanted.data;
    }
  }
  while (place) place = remove(place);
}

function same(place, wanted) {
  return place && !place.id && place.nodeName === wanted.nodeName;
}

function remove(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}
