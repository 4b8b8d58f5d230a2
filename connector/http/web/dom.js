// Elements without markup: whatever a stranger wrote becomes a text node, never a tag.

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, run] of Object.entries(value)) element.addEventListener(event, run);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

export const button = (text, run, kind = "", more = {}) =>
  h("button", { type: "button", class: kind, on: { click: run }, ...more }, text);

const said = document.getElementById("said");
let fading = 0;

// Tells the outcome of something, to eyes and to screen readers.
export function say(text, bad = false) {
  clearTimeout(fading);
  said.replaceChildren(h("p", { class: bad ? "bad" : "" }, text));
  fading = setTimeout(() => said.replaceChildren(), bad ? 15000 : 7000);
}

export const trouble = (error) => h("div", { class: "notice bad", role: "alert" }, h("strong", {}, "That did not work. "), error.message);

// Replaces what `place` shows only when it differs, so that a refresh disturbs neither reading nor focus.
export function show(place, ...children) {
  const next = h("div", {}, ...children);
  if (place.innerHTML !== next.innerHTML) place.replaceChildren(...next.childNodes);
}
