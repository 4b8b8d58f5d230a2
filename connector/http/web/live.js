// What changes while one looks: events as they come, and measures asked for every few seconds.
import { metrics } from "./api.js";

const kEvery = 3000, kKept = 600, kEvents = 500;

export const live = { samples: [], events: [], connected: false, missed: 0 };
const listeners = new Set();
export const listen = (run) => {
  listeners.add(run);
  return () => listeners.delete(run);
};
const tell = (what) => listeners.forEach((run) => run(what));

let source = null, again = 0, last = 0, timer = 0, fresh = false;

function take(message) {
  const event = JSON.parse(message.data);
  if (event.event === "watch.missed") {
    live.missed += event.count;
  } else {
    last = event.serial;
    live.events.push(event);
    if (live.events.length > kEvents) live.events.splice(0, live.events.length - kEvents);
  }
  if (fresh) return;
  fresh = true;  // a thousand events are one redraw
  setTimeout(() => {
    fresh = false;
    tell("events");
  }, 250);
}

function connect() {
  clearTimeout(again);
  source?.close();
  source = new EventSource(`/events?after=${last}`);
  source.onopen = () => setConnected(true);
  source.onmessage = take;
  source.onerror = () => {
    setConnected(false);
    // The browser tries again by itself, unless the answer was a refusal.
    if (source.readyState === EventSource.CLOSED) again = setTimeout(connect, 5000);
  };
}

function setConnected(is) {
  if (live.connected === is) return;
  live.connected = is;
  tell("link");
}

// name -> [{labels, value}]
function parse(text) {
  const families = new Map();
  for (const line of text.split("\n")) {
    const found = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!found) continue;
    const labels = {};
    for (const [, name, value] of (found[2] ?? "").matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g))
      labels[name] = value.replaceAll(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));
    if (!families.has(found[1])) families.set(found[1], []);
    families.get(found[1]).push({ labels, value: Number(found[3]) });
  }
  return families;
}

const waiting = new Set(["ready", "claimed", "publishing"]);
const sum = (rows) => rows.reduce((total, row) => total + row.value, 0);

function sampleOf(families) {
  const rows = (name) => families.get(name) ?? [];
  return {
    at: Date.now(),
    start: rows("postern_start_time_seconds")[0]?.value ?? 0,
    exported: sum(rows("postern_attempts_total").filter((row) => row.labels.result === "exported")),
    oldest: Math.max(0, ...rows("postern_oldest_seconds").filter((row) => waiting.has(row.labels.state)).map((row) => row.value)),
    items: rows("postern_items"),
    ages: rows("postern_oldest_seconds"),
    free: rows("postern_store_free_bytes")[0]?.value,
    broken: rows("postern_store_broken")[0]?.value === 1,
  };
}

async function measure() {
  clearTimeout(timer);
  const began = performance.now();
  if (!document.hidden) {
    try {
      const sample = sampleOf(parse(await metrics()));
      live.samples.push(sample);
      if (live.samples.length > kKept) live.samples.shift();
      // Only the plotted numbers of old samples are kept.
      const before = live.samples.at(-2);
      if (before) before.items = before.ages = [];
      tell("measures");
    } catch {
      // The line at the top says that there is no connection; the next round tries again.
    }
  }
  // What takes the service long, with a million items, is asked less often.
  if (running) timer = setTimeout(measure, Math.max(kEvery, 10 * (performance.now() - began)));
}

let running = false;

export function start() {
  if (running) return;
  running = true;
  connect();
  measure();
}

export function stop() {
  running = false;
  clearTimeout(timer);
  clearTimeout(again);
  source?.close();
  setConnected(false);
}

addEventListener("visibilitychange", () => {
  if (running && !document.hidden) measure();
});

// Exports in a minute, between samples at least ten seconds apart; a restart begins again at 0.
export function throughput() {
  const points = [];
  let from = 0;
  for (let i = 1; i < live.samples.length; ++i) {
    const [a, b] = [live.samples[from], live.samples[i]];
    if (b.start !== a.start || b.exported < a.exported) from = i;
    else points.push({ at: b.at, value: ((b.exported - a.exported) * 60000) / Math.max(1, b.at - a.at) });
    while (b.at - live.samples[from].at > 10000 && from < i) ++from;
  }
  return points;
}

export const oldest = () => live.samples.map((sample) => ({ at: sample.at, value: sample.oldest }));
