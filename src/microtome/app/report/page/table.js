
/* ------------------------------------------------------------------ table: only the rows in sight exist */

const ROW = 28;
const grid = byId("grid");
const table = { rows: [], names: [], sort: null, falling: false, chosen: null, lines: [], body: null };

/* Columns worth showing: those that are not the same word for everyone. */
function tableNames(scope) {
  const all = scope === "all";
  const outputs = all ? (column.output?.words.length ?? 0) : RUN.images[state.image].outputs.length;
  const front = [...(all ? ["image"] : []), ...(all && RUN.grouped ? ["group"] : []), ...(outputs > 1 ? ["output"] : [])];
  const rest = RUN.columns.map((one) => one.name).filter((name) => !["image", "group", "output", "label", "class"].includes(name));
  const last = (name) => name.startsWith("box_") || name.startsWith("centroid_");
  const filled = rest.filter((name) => column[name].words || column[name].values.some(Number.isFinite));
  return ["label", ...front, ...(column.class?.words.some(Boolean) ? ["class"] : []), ...filled.filter((n) => !last(n)), ...filled.filter(last)].filter((name) => column[name]);
}

function cellText(name, row) {
  const one = column[name];
  if (name === "image") return RUN.images[one.values[row]].name;
  if (one.words) return one.words[one.values[row]];
  if (name === "label") return String(one.values[row]);
  return numberText(one.values[row], (one.decimals ??= decimalsOf(one.values)));
}

function buildTable(scope) {
  table.names = tableNames(scope);
  const wordy = (name) => name === "image" || Boolean(column[name].words);
  const widths = table.names.map((name) => {
    const cells = sampled(table.rows, 60).map((row) => cellText(name, row).length);
    const head = Math.max(...nameAndUnit(name).map((part) => part.length)) + 3;
    return `${Math.min(Math.max(head, ...cells, 5) + 2, wordy(name) ? 28 : 24)}ch`;
  });
  grid.style.setProperty("--columns", widths.join(" "));
  grid.style.setProperty("--wide", `calc(${widths.join(" + ")})`);
  const heads = table.names.map((name) => {
    const [stem, unit] = nameAndUnit(name);
    const button = element("button", { type: "button", tabIndex: -1 }, stem, element("small", { textContent: unit }));
    button.addEventListener("click", () => sortBy(name));
    return element("div", { className: wordy(name) ? "head word" : "head", role: "columnheader", "aria-sort": "none" }, button);
  });
  table.body = element("div", { className: "rows", role: "rowgroup" });
  table.lines = [];
  grid.replaceChildren(element("div", { className: "heads", role: "row" }, ...heads), table.body);
  table.wordy = table.names.map(wordy);
  table.edges = heads.map((head) => [head.offsetLeft, head.offsetLeft + head.offsetWidth]);
}

function fillTable(rows, scope) {
  table.rows = rows;
  buildTable(scope);
  if (table.sort && !table.names.includes(table.sort)) table.sort = null;
  orderRows();
}

function sortBy(name) {
  if (table.sort === name && table.falling) Object.assign(table, { sort: null, falling: false });
  else Object.assign(table, { falling: table.sort === name, sort: name });
  orderRows();
}

function orderRows() {
  const rows = Uint32Array.from(table.rows).sort();
  if (table.sort) {
    const key = sortKey(table.sort, rows);
    const sign = table.falling ? -1 : 1;
    rows.sort((a, b) => compare(key[a], key[b], sign) || a - b);
  }
  table.rows = rows;
  [...grid.querySelectorAll(".head")].forEach((head, k) => {
    head.setAttribute("aria-sort", table.names[k] === table.sort ? (table.falling ? "descending" : "ascending") : "none");
  });
  grid.setAttribute("aria-rowcount", rows.length + 1);
  table.body.style.height = `${rows.length * ROW}px`;
  if (!rows.length) table.body.append(element("p", { className: "none", textContent: "There are no objects." }));
  if (table.chosen === null) grid.scrollTop = 0;
  else keepInSight(rows.indexOf(table.chosen));
  drawRows();
}

/* Words sort by their rank in the alphabet, numbers by themselves; a missing number comes last either way. */
function sortKey(name, rows) {
  const one = column[name];
  const words = name === "image" ? RUN.images.map((image) => image.name) : one.words;
  if (!words) return one.values;
  const natural = new Intl.Collator("en", { numeric: true });
  const rank = new Int32Array(words.length);
  [...words.keys()].sort((a, b) => natural.compare(words[a], words[b])).forEach((place, k) => (rank[place] = k));
  const key = new Int32Array(RUN.rows);
  for (const row of rows) key[row] = rank[one.values[row]];
  return key;
}

function compare(a, b, sign) {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
  return sign * (a - b);
}

function drawRows() {
  const first = Math.max(Math.floor(grid.scrollTop / ROW) - 6, 0);
  const past = Math.min(first + Math.ceil(grid.clientHeight / ROW) + 12, table.rows.length);
  while (table.lines.length < past - first) {
    const cells = table.wordy.map((wordy) => element("div", { className: wordy ? "word" : "", role: "gridcell" }));
    table.lines.push(element("div", { className: "line", role: "row" }, ...cells));
    table.body.append(table.lines.at(-1));
  }
  grid.classList.toggle("shifted", grid.scrollLeft > 0); // labels stay in sight then, which costs time when there is no need
  const [left, right] = [grid.scrollLeft - 200, grid.scrollLeft + grid.clientWidth + 200];
  const inSight = table.edges.map(([from, to], k) => k === 0 || (to > left && from < right));
  table.lines.forEach((line, k) => {
    const at = first + k;
    line.hidden = at >= past;
    if (!line.hidden) drawRow(line, at, table.rows[at], inSight);
  });
}

/* Cells out of sight stay empty: laying out text is what takes time. */
function drawRow(line, at, row, inSight) {
  line.style.transform = `translateY(${at * ROW}px)`;
  line.classList.toggle("odd", at % 2 === 1);
  line.setAttribute("aria-selected", row === table.chosen);
  const drawn = `${row} ${inSight}`;
  if (line.drawn === drawn) return;
  Object.assign(line, { row, drawn, id: `row-${row}` });
  line.setAttribute("aria-rowindex", at + 2);
  table.names.forEach((name, k) => (line.children[k].textContent = inSight[k] ? cellText(name, row) : ""));
}

function keepInSight(at) {
  if (at < 0) return;
  const top = at * ROW;
  const room = grid.clientHeight - 2 * ROW - 12;
  if (top < grid.scrollTop || top > grid.scrollTop + room) grid.scrollTop = top - room / 2;
}

function chooseRow(row) {
  table.chosen = row;
  if (row === null) grid.removeAttribute("aria-activedescendant");
  else {
    keepInSight(table.rows.indexOf(row));
    grid.setAttribute("aria-activedescendant", `row-${row}`);
  }
  drawRows();
}

function wireTable(onChoose) {
  let waiting = false;
  grid.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      drawRows();
    });
  }, { passive: true });
  grid.addEventListener("click", (event) => {
    const line = event.target.closest(".line");
    if (line) onChoose(line.row);
  });
  grid.addEventListener("keydown", (event) => {
    const page = Math.floor(grid.clientHeight / ROW) - 2;
    const at = table.chosen === null ? -1 : table.rows.indexOf(table.chosen);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: table.rows.length - 1 }[event.key];
    if (to === undefined || !table.rows.length) return;
    event.preventDefault();
    onChoose(table.rows[Math.min(Math.max(to, 0), table.rows.length - 1)]);
  });
}
