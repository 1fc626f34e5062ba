
/* ------------------------------------------------------------------ page: what is shown, and how its parts hang together */

const state = { image: 0, output: "", scope: "image", asked: 0 };

async function openImage(number, { output, row = null } = {}) {
  const facts = RUN.images[number];
  const asked = ++state.asked;
  const outputs = facts.outputs.map((one) => one.name);
  state.image = number;
  state.output = outputs.includes(output) ? output : outputs.includes(state.output) ? state.output : (outputs.at(-1) ?? "");
  chooseCard(number);
  nameImage(facts, outputs);
  const image = await readImage(number);
  if (asked !== state.asked) return; // another image was asked for meanwhile
  showNotes(facts, image);
  showImage(image, state.output);
  table.chosen = null;
  if (state.scope === "image") fillTable(rowsOf[number], "image");
  chooseObject(row);
  drawCharts();
  drawExplained(facts, image);
  document.documentElement.dataset.shown = number;
}

function nameImage(facts, outputs) {
  byId("image-name").textContent = facts.name;
  byId("image-facts").textContent = [factsOf(facts), sizeText(facts), facts.group && `group ${facts.group}`].filter(Boolean).join(" · ");
  byId("output").hidden = outputs.length < 2;
  byId("output").replaceChildren(...outputs.map((name) => element("option", { textContent: name, selected: name === state.output })));
  for (const [id, by] of [["previous", -1], ["next", 1]]) byId(id).disabled = beside(by) === state.image;
}

function sizeText({ shape, axes, spacing, unit }) {
  if (!shape.length) return "";
  const spatial = shape.slice(0, axes.replace("c", "").length);
  const spaced = spacing ? `, ${[...new Set(spacing)].map(shortNumber).join(" × ")} ${unit.replace("um", "µm")} a pixel` : "";
  return `${spatial.join(" × ")}${spaced}`;
}

function showNotes(facts, image) {
  const message = byId("stage-message");
  message.hidden = facts.status === "done" || facts.status === "resumed";
  message.textContent = facts.error ?? "The run ended before this image was done.";
  byId("viewer").classList.toggle("empty", !message.hidden);
  const [height, width] = image.full;
  const reduced = height > image.size[0] ? [`The preview is ${image.size.join(" × ")} of ${height} × ${width} pixels.`] : [];
  byId("notes").replaceChildren(...[...image.notes, ...(message.hidden ? reduced : [])].map((text) => element("li", { textContent: text })));
  showLegend(facts.outputs.find((one) => one.name === state.output), image.masks[state.output]);
}

/* Classes have names and a colour each; objects have colours only to be told apart. */
function showLegend(output, mask) {
  const entries = output?.kind === "semantic" && mask ? mask.ids.map((id, k) => [output.classes.find((one) => one.value === id)?.name ?? String(id), mask.colours[k]]) : [];
  byId("legend").replaceChildren(...entries.map(([name, colour]) => {
    const swatch = element("i");
    swatch.style.background = RUN.palette[colour];
    return element("li", {}, swatch, name);
  }));
}

/* A row of the table and its object in the picture, chosen together. */
function chooseObject(row) {
  const label = row === null ? 0 : column.label.values[row];
  view.chosen = row === null || !view.mask ? 0 : view.mask.ids.indexOf(label) + 1;
  chooseRow(row);
  tellObject(row, row !== null && !view.chosen ? (view.image?.notes.length ? "not in the plane or preview shown" : "too small for the preview") : "");
  requestRender();
}

async function chooseFromTable(row) {
  const [image, output] = [column.image.values[row], wordAt("output", row)];
  if (image !== state.image || (output && output !== state.output)) await openImage(image, { output, row });
  else {
    chooseObject(row);
    drawHistogramOfSizes();
  }
}

function chooseFromPicture(event) {
  const number = numberAt(event);
  chooseObject(number ? rowOf(state.image, state.output, view.mask.ids[number - 1]) : null);
  drawHistogramOfSizes();
}

function tellObject(row, remark = "") {
  const names = table.names.filter((name) => !["image", "group", "output", "label"].includes(name)).slice(0, 3);
  const words = row === null ? [] : [`Object ${column.label.values[row]}`, ...names.map((name) => `${nameAndUnit(name)[0]} ${cellText(name, row)} ${nameAndUnit(name)[1]}`), remark];
  byId("object-line").textContent = words.filter(Boolean).join("  ·  ") || (view.mask?.ids.length ? "Click an object to find its row; choose a row to find its object." : "");
}

function showScope(scope) {
  state.scope = scope;
  fillTable(scope === "image" ? rowsOf[state.image] : everyRow(), scope);
  tellRows();
}

function tellRows() {
  const left = RUN.rows_in_file - RUN.rows;
  byId("row-count").textContent = plural(table.rows.length, "row") + (left ? `; ${left.toLocaleString("en")} more in objects.csv` : "");
}

/* ---- charts */

const measures = () => RUN.columns.map((one) => one.name).filter((name) => !column[name].words && !/^(image|label|box_.*|centroid_.*)$/.test(name));

function drawCharts() {
  tellRows();
  drawHistogramOfSizes();
  drawGroups();
}

/* Charts compare like with like: the rows of the mask that is shown. */
const ofOutput = (rows) => (column.output?.words.length > 1 ? rows.filter((row) => wordAt("output", row) === state.output) : rows);
const everyRow = () => [...Array(RUN.rows).keys()];
const noun = () => (RUN.images.some((image) => image.outputs.some((one) => one.name === state.output && one.kind === "semantic")) ? "region" : "object");

function drawHistogramOfSizes() {
  const name = byId("measure").value;
  if (!name) return;
  const at = (rows) => ofOutput(rows).map((row) => column[name].values[row]).filter(Number.isFinite);
  const single = RUN.images.length === 1;
  const [all, some] = [at(everyRow()), single ? null : at(rowsOf[state.image])];
  const marked = table.chosen === null ? NaN : column[name].values[table.chosen];
  drawHistogram(byId("histogram"), { all, some, marked, title: titleOf(name), log: byId("log").checked, noun: noun() });
  const middle = quantile([...(some ?? all)].sort((a, b) => a - b), 0.5);
  const key = (kind, words) => element("span", { className: `key ${kind}`, textContent: words });
  byId("histogram-caption").replaceChildren(
    key("", `${single ? "All" : RUN.images[state.image].name}: ${plural((some ?? all).length, noun())}${Number.isFinite(middle) ? `, median ${shortNumber(middle)}` : ""}`),
    ...(single ? [] : [key("back", `All images: ${plural(all.length, noun())}`)]),
  );
}

function drawGroups() {
  if (!byId("boxes")) return;
  const [kind, name] = byId("group-measure").value.split(/:(.*)/);
  if (!name) return;
  const perImage = kind === "image";
  const points = perImage
    ? RUN.by_image[name].map((value, image) => [image, value]).filter(([, value]) => value !== null)
    : ofOutput(everyRow()).map((row) => [column.image.values[row], column[name].values[row]]).filter(([, value]) => Number.isFinite(value));
  const byGroup = new Map();
  for (const { group } of RUN.images) byGroup.set(group, []);
  for (const point of points) byGroup.get(RUN.images[point[0]].group).push(point);
  const groups = [...byGroup].map(([group, found]) => {
    const values = found.map(([, value]) => value);
    return { name: group, values, sorted: values.toSorted((a, b) => a - b), images: perImage ? found.map(([image]) => image) : null };
  });
  groups.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  drawBoxes(byId("boxes"), { groups, title: titleOf(name), onPoint: (image) => openImage(image) });
  const dots = perImage ? "images, each a dot" : `${noun()}s of all images together, those further out as dots`;
  byId("boxes-caption").textContent = `Line: median; box: quartiles; whiskers: the furthest values within 1.5 box lengths; n: ${dots}.`;
}

/* First the size in a physical unit, then the size in pixels; but only where more than half the rows have it. */
function measureRank(name) {
  const known = column[name].values.filter(Number.isFinite).length;
  return (known > RUN.rows / 2) * 4 + /^(area|volume)_/.test(name) * 2 + !name.endsWith("_px");
}

function fillMeasures() {
  const option = (value, name) => element("option", { value, textContent: titleOf(name) });
  const names = measures();
  byId("measure").append(...names.map((name) => option(name, name)));
  byId("measure").value = names.toSorted((a, b) => measureRank(b) - measureRank(a))[0] ?? "";
  byId("sizes").hidden = !names.length || RUN.rows < 2; // one region has no distribution
  if (!byId("boxes")) return;
  const images = Object.keys(RUN.by_image).filter((name) => name !== "seconds");
  byId("group-measure").append(
    element("optgroup", { label: "one number an image" }, ...images.map((name) => option(`image:${name}`, name))),
    element("optgroup", { label: "one number an object" }, ...names.map((name) => option(`object:${name}`, name))),
  );
  byId("groups").hidden = !images.length && !names.length;
}

/* ---- what the steps explained */

function drawExplained(facts, image) {
  const list = byId("explained-steps");
  if (!list) return;
  byId("explained-of").textContent = facts.name;
  list.replaceChildren(...image.explained.map(explainedCard));
  if (!image.explained.length) list.append(element("li", { className: "quiet", textContent: "Nothing was explained about this image." }));
}

function explainedCard(card) {
  const drawing = { histogram: () => levelsChart(card), clusters: () => clustersChart(card), map: () => mapPicture(card), markers: () => mapPicture(card) }[card.kind];
  const values = () => element("dl", { className: "pairs" }, ...Object.entries(card.values ?? {}).map(([name, value]) => element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value }))));
  const [, number, step] = /^(\d*) ?(.*)$/.exec(card.step);
  return element("li", {}, element("h3", {}, ...(number ? [element("span", { textContent: number })] : []), step.replaceAll("_", " ")), element("p", { textContent: card.about }), (drawing ?? values)());
}

function mapPicture({ kind, picture, size, low, high, count }) {
  const shown = element("img", { src: webp(picture), width: size[1], height: size[0], alt: kind, decoding: "async" });
  const scale = kind === "map" ? element("div", { className: "ramp" }, element("span", { textContent: shortNumber(low) }), element("i"), element("span", { textContent: shortNumber(high) })) : element("p", { className: "quiet", textContent: `${plural(count, "marker")}, drawn a pixel wider than they are` });
  return element("div", { className: "drawn" }, shown, scale);
}

/* ---- wiring */

function wire() {
  byId("output").addEventListener("change", (event) => openImage(state.image, { output: event.target.value }));
  for (const name of ["outlines", "fills"]) {
    byId(name).addEventListener("change", (event) => {
      view[name] = event.target.checked;
      requestRender();
    });
  }
  byId("split").addEventListener("input", (event) => setSplit(event.target.value / 1000));
  byId("previous").addEventListener("click", () => openImage(beside(-1)));
  byId("next").addEventListener("click", () => openImage(beside(1)));
  byId("scope").addEventListener("change", (event) => showScope(event.target.value));
  byId("measure").addEventListener("change", drawHistogramOfSizes);
  byId("log").addEventListener("change", drawHistogramOfSizes);
  byId("group-measure")?.addEventListener("change", drawGroups);
  wirePicture();
  wireTable(chooseFromTable);
  document.addEventListener("keydown", onKey);
  window.addEventListener("beforeprint", () => sheet.cards.forEach((target) => loadThumbnail({ target, isIntersecting: true })));
  new ResizeObserver(() => {
    fitCanvas();
    if (table.body) drawRows();
  }).observe(byId("bench"));
  new ResizeObserver(() => {
    drawHistogramOfSizes();
    drawGroups();
  }).observe(byId("charts"));
}

/* Dragging the divider slides; pointing names an object; clicking chooses it. */
function wirePicture() {
  const divider = byId("divider");
  const slide = (event) => setSplit((event.clientX - canvas.getBoundingClientRect().left) / canvas.offsetWidth);
  divider.addEventListener("pointerdown", (event) => divider.setPointerCapture(event.pointerId));
  divider.addEventListener("pointermove", (event) => divider.hasPointerCapture(event.pointerId) && slide(event));
  canvas.addEventListener("click", chooseFromPicture);
  canvas.addEventListener("pointermove", (event) => point(numberAt(event)));
  canvas.addEventListener("pointerleave", () => point(0));
}

function point(number) {
  if (number === view.hovered) return;
  view.hovered = number;
  canvas.classList.toggle("over", number > 0);
  tellObject(number ? rowOf(state.image, state.output, view.mask.ids[number - 1]) : table.chosen);
  requestRender();
}

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by && beside(by) !== state.image) openImage(beside(by));
  if (event.key === "Escape") chooseObject(null);
}

async function start() {
  if (!RUN.images.length) return;
  await readTable();
  document.body.classList.toggle("bare", !RUN.rows && !RUN.images.some((image) => image.outputs.length));
  document.body.classList.toggle("single", RUN.images.length === 1);
  byId("scope").hidden = RUN.images.length === 1;
  fillMeasures();
  buildSheet((number) => openImage(number));
  fillTable([], "image");
  wire();
  drawGroups();
  const first = RUN.images.findIndex((image) => image.status === "done" || image.status === "resumed");
  await openImage(Math.max(first, 0));
}

start();
