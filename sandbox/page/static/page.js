// The page asks the server for what changed, and sends what a person does. Where one looks is in the address;
// everything else is the server's.

import { choosing } from "./choose.js";
import { morph } from "./morph.js";

const TYPING = 120;
const TOGETHER = 25;
const TOAST = 8000;
const SILENT = "The sandbox does not answer. Is it still running?";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// What changed

const wanted = new Set();
let running = null;

function refresh(...topics) {
  topics.forEach((topic) => wanted.add(topic));
  running ??= run().catch(() => say(SILENT)).finally(() => (running = null));
  return running;
}

async function run() {
  await pause(TOGETHER);
  while (wanted.size) {
    const topics = new Set(wanted);
    wanted.clear();
    const about = (region) => topics.has("all") || region.dataset.topics.split(" ").some((topic) => topics.has(topic));
    const names = all("[data-region]").filter(about).map((region) => region.dataset.region);
    if (names.length) show(await (await fetch(location.href, { headers: { Regions: names.join(" ") } })).text());
  }
}

function show(text) {
  const ends = all("[data-scroll]").filter(atEnd);
  const known = new Set(all("[data-scroll]").map((list) => list.id));
  for (const region of parsed(text).querySelectorAll("[data-region]")) morph(document.getElementById(region.id), region);
  for (const list of all("[data-scroll]")) if (ends.includes(list) || !known.has(list.id)) list.scrollTop = list.scrollHeight;
  settle();
}

function atEnd(list) {
  return list.scrollHeight - list.scrollTop - list.clientHeight < 40;
}

const parsed = (text) => new DOMParser().parseFromString(text, "text/html");
const html = async (url) => [...parsed(await (await fetch(url)).text()).body.childNodes];

let startingOver = false;

const bell = new EventSource("/rings");
bell.onmessage = (event) => refresh(event.data);
bell.onopen = () => (startingOver ? location.assign("/") : refresh("all"));
bell.onerror = () => say(SILENT);

// The form on top

let shown = "";
let opener = null;

function settle() {
  for (const list of all("[data-scroll]")) squeezed.observe(list);
  if (startingOver) document.querySelector("[data-start-over]").disabled = true;
  for (const table of all("[data-page-size]")) page(table);
  arrive();
  const modal = document.getElementById("modal");
  if (modal.dataset.view === shown) return;
  shown = modal.dataset.view;
  if (shown && !modal.open) {
    opener = document.activeElement;
    modal.showModal();
  }
  if (shown) begin(modal);
  else {
    modal.close();
    opener?.focus();
  }
}

// A table is as high as a page of its rows; the others are reached by scrolling.
function page(table) {
  const rows = all("tbody tr", table);
  const last = rows[table.dataset.pageSize - 1];
  table.style.maxHeight = last && last !== rows.at(-1) ? `${last.offsetTop + last.offsetHeight + 1}px` : "";
}

// Who comes to the app's Home, or to its messages, is announced to the app.
let arrived = "";
function arrive() {
  const { arrive: place = "" } = document.getElementById("channel").dataset;
  if (place === arrived) return;
  arrived = place;
  if (place) post(place, {});
}

function begin(modal) {
  const first = document.getElementById(modal.querySelector("[data-first]").dataset.first);
  (first ?? modal.querySelector(".body :is(input, textarea, button)") ?? modal.querySelector("footer button:last-child")).focus();
}

// What a person does

let line = Promise.resolve();

function post(url, given, inOrder = false) {
  const send = async () => {
    try {
      const answer = await fetch(url, { method: "POST", body: new URLSearchParams(given) });
      say(answer.ok ? await answer.text() : `The sandbox failed with ${answer.status}.`);
    } catch {
      say(SILENT);
    }
    await refresh("channel", "view", "phone", "trouble");
  };
  return inOrder ? (line = line.then(send)) : send();
}

let talking = 0;
function say(sentence) {
  const toast = document.getElementById("toast");
  if (!sentence || (startingOver && sentence === SILENT)) return;
  clearTimeout(talking);
  toast.hidePopover();
  toast.textContent = sentence;
  toast.showPopover();
  talking = setTimeout(() => toast.hidePopover(), TOAST);
}

function hush() {
  clearTimeout(talking);
  document.getElementById("toast").hidePopover();
}

// Everything begins anew, the server too: the page comes back when it can be reached again.
async function startOver(button) {
  startingOver = button.disabled = true;
  try {
    await fetch("/start-over", { method: "POST" });
  } catch {
    startingOver = button.disabled = false;
    say(SILENT);
  }
}

async function submit(form, submitter) {
  flush();
  form.setAttribute("aria-busy", "true");
  const card = form.closest(".feedback")?.id;
  await post(form.action, new FormData(form, submitter), "form" in form.dataset);
  form.removeAttribute("aria-busy");
  form.querySelector("[aria-invalid]")?.focus();
  if (card) answered(card);
}

// A card that was rated or put away has lost the button that had the focus.
function answered(id) {
  const card = document.getElementById(id);
  (card?.querySelector("textarea") ?? card?.querySelector(".given:last-of-type") ?? card)?.focus();
}

function go(url) {
  hush();
  history.pushState(null, "", url);
  return refresh("all");
}

function lookAt(form) {
  const address = new URLSearchParams(location.search);
  for (const [name, value] of new FormData(form)) value ? address.set(name, value) : address.delete(name);
  return go(`/?${address}`);
}

// Typing is told when it pauses, and before anything else is done.

let typed = null;
let typing = 0;

function type(field) {
  clearTimeout(typing);
  if (typed && typed !== field) flush();
  typed = field;
  typing = setTimeout(flush, TYPING);
}

function flush() {
  clearTimeout(typing);
  if (typed) post(typed.dataset.type, { text: typed.value }, true);
  typed = null;
}

function change(field, choices, many = false) {
  flush();
  return post(field.dataset.change, [...choices.map((choice) => ["choice", choice]), ...(many ? [["many", "1"]] : [])], true);
}

function place(popup, anchor) {
  const at = anchor.getBoundingClientRect();
  const spared = (anchor.closest(".toolbar") ? anchor.closest(".message") : anchor).getBoundingClientRect();
  const room = innerHeight - spared.bottom;
  const below = room > popup.offsetHeight + 8 || spared.top < popup.offsetHeight;
  popup.style.minWidth = `${at.width}px`;
  popup.style.top = `${Math.max(8, below ? Math.min(spared.bottom, innerHeight - popup.offsetHeight - 12) + 4 : spared.top - popup.offsetHeight - 4)}px`;
  const left = at.width < popup.offsetWidth / 2 ? at.right - popup.offsetWidth : at.left;
  popup.style.left = `${Math.max(8, Math.min(left, innerWidth - popup.offsetWidth - 8))}px`;
  popup.dataset.placed = "";
}

choosing({ place, change, html });

document.addEventListener("submit", (event) => {
  const form = event.target;
  event.preventDefault();
  if ("go" in form.dataset) return lookAt(form);
  form.closest("[popover].menu")?.hidePopover();
  submit(form, event.submitter);
  if ("composer" in form.dataset) sent(form);
});

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  const link = at("a[data-go]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    go(link.href).then(() => "back" in link.dataset && document.getElementById(link.dataset.back)?.focus());
  }
  const button = at("[data-post]");
  if (button) flush(), post(button.dataset.post, "value" in button.dataset ? { choice: button.dataset.value } : {}, Boolean(button.closest("#modal, .home")));
  if (at("[data-hides]")) at("[popover]").hidePopover();
  if (at("[data-opens]")) document.getElementById(at("[data-opens]").dataset.opens).showModal();
  if (at("[data-close]")) at("dialog").close();
  if (at("[data-complete]")) complete(at("[data-complete]"));
  if (at("[data-reveal]")) remember(false);
  if (at("[data-dismiss]")) remember(true), write();
  if (at("[data-start-over]")) startOver(at("[data-start-over]"));
  if (at("[data-skip]")) event.preventDefault(), write();
});

document.addEventListener("change", (event) => {
  const field = event.target;
  const form = field.form;
  if (form && "live" in form.dataset) form.requestSubmit();
  else if (form && "go" in form.dataset) lookAt(form);
  else if (field.matches("[type=checkbox][data-change]")) {
    const checked = all(`[name="${CSS.escape(field.name)}"]:checked`).map((box) => box.value);
    change(field, checked, true);
  } else if (field.dataset.change && !field.matches("[role=combobox]")) change(field, field.value ? [field.value] : []);
});

document.addEventListener("input", (event) => {
  if (event.target.dataset.type) type(event.target);
  if (event.target.form && "composer" in event.target.form.dataset) suggest(event.target.form);
});

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (key === "Enter" && !event.shiftKey && target.matches(".composer textarea, .comment textarea")) {
    event.preventDefault();
    target.form.requestSubmit();
  } else if (key === "Enter" && target.dataset.enter && !target.matches("textarea")) {
    event.preventDefault();
    flush();
    post(target.dataset.enter, {}, true);
  } else if (key === "Enter" && (event.ctrlKey || event.metaKey)) target.closest("[data-form]")?.requestSubmit();
  else if ((key === "ArrowDown" || key === "ArrowUp") && target.closest("[role=menu]")) {
    const items = all("[role=menuitem]", target.closest("[role=menu]"));
    event.preventDefault();
    items.at((items.indexOf(target) + (key === "ArrowDown" ? 1 : -1)) % items.length).focus();
  }
});

// A menu appears at its button and takes the focus; a request's bodies are asked for when somebody looks.
document.addEventListener("toggle", async (event) => {
  const it = event.target;
  if (it.matches("[role=menu]") && event.newState === "closed") delete it.dataset.placed;
  if (it.matches("[role=menu]:popover-open")) {
    place(it, document.querySelector(`[popovertarget="${CSS.escape(it.id)}"]`));
    it.querySelector("[role=menuitem]")?.focus();
  }
  if (it.matches("details[open][data-load]")) {
    it.querySelector(".bodies").replaceChildren(...(await html(it.dataset.load)));
    it.scrollIntoView({ block: "nearest" });
  }
}, true);

// Esc closes a form as its Cancel does.
document.addEventListener("close", ({ target }) => target.dataset.view && target.querySelector("[data-esc]").click(), true);

// Whoever writes sees the end of the conversation, where the answer will appear.
function sent(form) {
  const list = form.parentElement.querySelector("[data-scroll]");
  list.scrollTop = list.scrollHeight;
  form.reset();
  suggest(form);
}

function suggest(form) {
  const text = form.elements.text.value;
  const list = form.querySelector(".commands");
  if (!list) return;
  for (const button of all("[data-complete]", list)) button.parentElement.hidden = !button.dataset.complete.startsWith(text);
  list.hidden = !text.startsWith("/") || all("li:not([hidden])", list).length === 0;
}

function complete(button) {
  const field = button.closest("form").elements.text;
  field.value = `${button.dataset.complete} `;
  field.focus();
  suggest(field.form);
}

function write() {
  document.querySelector(".channel .composer textarea")?.focus();
}

function remember(seen) {
  document.getElementById("hint").hidden = seen;
  localStorage.setItem("hint", seen ? "seen" : "");
}

// whoever reads the newest message goes on seeing it while the drawer below takes room or gives it back
const reading = new WeakMap();
const squeezed = new ResizeObserver((lists) => {
  for (const { target } of lists) if (reading.get(target) ?? true) target.scrollTop = target.scrollHeight;
});
document.addEventListener("scroll", ({ target }) => target.dataset?.scroll === undefined || reading.set(target, atEnd(target)), true);

addEventListener("popstate", () => refresh("all"));
document.getElementById("hint").hidden = localStorage.getItem("hint") === "seen";
for (const list of all("[data-scroll]")) list.scrollTop = list.scrollHeight;
settle();
