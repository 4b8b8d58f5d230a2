// The list of items, a page at a time: a million of them cost no more than fifty.
import { look } from "./api.js";
import { button, h, trouble } from "./dom.js";
import { age, badge, count, plural, size } from "./format.js";
import { can } from "./session.js";
import { askOperate, asking, barButtons, verbs } from "./verbs.js";

const kPage = 50, kEvery = 5000, kTrail = 200;
const states = [["", "not settled"], ["ready", "ready"], ["claimed", "claimed"], ["publishing", "publishing"], ["held", "held"], ["in_doubt", "in doubt"],
  ["failed", "failed"], ["exported", "exported"], ["deleted", "deleted"], ["all", "all, settled too"]];
const texts = [["from", "Sender", "contains"], ["to", "Recipient", "contains"], ["error", "Reason", "contains"], ["older", "Older than", "90s, 2h, 7d"],
  ["message_id", "Message-ID", ""], ["ids", "Items", "3 5-7 m12"]];

const columns = [["id", "id"], ["state", "state"], ["who", "from and to"], ["what", "subject"], ["adapter", "adapter"],
  ["number age", "age"], ["number size", "size"], ["number attempts", "attempts"]];

// The fields of the request; "all" is a state here and a field of its own there.
function fieldsOf(wanted) {
  const fields = {};
  for (const name of ["adapter", "state", ...texts.map(([name]) => name)]) if (wanted.get(name)) fields[name] = wanted.get(name);
  if (fields.state === "all") {
    delete fields.state;
    fields.all = "true";
  }
  return fields;
}

const go = (wanted) => {
  location.hash = `#/queue?${wanted}`;
};

function filterForm(wanted, adapters) {
  const option = (value, text, now) => h("option", { value, selected: value === now }, text);
  const adapter = h("select", { name: "adapter" }, option("", "all", ""), [...new Set([...adapters, wanted.get("adapter") ?? ""])].filter(Boolean).map((name) => option(name, name, wanted.get("adapter"))));
  const state = h("select", { name: "state" }, states.map(([value, text]) => option(value, text, wanted.get("state") ?? "")));
  const fields = texts.map(([name, label, hint]) => h("label", { class: "field more" }, label,
    h("input", { type: "search", name, value: wanted.get(name) ?? "", placeholder: hint, autocomplete: "off", spellcheck: "false" })));
  const submit = (event) => {
    event?.preventDefault();
    const next = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value.trim()) next.set(name, value.trim());
    go(next);
  };
  const used = texts.some(([name]) => wanted.get(name));
  const toggle = button(used ? "Fewer filters" : "More filters", () => {
    toggle.textContent = form.classList.toggle("open") ? "Fewer filters" : "More filters";
  }, "quiet toggle");
  const form = h("form", { class: `card filters ${used ? "open" : ""}`, role: "search", "aria-label": "Filters", on: { submit } },
    h("label", { class: "field" }, "Adapter", adapter), h("label", { class: "field" }, "State", state), fields,
    h("div", { class: "row end" }, toggle, h("a", { href: "#/queue", class: "button" }, "Clear"), h("button", { type: "submit", class: "main" }, "Show")));
  adapter.addEventListener("change", submit);
  state.addEventListener("change", submit);
  return form;
}

function itemRow(row, chosen, pick) {
  const box = h("input", { type: "checkbox", "aria-label": `Select item ${row.id}`, checked: chosen, on: { change: (event) => pick(row, event.target.checked) } });
  const more = row.recipients > 1 ? h("span", { class: "soft" }, ` and ${count(row.recipients - 1)} more`) : "";
  return h("tr", { class: chosen ? "chosen" : "", "data-id": row.id },
    can("operator") ? h("td", { class: "pick" }, box) : "",
    h("th", { scope: "row", class: "id" }, h("a", { href: `#/item/${row.id}`, class: "open" }, String(row.id))),
    h("td", { class: "state" }, badge(row.state)),
    h("td", { class: "who long" }, h("span", { class: "line", title: row.sender }, row.sender), h("span", { class: "line", title: row.recipient }, h("span", { class: "soft", "aria-label": "to" }, "→ "), row.recipient, more)),
    h("td", { class: "what long" }, h("span", { class: "line subject", title: row.subject || null }, row.subject || h("span", { class: "soft" }, "(no subject)")), h("span", { class: "line soft", title: row.waits || row.reason || null }, row.waits || row.reason)),
    h("td", { "data-label": "adapter", class: "adapter" }, row.adapter),
    h("td", { class: "number age", "data-label": "age" }, age(row.received)),
    h("td", { class: "number size", "data-label": "size" }, size(row.size)),
    h("td", { class: "number attempts", "data-label": "attempts" }, count(row.attempts)));
}

export function queue(page, wanted) {
  const fields = fieldsOf(wanted);
  const trail = (wanted.get("trail") ?? "").split(",").filter(Boolean);
  const chosen = new Map();  // id -> state
  let everything = false, rows = [], more = false, timer = 0, ended = false, total = null, wait = kEvery;
  const form = h("div"), bar = h("div", { class: "bar", role: "group", "aria-label": "What to do with the selected items" });
  const list = h("div", { class: "card table" }), pager = h("nav", { class: "pager", "aria-label": "Pages" });
  page.replaceChildren(h("div", { class: "title" }, h("h1", {}, "Queue"), h("p", { class: "soft facts", id: "total" })), form, bar, list, pager);
  list.append(h("p", { class: "soft hint" }, "…"));

  const act = (name) => {
    if ((!everything && chosen.size === 0) || (everything && verbs[name].named)) return;
    askOperate(name, everything ? { filters: fields } : { ids: [...chosen.keys()] }, () => {
      chosen.clear();
      everything = false;
      refresh();
    });
  };
  const pick = (row, is) => {
    everything = false;
    if (is) chosen.set(row.id, row.state);
    else chosen.delete(row.id);
    list.querySelector(`tr[data-id="${row.id}"]`)?.classList.toggle("chosen", is);
    drawBar();
  };
  const pickAll = (is) => {
    everything = false;
    for (const row of rows) if (is) chosen.set(row.id, row.state);
      else chosen.delete(row.id);
    draw();
  };
  const page_ = (after, steps) => {
    const next = new URLSearchParams(wanted);
    if (after) next.set("after", after);
    else next.delete("after");
    if (steps.length) next.set("trail", steps.slice(-kTrail).join(","));
    else next.delete("trail");
    go(next);
  };
  const forward = () => more && page_(String(rows.at(-1).id), [...trail, wanted.get("after") || "0"]);
  const back = () => wanted.get("after") && page_(trail.at(-1) === "0" ? "" : trail.at(-1) ?? "", trail.slice(0, -1));

  const drawBar = () => {
    if (!can("operator")) return bar.replaceChildren();
    const whole = rows.length > 0 && rows.every((row) => chosen.has(row.id));
    const words = everything ? `All items that match${total === null ? "" : `: ${count(total)}`}` : chosen.size ? `${plural(chosen.size, "item")} selected` : "Select items to change them";
    // Of all that match only a filter tells the state: what is settled or in doubt is changed where it is named.
    const offered = new Set(!everything ? chosen.values() : fields.state ? [fields.state] : ["ready", "held"]);
    const idle = !everything && chosen.size === 0;
    bar.classList.toggle("idle", idle);
    bar.replaceChildren(h("span", { class: "words" }, words),
      rows.length ? button(whole ? "Select none" : "Select this page", () => pickAll(!whole), "quiet page") : "",
      whole && !everything && (more || wanted.get("after")) ? button("Select all that match the filters", () => {
        everything = true;
        drawBar();
      }, "quiet", { id: "everything" }) : "",
      h("span", { class: "row" }, barButtons(offered, idle, everything, act)));
  };

  const draw = () => {
    const whole = rows.length > 0 && rows.every((row) => chosen.has(row.id));
    const head = h("input", { type: "checkbox", "aria-label": "Select all of this page", id: "all", checked: whole, on: { change: (event) => pickAll(event.target.checked) } });
    const heads = columns.map(([kind, name]) => h("th", { scope: "col", class: kind }, name));
    const widths = h("colgroup", {}, can("operator") ? h("col", { class: "pick" }) : "", columns.map(([kind]) => h("col", { class: kind.replace("number ", "") })));
    list.replaceChildren(rows.length === 0
      ? h("p", { class: "empty" }, Object.keys(fields).length ? "No item matches these filters." : "Nothing waits. All mail is where it belongs.")
      : h("table", { class: "cards items" }, widths, h("thead", {}, h("tr", {}, can("operator") ? h("th", { class: "pick" }, head) : "", heads)),
        h("tbody", {}, rows.map((row) => itemRow(row, chosen.has(row.id), pick)))));
    pager.replaceChildren(...(more || wanted.get("after") ? [
      button("← Previous", back, "", { disabled: !wanted.get("after") }), h("span", { class: "soft" }, `page ${trail.length + 1}`),
      button("Next →", forward, "", { disabled: !more })] : []));
    drawBar();
  };

  // The states of adapters are counted by the store's index: the total costs nothing, where it is one.
  const counted = (status) => {
    const known = Object.keys(fields).every((name) => ["adapter", "state"].includes(name)) && !["failed", "exported", "deleted"].includes(fields.state);
    if (!known) return null;
    const names = fields.state ? [fields.state] : ["ready", "claimed", "publishing", "held", "in_doubt"];
    return status.filter((row) => !fields.adapter || row.adapter === fields.adapter)
      .reduce((sum, row) => sum + names.reduce((part, name) => part + (row[name] ?? 0), 0), 0);
  };

  const refresh = async () => {
    clearTimeout(timer);
    const began = performance.now();
    try {
      const [answer, status] = await Promise.all([look("queue.list", { ...fields, after: wanted.get("after") ?? "", limit: String(kPage + 1) }), look("status")]);
      if (ended) return;
      const adapters = status.rows.filter((row) => row.type === "adapter");
      if (!form.firstChild) form.append(filterForm(wanted, adapters.map((row) => row.adapter)));
      more = answer.rows.length > kPage;
      rows = answer.rows.slice(0, kPage);
      total = counted(adapters);
      document.getElementById("total").textContent = total === null ? "" : plural(total, "item");
      for (const row of rows) if (chosen.has(row.id)) chosen.set(row.id, row.state);
      draw();
    } catch (error) {
      if (ended) return;
      if (!form.firstChild) form.append(filterForm(wanted, []));
      list.replaceChildren(trouble(error));
    }
    wait = Math.max(kEvery, 10 * (performance.now() - began));  // a slow question is asked less often
    later();
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (document.hidden || asking() || list.contains(document.activeElement) || bar.contains(document.activeElement) ? later() : refresh()), wait);
  };
  refresh();

  const step = (by) => {
    const links = [...list.querySelectorAll("a.open")];
    const at = links.findIndex((each) => each.closest("tr").contains(document.activeElement));
    links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
  };
  const here = () => rows.find((row) => String(row.id) === document.activeElement.closest?.("tr")?.dataset.id);
  const toggle = () => {
    const row = here();
    const box = row && list.querySelector(`tr[data-id="${row.id}"] input`);
    if (box) box.click();
  };
  const keys = { j: () => step(1), k: () => step(-1), n: forward, p: back, x: toggle, a: () => can("operator") && list.querySelector("#all")?.click() };
  return {
    refresh,
    search: () => form.querySelector("input, select")?.focus(),
    key(key) {
      if (keys[key]) keys[key]();
      const found = Object.entries(verbs).find(([, verb]) => verb.key === key);
      if (found && can("operator")) {
        const row = here();
        if (chosen.size === 0 && !everything && row) askOperate(found[0], { ids: [row.id] }, refresh);
        else act(found[0]);
      }
      return Boolean(keys[key] || found);
    },
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}
