
/* ------------------------------------------------------------------ data: what the page carries */

const byId = (id) => document.getElementById(id);
const RUN = JSON.parse(byId("run-data").textContent);
const column = Object.fromEntries(RUN.columns.map((one) => [one.name, one]));

const parsed = new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));

/* The text of a data element; while the page still loads, one that is not there yet, or not in full, is waited for. */
async function textOf(id) {
  if (!byId(id)?.nextSibling) await parsed;
  return byId(id)?.textContent ?? "";
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return bytes;
}

async function inflated(base64) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

/* The table's columns, and which rows belong to each image. */
const rowsOf = RUN.images.map(() => []);
async function readTable() {
  const buffer = await inflated(byId("table-data").textContent);
  RUN.columns.forEach((one, place) => {
    one.values = new (one.type === "i4" ? Int32Array : Float32Array)(buffer, 4 * RUN.rows * place, RUN.rows);
  });
  for (let row = 0; row < RUN.rows; row++) rowsOf[column.image.values[row]].push(row);
}

const wordAt = (name, row) => (column[name] ? column[name].words[column[name].values[row]] : "");

/* The row of each label of an image's mask. */
const rowsByLabel = new Map();
function rowOf(image, output, label) {
  const key = `${image} ${output}`;
  if (!rowsByLabel.has(key)) {
    const rows = rowsOf[image].filter((row) => !column.output || wordAt("output", row) === output);
    rowsByLabel.set(key, new Map(rows.map((row) => [column.label?.values[row], row])));
  }
  return rowsByLabel.get(key).get(label) ?? null;
}

/* An image with its masks, decoded; only the last few are kept. */
const opened = new Map();
function readImage(number) {
  if (!opened.has(number)) opened.set(number, decodeImage(number));
  if (opened.size > 4) opened.delete(opened.keys().next().value);
  return opened.get(number);
}

async function decodeImage(number) {
  const image = JSON.parse(await textOf(`image-${number}`));
  for (const mask of Object.values(image.masks)) mask.numbers = await numbersOf(mask, image.size);
  if (image.picture) image.picture = await pictureOf(image.picture);
  return image;
}

async function numbersOf(mask, [height, width]) {
  const bytes = new Uint8Array(await inflated(mask.labels));
  const numbers = new Uint32Array(height * width);
  for (let plane = 0; plane < mask.planes; plane++) {
    const from = plane * numbers.length;
    for (let k = 0; k < numbers.length; k++) numbers[k] |= bytes[from + k] << (8 * plane);
  }
  return numbers;
}

const webp = (base64) => `data:image/webp;base64,${base64}`;

async function pictureOf(base64) {
  const picture = new Image();
  picture.src = webp(base64);
  await picture.decode();
  return picture;
}

/* ------------------------------------------------------------------ words: names and numbers for people */

const SUPERSCRIPT = { 2: "²", 3: "³" };

/* "area_um2" is the name "area" and the unit "µm²". */
function nameAndUnit(name) {
  const [, stem, unit, power] = /^(.+)_(px|nm|um|mm|cm|m|inch|rad|mpx|mm2|mm3)(\d?)$/.exec(name) ?? [null, name, "", ""];
  return [stem.replaceAll("_", " "), unit.replace("um", "µm") + (SUPERSCRIPT[power] ?? "")];
}

const titleOf = (name) => nameAndUnit(name).filter(Boolean).join(", ");

/* As many decimals for a whole column as show four digits of a middling value. */
function decimalsOf(values) {
  if (values instanceof Int32Array) return 0;
  const sizes = [];
  for (let k = 0; k < values.length; k += Math.ceil(values.length / 500)) {
    if (values[k] && Number.isFinite(values[k])) sizes.push(Math.abs(values[k]));
  }
  const middle = sizes.sort((a, b) => a - b)[sizes.length >> 1] ?? 1;
  return Math.min(Math.max(3 - Math.floor(Math.log10(middle)), 0), 6);
}

/* One formatter for each number of decimals: making one costs far more than using it. */
const formats = Array.from({ length: 7 }, (_, decimals) => new Intl.NumberFormat("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
const numberText = (value, decimals) => (Number.isFinite(value) ? formats[decimals].format(value) : "");

const shortNumber = (value) => (Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3) ? value.toExponential(1) : String(+value.toPrecision(4)));
const plural = (count, noun) => `${numberText(count, 0)} ${noun}${count === 1 ? "" : "s"}`;

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
