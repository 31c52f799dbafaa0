// Comboboxes for Block Kit's selects: a text field that opens a list of options and filters it.

const OPTIONS_DELAY_MS = 200;

export function initComboboxes({ positionPopup, select, fetchNodes }) {
  const getParts = (field) => {
    const root = field.closest("[data-combobox]");
    const list = root.querySelector("[role=listbox]");
    return { root, list, options: [...list.querySelectorAll("[role=option]")] };
  };
  const isOpen = (field) => field.getAttribute("aria-expanded") === "true";

  function open(field) {
    if (isOpen(field)) return;
    const { list, options } = getParts(field);
    field.setAttribute("aria-expanded", "true");
    list.showPopover();
    field.select();
    filter(field, "");
    positionPopup(list, field);
    activate(field, options.find((option) => option.ariaSelected === "true") ?? options[0]);
  }

  function close(field) {
    if (!isOpen(field)) return;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
    getParts(field).list.hidePopover();
    field.value = field.getAttribute("value");
  }

  function filter(field, query) {
    const { list, options } = getParts(field);
    const words = query.toLowerCase().split(/\s+/);
    for (const option of options) option.hidden = !words.every((word) => option.textContent.toLowerCase().includes(word));
    for (const group of list.querySelectorAll("[role=group]")) group.hidden = !group.querySelector("[role=option]:not([hidden])");
    const matches = options.filter((option) => !option.hidden);
    list.querySelector(".no-results").hidden = matches.length > 0;
    activate(field, matches[0]);
  }

  function activate(field, option) {
    for (const other of getParts(field).options) delete other.dataset.active;
    if (!option) return field.removeAttribute("aria-activedescendant");
    option.dataset.active = "";
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  }

  function moveActive(field, by) {
    const visible = getParts(field).options.filter((option) => !option.hidden);
    const index = visible.findIndex((option) => "active" in option.dataset);
    activate(field, visible[(index + by + visible.length) % visible.length]);
  }

  function choose(field, option) {
    if (!option) return;
    field.setAttribute("value", option.querySelector("span").textContent);
    close(field);
    select(field, [option.dataset.value]);
  }

  let timer = 0;
  function loadOptions(field, { root, list }) {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const params = new URLSearchParams({ query: field.value, field: field.id });
      list.replaceChildren(...(await fetchNodes(`${root.dataset.optionsUrl}&${params}`)));
      filter(field, "");
    }, OPTIONS_DELAY_MS);
  }

  document.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option.closest("[data-combobox]").querySelector("input"), option);
    else if (event.target.matches("[role=combobox]")) open(event.target);
  });
  // Pressing the mouse on the list must not blur the field, which would close the list.
  document.addEventListener("mousedown", (event) => event.target.closest("[role=listbox]") && event.preventDefault());
  document.addEventListener("focusout", (event) => event.target.matches("[role=combobox]") && close(event.target));
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches("[role=combobox]")) return;
    const query = field.value;
    open(field);
    field.value = query;
    const { root, list } = getParts(field);
    if (root.dataset.optionsUrl) loadOptions(field, { root, list });
    else filter(field, query);
  });
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!field.matches?.("[role=combobox]")) return;
    const keys = {
      ArrowDown: () => (isOpen(field) ? moveActive(field, 1) : open(field)),
      ArrowUp: () => (isOpen(field) ? moveActive(field, -1) : open(field)),
      Enter: () => (isOpen(field) ? choose(field, getParts(field).list.querySelector("[data-active]")) : open(field)),
      Escape: () => close(field),
    };
    if (!(event.key in keys) || (event.key === "Escape" && !isOpen(field))) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });
}
