/* ------------------------------------------------------------------ the images of an evaluation: sorted, found, and looked at closely */

const DATA = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};
const shown = (value) => (value === null || value === undefined ? "–" : Number.isInteger(value) ? String(value) : value.toFixed(3));

const blocks = new Map();
function blockOf(number) {
  if (!blocks.has(number)) blocks.set(number, JSON.parse(byId(`image-${number}`).textContent));
  return blocks.get(number);
}

/* ---- layers: one switch for all pictures */

const WORDS = { truth: DATA.task === "semantic" ? "truth in colours" : "outlines of the truth", prediction: "prediction in colours", ignored: "not judged" };
const hidden = new Set(["truth", "prediction"]);
const there = new Set();
for (let k = 0; k < DATA.images.length; k++) {
  const text = byId(`image-${k}`).textContent;
  for (const layer of DATA.layers) if (!there.has(layer) && text.includes(`"${layer}":"`)) there.add(layer);
  if (there.size === DATA.layers.length) break;
}
const layers = DATA.layers.filter((layer) => there.has(layer));

function showLayers() {
  for (const layer of DATA.layers) document.documentElement.classList.toggle(`off-${layer}`, hidden.has(layer));
  for (const input of document.querySelectorAll(".layer-keys input")) input.checked = !hidden.has(input.value);
}

for (const list of [byId("layer-keys"), byId("zoom-keys")]) {
  if (!list) continue;
  if (DATA.task === "semantic") list.classList.add("by-class");
  for (const layer of layers) {
    const input = element("input", { type: "checkbox", value: layer, checked: !hidden.has(layer) });
    input.addEventListener("change", () => {
      hidden[input.checked ? "delete" : "add"](layer);
      showLayers();
    });
    list.append(element("li", {}, element("label", {}, input, element("span", {}, element("i", { className: layer }), WORDS[layer] ?? layer))));
  }
}
for (const entry of document.querySelectorAll(".class-keys li")) entry.firstChild.style.color = entry.dataset.colour;
showLayers();

/* ---- pictures */

function pileOf(number, result) {
  const block = blockOf(number);
  const pile = element("div", { className: "pile" });
  const [height, width] = block.size;
  pile.style.aspectRatio = `${width} / ${height}`;
  if (block.picture) pile.append(element("img", { src: `data:image/webp;base64,${block.picture}`, alt: "", decoding: "async" }));
  for (const layer of DATA.over) {
    const data = block.results[result]?.[layer];
    if (data) pile.append(element("img", { src: `data:image/png;base64,${data}`, alt: layer, className: `layer l-${layer}`, decoding: "async" }));
  }
  return pile;
}

/* As large as its place allows, the shape kept. */
function fit(pile, number, place) {
  const [height, width] = blockOf(number).size;
  const factor = Math.min(place.clientWidth / width, place.clientHeight / height);
  pile.style.width = `${Math.floor(width * factor)}px`;
  pile.style.height = `${Math.floor(height * factor)}px`;
}

const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting || target.firstChild) continue;
    const number = Number(target.dataset.number);
    const pile = pileOf(number, 0);
    target.append(pile);
    fit(pile, number, target);
  }
}, { rootMargin: "600px" });

new ResizeObserver(() => {
  for (const place of document.querySelectorAll(".figure")) if (place.firstChild) fit(place.firstChild, Number(place.dataset.number), place);
}).observe(byId("gallery") ?? document.body);

/* ---- the gallery */

const FATES = ["missed", "added", "merged", "split"];
const shots = DATA.images.map((image, number) => {
  const place = element("div", { className: "figure" });
  place.dataset.number = number;
  const button = element("button", { type: "button", title: "Look closer" }, place);
  button.setAttribute("aria-label", `Look closer at ${image.name}`);
  button.addEventListener("click", () => open(number));
  const value = element("p");
  const counts = element("p", { textContent: countsOf(image) });
  watcher.observe(place);
  return { number, image, value, item: element("li", { className: "shot" }, button, element("h3", { textContent: image.name }), value, counts) };
});

function countsOf(image) {
  const told = FATES.filter((fate) => image.counts[fate]).map((fate) => `${image.counts[fate]} ${fate}`);
  if (!("matched" in image.counts)) return image.group ? `group ${image.group}` : "";
  return [`${image.counts.matched} of ${image.counts.objects_true} matched`, ...told].join(", ");
}

const select = byId("key");
const CHANGE = "change";

function orderBy() {
  const key = select.value;
  const change = key === CHANGE;
  const better = DATA.keys.find((one) => one.key === (change ? DATA.main : key))?.better;
  const badness = ({ values, against }) => {
    if (change) return against ? Math.abs(values[DATA.main] - against[DATA.main]) : -Infinity;
    const value = values[key];
    if (value === null || value === undefined) return -Infinity;
    return better === "higher" ? -value : Math.abs(value);
  };
  const turn = byId("turned").checked ? -1 : 1;
  shots.sort((a, b) => {
    const [x, y] = [badness(a.image), badness(b.image)];
    if (x === y) return a.number - b.number;
    return x === -Infinity ? 1 : y === -Infinity ? -1 : turn * (y - x);
  });
  for (const { image, value } of shots) {
    const own = change ? DATA.main : key;
    const other = image.against ? `, other ${shown(image.against[own])}` : "";
    value.replaceChildren(`${own} `, element("b", { textContent: shown(image.values[own]) }), other);
  }
  byId("gallery").replaceChildren(...shots.map(({ item }) => item));
  byId("order-line").textContent = change ? `by how much ${DATA.main} differs between the two results` : `${turn === 1 ? "worst" : "best"} first, by ${key}`;
  find();
}

/* At first only as many as a reader looks through; those found by name are all shown. */
const FIRST = 30;
let every = false;

function find() {
  const wanted = byId("filter").value.trim().toLowerCase();
  let found = 0;
  for (const { image, item } of shots) {
    item.hidden = !`${image.name}\n${image.group}`.toLowerCase().includes(wanted);
    if (!item.hidden) item.hidden = ++found > FIRST && !every && !wanted;
  }
  byId("all").hidden = every || Boolean(wanted) || shots.length <= FIRST;
  byId("all").textContent = `Show all ${shots.length} images`;
}

if (select) {
  if (DATA.compared) select.append(element("option", { value: CHANGE, textContent: "change" }));
  for (const { key } of DATA.keys) select.append(element("option", { value: key, textContent: key, selected: key === DATA.main }));
  select.addEventListener("change", orderBy);
  byId("turned").addEventListener("change", orderBy);
  byId("filter").addEventListener("input", find);
  byId("all").addEventListener("click", () => {
    every = true;
    find();
  });
  orderBy();
}

/* ---- one image, large */

const dialog = byId("zoom");
let current = 0;

function open(number) {
  current = number;
  const image = DATA.images[number];
  const block = blockOf(number);
  byId("zoom-name").textContent = image.name;
  const main = `${DATA.main} ${shown(image.values[DATA.main])}`;
  byId("zoom-line").textContent = [main, countsOf(image)].filter(Boolean).join(", ");
  byId("zoom-notes").textContent = [...block.notes, ...image.notes].join(" ");
  const titles = DATA.compared ? ["this result", "the other result"] : [""];
  const panes = titles.map((title, result) => {
    const pane = element("div", { className: "pane", tabIndex: 0 }, pileOf(number, result));
    pane.addEventListener("click", (event) => zoom(event));
    const told = result ? image.against : image.values;
    const caption = title ? `${title}: ${DATA.main} ${shown(told?.[DATA.main])}` : "";
    return element("figure", {}, element("figcaption", { textContent: caption }), pane);
  });
  byId("views").replaceChildren(...panes);
  if (!dialog.open) dialog.showModal();
  fitPanes();
  const at = shots.filter(({ item }) => !item.hidden).findIndex((shot) => shot.number === number);
  byId("previous").disabled = at <= 0;
  byId("next").disabled = at === shots.filter(({ item }) => !item.hidden).length - 1;
}

const panes = () => [...document.querySelectorAll(".pane")];

function fitPanes() {
  for (const pane of panes()) if (!pane.classList.contains("near")) fit(pane.firstChild, current, pane);
}

/* A click brings the point near in every pane; another goes back. */
function zoom(event) {
  const pile = event.currentTarget.firstChild.getBoundingClientRect();
  const [x, y] = [(event.clientX - pile.left) / pile.width, (event.clientY - pile.top) / pile.height];
  const near = !event.currentTarget.classList.contains("near");
  const width = Math.max(3 * pile.width, 2 * blockOf(current).size[1]);
  for (const pane of panes()) {
    pane.classList.toggle("near", near);
    if (!near) continue;
    pane.firstChild.style.width = `${width}px`;
    pane.firstChild.style.height = `${(width * pile.height) / pile.width}px`;
    pane.scrollTo(x * width - pane.clientWidth / 2, (y * width * pile.height) / pile.width - pane.clientHeight / 2);
  }
  fitPanes();
}

function step(by) {
  const seen = shots.filter(({ item }) => !item.hidden);
  const next = seen[seen.findIndex((shot) => shot.number === current) + by];
  if (next) open(next.number);
}

byId("previous").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));
byId("close").addEventListener("click", () => dialog.close());
dialog.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
window.addEventListener("resize", fitPanes);

for (const input of document.querySelectorAll('[name="cells"]')) {
  input.addEventListener("change", () => byId("heat").classList.toggle("counted", input.value === "counts" && input.checked));
}
document.documentElement.dataset.ready = "yes";
