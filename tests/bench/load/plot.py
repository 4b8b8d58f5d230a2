"""Two kinds of pictures for the load report, as SVG that is legible on light and on dark pages: lines and bars.

Nothing is loaded from anywhere: fonts are those of the reader's system. Axes have their units; a logarithmic axis has a line
for each power of ten, and of two where asked.
"""

import math
from xml.sax.saxutils import escape

WIDTH = 760
STYLE = """<style>
text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #24292f; }
.title { font-size: 17px; font-weight: 600; } .sub, .tick { fill: #57606a; } .sub { font-size: 12.5px; } .tick { font-size: 12px; }
.page { fill: #ffffff; } .grid { stroke: #d8dee4; stroke-width: 1; } .axis { stroke: #8c959f; stroke-width: 1.2; }
.mark { stroke: #cf222e; stroke-width: 1.4; stroke-dasharray: 5 4; } .range { stroke: #24292f; stroke-width: 1.4; }
.marktext { fill: #cf222e; font-size: 12px; }
.l { fill: none; stroke-width: 2.3; stroke-linejoin: round; }
.s0 { stroke: #0969da; } .s1 { stroke: #bc4c00; } .s2 { stroke: #1a7f37; } .s3 { stroke: #8250df; } .s4 { stroke: #57606a; }
.f0 { fill: #0969da; } .f1 { fill: #bc4c00; } .f2 { fill: #1a7f37; } .f3 { fill: #8250df; } .f4 { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .sub, .tick { fill: #9198a1; } .page { fill: #0d1117; } .grid { stroke: #2a313c; } .axis { stroke: #6e7681; }
.mark { stroke: #ff7b72; } .marktext { fill: #ff7b72; } .range { stroke: #e6edf3; }
.s0 { stroke: #58a6ff; } .s1 { stroke: #f0883e; } .s2 { stroke: #3fb950; } .s3 { stroke: #bc8cff; } .s4 { stroke: #9198a1; }
.f0 { fill: #58a6ff; } .f1 { fill: #f0883e; } .f2 { fill: #3fb950; } .f3 { fill: #bc8cff; } .f4 { fill: #6e7681; }
}
</style>"""
DASHES = ["", "7 4", "2 3", "9 3 2 3", "4 4"]


def said(value):
    """A number for a person: at most three figures, thousands with commas."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{round(value):,}"
    return f"{value:.3g}" if abs(value) >= 0.001 else "< 0.001"


def short(value):
    """A tick: 10k, 1M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size * (10 if letter == "k" else 1):
            return f"{value / size:g}{letter}"
    return f"{value:,g}" if abs(value) >= 0.001 or value == 0 else f"{value:.0e}"


def nice_step(span, most=6):
    raw = span / most
    power = 10 ** math.floor(math.log10(raw))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= raw)


class Axis:
    """Values to places; `base` 10 or 2 for a logarithmic one, 0 for a plain one, which begins at zero."""

    def __init__(self, values, begin, end, base=0):
        self.begin, self.end, self.base = begin, end, base
        low, high = min(values), max(values)
        if base:
            self.low, self.high = math.floor(math.log(low, base) + 1e-9), math.ceil(math.log(high, base) - 1e-9)
            self.high = max(self.high, self.low + 1)
            every = max(1, math.ceil((self.high - self.low) / 9))
            self.ticks = [float(base) ** n for n in range(self.low, self.high + 1, every)]
        else:
            step = nice_step(high or 1)
            self.low, self.high = 0, math.ceil((high or 1) / step - 1e-9) * step
            self.ticks = [step * n for n in range(round(self.high / step) + 1)]

    def at(self, value):
        place = math.log(value, self.base) if self.base else value
        return self.begin + (place - self.low) / (self.high - self.low) * (self.end - self.begin)


def frame(height, title, subtitle, body):
    described = escape(f"{title}. {subtitle}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">\n'
            f"<title>{described}</title>\n{STYLE}\n<rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n"
            f'<text class="title" x="20" y="30">{escape(title)}</text>\n<text class="sub" x="20" y="50">{escape(subtitle)}</text>\n'
            + "\n".join(body) + "\n</svg>\n")


def text(x, y, value, cls="tick", anchor="middle", more=""):
    return f'<text class="{cls}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(value)}</text>'


def rule(cls, x1, y1, x2, y2):
    return f'<line class="{cls}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def legend(names, y):
    out, x = [], 20
    for number, name in enumerate(names):
        dash = f' stroke-dasharray="{DASHES[number % 5]}"' if DASHES[number % 5] else ""
        out.append(f'<line class="l s{number % 5}" x1="{x}" y1="{y - 4}" x2="{x + 26}" y2="{y - 4}"{dash}/>')
        out.append(text(x + 33, y, name, "", "start"))
        x += 33 + 7.3 * len(name) + 26
    return out


def lines(title, subtitle, x_label, y_label, series, x_base=0, y_base=0, mark=None, percent=False):
    """`series`: (name, [(x, y), ...]); `mark`: (y, text) of a line across; `percent`: y in hundredths up to 100."""
    height, left, right, top, bottom = 400, 76, WIDTH - 24, 92, 342
    points = [point for _, places in series for point in places]
    xs, ys = [x for x, _ in points], [y for _, y in points] + ([mark[0]] if mark else [])
    x_axis = Axis(xs, left, right, x_base)
    y_axis = Axis(ys + ([100] if percent else []), bottom, top, y_base)
    out = legend([name for name, _ in series], 74)
    for tick in y_axis.ticks:
        place = y_axis.at(tick)
        out += [rule("grid", left, place, right, place), text(left - 9, place + 4, short(tick), anchor="end")]
    for tick in x_axis.ticks:
        place = x_axis.at(tick)
        out += [rule("grid", place, top, place, bottom), text(place, bottom + 19, short(tick))]
    out += [rule("axis", left, bottom, right, bottom), rule("axis", left, top, left, bottom)]
    if mark:
        place = y_axis.at(mark[0])
        out += [rule("mark", left, place, right, place), text(right - 4, place - 6, mark[1], "marktext", "end")]
    for number, (_, places) in enumerate(series):
        spots = [(x_axis.at(x), y_axis.at(y)) for x, y in places]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
        dash = f' stroke-dasharray="{DASHES[number % 5]}"' if DASHES[number % 5] else ""
        out.append(f'<polyline class="l s{number % 5}" points="{path}"{dash}/>')
        if len(spots) <= 12:
            out += [f'<circle class="f{number % 5}" cx="{x:.1f}" cy="{y:.1f}" r="3.6"/>' for x, y in spots]
    middle = (top + bottom) / 2
    out += [text((left + right) / 2, bottom + 43, x_label, ""),
            text(20, middle, y_label, "", more=f' transform="rotate(-90 20 {middle:.1f})"')]
    return frame(height, title, subtitle, out)


def bars(title, subtitle, x_label, rows, base=0, mark=None, left=150):
    """`rows`: (name, value, low, high, colour); low and high None where there is no range. `mark`: (value, text).
    With `base`, bars become dots: the length of a bar says nothing on a logarithmic axis."""
    pitch, top = 30, 86
    bottom, right = top + pitch * len(rows) + 6, WIDTH - 96
    values = [value for row in rows for value in row[1:4] if value is not None] + ([mark[0]] if mark else [])
    axis, out = Axis(values, left, right, base), []
    for tick in axis.ticks:
        out += [rule("grid", axis.at(tick), top, axis.at(tick), bottom), text(axis.at(tick), bottom + 19, short(tick))]
    for number, (name, value, low, high, colour) in enumerate(rows):
        middle = top + pitch * number + pitch / 2 + 3
        out.append(text(left - 10, middle + 4.5, name, "", "end"))
        end = axis.at(value)
        if base:
            out += [rule("grid", left, middle, end, middle), f'<circle class="f{colour}" cx="{end:.1f}" cy="{middle:.1f}" r="6"/>']
        else:
            out.append(f'<rect class="f{colour}" x="{left}" y="{middle - 9:.1f}" width="{max(end - left, 1):.1f}" height="18" rx="2"/>')
        if low is not None and high > low:
            a, b = axis.at(low), axis.at(high)
            out += [rule("range", a, middle, b, middle), rule("range", a, middle - 5, a, middle + 5), rule("range", b, middle - 5, b, middle + 5)]
            end = max(end, b)
        out.append(text(end + 10, middle + 4.5, said(value), "", "start"))
    out.append(rule("axis", left, top, left, bottom))
    out.append(text((left + right) / 2, bottom + 43, x_label, ""))
    if mark:
        place = axis.at(mark[0])
        out += [rule("mark", place, top - 4, place, bottom), text(place, top - 8, mark[1], "marktext")]
    return frame(int(bottom + 58), title, subtitle, out)
