
/* ------------------------------------------------------------------ sheet: every image as a thumbnail, decoded when near */

const cards = byId("cards");
const near = cards && new IntersectionObserver((seen) => seen.forEach(loadThumbnail), { root: cards, rootMargin: "400px" });

async function loadThumbnail({ target, isIntersecting }) {
  const picture = target.querySelector("img");
  if (!picture) return;
  if (!isIntersecting) return void picture.removeAttribute("src");
  const text = await textOf(`thumbnail-${target.number}`);
  if (text) picture.src = webp(text);
}

function factsOf(image) {
  if (image.status === "failed") return "failed";
  if (image.status !== "done" && image.status !== "resumed") return image.status;
  const counts = image.outputs.filter((output) => output.count !== null && output.count !== undefined);
  return counts.length ? counts.map((output) => plural(output.count, "object")).join(" · ") : "";
}

function makeCard(image, number) {
  const card = element("div", { className: "card", role: "option", id: `card-${number}`, title: image.name, "aria-selected": "false" });
  card.number = number;
  const frame = element("div", { className: "frame" });
  if (image.status === "done" || image.status === "resumed") frame.append(element("img", { alt: "", decoding: "async" }));
  else card.classList.add("bad");
  const facts = element("p", { textContent: factsOf(image) });
  if (image.warnings.length) facts.append(element("span", { className: "flag", textContent: `${facts.textContent ? " · " : ""}${plural(image.warnings.length, "warning")}` }));
  card.append(frame, element("div", { className: "words" }, element("h3", { textContent: image.name }), facts));
  return card;
}

const ORDERS = {
  "as run": (a, b) => a - b,
  "by name": (a, b) => RUN.images[a].name.localeCompare(RUN.images[b].name, "en", { numeric: true }),
  "most objects": (a, b) => total(b) - total(a) || a - b,
  "fewest objects": (a, b) => total(a) - total(b) || a - b,
  "trouble first": (a, b) => trouble(b) - trouble(a) || a - b,
};
const total = (number) => RUN.images[number].outputs.reduce((sum, output) => sum + (output.count ?? 0), 0);
const trouble = (number) => (factsOf(RUN.images[number]) === "failed" ? 1e6 : 0) + RUN.images[number].warnings.length;

const sheet = { cards: [], order: [] };

function buildSheet(onChoose) {
  sheet.cards = RUN.images.map(makeCard);
  byId("sheet-order").append(...Object.keys(ORDERS).map((name) => element("option", { textContent: name })));
  byId("sheet-order").addEventListener("change", arrangeSheet);
  byId("sheet-filter").addEventListener("input", arrangeSheet);
  cards.addEventListener("click", (event) => {
    const card = event.target.closest(".card");
    if (card) onChoose(card.number);
  });
  cards.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (!by) return;
    event.preventDefault();
    onChoose(beside(by));
  });
  sheet.cards.forEach((card) => near.observe(card));
  arrangeSheet();
}

function arrangeSheet() {
  const words = byId("sheet-filter").value.toLowerCase();
  const order = ORDERS[byId("sheet-order").value];
  sheet.order = [...RUN.images.keys()].filter((number) => RUN.images[number].name.toLowerCase().includes(words)).sort(order);
  cards.replaceChildren(...sheet.order.map((number) => sheet.cards[number]));
  if (!sheet.order.length) cards.append(element("p", { className: "quiet", textContent: "No image has this in its name." }));
}

/* The image `by` places further in the sheet's order. */
function beside(by) {
  const at = sheet.order.indexOf(state.image);
  if (!sheet.order.length) return state.image;
  return sheet.order[Math.min(Math.max(at + by, 0), sheet.order.length - 1)];
}

function chooseCard(number) {
  cards.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
  const card = sheet.cards[number];
  card.setAttribute("aria-selected", "true");
  cards.setAttribute("aria-activedescendant", card.id);
  const [box, room] = [card.getBoundingClientRect(), cards.getBoundingClientRect()];
  if (box.top < room.top) cards.scrollTop += box.top - room.top - 8;
  else if (box.bottom > room.bottom) cards.scrollTop += box.bottom - room.bottom + 8;
  if (box.left < room.left || box.right > room.right) cards.scrollLeft += box.left - room.left - 8;
}
