
/* ------------------------------------------------------------------ charts: drawn as SVG, coloured by the style sheet */

const SVG = "http://www.w3.org/2000/svg";

function shape(tag, attributes = {}, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function chartOf(width, height, label) {
  return shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
}

/* Round numbers, about `count` of them, from low to high. */
function ticksOf(low, high, count = 5) {
  const raw = (high - low || 1) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999);
  const ticks = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-9; at += step) ticks.push(+at.toPrecision(12));
  return ticks;
}

const quantile = (sorted, part) => {
  const at = part * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
};

/* Bin edges by Freedman and Diaconis, between 8 and 60 bins. */
function edgesOf(sorted) {
  const [low, high] = [sorted[0], sorted.at(-1)];
  if (low === high) return [low - 0.5, low + 0.5];
  const width = (2 * (quantile(sorted, 0.75) - quantile(sorted, 0.25))) / Math.cbrt(sorted.length);
  const bins = Math.round(Math.min(Math.max((high - low) / (width || high - low), 8), 60));
  return Array.from({ length: bins + 1 }, (_, k) => low + ((high - low) * k) / bins);
}

function countsOf(values, edges) {
  const counts = new Array(edges.length - 1).fill(0);
  const scale = counts.length / (edges.at(-1) - edges[0]);
  for (const value of values) counts[Math.min(Math.max(Math.floor((value - edges[0]) * scale), 0), counts.length - 1)]++;
  return counts;
}

function axisX(svg, { x, y, ticks, text, title, width }) {
  svg.append(shape("line", { class: "axis", x1: x(ticks.low), x2: x(ticks.high), y1: y, y2: y }));
  for (const at of ticks.at) {
    svg.append(shape("line", { class: "axis", x1: x(at), x2: x(at), y1: y, y2: y + 4 }));
    svg.append(shape("text", { x: x(at), y: y + 18, "text-anchor": "middle" }, text(at)));
  }
  svg.append(shape("text", { class: "title", x: width, y: y + 38, "text-anchor": "end" }, title));
}

/* All objects in grey, those of one image before them; as shares where both are shown. */
function drawHistogram(place, { all, some, marked, title, log, noun }) {
  const [width, height] = [Math.max(place.clientWidth, 280), 240];
  const of = (values) => Float64Array.from(values).filter((v) => Number.isFinite(v) && (!log || v > 0)).map((v) => (log ? Math.log10(v) : v)).sort();
  const [every, chosen] = [of(all), some && of(some)];
  place.replaceChildren();
  if (!every.length) return void place.append(element("p", { className: "quiet", textContent: "There is nothing to count." }));
  const [left, right, top, bottom] = [46, 22, 12, 46];
  const edges = edgesOf(every);
  const share = (values) => countsOf(values, edges).map((count) => (chosen ? count / Math.max(values.length, 1) : count));
  const [back, front] = [share(every), chosen && share(chosen)];
  const most = Math.max(...back, ...(front ?? []));
  const x = (v) => left + ((v - edges[0]) / (edges.at(-1) - edges[0])) * (width - left - right);
  const y = (v) => height - bottom - (v / most) * (height - top - bottom);
  const back10 = (v) => (log ? 10 ** v : v);
  const svg = chartOf(width, height, `Histogram of ${title}`);
  for (const at of ticksOf(0, most, 3)) {
    svg.append(shape("line", { class: "guide", x1: left, x2: width - right, y1: y(at), y2: y(at) }));
    svg.append(shape("text", { x: left - 8, y: y(at) + 4, "text-anchor": "end" }, chosen ? `${+(at * 100).toPrecision(3)} %` : shortNumber(at)));
  }
  const bars = (counts, kind, inset) => counts.forEach((count, k) => {
    if (!count) return;
    const bar = shape("rect", { class: kind, x: x(edges[k]) + inset, y: y(count), width: Math.max(x(edges[k + 1]) - x(edges[k]) - 1 - 2 * inset, 0.5), height: y(0) - y(count) });
    const amount = chosen ? `${(count * 100).toPrecision(3)} %` : plural(count, noun);
    bar.append(shape("title", {}, `${shortNumber(back10(edges[k]))} to ${shortNumber(back10(edges[k + 1]))}: ${amount}`));
    svg.append(bar);
  });
  bars(back, chosen ? "bar back" : "bar", 0);
  if (front) bars(front, "bar", Math.min(2, (width - left - right) / edges.length / 5));
  if (Number.isFinite(marked) && (!log || marked > 0)) {
    const at = x(log ? Math.log10(marked) : marked);
    svg.append(shape("line", { class: "marked", x1: at, x2: at, y1: top, y2: height - bottom }));
    svg.append(shape("path", { class: "marked-head", d: `M${at - 5},${top - 8}h10l-5,8z` }));
  }
  const ticks = { low: edges[0], high: edges.at(-1), at: ticksOf(edges[0], edges.at(-1), Math.max(Math.floor(width / 110), 2)) };
  axisX(svg, { x, y: height - bottom, ticks, text: (at) => shortNumber(back10(at)), title, width: width - right });
  place.append(svg);
}

/* A box a group, lying; `points` are drawn one by one where they are few. */
function drawBoxes(place, { groups, title, onPoint }) {
  const width = Math.max(place.clientWidth, 280);
  const shown = groups.filter((group) => group.values.length);
  place.replaceChildren();
  if (!shown.length) return void place.append(element("p", { className: "quiet", textContent: "There is nothing to compare." }));
  const [left, right, top, bottom, step] = [Math.min(width * 0.32, Math.max(30 + 7.5 * Math.max(...shown.map((g) => Math.min(g.name.length, 24))), 84)), 22, 8, 46, 44];
  const height = top + bottom + step * shown.length;
  const every = shown.flatMap((group) => [group.sorted[0], group.sorted.at(-1)]);
  const [low, high] = [Math.min(...every), Math.max(...every)];
  const margin = (high - low) * 0.03 || 0.5;
  const [from, to] = [low - margin, high + margin];
  const x = (v) => left + ((v - from) / (to - from)) * (width - left - right - 8) + 4;
  const svg = chartOf(width, height, `Box plots of ${title} by group`);
  for (const at of ticksOf(from, to)) svg.append(shape("line", { class: "guide", x1: x(at), x2: x(at), y1: top, y2: height - bottom }));
  shown.forEach((group, k) => svg.append(...boxOf(group, x, top + step * (k + 0.5), left, onPoint)));
  const ticks = { low: from, high: to, at: ticksOf(from, to) };
  axisX(svg, { x, y: height - bottom, ticks, text: shortNumber, title, width: width - right });
  place.append(svg);
}

function boxOf({ name, values, sorted, images }, x, y, left, onPoint) {
  const [q1, middle, q3] = [0.25, 0.5, 0.75].map((part) => quantile(sorted, part));
  const reach = 1.5 * (q3 - q1);
  const inside = sorted.filter((v) => v >= q1 - reach && v <= q3 + reach);
  const [first, last] = [inside[0], inside.at(-1)];
  const text = shape("text", { class: "group", x: left - 12, y: y, "text-anchor": "end" }, name.length > 24 ? `${name.slice(0, 23)}…` : name || "(none)");
  const count = shape("text", { class: "count", x: left - 12, y: y + 14, "text-anchor": "end" }, `n = ${values.length.toLocaleString("en")}`);
  const line = (x1, x2, y1, y2, kind) => shape("line", { class: kind, x1, x2, y1, y2 });
  const box = shape("rect", { class: "box", x: x(q1), y: y - 10, width: Math.max(x(q3) - x(q1), 1), height: 20, rx: 2 });
  box.append(shape("title", {}, `${name}: median ${shortNumber(middle)}, quartiles ${shortNumber(q1)} and ${shortNumber(q3)}`));
  const dots = images
    ? values.map((v, k) => dotOf(x(v), y + ((k * 7) % 13) - 6, `${RUN.images[images[k]].name}: ${shortNumber(v)}`, () => onPoint(images[k])))
    : sampled(sorted.filter((v) => v < first || v > last), 200).map((v) => dotOf(x(v), y, shortNumber(v)));
  return [text, count, line(x(first), x(q1), y, y, "whisker"), line(x(q3), x(last), y, y, "whisker"), box, line(x(middle), x(middle), y - 10, y + 10, "median"), ...dots];
}

const sampled = (values, most) => values.filter((_, k) => k % Math.ceil(values.length / most) === 0);

function dotOf(cx, cy, title, act) {
  const dot = shape("circle", { class: act ? "dot link" : "dot", cx, cy, r: act ? 3.5 : 2 });
  dot.append(shape("title", {}, title));
  if (act) dot.addEventListener("click", act);
  return dot;
}

/* What a threshold saw: the histogram of levels, and where it was cut. */
function levelsChart({ counts, centres, width: step, thresholds }) {
  const [width, height, bottom, top] = [420, 220, 28, 22];
  const svg = chartOf(width, height, `Histogram of levels${thresholds.length ? `, cut at ${thresholds.map(shortNumber).join(", ")}` : ""}`);
  const [low, high] = [centres[0] - step / 2, centres.at(-1) + step / 2];
  const x = (v) => 6 + ((v - low) / (high - low || 1)) * (width - 12);
  const most = Math.max(...counts, 1);
  const y = (v) => height - bottom - (Math.sqrt(v) / Math.sqrt(most)) * (height - bottom - top);
  counts.forEach((count, k) => {
    const bar = shape("rect", { class: "bar", x: x(centres[k] - step / 2), y: y(count), width: Math.max(x(step) - x(0), 0.6), height: y(0) - y(count) });
    bar.append(shape("title", {}, `${shortNumber(centres[k])}: ${count.toLocaleString("en")} pixels`));
    if (count) svg.append(bar);
  });
  for (const at of thresholds) {
    svg.append(shape("line", { class: "cut", x1: x(at), x2: x(at), y1: top - 6, y2: height - bottom }));
    svg.append(shape("text", { class: "cut-text", x: Math.min(Math.max(x(at), 24), width - 24), y: top - 9, "text-anchor": "middle" }, shortNumber(at)));
  }
  svg.append(shape("text", { x: width - 6, y: 12, "text-anchor": "end" }, "height: √ pixels"));
  axisX(svg, { x, y: height - bottom, ticks: { low, high, at: ticksOf(low, high) }, text: shortNumber, title: "", width });
  return svg;
}

/* Clusters by size; where a centre is a grey level or a colour, the bar is painted with it. */
function clustersChart({ centres, sizes, count }) {
  const [width, step] = [420, 26];
  const svg = chartOf(width, step * sizes.length + 4, plural(count, "cluster"));
  const total = sizes.reduce((sum, size) => sum + size, 0) || 1;
  const colour = (centre) => {
    const level = centre.map(Math.round);
    if (centre.some((v) => v < 0 || v > 255)) return null;
    return level.length === 3 ? `rgb(${level})` : level.length === 1 ? `rgb(${[level[0], level[0], level[0]]})` : null;
  };
  sizes.forEach((size, k) => {
    const bar = shape("rect", { class: "swatch", x: 0.5, y: step * k + 4, width: Math.max((size / sizes[0]) * 210, 2), height: step - 8, rx: 2 });
    bar.style.fill = colour(centres[k]) ?? "";
    const words = `${((100 * size) / total).toPrecision(3)} %  (${centres[k].map((v) => shortNumber(v)).join(", ")})`;
    svg.append(bar, shape("text", { x: Math.max((size / sizes[0]) * 210, 2) + 10, y: step * k + 17 }, words));
  });
  return svg;
}
