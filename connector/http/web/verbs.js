// What can be done to items and adapters: each asks the service first what it would do, shows that, and only
// then does it.
//   takes: the states; command: the service's, else "operate" with the name as its change; fields: given with it
//   named: for items that were chosen only, not for all that match; rare: offered only where it can be done
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
  move: {
    word: "Move", done: "moved", key: "m", takes: ["ready", "held", "failed"], command: "queue.move",
    tells: "Another adapter gets the mail, as a new item; names on the legacy side are made anew for it.",
  },
  requeue: {
    word: "Route again", done: "routed again", key: "u", takes: ["ready", "held", "failed"], command: "queue.requeue",
    tells: "Rules, address tables and routes of now say where each recipient goes, as if the mail came in now.",
  },
  replay: {
    word: "Replay", done: "replayed", key: "y", takes: ["exported"], command: "queue.replay", fields: { confirmed: "true" }, grave: true, named: true, rare: true,
    tells: "The mail was handed over already. The legacy side gets it a second time, as a new item that says so.",
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
    word: "It arrived", done: "resolved as exported", takes: ["in_doubt"], rare: true,
    tells: "You saw it on the legacy side. The item is done.",
  },
  "resolve-resend": {
    word: "It did not arrive: send again", done: "sent again", takes: ["in_doubt"], grave: true, rare: true,
    tells: "You saw that it is not on the legacy side. If it is there after all, its reader gets it twice.",
  },
  "resolve-failed": {
    word: "Give it up", done: "resolved as failed", takes: ["in_doubt"], grave: true, rare: true,
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
  box.querySelector("[data-first]")?.focus();
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
      h("span", { class: "soft" }, `${group.ids.length === 1 ? "item" : "items"} ${some(group.ids)}: `), group.text.replace(/^would be done: /, ""))));
}

// What the service is asked for: [command, fields].
const order = (name, fields) => (verbs[name].command ? [verbs[name].command, { ...fields, ...verbs[name].fields }] : ["operate", { ...fields, change: name }]);

// Where "move" goes to. `chosen` runs when there is an answer.
function adapterChoice(chosen) {
  const list = h("select", { name: "to_adapter", "data-first": true, on: { change: chosen } }, h("option", { value: "" }, "choose …"));
  look("status").then(({ rows }) => {
    const usable = rows.filter((row) => row.type === "adapter" && row.state !== "not configured");
    list.append(...usable.map((row) => h("option", { value: row.adapter }, `${row.adapter} (${row.kind}${row.state === "running" ? "" : `, ${row.state}`})`)));
  }, (error) => say(error.message, true));
  return list;
}

// `what`: {ids: [..]} or {filters: {..}} for every item that matches. `after` runs when something was done.
export function askOperate(name, what, after) {
  const verb = verbs[name];
  const fields = what.ids ? { ids: what.ids.join(" ") } : { ...what.filters };
  if (!what.ids && !Object.values(fields).some((value) => value !== "")) fields.all = "true";
  const about = what.ids?.length === 1 ? `item ${what.ids[0]}` : what.ids ? plural(what.ids.length, "item") : "all matching items";
  const title = name === "requeue" ? `Route ${about} again` : `${verb.word}${name.startsWith("resolve") ? ":" : ""} ${about}`;
  dialog(title, (close, box) => {
    const trial = h("div", { class: "trial", "aria-live": "polite" });
    const reason = h("input", { type: "text", name: "reason", maxlength: 200, autocomplete: "off", placeholder: "for the history; may be empty" });
    const go = button(verb.word, () => act(), verb.grave ? "grave" : "main", { disabled: true, "data-do": name });
    const cancel = button("Cancel", close);
    const target = name === "move" ? adapterChoice(() => tryNow()) : null;
    const extra = () => (target ? { to_adapter: target.value } : {});
    const form = h("form", { on: { submit: (event) => {
      event.preventDefault();
      if (!go.disabled) act();
    } } },
    h("p", {}, verb.tells), target ? h("label", { class: "field" }, "To adapter", target) : "", trial,
    h("label", { class: "field" }, "Reason", reason),
    h("div", { class: "row end" }, cancel, go));

    const act = async () => {
      go.disabled = true;
      go.textContent = "Working …";
      try {
        const { rows, more } = await run(...order(name, { ...fields, ...extra(), reason: reason.value }));
        const done = rows.filter((row) => row.done).length;
        const refused = rows.length - done;
        const text = verb.command && rows.length === 1 && done === 1 ? `Item ${rows[0].id}: ${rows[0].text}.`
          : `${plural(done, "item")} ${verb.done}${more ? `, and ${count(more)} more answers` : ""}${refused ? `, ${count(refused)} refused` : ""}.`;
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

    let asked = 0;  // an answer to an older question counts no more
    const tryNow = () => {
      const mine = ++asked;
      go.disabled = true;
      go.textContent = verb.word;
      if (target && !target.value) return trial.replaceChildren(h("p", { class: "soft" }, "Choose where to; then it is shown what would be done."));
      trial.replaceChildren(h("p", { class: "soft" }, "Asking what would be done …"));
      tryOut(name, fields, extra(), what, (children, able, total) => {
        if (mine !== asked) return;
        trial.replaceChildren(...children);
        if (!able) return target ? undefined : cancel.focus();
        go.disabled = false;
        if (!name.startsWith("resolve") && !verb.word.includes(" ")) go.textContent = `${verb.word} ${total}`;
        if (!target) reason.focus();
        if (!box.isConnected) close();
      });
    };
    tryNow();
    return [form];
  });
}

async function tryOut(name, fields, extra, what, ready) {
  try {
    const limited = what.ids ? {} : { limit: String(kTried) };
    const { rows } = await run(...order(name, { ...fields, ...extra, ...limited, dry_run: "true" }));
    const able = rows.filter((row) => row.done).length;
    let total = plural(able, "item"), rest = "";
    if (!what.ids && rows.length === kTried) {
      const all = await matching(name, fields);
      total = plural(all, "item");
      rest = h("p", {}, `The filters match ${total}; these are the first ${count(kTried)}.`);
    }
    const text = able > 0 ? "This would be done:" : rows.length > 0 ? "None of them can be changed so:" : "No item matches that this can be done to.";
    ready([h("p", {}, text), rest, rows.length ? outcomes(rows) : ""], able > 0, total);
  } catch (error) {
    ready([h("p", { class: "bad", role: "alert" }, error.message)], false);
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

const mayName = (name, verb) => (name.startsWith("resolve") ? "" : verb.key ? `${verb.word} (${verb.key})` : verb.word);

// Buttons for those verbs that an item of `state` takes; the answers to a doubt are asked for by themselves.
export const verbButtons = (state, act) =>
  Object.entries(verbs).filter(([name, verb]) => !name.startsWith("resolve") && verb.takes.includes(state))
    .map(([name, verb]) => button(verb.word, () => act(name), verb.grave ? "grave" : "", { "data-verb": name, title: mayName(name, verb) }));

// For several items: those that can always be seen, and the rare ones where some of `states` take them.
export const barButtons = (states, idle, everything, act) =>
  Object.entries(verbs).filter(([, verb]) => !verb.rare || (!idle && verb.takes.some((state) => states.has(state)) && !(everything && verb.named)))
    .map(([name, verb]) => button(verb.word, () => act(name), verb.grave ? "grave" : "", {
      disabled: idle || !verb.takes.some((state) => states.has(state)), "data-verb": name, title: mayName(name, verb) || verb.word }));

export const resolveButtons = (act) =>
  Object.entries(verbs).filter(([name]) => name.startsWith("resolve"))
    .map(([name, verb]) => button(verb.word, () => act(name), name === "resolve-exported" ? "main" : "", { "data-verb": name }));
