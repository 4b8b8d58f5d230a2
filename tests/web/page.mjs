// What a person does with the page. Arguments: address, playwright-core, chromium, folder for pictures, password.
import { createRequire } from "node:module";
import { strict as assert } from "node:assert";

const [, , home, library, executablePath, pictures, password] = process.argv;
const { chromium } = createRequire(import.meta.url)(library);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });

const faults = [];
const tests = [];
const test = (name, run) => tests.push([name, run]);

async function visit(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, colorScheme: "light", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(8000);
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 40[0-9]|ERR_ABORTED/.test(message.text())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(home) && !request.url().startsWith("data:")) faults.push(`asked elsewhere: ${request.url()}`);
  });
  await page.goto(home);
  if (name) await logIn(page, name, password);
  return page;
}

async function logIn(page, name, secret) {
  await page.fill("input[name=name]", name);
  await page.fill("input[name=password]", secret);
  await page.keyboard.press("Enter");
}

const picture = (page, name, fullPage = true) => page.screenshot({ path: `${pictures}/${name}.png`, fullPage });
const open = async (page, hash) => {
  await page.goto(`${home}/#${hash}`);
};
const said = async (page, pattern) => {
  await until(page, (source) => new RegExp(source).test(document.getElementById("said").textContent), pattern.source);
};
// Looks again until `done` is true in the page. (waitForFunction() needs eval, which our policy refuses.)
async function until(page, done, value = null, limit = 8000) {
  for (const end = Date.now() + limit; Date.now() < end; await new Promise((go) => setTimeout(go, 30)))
    if (await page.evaluate(done, value)) return;
  throw new Error(`waited ${limit} ms for ${done}`);
}
const firstId = async (page) => Number(await page.locator("a.open").first().textContent());
const stateOf = (page, id) => page.evaluate(async (item) => (await (await fetch(`/api/run/queue.show?ids=${item}`)).json()).rows[0].state, id);

// Opens the dialog of a verb, waits for the dry run, goes on.
async function confirm(page, verb, reason = "") {
  const go = page.locator(`dialog [data-do="${verb}"]`);
  await go.waitFor();
  await until(page, (name) => !document.querySelector(`dialog [data-do="${name}"]`)?.disabled, verb);
  assert.match(await page.locator("dialog .trial").textContent(), /This would be done:/);
  if (reason) await page.fill("dialog input[name=reason]", reason);
  await go.click();
  await page.locator("dialog").waitFor({ state: "detached" });
}

let anna;  // an operator, logged in once

test("a wrong password is told, a right one opens the overview", async () => {
  anna = await visit();
  await anna.locator(".enter").waitFor();
  await picture(anna, "login", false);
  await logIn(anna, "anna", "wrong");
  await anna.locator(".enter .bad:not(:empty)").waitFor();
  await logIn(anna, "anna", password);
  await anna.locator(".alarm.in_doubt").waitFor();
  assert.equal(await anna.locator(".role").textContent(), "operator");
  assert.match(await anna.locator(".alarm.in_doubt").textContent(), /4 in doubt/);
  await anna.locator(".link.on").waitFor();
});

test("the overview draws its plots and shows why an adapter waits", async () => {
  await until(anna, () => document.querySelectorAll(".plot path.line").length === 2, null, 15000);
  assert.match(await anna.locator("table.cards").textContent(), /the disk is being changed/);
});

test("each verb on one item: asked first, then done", async () => {
  await open(anna, "/queue?adapter=out&state=ready");
  await anna.locator("a.open").first().waitFor();
  const id = await firstId(anna);
  await open(anna, `/item/${id}`);
  for (const [verb, state] of [["hold", "held"], ["release", "ready"], ["retry", "ready"], ["hold", "held"], ["bounce", "failed"], ["retry", "ready"], ["delete", "deleted"]]) {
    await anna.locator(`[data-verb="${verb}"]`).click();
    if (verb === "delete") {
      await until(anna, () => !document.querySelector('dialog [data-do="delete"]').disabled);
      await picture(anna, "confirm", false);
    }
    await confirm(anna, verb, `because of ${verb}`);
    await anna.locator(`h1 .badge.${state}`).waitFor();
    assert.equal(await stateOf(anna, id), state, verb);
  }
  assert.match(await anna.locator(".history").textContent(), /because of delete/);
});

test("moved to another adapter, routed again, replayed: new items, asked first", async () => {
  await open(anna, "/queue?adapter=out&state=ready");
  await anna.locator("a.open").first().waitFor();
  const id = await firstId(anna);
  await open(anna, `/item/${id}`);
  await anna.locator('[data-verb="requeue"]').click();
  await confirm(anna, "requeue", "the routes were mended");
  await said(anna, /moved to adapter out as item/);
  await until(anna, () => document.querySelector("h1 .badge").textContent !== "ready");
  await open(anna, "/queue?adapter=out&state=ready");
  await until(anna, (old) => Number(document.querySelector("a.open")?.textContent ?? old) !== old, id);
  const next = await firstId(anna);
  await open(anna, `/item/${next}`);
  await anna.locator('[data-verb="move"]').click();
  assert.match(await anna.locator("dialog .trial").textContent(), /Choose where/);
  assert.ok(await anna.locator('dialog [data-do="move"]').isDisabled(), "nowhere to go yet");
  await anna.locator('dialog select[name=to_adapter] option[value="postoffice"]').waitFor({ state: "attached" });
  await anna.selectOption("dialog select[name=to_adapter]", "postoffice");
  await until(anna, () => !document.querySelector('dialog [data-do="move"]').disabled);
  await picture(anna, "move", false);
  await confirm(anna, "move", "the other office reads it");
  await until(anna, () => document.querySelector("h1 .badge").textContent !== "ready");
  assert.match(await anna.locator(".history").textContent(), /the other office reads it/);
  await open(anna, "/queue?adapter=box&state=exported");
  await anna.locator("tbody input[type=checkbox]").first().check();
  await anna.locator('.bar [data-verb="replay"]').click();
  await until(anna, () => !document.querySelector('dialog [data-do="replay"]').disabled);
  await picture(anna, "replay", false);
  await confirm(anna, "replay", "it was deleted there by mistake");
  await said(anna, /Item \d+: /);
});

test("the keyboard alone: move what is chosen", async () => {
  await open(anna, "/queue?adapter=out&state=ready");
  await anna.locator(".items tbody tr").first().waitFor();
  for (const key of ["j", "x", "j", "x", "m"]) await anna.keyboard.press(key);
  await until(anna, () => document.activeElement?.name === "to_adapter");
  await anna.locator("dialog select option[value=postoffice]").waitFor({ state: "attached" });
  await anna.keyboard.type("post");
  await until(anna, () => !document.querySelector('dialog [data-do="move"]').disabled);
  await anna.keyboard.press("Tab");
  await anna.keyboard.type("by hand");
  await anna.keyboard.press("Enter");
  await anna.locator("dialog").waitFor({ state: "detached" });
  await said(anna, /2 items moved/);
  await open(anna, "/queue?state=all&adapter=box");
  await anna.locator(".items tbody tr").first().waitFor();
  await anna.keyboard.press("j");
  await anna.keyboard.press("y");
  await until(anna, () => document.activeElement?.name === "reason");
  await anna.keyboard.press("Escape");
  await anna.locator("dialog").waitFor({ state: "detached" });
});

test("an item in doubt is asked about, and each answer settles one", async () => {
  await open(anna, "/queue?state=in_doubt");
  await anna.locator("a.open").first().waitFor();
  const ids = (await anna.locator("a.open").allTextContents()).map(Number);
  for (const [verb, state] of [["resolve-exported", "exported"], ["resolve-resend", "ready"], ["resolve-failed", "failed"]]) {
    const id = ids.shift();
    await open(anna, `/item/${id}`);
    await anna.locator(".notice.doubt").waitFor();
    if (verb === "resolve-exported") {
      await until(anna, () => document.querySelector(".mail pre").textContent.includes("Good morning"));
      await picture(anna, "item");
    }
    await anna.locator(`[data-verb="${verb}"]`).click();
    await confirm(anna, verb);
    await anna.locator(`h1 .badge.${state}`).waitFor();
  }
});

test("selected items: the dialog says which; a page and all that match", async () => {
  await open(anna, "/queue?adapter=out&state=ready");
  await anna.locator("tbody tr").nth(49).waitFor();
  assert.equal(await anna.locator("tbody tr").count(), 50);
  await anna.locator("tbody input[type=checkbox]").nth(1).check();
  await anna.locator("tbody input[type=checkbox]").nth(3).check();
  await picture(anna, "queue", false);
  await anna.locator('.bar [data-verb="hold"]').click();
  await confirm(anna, "hold", "two of them");
  await said(anna, /2 items held/);
  await anna.locator("#all").check();
  await anna.locator("#everything").click();
  await anna.locator('.bar [data-verb="hold"]').click();
  await confirm(anna, "hold");
  await said(anna, /12\d items held/);
  await anna.locator(".empty").waitFor();
  await open(anna, "/queue?adapter=out&state=held");
  await anna.locator("#all").check();
  await anna.locator('.bar [data-verb="release"]').click();
  await confirm(anna, "release");
  await said(anna, /50 items released/);
});

test("pages go forward and back", async () => {
  await open(anna, "/queue");
  await anna.locator("tbody tr").nth(49).waitFor();
  const first = await firstId(anna);
  await anna.keyboard.press("n");
  await until(anna, (id) => Number(document.querySelector("a.open")?.textContent) > id + 40, first);
  await anna.locator("button", { hasText: "Previous" }).click();
  await until(anna, (id) => Number(document.querySelector("a.open")?.textContent) === id, first);
});

test("filters narrow the list, and a wrong one is told in words", async () => {
  await open(anna, "/queue");
  await anna.locator("form.filters input[name=ids]").waitFor();
  await anna.keyboard.press("/");
  await anna.fill("input[name=from]", "billing@");
  await anna.keyboard.press("Enter");
  await until(anna, () => location.hash.includes("from=billing"));
  await anna.locator(".items tbody tr").first().waitFor();
  for (const text of await anna.locator("td.who").allTextContents()) assert.match(text, /billing@supplier/);
  await anna.fill("input[name=older]", "yesterday");
  await anna.keyboard.press("Enter");
  await anna.locator(".notice.bad").waitFor();
  assert.match(await anna.locator(".notice.bad").textContent(), /Older must be a time/);
});

test("the keyboard alone: choose, hold, open, go back", async () => {
  await anna.keyboard.press("Escape");
  await open(anna, "/");
  await anna.locator(".tile").first().waitFor();
  await anna.keyboard.press("g");
  await anna.keyboard.press("q");
  await anna.locator(".items tbody tr").first().waitFor();
  await anna.keyboard.press("j");
  await anna.keyboard.press("j");
  await anna.keyboard.press("x");
  assert.equal(await anna.locator("tr.chosen").count(), 1);
  const id = Number(await anna.locator("tr.chosen a.open").textContent());
  const before = await stateOf(anna, id);
  await anna.keyboard.press(before === "held" ? "l" : "h");
  await until(anna, () => document.activeElement?.name === "reason");
  await anna.keyboard.press("Enter");
  await anna.locator("dialog").waitFor({ state: "detached" });
  assert.equal(await stateOf(anna, id), before === "held" ? "ready" : "held");
  await anna.keyboard.press("?");
  await anna.locator("dialog .keys").waitFor();
  await picture(anna, "keys", false);
  await anna.keyboard.press("Escape");
  await anna.locator("dialog").waitFor({ state: "detached" });
  const outline = await anna.evaluate(() => {
    document.querySelector("nav a").focus({ focusVisible: true });
    return getComputedStyle(document.activeElement).outlineStyle;
  });
  assert.equal(outline, "solid", "focus can not be seen");
});

test("adapters: tested, resumed, suspended", async () => {
  await open(anna, "/");
  await anna.locator('[data-adapter="test out"]').click();
  await said(anna, /out: usable/);
  await anna.locator('[data-adapter="resume postoffice"]').click();
  await anna.locator('dialog [data-do="resume"]').click();
  await said(anna, /postoffice: resumed/);
  await anna.locator('[data-adapter="suspend postoffice"]').waitFor();
  await anna.locator('[data-adapter="suspend postoffice"]').click();
  await anna.fill("dialog input[name=reason]", "a new backup");
  await anna.locator('dialog [data-do="suspend"]').click();
  await said(anna, /a new backup/);
  await anna.locator('[data-adapter="resume postoffice"]').waitFor();
});

test("events come by themselves", async () => {
  await open(anna, "/events");
  await anna.locator(".event").first().waitFor();
  await anna.fill("input[name=word]", "a new backup");
  await anna.locator(".event .what", { hasText: "adapter" }).first().waitFor();
  await anna.evaluate(() => fetch("/api/run/adapter.suspend", { method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name: "postoffice", reason: "a new backup, said now" }) }));
  await anna.locator(".event .text", { hasText: "said now" }).first().waitFor();
  await anna.fill("input[name=word]", "");
  await picture(anna, "events", false);
});

test("what strangers write stays text", async () => {
  await open(anna, "/queue?from=noreply");
  await anna.locator(".items .subject").first().waitFor();
  await open(anna, "/queue?state=all&from=noreply");
  await until(anna, () => document.body.textContent.includes("<img src=x onerror="));
  assert.equal(await anna.evaluate(() => document.body.dataset.broken), undefined);
});

test("a viewer sees all and changes nothing", async () => {
  const vera = await visit("vera");
  await vera.locator(".alarm").first().waitFor();
  assert.equal(await vera.locator("[data-adapter]").count(), 0);
  await open(vera, "/queue");
  await vera.locator(".items tbody tr").first().waitFor();
  assert.equal(await vera.locator("input[type=checkbox], [data-verb]").count(), 0);
  await vera.locator("#logout").click();
  await vera.locator(".enter").waitFor();
  await vera.context().close();
});

test("dark and light, wide and 390 px: nothing is cut off", async () => {
  const kinds = [["light", {}], ["dark", { colorScheme: "dark" }],
    ["phone", { viewport: { width: 390, height: 844 }, hasTouch: true, deviceScaleFactor: 2 }],
    ["phone-dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark", deviceScaleFactor: 2 }]];
  await Promise.all(kinds.map(([name, options]) => lookAround(name, options)));
});

// Every view, with a picture of each.
async function lookAround(name, options) {
  const page = await visit("anna", options);
  page.setDefaultTimeout(20000);
  await page.locator(".tile").first().waitFor();
  const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(Number(/\d+/.exec(paper)[0]) > 128, !name.includes("dark"), paper);
  const plotted = () => document.querySelectorAll(".plot path.line").length === 2;
  for (const [view, hash, ready] of [["queue", "/queue", ".items tbody tr"], ["doubt", "/queue?state=in_doubt", "a.open"], ["events", "/events", ".event"], ["overview", "/", ".tile"]]) {
    await open(page, hash);
    await page.locator(ready).first().waitFor();
    if (view === "overview") await until(page, plotted, null, 20000);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(over, 0, `${name} ${view} is ${over} px too wide`);
    if (view === "queue") {
      await page.locator("tbody input[type=checkbox]").first().check();
      await picture(page, `${name}-chosen`, false);
      const outside = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(outside, 0, `${name} chosen is ${outside} px too wide`);
    }
    await picture(page, `${name}-${view}`, view === "overview");
  }
  await open(page, `/item/${await firstIdOf(page, "in_doubt")}`);
  await until(page, () => document.querySelectorAll(".mail pre").length === 2 &&
    [...document.querySelectorAll(".mail pre")].every((each) => each.textContent.includes("Good morning")), null, 20000);
  await picture(page, `${name}-item`);
  await page.context().close();
}

const firstIdOf = (page, state) => page.evaluate(async (wanted) => (await (await fetch(`/api/run/queue.list?state=${wanted}&limit=1`)).json()).rows[0].id, state);

test("logging out ends it, and the page says so", async () => {
  await open(anna, "/");
  await anna.locator("#logout").click();
  await anna.locator(".enter").waitFor();
  assert.equal(await anna.evaluate(async () => (await fetch("/api/run/status")).status), 401);
});

let failed = 0;
for (const [name, run] of tests) {
  const began = Date.now();
  try {
    await run();
    assert.deepEqual(faults.splice(0), [], "the browser complained");
    console.log(`ok    ${name} (${Date.now() - began} ms)`);
  } catch (error) {
    ++failed;
    console.log(`FAIL  ${name}: ${error.message.split("\n").slice(0, 6).join(" ")}`);
    await picture(anna, `failed-${failed}`).catch(() => console.log("      no picture either"));
    await anna.keyboard.press("Escape").catch(() => console.log("      the page is gone"));
  }
}
await browser.close();
console.log(`${tests.length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
