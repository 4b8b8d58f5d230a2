// Requests to the service. Every failure is an Error whose message is a sentence for people.

export class Refused extends Error {
  constructor(status, text, rows = []) {
    super(text);
    this.status = status;
    this.rows = rows;
  }
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch {
    throw new Refused(0, "The service does not answer. Is it running?");
  }
  if (answer.ok) return answer;
  let said = {};
  try {
    said = await answer.json();
  } catch {
    // No JSON: a proxy answered, or the connection limit did.
  }
  if (answer.status === 401 && path !== "/api/login") dispatchEvent(new Event("postern:login"));
  const text = said.error ?? (answer.status === 503 ? "The service is too busy right now." : `The service answered ${answer.status}.`);
  throw new Refused(answer.status, text[0].toUpperCase() + text.slice(1), said.rows);
}

const given = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
const post = (path, fields) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(given(fields)) });

export const look = async (verb, fields = {}) => (await ask(`/api/run/${verb}?${new URLSearchParams(given(fields))}`)).json();
export const run = async (verb, fields = {}) => (await post(`/api/run/${verb}`, fields)).json();
export const metrics = async () => (await ask("/metrics")).text();
export const me = async () => (await ask("/api/me")).json();
export const logIn = (name, password) => post("/api/login", { name, password });
export const logOut = () => post("/api/logout", {});

// The first bytes of a stored mail; the rest is not fetched.
export async function original(id, most) {
  const stop = new AbortController();
  const answer = await ask(`/api/mail/${id}`, { signal: stop.signal });
  const reader = answer.body.getReader();
  const pieces = [];
  let size = 0, done = false;
  while (size < most) {
    const piece = await reader.read();
    done = piece.done;
    if (done) break;
    pieces.push(piece.value);
    size += piece.value.length;
  }
  if (!done) stop.abort();
  const bytes = new Uint8Array(await new Blob(pieces).arrayBuffer()).subarray(0, most);
  return { text: new TextDecoder().decode(bytes), whole: done && size <= most };
}
