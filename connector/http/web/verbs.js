// What can be done to items and adapters: each asks the service first what it would do, shows that, and only
// then does it.
import { run, look } from "./api.js";
import { button, h, say } from "./dom.js";
import { count, plural } from "./format.js";

export const verbs = {
  hold: { word: "Hold", done: "held", key: "h", takes: ["ready"], tells: "Held items wait until somebody releases them." },
  release: { word: "Release", done: "released", key: "l", takes: ["held"], tells: "Released items are due at once." },
  retry: {
    word: "Retry", done: "due now", key: "r", takes: ["ready", "failed"],
    tells: "Due at once. A failed item is tried again for the recipients that failed.",
  },
  bounce: {
    word: "Bounce", done: "bounced", key: "b", takes: ["ready", "held", "failed", "in_doubt"], grave: true,
    tells: "Nothing more is tried, and the sender is told that the mail was not delivered.",
  },
  delete: {
    word: "Delete", done: "deleted", key: "d", takes: ["ready", "held", "failed", "in_doubt"], grave: true,
    tells: "Nothing more is tried, and the sender is not told. The mail stays readable until it is purged.",
  },
  "resolve-exported": {
    word: "It arrived", done: "resolved as exported", takes: ["in_doubt"],
    tells: "You saw it on the legacy side. The item is done.",
  },
  "resolve-resend": {
    word: "It did not arrive: send again", done: "sent again", takes: ["in_doubt"], grave: true,
    tells: "You saw that it is not on the legacy side. If it is there after all, its reader gets it twice.",
  },
  "resolve-failed": {
    word: "Give it up", done: "resolved as failed", takes: ["in_doubt"], grave: true,
    tells: "The item fails, and the sender is told that the mail was not delivered.",
  },
};

const kTried = 200;  // of many: the rest is counted, not shown

let open = null;
export const asking = () => open !== null;

// A dialog; `make(close)` gives its children. It ends with Escape, and focus goes back to where it was.
export function dialog(title, make) {
  const before = document.activeElement;
  const box = h("dialog", { class: "ask", "aria-labelledby": "ask-title" });
  const close = () => box.close();
  box.append(h("h2", { id: "ask-title", tabindex: "-1" }, title), ...make(close, box));
  box.addEventListener("close", () => {
    box.remove();
    open = null;
    if (before?.isConnected) before.focus();
    else document.getElementById("page").focus();
  });
  document.body.append(box);
  open = box;
  box.showModal();
  return box;
}

// "3, 5 and 12 more".
function some(ids) {
  const first = ids.slice(0, 8).join(", ");
  return ids.length > 8 ? `${first} and ${count(ids.length - 8)} more` : first;
}

// Rows with equal texts become one line.
export function outcomes(rows) {
  const groups = new Map();
  for (const row of rows) {
    const key = `${row.done} ${row.text}`;
    if (!groups.has(key)) groups.set(key, { done: row.done, text: row.text, ids: [] });
    groups.get(key).ids.push(row.id);
  }
  return h("ul", { class: "outcomes" }, [...groups.values()].map((group) =>
    h("li", { class: group.done ? "good" : "bad" },
      h("span", {}, group.text.replace(/^would be done: /, "")), " ", h("span", { class: "soft" }, `${group.ids.length === 1 ? "item" : "items"} ${some(group.ids)}`))));
}

// `what`: {ids: [..]} or {filters: {..}} for every item that matches. `after` runs when something was done.
export function askOperate(name, what, after) {
  const verb = verbs[name];
  const fields = what.ids ? { ids: what.ids.join(" ") } : { ...what.filters };
  if (!what.ids && !Object.values(fields).some((value) => value !== "")) fields.all = "true";
  const about = what.ids?.length === 1 ? `item ${what.ids[0]}` : what.ids ? plural(what.ids.length, "item") : "all matching items";
  dialog(`${verb.word}${name.startsWith("resolve") ? ":" : ""} ${about}`, (close, box) => {
    const trial = h("div", { class: "trial", "aria-live": "polite" }, h("p", { class: "soft" }, "Asking what would be done …"));
    const reason = h("input", { type: "text", name: "reason", maxlength: 200, autocomplete: "off", placeholder: "for the history; may be empty" });
    const go = button(verb.word, () => act(), verb.grave ? "grave" : "main", { disabled: true, "data-do": name });
    const cancel = button("Cancel", close);
    const form = h("form", { on: { submit: (event) => {
      event.preventDefault();
      if (!go.disabled) act();
    } } },
    h("p", {}, verb.tells), trial,
    h("label", { class: "field" }, "Reason", reason),
    h("div", { class: "row end" }, cancel, go));

    const act = async () => {
      go.disabled = true;
      go.textContent = "Working …";
      try {
        const { rows, more } = await run("operate", { ...fields, change: name, reason: reason.value });
        const done = rows.filter((row) => row.done).length;
        const refused = rows.length - done;
        const text = `${plural(done, "item")} ${verb.done}${more ? `, and ${count(more)} more answers` : ""}${refused ? `, ${count(refused)} refused` : ""}.`;
        say(text, done === 0);
        after?.();
        if (refused === 0) return close();
        trial.replaceChildren(h("p", {}, text), outcomes(rows));
        go.remove();
        cancel.textContent = "Close";
        cancel.focus();
      } catch (error) {
        trial.replaceChildren(h("p", { class: "bad", role: "alert" }, error.message), error.rows.length ? outcomes(error.rows) : "");
        go.textContent = verb.word;
        go.disabled = false;
      }
    };

    tryOut(name, fields, what, trial, (able, total) => {
      if (!able) return cancel.focus();
      go.disabled = false;
      if (!name.startsWith("resolve")) go.textContent = `${verb.word} ${total}`;
      reason.focus();
      if (!box.isConnected) close();
    });
    return [form];
  });
}

async function tryOut(name, fields, what, place, ready) {
  try {
    const limited = what.ids ? {} : { limit: String(kTried) };
    const { rows } = await run("operate", { ...fields, ...limited, change: name, dry_run: "true" });
    const able = rows.filter((row) => row.done).length;
    let total = plural(able, "item"), rest = "";
    if (!what.ids && rows.length === kTried) {
      const all = await matching(name, fields);
      total = plural(all, "item");
      rest = h("p", {}, `The filters match ${total}; these are the first ${count(kTried)}.`);
    }
    const text = able > 0 ? "This would be done:" : rows.length > 0 ? "None of them can be changed so:" : "No item matches that this can be done to.";
    place.replaceChildren(h("p", {}, text), rest, rows.length ? outcomes(rows) : "");
    ready(able > 0, total);
  } catch (error) {
    place.replaceChildren(h("p", { class: "bad", role: "alert" }, error.message));
    ready(false);
  }
}

// How many the verb would take; counted by the service.
async function matching(name, fields) {
  const { rows } = await look("queue.summary", Object.fromEntries(Object.entries(fields).filter(([field]) => field !== "limit")));
  return rows.filter((row) => verbs[name].takes.includes(row.state)).reduce((sum, row) => sum + row.items, 0);
}

export async function testAdapter(name) {
  try {
    const { rows } = await run("adapter.test", { name });
    say(rows.map((row) => `${row.adapter}: ${row.ok ? "usable" : "not usable"}. ${row.text}`).join(" "), rows.some((row) => !row.ok));
  } catch (error) {
    say(error.message, true);
  }
}

const lengths = [["", "until somebody resumes it"], ["1", "for an hour"], ["4", "for four hours"], ["24", "for a day"]];

export function askSuspend(row, after) {
  dialog(`Suspend ${row.adapter}`, (close) => {
    const reason = h("input", { type: "text", name: "reason", maxlength: 200, autocomplete: "off", placeholder: "for those who wonder why" });
    const hours = h("select", { name: "until" }, lengths.map(([value, text]) => h("option", { value }, text)));
    const wrong = h("p", { class: "bad", role: "alert" });
    const waits = (row.ready ?? 0) + (row.claimed ?? 0) + (row.publishing ?? 0);
    const act = async (event) => {
      event.preventDefault();
      const until = hours.value ? String(Date.now() + Number(hours.value) * 3600000) : "";
      try {
        const { rows } = await run("adapter.suspend", { name: row.adapter, reason: reason.value, until });
        say(`${row.adapter}: ${rows[0].text}`);
        after();
        close();
      } catch (error) {
        wrong.textContent = error.message;
      }
    };
    return [h("form", { on: { submit: act } },
      h("p", {}, `Nothing more of it is begun. Mail is still taken in and waits; ${plural(waits, "item")} of it ${waits === 1 ? "waits" : "wait"} now.`),
      h("label", { class: "field" }, "How long", hours),
      h("label", { class: "field" }, "Reason", reason), wrong,
      h("div", { class: "row end" }, button("Cancel", close), h("button", { type: "submit", class: "main", "data-do": "suspend" }, "Suspend")))];
  });
}

export function askResume(row, after) {
  dialog(`Resume ${row.adapter}`, (close) => {
    const wrong = h("p", { class: "bad", role: "alert" });
    const act = async () => {
      try {
        const { rows } = await run("adapter.resume", { name: row.adapter });
        say(`${row.adapter}: ${rows[0].text}`);
        after();
        close();
      } catch (error) {
        wrong.textContent = error.message;
      }
    };
    return [h("p", {}, row.waits || "It is suspended."), h("p", {}, "What is due is begun at once."), wrong,
      h("div", { class: "row end" }, button("Cancel", close), button("Resume", act, "main", { "data-do": "resume" }))];
  });
}

const shortcuts = [
  ["g o", "overview"], ["g q", "queue"], ["g e", "events"], ["/", "to the filters of the queue"],
  ["j  k", "next, previous item of the list"], ["Enter", "open the item"], ["x", "select the item"], ["a", "select all of the page"],
  ["n  p", "next, previous page"],
  ...Object.values(verbs).filter((verb) => verb.key).map((verb) => [verb.key, `${verb.word.toLowerCase()}: asks first`]),
  ["?", "this list"], ["Esc", "close a dialog"],
];

export function showKeys() {
  dialog("Keyboard shortcuts", (close) => [
    h("dl", { class: "keys" }, shortcuts.map(([keys, text]) =>
      [h("dt", {}, keys.split(" ").filter(Boolean).map((key) => h("kbd", {}, key))), h("dd", {}, text)])),
    h("div", { class: "row end" }, button("Close", close, "main", { autofocus: true }))]);
}

// Buttons for those verbs that some of `states` take.
export const verbButtons = (states, act) =>
  Object.entries(verbs).filter(([name, verb]) => !name.startsWith("resolve") && verb.takes.some((state) => states.has(state)))
    .map(([name, verb]) => button(verb.word, () => act(name), verb.grave ? "grave" : "", { "data-verb": name, title: `${verb.word} (${verb.key})` }));

export const resolveButtons = (act) =>
  Object.entries(verbs).filter(([name]) => name.startsWith("resolve"))
    .map(([name, verb]) => button(verb.word, () => act(name), name === "resolve-exported" ? "main" : "", { "data-verb": name }));
