// The selects of Block Kit: a field that opens a list, and searches it as one types.

const PAUSE = 200;

export function choosing({ place, change, html }) {
  const parts = (field) => {
    const root = field.closest("[data-choose]");
    const list = root.querySelector("[role=listbox]");
    return { root, list, options: [...list.querySelectorAll("[role=option]")] };
  };
  const isOpen = (field) => field.getAttribute("aria-expanded") === "true";

  function open(field) {
    if (isOpen(field)) return;
    const { list, options } = parts(field);
    field.setAttribute("aria-expanded", "true");
    list.showPopover();
    field.select();
    search(field, "");
    place(list, field);
    activate(field, options.find((option) => option.ariaSelected === "true") ?? options[0]);
  }

  function close(field) {
    if (!isOpen(field)) return;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
    parts(field).list.hidePopover();
    field.value = field.getAttribute("value");
  }

  function search(field, query) {
    const { list, options } = parts(field);
    const words = query.toLowerCase().split(/\s+/);
    for (const option of options) option.hidden = !words.every((word) => option.textContent.toLowerCase().includes(word));
    for (const group of list.querySelectorAll("[role=group]")) group.hidden = !group.querySelector("[role=option]:not([hidden])");
    const found = options.filter((option) => !option.hidden);
    list.querySelector(".none").hidden = found.length > 0;
    activate(field, found[0]);
  }

  function activate(field, option) {
    for (const other of parts(field).options) delete other.dataset.active;
    if (!option) return field.removeAttribute("aria-activedescendant");
    option.dataset.active = "";
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  }

  function step(field, by) {
    const found = parts(field).options.filter((option) => !option.hidden);
    const now = found.findIndex((option) => "active" in option.dataset);
    activate(field, found[(now + by + found.length) % found.length]);
  }

  function choose(field, option) {
    if (!option) return;
    field.setAttribute("value", option.querySelector("span").textContent);
    close(field);
    change(field, [option.dataset.value]);
  }

  let waiting = 0;
  function suggest(field, { root, list }) {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const about = new URLSearchParams({ query: field.value, field: field.id });
      list.replaceChildren(...(await html(`${root.dataset.suggest}&${about}`)));
      search(field, "");
    }, PAUSE);
  }

  document.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option.closest("[data-choose]").querySelector("input"), option);
    else if (event.target.matches("[role=combobox]")) open(event.target);
  });
  // Pressing on the list must not take the focus, and with it the list, away.
  document.addEventListener("mousedown", (event) => event.target.closest("[role=listbox]") && event.preventDefault());
  document.addEventListener("focusout", (event) => event.target.matches("[role=combobox]") && close(event.target));
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches("[role=combobox]")) return;
    const typed = field.value;
    open(field);
    field.value = typed;
    const { root, list } = parts(field);
    if (root.dataset.suggest) suggest(field, { root, list });
    else search(field, typed);
  });
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!field.matches?.("[role=combobox]")) return;
    const keys = {
      ArrowDown: () => (isOpen(field) ? step(field, 1) : open(field)),
      ArrowUp: () => (isOpen(field) ? step(field, -1) : open(field)),
      Enter: () => (isOpen(field) ? choose(field, parts(field).list.querySelector("[data-active]")) : open(field)),
      Escape: () => close(field),
    };
    if (!(event.key in keys) || (event.key === "Escape" && !isOpen(field))) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });
}
