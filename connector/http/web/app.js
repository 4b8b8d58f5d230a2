// Which view is shown, who looks, and the keys that work everywhere.
import { h, trouble } from "./dom.js";
import { events } from "./events.js";
import { itemView } from "./item.js";
import { listen, live, start, stop } from "./live.js";
import { overview } from "./overview.js";
import { queue } from "./queue.js";
import { loginView, looks, showMe, whoAmI } from "./session.js";
import { asking, showKeys } from "./verbs.js";

const page = document.getElementById("page");
let view = null, before = "";

function choose(path, wanted) {
  if (!looks() || path === "login") return ["login", () => loginView(page)];
  if (path === "queue") return ["queue", () => queue(page, wanted)];
  if (path === "events") return ["events", () => events(page)];
  const item = /^item\/([1-9]\d{0,17})$/.exec(path);
  if (item) return ["queue", () => itemView(page, Number(item[1]))];
  return ["overview", () => overview(page)];
}

function route(moveFocus = true) {
  if (location.hash === "#page") return page.focus();  // the skip link
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  view?.end();
  document.querySelectorAll("dialog").forEach((box) => box.close());
  const [name, open] = choose(path, new URLSearchParams(query ?? ""));
  document.body.dataset.view = name;
  document.title = "Postern";
  for (const link of document.querySelectorAll("nav [data-view]"))
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  view = open();
  if (path !== before) scrollTo(0, 0);
  before = path;
  if (moveFocus && name !== "login") page.focus({ preventScroll: true });
}

async function whoIsIt() {
  try {
    await whoAmI();
  } catch (error) {
    page.replaceChildren(trouble(error));
    setTimeout(whoIsIt, 5000);
    return;
  }
  showMe(document.getElementById("me"));
  document.body.classList.toggle("outside", !looks());
  if (looks()) start();
  else stop();
  route(false);
}

listen((what) => {
  if (what !== "link") return;
  const place = document.getElementById("link");
  place.className = `link ${live.connected ? "on" : "off"}`;
  place.replaceChildren(h("span", { class: "lamp", "aria-hidden": "true" }), h("span", { class: "words" }, looks() ? (live.connected ? "live" : "connecting …") : ""));
  if (live.connected) view?.refresh?.();
});

let first = "";
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || asking() || !looks()) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea")) return;
  const places = { go: "#/", gq: "#/queue", ge: "#/events" };
  const pair = first + event.key;
  first = event.key === "g" ? "g" : "";
  if (places[pair]) location.hash = places[pair];
  else if (event.key === "?") showKeys();
  else if (event.key === "/" && view?.search) view.search();
  else if (event.key === "g" || !view?.key?.(event.key)) return;
  event.preventDefault();
});

addEventListener("hashchange", () => route());
addEventListener("postern:who", whoIsIt);
// The account is gone, or the service was started again: ask who we are, once, and show the form.
addEventListener("postern:login", () => {
  if (looks()) whoIsIt();
});
document.getElementById("keys").addEventListener("click", showKeys);
whoIsIt();
