/* The page comes anew while training goes on: what the reader scrolled to stays, and a training nobody hears of any more is told. */

const KEPT = "microtome-train " + location.pathname;
const strips = [...document.querySelectorAll(".strip")];

function keep() {
  const open = [...document.querySelectorAll("details")].map((one) => one.open);
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ y: scrollY, strips: strips.map((one) => one.scrollLeft), open }));
  } catch {
    // a browser that stores nothing for files: the page begins at its top
  }
}

function restore() {
  let kept = null;
  try {
    kept = JSON.parse(sessionStorage.getItem(KEPT));
  } catch {
    return;
  }
  if (!kept) return;
  document.querySelectorAll("details").forEach((one, k) => (one.open = kept.open[k] ?? false));
  strips.forEach((one, k) => (one.scrollLeft = kept.strips[k] ?? 0));
  scrollTo(0, kept.y);
}

if (document.body.dataset.state === "running") {
  const silent = () => Date.now() / 1000 - Number(document.body.dataset.written) > Number(document.body.dataset.patience);
  document.getElementById("silent").hidden = !silent();
  addEventListener("pagehide", keep);
}
restore();
document.documentElement.dataset.ready = "yes";
