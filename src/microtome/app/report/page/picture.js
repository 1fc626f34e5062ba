
/* ------------------------------------------------------------------ picture: image and mask on one canvas */

const canvas = byId("canvas");
const view = { image: null, mask: null, ids: null, colours: null, split: 0.62, outlines: true, fills: false, chosen: 0, hovered: 0, flat: null, lines: null };
const COLOURS = RUN.palette.map((colour) => [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16)));

function showImage(image, output) {
  Object.assign(view, { image, mask: image.masks[output] ?? null, chosen: 0, hovered: 0 });
  view.flat = view.mask && flatColours(view.mask, image.size);
  fitCanvas();
}

/* On a narrow screen the bench grows with what it holds; else it has a height, which slider and caption share with the picture. */
function roomForCanvas() {
  const room = byId("room");
  const narrow = window.matchMedia("(max-width: 1180px)").matches;
  const high = narrow ? window.innerHeight * 0.68 : room.clientHeight - byId("slide").offsetHeight - byId("caption").offsetHeight - 12;
  return [room.clientWidth, Math.max(high, 120)];
}

/* The mask as flat colours, at the preview's own size. */
function flatColours({ numbers, colours }, [height, width]) {
  const flat = new OffscreenCanvas(width, height);
  const data = new ImageData(width, height);
  const pixels = new Uint32Array(data.data.buffer);
  const table = Uint32Array.from([0, ...colours].map((place, k) => (k ? packed(COLOURS[place]) : 0)));
  for (let k = 0; k < pixels.length; k++) pixels[k] = table[numbers[k]];
  flat.getContext("2d").putImageData(data, 0, 0);
  return flat;
}

const packed = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

/* As large as the stage allows, at most six times the preview, with a canvas pixel for each pixel of the screen. */
function fitCanvas() {
  if (!view.image) return;
  const [height, width] = view.image.size;
  const [wide, high] = roomForCanvas();
  const scale = Math.min(wide / width, high / height, 6);
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.max(Math.round(width * scale * ratio), 1);
  canvas.height = Math.max(Math.round(height * scale * ratio), 1);
  for (const [name, value] of [["width", width * scale], ["height", height * scale]]) {
    canvas.style[name] = `${value}px`;
  }
  byId("slide").style.setProperty("--width", `${Math.max(width * scale, 160)}px`);
  view.scale = canvas.width / width;
  view.lines = view.mask && outlinesOf(view.mask);
  render();
}

/* Every object's own inner edge, in its colour: runs of pixel sides, moved half a line's width inwards. */
function outlinesOf({ numbers, colours }) {
  const drawn = new OffscreenCanvas(canvas.width, canvas.height);
  const context = drawn.getContext("2d");
  const thick = 1.5 * (window.devicePixelRatio || 1);
  const paths = COLOURS.map(() => new Path2D());
  eachSide(numbers, (number, ...side) => addSide(paths[colours[number - 1]], thick / 2 / view.scale, ...side));
  Object.assign(context, { lineWidth: thick / view.scale, lineCap: "square" });
  context.scale(view.scale, view.scale);
  paths.forEach((path, k) => {
    context.strokeStyle = RUN.palette[k];
    context.stroke(path);
  });
  return drawn;
}

/* Calls take(number, across, line, from, to, inwards) for each straight run of an object's sides. */
function eachSide(numbers, take, only = 0) {
  const [height, width] = view.image.size;
  const scan = (lines, length, step, along, across) => {
    for (let line = 0; line <= lines; line++) {
      for (const [here, there, inwards] of [[line, line - 1, 1], [line - 1, line, -1]]) {
        if (here < 0 || here >= lines) continue;
        const outside = there < 0 || there >= lines;
        let [begun, current] = [0, 0];
        for (let k = 0; k <= length; k++) {
          let number = k < length ? numbers[here * step + k * along] : 0;
          if (number && ((only && number !== only) || (!outside && numbers[there * step + k * along] === number))) number = 0;
          if (number === current) continue;
          if (current) take(current, across, line, begun, k, inwards);
          [begun, current] = [k, number];
        }
      }
    }
  };
  scan(height, width, width, 1, true);
  scan(width, height, 1, width, false);
}

function addSide(path, inset, across, line, from, to, inwards) {
  const at = line + inwards * inset;
  if (across) {
    path.moveTo(from + inset, at);
    path.lineTo(to - inset, at);
  } else {
    path.moveTo(at, from + inset);
    path.lineTo(at, to - inset);
  }
}

function render() {
  const { image, flat, lines } = view;
  const context = canvas.getContext("2d");
  const [width, height] = [canvas.width, canvas.height];
  const cut = flat ? Math.round(view.split * width) : width;
  context.fillStyle = "#17181b";
  context.fillRect(0, 0, width, height);
  within(context, 0, cut, () => {
    context.imageSmoothingEnabled = view.scale < 3;
    if (image.picture) context.drawImage(image.picture, 0, 0, width, height);
    context.imageSmoothingEnabled = false;
    context.globalAlpha = 0.42;
    if (flat && view.fills) context.drawImage(flat, 0, 0, width, height);
    context.globalAlpha = 1;
    if (lines && view.outlines) context.drawImage(lines, 0, 0);
  });
  within(context, cut, width, () => {
    context.imageSmoothingEnabled = false;
    if (flat) context.drawImage(flat, 0, 0, width, height);
  });
  for (const number of new Set([view.hovered, view.chosen])) if (number) ring(context, number, number === view.chosen);
  placeDivider();
}

function within(context, from, to, draw) {
  context.save();
  context.beginPath();
  context.rect(from, 0, to - from, canvas.height);
  context.clip();
  draw();
  context.restore();
}

/* The outline of one object, white on black so that it shows on anything. */
function ring(context, number, strong) {
  const path = new Path2D();
  eachSide(view.mask.numbers, (_, ...side) => addSide(path, 0, ...side), number);
  const ratio = (window.devicePixelRatio || 1) / view.scale;
  context.save();
  context.scale(view.scale, view.scale);
  context.lineCap = "square";
  for (const [colour, thick] of strong ? [["#000", 6], ["#fff", 3]] : [["#000", 3], ["#fff", 1.5]]) {
    Object.assign(context, { strokeStyle: colour, lineWidth: thick * ratio });
    context.stroke(path);
  }
  if (strong) locate(context, number, ratio);
  context.restore();
}

/* A circle around a small object, so that the eye finds it. */
function locate(context, number, ratio) {
  const [top, left, bottom, right] = boxOfNumber(number);
  const radius = Math.hypot(bottom - top, right - left) / 2 + 8 * ratio;
  if (radius > 26 * ratio) return;
  for (const [colour, thick] of [["#000", 4], ["#fff", 2]]) {
    context.beginPath();
    context.arc((left + right) / 2, (top + bottom) / 2, radius + 6 * ratio, 0, 2 * Math.PI);
    Object.assign(context, { strokeStyle: colour, lineWidth: thick * ratio });
    context.stroke();
  }
}

function boxOfNumber(number) {
  const width = view.image.size[1];
  let [top, left, bottom, right] = [Infinity, Infinity, 0, 0];
  view.mask.numbers.forEach((found, k) => {
    if (found !== number) return;
    const [row, place] = [Math.floor(k / width), k % width];
    [top, left, bottom, right] = [Math.min(top, row), Math.min(left, place), Math.max(bottom, row + 1), Math.max(right, place + 1)];
  });
  return [top, left, bottom, right];
}

function placeDivider() {
  const divider = byId("divider");
  divider.hidden = !view.flat;
  divider.style.left = `${canvas.offsetLeft + view.split * canvas.offsetWidth}px`;
  divider.style.top = `${canvas.offsetTop}px`;
  divider.style.height = `${canvas.offsetHeight}px`;
}

/* The number of the object under the pointer; 0 where there is none. */
function numberAt(event) {
  if (!view.mask) return 0;
  const [height, width] = view.image.size;
  const box = canvas.getBoundingClientRect();
  const row = Math.floor(((event.clientY - box.top) / box.height) * height);
  const place = Math.floor(((event.clientX - box.left) / box.width) * width);
  return row >= 0 && row < height && place >= 0 && place < width ? view.mask.numbers[row * width + place] : 0;
}

function setSplit(split) {
  view.split = Math.min(Math.max(split, 0), 1);
  byId("split").value = Math.round(view.split * 1000);
  requestRender();
}

let rendering = false;
function requestRender() {
  if (rendering || !view.image) return;
  rendering = true;
  requestAnimationFrame(() => {
    rendering = false;
    render();
  });
}
