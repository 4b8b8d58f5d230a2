// The state of the adapters, as text.
const page = document.getElementById("page");
const answer = await fetch("/api/run/status");
const said = await answer.json();
for (const row of said.rows ?? [{ text: said.error }]) {
  const line = document.createElement("p");
  line.textContent = Object.entries(row).map(([name, value]) => `${name}: ${value}`).join(", ");
  page.append(line);
}
