// Events as they happen.
import { button, h } from "./dom.js";
import { clock } from "./format.js";
import { listen, live } from "./live.js";

const kShown = 200;

const line = (event) => h("li", { class: `event sev-${event.severity}` },
  h("time", { datetime: event.at, title: event.at }, clock(event.at)),
  h("span", { class: "what" }, event.event),
  event.item ? h("a", { href: `#/item/${event.item}` }, `item ${event.item}`) : h("span"),
  h("span", { class: "text" }, event.text));

const kinds = [["", "everything"], ["item", "items"], ["adapter", "adapters"], ["session", "sessions"], ["auth", "log-ons"], ["control", "what operators do"]];

export function events(page) {
  let paused = false;
  const word = h("input", { type: "search", name: "word", placeholder: "any word", autocomplete: "off" });
  const kind = h("select", { name: "kind" }, kinds.map(([value, text]) => h("option", { value }, text)));
  const grave = h("input", { type: "checkbox", name: "grave" });
  const pause = button("Pause", () => {
    paused = !paused;
    pause.textContent = paused ? "Go on" : "Pause";
    pause.setAttribute("aria-pressed", String(paused));
    draw();
  }, "", { "aria-pressed": "false" });
  const list = h("ol", { class: "events card", role: "log", "aria-live": "off", tabindex: "0", "aria-label": "Events, newest first" });
  const missed = h("p", { class: "soft" });
  const wanted = (event) =>
    event.event.startsWith(kind.value) && (!grave.checked || ["warning", "error"].includes(event.severity)) &&
    (word.value === "" || `${event.event} ${event.text}`.toLowerCase().includes(word.value.toLowerCase()));
  const draw = () => {
    if (paused) return;
    const shown = live.events.filter(wanted).slice(-kShown).reverse();
    list.replaceChildren(...(shown.length ? shown.map(line) : [h("li", { class: "soft none" }, "Nothing has happened yet that fits.")]));
    missed.textContent = live.missed ? `${live.missed} events came too fast to be shown.` : "";
  };
  for (const field of [word, kind, grave]) field.addEventListener("input", draw);
  page.replaceChildren(h("div", { class: "title" }, h("h1", {}, "Events"), pause),
    h("div", { class: "card filters" }, h("label", { class: "field" }, "Kind", kind), h("label", { class: "field" }, "Contains", word),
      h("label", { class: "tickbox" }, grave, " warnings and errors only")),
    list, missed);
  draw();
  const deaf = listen((what) => what === "events" && draw());
  return { end: deaf, search: () => word.focus() };
}
