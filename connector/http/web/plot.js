// A line over time, drawn by hand: one series, a few grid lines, the newest value large.
import { h, svg } from "./dom.js";
import { clock, span } from "./format.js";

const height = 150, left = 46, right = 10, top = 12, bottom = 24;

// The next round number, so that the top grid line is one.
function roundUp(value, steps) {
  const found = steps.find((step) => step >= value);
  if (found) return found;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= value);
}

export class Plot {
  // `text` makes words of a value, `steps` are tops for the scale.
  constructor(title, text, steps, none) {
    this.text = text;
    this.steps = steps;
    this.none = none;
    this.now = h("strong", { class: "now" });
    this.place = h("div", { class: "canvas" });
    this.element = h("figure", { class: "card plot" }, h("figcaption", {}, h("span", {}, title), this.now), this.place);
    this.title = title;
    this.points = [];
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.place);
    this.place.addEventListener("pointermove", (event) => this.point(event));
    this.place.addEventListener("pointerleave", () => this.draw());
  }

  update(points) {
    this.points = points;
    this.draw();
  }

  scales() {
    const width = Math.max(200, this.place.clientWidth);
    const most = roundUp(Math.max(this.steps[0], ...this.points.map((point) => point.value)), this.steps);
    const end = this.points.at(-1).at;
    const begin = Math.min(this.points[0].at, end - 120000);
    return {
      width, most, begin, end,
      x: (at) => left + ((at - begin) / (end - begin)) * (width - left - right),
      y: (value) => height - bottom - (value / most) * (height - top - bottom),
    };
  }

  draw(marked = null) {
    if (this.points.length < 2) {
      this.now.textContent = "–";
      this.place.replaceChildren(h("p", { class: "soft hint" }, this.none));
      return;
    }
    const scale = this.scales();
    const { x, y, width, most, begin, end } = scale;
    const line = this.points.map((point, i) => `${i ? "L" : "M"}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`).join("");
    const newest = this.points.at(-1), shown = marked ?? newest;
    this.now.textContent = this.text(shown.value);
    const grid = [0, 0.5, 1].map((part) => [
      svg("line", { class: "grid", x1: left, x2: width - right, y1: y(most * part), y2: y(most * part) }),
      svg("text", { x: left - 8, y: y(most * part) + 4, "text-anchor": "end" }, this.text(most * part, true)),
    ]);
    this.place.replaceChildren(svg("svg", {
      viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
      "aria-label": `${this.title}: ${this.text(newest.value)} now, at most ${this.text(Math.max(...this.points.map((p) => p.value)))} since ${clock(begin)}`,
    },
    grid,
    svg("path", { class: "area", d: `${line}L${x(end).toFixed(1)} ${y(0)}L${x(this.points[0].at).toFixed(1)} ${y(0)}Z` }),
    svg("path", { class: "line", d: line }),
    marked && svg("line", { class: "mark", x1: x(marked.at), x2: x(marked.at), y1: top, y2: y(0) }),
    svg("circle", { class: "dot", cx: x(shown.at), cy: y(shown.value), r: 4 }),
    svg("text", { x: left, y: height - 6 }, `${span((end - begin) / 1000)} ago`),
    svg("text", { x: width - right, y: height - 6, "text-anchor": "end" }, marked ? clock(marked.at) : "now")));
  }

  point(event) {
    if (this.points.length < 2) return;
    const { x } = this.scales();
    const at = event.clientX - this.place.getBoundingClientRect().left;
    this.draw(this.points.reduce((best, each) => (Math.abs(x(each.at) - at) < Math.abs(x(best.at) - at) ? each : best)));
  }

  end() {
    this.observer.disconnect();
  }
}
