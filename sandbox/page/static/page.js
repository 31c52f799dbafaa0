// Send the user's actions to the server, and update the regions of the page that changed.
// What is shown is in the URL; all other state is the server's.

import { initComboboxes } from "./combobox.js";
import { morph } from "./morph.js";

const TYPING_DELAY_MS = 120;
const REFRESH_DELAY_MS = 25;
const TOAST_MS = 8000;
const NO_CONNECTION = "Can't reach the sandbox. Is it still running?";

const queryAll = (selector, root = document) => [...root.querySelectorAll(selector)];
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Updates from the server

const pendingTopics = new Set();
let refreshing = null;

function refresh(...topics) {
  topics.forEach((topic) => pendingTopics.add(topic));
  refreshing ??= refreshRegions().catch(() => showToast(NO_CONNECTION)).finally(() => (refreshing = null));
  return refreshing;
}

async function refreshRegions() {
  await sleep(REFRESH_DELAY_MS);
  while (pendingTopics.size) {
    const topics = new Set(pendingTopics);
    pendingTopics.clear();
    const isAffected = (region) => topics.has("all") || region.dataset.topics.split(" ").some((topic) => topics.has(topic));
    const names = queryAll("[data-region]").filter(isAffected).map((region) => region.dataset.region);
    if (names.length) updateRegions(await (await fetch(location.href, { headers: { Regions: names.join(" ") } })).text());
  }
}

function updateRegions(html) {
  const atEnd = queryAll("[data-scroll]").filter(isAtEnd);
  const knownIds = new Set(queryAll("[data-scroll]").map((list) => list.id));
  keepingFocusInModal(() => {
    for (const region of parseHtml(html).querySelectorAll("[data-region]")) morph(document.getElementById(region.id), region);
  });
  for (const list of queryAll("[data-scroll]")) if (atEnd.includes(list) || !knownIds.has(list.id)) list.scrollTop = list.scrollHeight;
  afterUpdate();
}

// A button that shows more fields goes when they come: the first of them gets its focus.
function keepingFocusInModal(update) {
  const modal = document.getElementById("modal");
  const listFields = () => queryAll(":is(input, textarea, select)", modal);
  const hadFocus = modal.contains(document.activeElement);
  const known = new Set(listFields());
  update();
  if (hadFocus && !modal.contains(document.activeElement)) listFields().find((field) => !known.has(field))?.focus();
}

function isAtEnd(list) {
  return list.scrollHeight - list.scrollTop - list.clientHeight < 40;
}

const parseHtml = (html) => new DOMParser().parseFromString(html, "text/html");
const fetchNodes = async (url) => [...parseHtml(await (await fetch(url)).text()).body.childNodes];

let restarting = false;

const events = new EventSource("/events");
events.onmessage = (event) => refresh(event.data);
events.onopen = () => (restarting ? location.assign("/") : refresh("all"));
events.onerror = () => showToast(NO_CONNECTION);

// The modal

let shownView = "";
let focusBeforeModal = null;

function afterUpdate() {
  for (const list of queryAll("[data-scroll]")) resizeObserver.observe(list);
  document.getElementById("start-over").disabled = restarting;
  for (const table of queryAll("[data-page-size]")) limitHeight(table);
  notifyAppOpened();
  updateModal();
}

function updateModal() {
  const modal = document.getElementById("modal");
  if (modal.dataset.view === shownView) return;
  shownView = modal.dataset.view;
  if (shownView && !modal.open) {
    focusBeforeModal = document.activeElement;
    modal.showModal();
  }
  if (shownView) focusFirstField(modal);
  else if (modal.open) {
    modal.close();
    focusBeforeModal?.focus();
  }
}

// A table shows one page of rows; scrolling shows the rest.
function limitHeight(table) {
  const rows = queryAll("tbody tr", table);
  const last = rows[table.dataset.pageSize - 1];
  table.style.maxHeight = last && last !== rows.at(-1) ? `${last.offsetTop + last.offsetHeight + 1}px` : "";
}

// Opening the app's Home or Messages tab sends `app_home_opened` to the app.
let openedApp = "";
function notifyAppOpened() {
  const { openApp: url = "" } = document.getElementById("channel").dataset;
  if (url === openedApp) return;
  openedApp = url;
  if (url) post(url, {});
}

function focusFirstField(modal) {
  const field = document.getElementById(modal.querySelector("[data-initial-focus]").dataset.initialFocus);
  (field ?? modal.querySelector(".body :is(input, textarea, button)") ?? modal.querySelector("footer button:last-child")).focus();
}

// Actions of the user

let queue = Promise.resolve();

function post(url, params, inOrder = false) {
  const send = async () => {
    try {
      const response = await fetch(url, { method: "POST", body: new URLSearchParams(params) });
      showToast(response.ok ? await response.text() : `Something went wrong in the sandbox (HTTP ${response.status}).`);
    } catch {
      showToast(NO_CONNECTION);
    }
    await refresh("channel", "view", "phone", "faults");
  };
  return inOrder ? (queue = queue.then(send)) : send();
}

let toastTimer = 0;
function showToast(text) {
  const toast = document.getElementById("toast");
  if (!text || (restarting && text === NO_CONNECTION)) return;
  clearTimeout(toastTimer);
  toast.hidePopover();
  toast.textContent = text;
  toast.showPopover();
  toastTimer = setTimeout(() => toast.hidePopover(), TOAST_MS);
}

function hideToast() {
  clearTimeout(toastTimer);
  document.getElementById("toast").hidePopover();
}

// The server restarts too; the page reloads as soon as it is back.
async function restart() {
  const button = document.getElementById("start-over");
  restarting = button.disabled = true;
  try {
    await fetch("/restart", { method: "POST" });
  } catch {
    restarting = button.disabled = false;
    showToast(NO_CONNECTION);
  }
}

async function submit(form, submitter) {
  flushTyping();
  form.setAttribute("aria-busy", "true");
  const card = form.closest(".feedback")?.id;
  const list = form.closest("[data-scroll]");
  await post(form.action, new FormData(form, submitter), "modalForm" in form.dataset);
  form.removeAttribute("aria-busy");
  form.querySelector("[aria-invalid]")?.focus();
  if (card) focusCard(card);
  else if (!form.isConnected) list?.focus();
}

// A card loses the focused button when it is answered or dismissed.
function focusCard(id) {
  const card = document.getElementById(id);
  (card?.querySelector("textarea") ?? card?.querySelector(".answer:last-of-type") ?? card)?.focus();
}

function navigate(url) {
  hideToast();
  history.pushState(null, "", url);
  return refresh("all");
}

function navigateByForm(form) {
  const params = new URLSearchParams(location.search);
  for (const [name, value] of new FormData(form)) value ? params.set(name, value) : params.delete(name);
  return navigate(`/?${params}`);
}

// Typed text is sent after a pause, and before any other action.

let typingField = null;
let typingTimer = 0;

function scheduleTyping(field) {
  clearTimeout(typingTimer);
  if (typingField && typingField !== field) flushTyping();
  typingField = field;
  typingTimer = setTimeout(flushTyping, TYPING_DELAY_MS);
}

function flushTyping() {
  clearTimeout(typingTimer);
  if (typingField) post(typingField.dataset.typeUrl, { text: typingField.value }, true);
  typingField = null;
}

function select(field, values, multiple = false) {
  flushTyping();
  return post(field.dataset.selectUrl, [...values.map((value) => ["value", value]), ...(multiple ? [["multiple", "1"]] : [])], true);
}

// Below the anchor if there is room, otherwise above; a menu of a message does not cover the message.
function positionPopup(popup, anchor) {
  const anchorBox = anchor.getBoundingClientRect();
  const uncovered = (anchor.closest(".toolbar") ? anchor.closest(".message") : anchor).getBoundingClientRect();
  const room = innerHeight - uncovered.bottom;
  const isBelow = room > popup.offsetHeight + 8 || uncovered.top < popup.offsetHeight;
  popup.style.minWidth = `${anchorBox.width}px`;
  popup.style.top = `${Math.max(8, isBelow ? Math.min(uncovered.bottom, innerHeight - popup.offsetHeight - 12) + 4 : uncovered.top - popup.offsetHeight - 4)}px`;
  const left = anchorBox.width < popup.offsetWidth / 2 ? anchorBox.right - popup.offsetWidth : anchorBox.left;
  popup.style.left = `${Math.max(8, Math.min(left, innerWidth - popup.offsetWidth - 8))}px`;
  popup.dataset.placed = "";
}

initComboboxes({ positionPopup, select, fetchNodes });

document.addEventListener("submit", (event) => {
  const form = event.target;
  event.preventDefault();
  if ("navigate" in form.dataset) return navigateByForm(form);
  form.closest("[popover].menu")?.hidePopover();
  submit(form, event.submitter);
  if ("composer" in form.dataset) resetComposer(form);
});

document.addEventListener("click", (event) => {
  const closest = (selector) => event.target.closest(selector);
  const link = closest("a[data-navigate]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    navigate(link.href).then(() => "returnFocus" in link.dataset && document.getElementById(link.dataset.returnFocus)?.focus());
  }
  const button = closest("[data-post]");
  if (button) flushTyping(), post(button.dataset.post, "value" in button.dataset ? { value: button.dataset.value } : {}, Boolean(button.closest("#modal, .home")));
  if (closest("[data-close-popover]")) closest("[popover]").hidePopover();
  if (closest("[data-open-dialog]")) document.getElementById(closest("[data-open-dialog]").dataset.openDialog).showModal();
  if (closest("[data-close-dialog]")) closest("dialog").close();
  if (closest("[data-command]")) completeCommand(closest("[data-command]"));
  if (closest("[data-show-getting-started]")) hideGettingStarted(false);
  if (closest("[data-hide-getting-started]")) hideGettingStarted(true), focusComposer();
  if (closest("[data-restart]")) restart();
  if (closest("[data-focus-composer]")) event.preventDefault(), focusComposer();
});

document.addEventListener("change", (event) => {
  const field = event.target;
  const form = field.form;
  if (form && "autosubmit" in form.dataset) form.requestSubmit();
  else if (form && "navigate" in form.dataset) navigateByForm(form);
  else if (field.matches("[type=checkbox][data-select-url]")) {
    const values = queryAll(`[name="${CSS.escape(field.name)}"]:checked`).map((box) => box.value);
    select(field, values, true);
  } else if (field.dataset.selectUrl && !field.matches("[role=combobox]")) select(field, field.value ? [field.value] : []);
});

document.addEventListener("input", (event) => {
  if (event.target.dataset.typeUrl) scheduleTyping(event.target);
  if (event.target.form && "composer" in event.target.form.dataset) suggestCommands(event.target.form);
});

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (key === "Enter" && !event.shiftKey && target.matches(".composer textarea, .comment textarea")) {
    event.preventDefault();
    target.form.requestSubmit();
  } else if (key === "Enter" && (event.ctrlKey || event.metaKey)) target.closest("[data-modal-form]")?.requestSubmit();
  else if (key === "Enter" && target.dataset.enterUrl && !target.matches("textarea")) {
    event.preventDefault();
    flushTyping();
    post(target.dataset.enterUrl, {}, true);
  } else if ((key === "ArrowDown" || key === "ArrowUp") && target.closest("[role=menu]")) {
    const items = queryAll("[role=menuitem]", target.closest("[role=menu]"));
    event.preventDefault();
    items.at((items.indexOf(target) + (key === "ArrowDown" ? 1 : -1)) % items.length).focus();
  }
});

// Position and focus an opened menu; load the bodies of an opened request.
document.addEventListener("toggle", async (event) => {
  const element = event.target;
  if (element.matches("[role=menu]") && event.newState === "closed") delete element.dataset.placed;
  if (element.matches("[role=menu]:popover-open")) {
    positionPopup(element, document.querySelector(`[popovertarget="${CSS.escape(element.id)}"]`));
    element.querySelector("[role=menuitem]")?.focus();
  }
  if (element.matches("details[open][data-load]")) {
    element.querySelector(".bodies").replaceChildren(...(await fetchNodes(element.dataset.load)));
    element.scrollIntoView({ block: "nearest" });
  }
}, true);

// Esc closes a modal like its Cancel button.
document.addEventListener("close", ({ target }) => target.dataset.view && target.querySelector("[data-cancel]").click(), true);

// After sending, show the end of the conversation, where the response will appear.
function resetComposer(form) {
  const list = form.parentElement.querySelector("[data-scroll]");
  list.scrollTop = list.scrollHeight;
  form.reset();
  suggestCommands(form);
}

function suggestCommands(form) {
  const text = form.elements.text.value;
  const list = form.querySelector(".commands");
  if (!list) return;
  for (const button of queryAll("[data-command]", list)) button.parentElement.hidden = !button.dataset.command.startsWith(text);
  list.hidden = !text.startsWith("/") || queryAll("li:not([hidden])", list).length === 0;
}

function completeCommand(button) {
  const field = button.closest("form").elements.text;
  field.value = `${button.dataset.command} `;
  field.focus();
  suggestCommands(field.form);
}

function focusComposer() {
  document.querySelector(".channel .composer textarea")?.focus();
}

function hideGettingStarted(isHidden) {
  document.getElementById("getting-started").hidden = isHidden;
  localStorage.setItem("getting-started", isHidden ? "hidden" : "");
}

// A list scrolled to its end stays there when it is resized.
const wasAtEnd = new WeakMap();
const resizeObserver = new ResizeObserver((entries) => {
  for (const { target } of entries) if (wasAtEnd.get(target) ?? true) target.scrollTop = target.scrollHeight;
});
document.addEventListener("scroll", ({ target }) => target.dataset?.scroll === undefined || wasAtEnd.set(target, isAtEnd(target)), true);

addEventListener("popstate", () => refresh("all"));
document.getElementById("getting-started").hidden = localStorage.getItem("getting-started") === "hidden";
for (const list of queryAll("[data-scroll]")) list.scrollTop = list.scrollHeight;
afterUpdate();
