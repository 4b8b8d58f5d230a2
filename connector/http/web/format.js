// Values as people read them.
import { h } from "./dom.js";

const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

// "3 h 20 min": two units at most.
export function span(seconds) {
  let rest = Math.max(0, Math.round(seconds));
  const at = units.findIndex(([, size]) => rest >= size);
  if (at < 0) return "0 s";
  const [name, size] = units[at];
  const text = `${Math.floor(rest / size)} ${name}`;
  rest %= size;
  const next = units[at + 1];
  return next && Math.floor(rest / next[1]) > 0 && Math.floor(rest / 1) >= next[1]
    ? `${text} ${Math.floor(rest / next[1])} ${next[0]}` : text;
}

export const ageOf = (time) => (time ? span((Date.now() - Date.parse(time)) / 1000) : "");
export const count = (number) => Number(number).toLocaleString("en").replaceAll(",", "\u202f");
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export function size(bytes) {
  for (const [name, unit] of [["GiB", 2 ** 30], ["MiB", 2 ** 20], ["KiB", 2 ** 10]])
    if (bytes >= unit) return `${(bytes / unit).toFixed(bytes >= unit * 10 ? 0 : 1)} ${name}`;
  return `${bytes} bytes`;
}

const two = (number) => String(number).padStart(2, "0");
export function clock(time) {
  const at = new Date(time);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

// A moment in this reader's time zone; the exact one in UTC as its title.
export function moment(time) {
  if (!time) return "";
  const at = new Date(time);
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return h("time", { datetime: time, title: time }, `${day} ${clock(time)}`);
}

// Why something waits, without the moment in UTC that stands in it: the page shows that in the reader's time.
export const withoutUntil = (waits, until) => (until ? (waits ?? "").replace(` until ${until}`, "") : waits ?? "");

export const age = (time) => (time ? h("time", { datetime: time, title: time }, ageOf(time)) : "");

export const stateWord = (state) => String(state).replaceAll("_", " ");
export const badge = (state) => h("span", { class: `badge ${String(state).replaceAll(/[^a-z_]/g, "_")}` }, stateWord(state));
