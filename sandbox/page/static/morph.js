// Update the page to match HTML from the server, without replacing elements that stay: they keep their focus,
// caret and user input until the server changes their value.

const CLIENT_ATTRIBUTES = new Set(["open", "hidden", "style", "aria-expanded", "aria-activedescendant", "aria-busy", "data-active", "data-placed"]);
const INPUT_PROPERTIES = new Set(["checked", "selected", "value"]);

export function morph(element, target) {
  morphAttributes(element, target);
  if ("preserve" in element.dataset) return;
  const isTextChanged = element instanceof HTMLTextAreaElement && element.defaultValue !== target.defaultValue;
  if (isTextChanged && element !== document.activeElement) element.value = target.defaultValue;
  morphChildren(element, target);
}

function morphAttributes(element, target) {
  for (const { name } of [...element.attributes]) if (!CLIENT_ATTRIBUTES.has(name) && !target.hasAttribute(name)) setAttribute(element, name, null);
  for (const { name, value } of target.attributes) if (!CLIENT_ATTRIBUTES.has(name) && element.getAttribute(name) !== value) setAttribute(element, name, value);
}

function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
  const isBeingEdited = element === document.activeElement && name === "value";
  if (INPUT_PROPERTIES.has(name) && name in element && !isBeingEdited) element[name] = name === "value" ? (value ?? "") : value !== null;
}

function morphChildren(element, target) {
  const targetIds = new Set([...target.children].map((child) => child.id).filter(Boolean));
  const childrenById = new Map([...element.children].map((child) => [child.id, child]));
  let current = element.firstChild;
  for (const wanted of [...target.childNodes]) {
    while (current && current.id && current.id !== wanted.id && !targetIds.has(current.id)) current = remove(current);
    const match = wanted.id ? childrenById.get(wanted.id) : isSameKind(current, wanted) && current;
    if (!match) element.insertBefore(document.importNode(wanted, true), current);
    else {
      if (match === current) current = current.nextSibling;
      else element.insertBefore(match, current);
      if (match.nodeType === Node.ELEMENT_NODE) morph(match, wanted);
      else if (match.data !== wanted.data) match.data = wanted.data;
    }
  }
  while (current) current = remove(current);
}

function isSameKind(node, wanted) {
  return node && !node.id && node.nodeName === wanted.nodeName;
}

function remove(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}
