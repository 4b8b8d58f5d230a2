// How it stands: what needs a person, what waits, how fast it goes, and each adapter.
import { look } from "./api.js";
import { button, h, show, trouble } from "./dom.js";
import { age, ageOf, badge, count, moment, plural, size, span, withoutUntil } from "./format.js";
import { listen, live, oldest, throughput } from "./live.js";
import { Plot } from "./plot.js";
import { can } from "./session.js";
import { askResume, askSuspend, testAdapter } from "./verbs.js";

const kEvery = 4000;
const going = ["ready", "claimed", "publishing"];
const tips = { ready: "due or waiting for their time", claimed: "being prepared", publishing: "being handed over" };

const link = (fields, ...children) => h("a", { href: `#/queue?${new URLSearchParams(fields)}` }, ...children);
const sumOf = (rows, state) => rows.reduce((sum, row) => sum + (row[state] ?? 0), 0);

const needs = {
  in_doubt: ["It is not known whether it arrived. Look on the legacy side, then say what you saw.", "It is not known whether they arrived. Look on the legacy side, then say what you saw."],
  held: ["It waits until somebody releases, bounces or deletes it.", "They wait until somebody releases, bounces or deletes them."],
};

function ofState(state) {
  const ages = live.samples.at(-1)?.ages ?? [];
  return Math.max(0, ...ages.filter((row) => row.labels.state === state).map((row) => row.value));
}

function alarms(rows, troubles) {
  const list = [];
  if (live.samples.at(-1)?.broken)
    list.push(h("div", { class: "alarm bad" }, h("strong", {}, "The store is broken"), h("p", {}, "It refuses writes until the next start. See the log.")));
  for (const state of ["in_doubt", "held"]) {
    const number = sumOf(rows, state);
    if (number === 0) continue;
    const since = ofState(state);
    list.push(h("a", { class: `alarm ${state}`, href: `#/queue?state=${state}` },
      h("strong", {}, `${count(number)} ${state === "in_doubt" ? "in doubt" : "held"}`),
      h("p", {}, needs[state][number === 1 ? 0 : 1]), since > 0 ? h("p", { class: "soft" }, `${number === 1 ? "it" : "the oldest"} came in ${span(since)} ago`) : ""));
  }
  for (const row of rows.filter((each) => each.state === "unhealthy"))
    list.push(h("div", { class: "alarm bad" }, h("strong", {}, `${row.adapter} can not deliver`), h("p", {}, row.reason || row.waits || ""),
      row.since ? h("p", { class: "soft" }, `since ${ageOf(row.since)}`) : ""));
  for (const { about, text } of troubles)
    list.push(h("div", { class: "alarm trouble" }, h("strong", {}, about), h("p", {}, text)));
  return list.length ? list : [h("p", { class: "calm" }, h("span", { class: "tick", "aria-hidden": "true" }, "✓"), " Nothing needs you: no item is held or in doubt, and every adapter can deliver.")];
}

const tiles = (rows) => going.map((state) =>
  h("a", { class: "card tile", href: `#/queue?state=${state}` },
    h("span", { class: "label" }, state), h("strong", {}, count(sumOf(rows, state))), h("span", { class: "soft" }, tips[state])));

function deeds(row, refresh) {
  if (!can("operator") || row.state === "not configured") return "";
  return [
    button("Test", () => testAdapter(row.adapter), "small", { "aria-label": `Test ${row.adapter}`, "data-adapter": `test ${row.adapter}` }),
    row.state === "suspended"
      ? button("Resume", () => askResume(row, refresh), "small", { "aria-label": `Resume ${row.adapter}`, "data-adapter": `resume ${row.adapter}` })
      : button("Suspend", () => askSuspend(row, refresh), "small", { "aria-label": `Suspend ${row.adapter}`, "data-adapter": `suspend ${row.adapter}` }),
  ];
}

function adapterRow(row, refresh) {
  const ages = live.samples.at(-1)?.ages ?? [];
  const oldest = (state) => ages.find(({ labels }) => labels.adapter === row.adapter && labels.state === state)?.value;
  const number = (state) => h("td", { class: "number", "data-label": state.replace("_", " ") },
    row[state] ? [link({ adapter: row.adapter, state }, count(row[state])), oldest(state) ? h("span", { class: "soft since", title: "the oldest of them came in so long ago" }, span(oldest(state))) : ""]
      : h("span", { class: "zero" }, "0"));
  return h("tr", {},
    h("th", { scope: "row" }, link({ adapter: row.adapter }, row.adapter), h("span", { class: "soft kind" }, row.kind)),
    h("td", { "data-label": "state" }, badge(row.state)),
    ["ready", "claimed", "publishing", "held", "in_doubt"].map(number),
    h("td", { "data-label": "oldest", class: "number" }, row.oldest ? age(row.oldest) : h("span", { class: "zero" }, "–")),
    h("td", { class: "why", "data-label": "waits" }, withoutUntil(row.waits, row.waits_until), row.waits_until ? [" ", h("span", { class: "soft" }, "until ", moment(row.waits_until))] : ""),
    h("td", { class: "deeds" }, deeds(row, refresh)));
}

// Puts the new table in the place of the old one; what had the focus keeps it.
function redraw(place, table) {
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const adapter = focused?.dataset.adapter?.replace(/^\S+ /, ""), to = focused?.getAttribute("href");
  if (place.firstChild?.outerHTML === table.outerHTML) return;
  place.replaceChildren(table);
  if (!focused) return;
  const same = [...table.querySelectorAll("a, button")].filter((each) => (to ? each.getAttribute("href") === to : each.dataset.adapter?.endsWith(` ${adapter}`)));
  (same.find((each) => each.dataset.adapter === focused.dataset.adapter) ?? same.at(-1))?.focus();
}

const adapterTable = (rows, refresh) => h("table", { class: "cards" },
  h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "adapter"), h("th", { scope: "col" }, "state"),
    ["ready", "claimed", "publishing", "held", "in doubt", "oldest"].map((name) => h("th", { scope: "col", class: "number" }, name)),
    h("th", { scope: "col" }, "waits because"), h("th", { scope: "col" }, h("span", { class: "hidden" }, "what to do")))),
  h("tbody", {}, rows.map((row) => adapterRow(row, refresh))));

function serviceLine(service) {
  const free = live.samples.at(-1)?.free;
  const facts = [
    service.version && `version ${service.version}`,
    service.started && `up for ${ageOf(service.started)}`,
    service.sessions !== undefined && plural(service.sessions, "open session"),
    free !== undefined && `${size(free)} free${service.full_in_s != null ? `, full in ${span(service.full_in_s)}` : ""}`,
  ];
  return h("p", { class: "soft facts" }, facts.filter(Boolean).join("  ·  "));
}

export function overview(page) {
  const parts = { line: h("div"), alarms: h("section", { class: "alarms", "aria-label": "What needs a person" }), tiles: h("div", { class: "tiles" }),
    adapters: h("div", { class: "card table" }) };
  const speed = new Plot("Exported in a minute", (value, axis) => (axis || value >= 10 ? count(Math.round(value)) : String(Math.round(value * 10) / 10)), [10, 20, 50, 100, 200, 500, 1000],
    "The first measures are on their way …");
  const aged = new Plot("Oldest that waits", (value) => span(value), [10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800],
    "The first measures are on their way …");
  page.replaceChildren(h("div", { class: "title" }, h("h1", {}, "Overview"), parts.line), parts.alarms, parts.tiles,
    h("div", { class: "plots" }, speed.element, aged.element), h("h2", {}, "Adapters"), parts.adapters);
  let timer = 0, ended = false;
  const draw = () => {
    speed.update(throughput());
    aged.update(oldest());
  };
  const refresh = async () => {
    clearTimeout(timer);
    const began = performance.now();
    try {
      const { rows } = document.hidden ? { rows: null } : await look("status");
      if (ended) return;
      if (rows) update(rows[0], rows.filter((row) => row.type === "adapter"), rows.filter((row) => row.type === "trouble"));
    } catch (error) {
      if (ended) return;
      parts.alarms.replaceChildren(trouble(error));
    }
    timer = setTimeout(refresh, Math.max(kEvery, 10 * (performance.now() - began)));
  };
  const update = (service, rows, troubles) => {
    show(parts.line, serviceLine(service));
    show(parts.alarms, ...alarms(rows, troubles));
    show(parts.tiles, ...tiles(rows));
    redraw(parts.adapters, adapterTable(rows, refresh));
    const doubts = sumOf(rows, "in_doubt");
    document.title = doubts ? `(${doubts} in doubt) Postern` : "Postern";
  };
  draw();
  refresh();
  const deaf = listen((what) => what === "measures" && draw());
  return {
    refresh,
    end() {
      ended = true;
      clearTimeout(timer);
      deaf();
      speed.end();
      aged.end();
    },
  };
}
