// Everything about one item: where it stands, its recipients, its history, the mail itself.
import { look, original } from "./api.js";
import { h, trouble } from "./dom.js";
import { age, badge, count, moment, size, withoutUntil } from "./format.js";
import { listen, live } from "./live.js";
import { can } from "./session.js";
import { askOperate, asking, resolveButtons, verbButtons, verbs } from "./verbs.js";

const kShown = 32 * 1024;  // bytes of the original

const fact = (name, value) => (!value ? "" : [h("dt", {}, name), h("dd", {}, value)]);

// "… as item 7": the one it goes on as, or comes from, is a click away.
const linked = (text) => String(text ?? "").split(/(\b(?:as|of) items? [1-9][\d, ]*)/).map((part, i) =>
  (i % 2 ? part.split(/(\d{1,18})/).map((piece, n) => (n % 2 ? h("a", { href: `#/item/${piece}` }, piece) : piece)) : part));

const facts = (item) => h("dl", { class: "facts card" },
  fact("Sender", item.sender), fact("Subject", item.subject), fact("Message-ID", item.message_id), fact("Size", size(item.size)),
  fact("Adapter", h("a", { href: `#/queue?adapter=${encodeURIComponent(item.adapter)}` }, item.adapter)), fact("Target", item.target),
  fact("Came in", [moment(item.received), " ", h("span", { class: "soft" }, "(", age(item.received), " ago)")]),
  fact("Due", item.state === "ready" && moment(item.due)), fact("Given up at", ["ready", "held"].includes(item.state) && moment(item.expires)),
  fact("Settled", item.settled && moment(item.settled)), fact("Attempts", item.attempts && count(item.attempts)),
  fact("Crashes with it", item.deaths && count(item.deaths)),
  fact("From", [item.client, item.helo && `(${item.helo})`, item.protocol].filter(Boolean).join(" ")), fact("Way in", item.source),
  fact("Message", h("a", { href: `#/queue?ids=${item.message}` }, item.message)));

const doubt = (item, act) => h("section", { class: "notice doubt" },
  h("h2", {}, "Did it arrive?"),
  h("p", {}, "The hand-over was cut off at the very moment when it may have taken effect. Look on the legacy side",
    item.target ? [" at ", h("code", {}, item.target)] : "", ", then say what you saw."),
  item.evidence ? h("p", { class: "soft" }, "What was being handed over: ", h("code", {}, item.evidence)) : "",
  item.reason ? h("p", { class: "soft" }, item.reason) : "",
  can("operator") ? h("div", { class: "row" }, resolveButtons(act)) : h("p", { class: "soft" }, "To answer, log in as an operator."));

const recipients = (rows) => h("section", {}, h("h2", {}, "Recipients"), h("div", { class: "card table" }, h("table", { class: "cards" },
  h("thead", {}, h("tr", {}, ["recipient", "legacy name", "outcome", "reason"].map((name) => h("th", { scope: "col" }, name)))),
  h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row", class: "long" }, row.recipient),
    h("td", { "data-label": "legacy name", class: "long" }, row.legacy), h("td", { "data-label": "outcome" }, row.outcome ? badge(row.outcome) : ""),
    h("td", { "data-label": "reason", class: "long" }, linked(row.reason))))))));

const history = (rows) => h("section", {}, h("h2", {}, "History"), h("ol", { class: "history card" }, rows.map((row) =>
  h("li", {}, moment(row.at), h("div", {}, h("strong", {}, row.what), " ", h("span", { class: "soft" }, row.who), row.detail ? h("p", {}, linked(row.detail)) : "")))));

function mailBoxes(id) {
  const left = h("pre", { tabindex: "0", "aria-label": "The original mail" }, "…");
  const right = h("pre", { tabindex: "0", "aria-label": "As the legacy reader sees it" }, "…");
  const notes = h("ul", { class: "notes" });
  const beside = h("div", { class: "card mail" }, h("h3", {}, "As the legacy side gets it"), right, notes);
  original(id, kShown).then(({ text, whole }) => {
    left.textContent = whole ? text : `${text}\n\n[the rest is left out here: download it]`;
  }, (error) => {
    left.textContent = error.message;
  });
  look("item.preview", { ids: String(id) }).then(({ rows }) => {
    const refused = rows.find((row) => row.type === "refused");
    const lines = rows.filter((row) => row.type === "line").map((row) => row.text);
    if (rows.some((row) => row.type === "artifact" && !row.whole)) lines.push("", "[the rest is left out here]");
    right.textContent = refused ? `It would be refused: ${refused.text}` : lines.join("\n");
    notes.replaceChildren(...rows.filter((row) => row.type === "note").map((row) => h("li", {}, row.text)));
  }, (error) => {
    right.textContent = error.message;
  });
  return h("section", {}, h("div", { class: "title" }, h("h2", {}, "The mail"), h("a", { href: `/api/mail/${id}`, download: `item-${id}.eml` }, "Download the original")),
    h("div", { class: "beside" }, h("div", { class: "card mail" }, h("h3", {}, "The original"), left), beside));
}

export function itemView(page, id) {
  let mail = null, shown = null, timer = 0, ended = false;
  const act = (name) => askOperate(name, { ids: [id] }, refresh);
  const top = h("div", {}, h("p", { class: "soft" }, "…"));
  page.replaceChildren(top);

  const draw = (rows) => {
    const [item] = rows;
    shown = item;
    mail ??= mailBoxes(id);
    const deeds = can("operator") ? verbButtons(item.state, act) : [];
    top.replaceChildren(
      h("p", { class: "crumb" }, h("a", { href: "#/queue" }, "Queue"), " / item ", String(id)),
      h("div", { class: "title" }, h("h1", { class: "long" }, `Item ${id}`, " ", badge(item.state)), h("div", { class: "row" }, deeds)),
      h("p", { class: "subject long" }, item.subject || "(no subject)"),
      item.state === "in_doubt" ? doubt(item, act) : item.waits || item.reason
        ? h("p", { class: `notice ${item.state === "failed" ? "bad" : ""}` }, linked(withoutUntil(item.waits, item.waits_until) || item.reason), item.waits_until ? [" ", h("span", { class: "soft" }, "until ", moment(item.waits_until))] : "") : "",
      facts(item), recipients(rows.filter((row) => row.type === "recipient")), history(rows.filter((row) => row.type === "history")), mail);
  };
  const refresh = async () => {
    clearTimeout(timer);
    timer = 0;
    try {
      const { rows } = await look("queue.show", { ids: String(id) });
      if (ended) return;
      if (rows.length === 0) throw new Error("There is no such item.");
      draw(rows);
    } catch (error) {
      if (!ended) top.replaceChildren(h("p", { class: "crumb" }, h("a", { href: "#/queue" }, "Queue"), " / item ", String(id)), trouble(error));
    }
  };
  refresh();
  const deaf = listen((what) => {
    if (what !== "events" || timer || asking() || !live.events.slice(-50).some((event) => event.item === id && event.serial > (itemView.seen ?? 0))) return;
    itemView.seen = live.events.at(-1).serial;
    timer = setTimeout(refresh, 500);
  });
  return {
    refresh,
    key(key) {
      const found = Object.entries(verbs).find(([, verb]) => verb.key === key);
      if (!found || !shown || !can("operator") || !found[1].takes.includes(shown.state)) return false;
      act(found[0]);
      return true;
    },
    end() {
      ended = true;
      clearTimeout(timer);
      deaf();
    },
  };
}
