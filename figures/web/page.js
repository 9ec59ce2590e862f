/* The page: figures with their controls, the state of all of them in the link, and what needs the window. */

let pageData;
const figures = new Map();
const state = {};

/** Reads `#figure&figure.column=value&...` into the state; `figure.linear` holds axes, `figure.find` the search. */
function readLink() {
  for (const name of Object.keys(state)) delete state[name];
  for (const part of location.hash.slice(1).split("&").slice(1)) {
    const [key, value = ""] = part.split("=").map(decodeURIComponent);
    const dot = key.indexOf(".");
    if (dot > 0) (state[key.slice(0, dot)] ||= {})[key.slice(dot + 1)] = value;
  }
}

/** Writes what differs from the first view into the link, behind the figure that was touched last. */
function writeLink(last) {
  const parts = [last];
  for (const [name, asked] of Object.entries(state)) {
    for (const [key, value] of Object.entries(asked)) parts.push(`${encodeURIComponent(`${name}.${key}`)}=${encodeURIComponent(value)}`);
  }
  history.replaceState(null, "", `#${parts.join("&")}`);
}

/** Changes something of a figure, or takes it back where the value is undefined, and shows it. */
function ask(figure, key, value) {
  const asked = (state[figure.name] ||= {});
  if (value === undefined) delete asked[key];
  else asked[key] = value;
  writeLink(figure.name);
  refresh(figure);
}

/** A control as a list or a slider; a slider moves over the values there are. */
function control(figure, { control: { column, label, every, slider }, options, value }) {
  const id = `${figure.name}-${column}`;
  const holder = element("label", null, { for: id });
  holder.append(element("span", label));
  if (slider && options.length > 1) {
    const range = element("input", null, { id, type: "range", min: 0, max: options.length - 1, step: 1, value: options.indexOf(value), "aria-valuetext": inWords(value) });
    const says = element("output", inWords(value), { for: id });
    range.addEventListener("input", () => { says.textContent = inWords(options[range.value]); });
    range.addEventListener("change", () => ask(figure, column, String(options[range.value])));
    holder.append(range, says);
    return holder;
  }
  const list = element("select", null, { id });
  if (every) list.append(element("option", every, { value: "" }));
  for (const option of options) list.append(element("option", words(inWords(option)), { value: String(option), selected: option === value }));
  list.addEventListener("change", () => ask(figure, column, list.value));
  holder.append(list);
  return holder;
}

/** Shows a figure as its state asks: controls, chart, table. */
function refresh(figure) {
  const asked = state[figure.name] || {};
  const { controls, rows } = picked(figure, asked);
  const linear = (asked.linear || "").split("").filter((axis) => figure.log.includes(axis));
  const { settings, find } = figure.parts;
  const focused = document.activeElement && settings.contains(document.activeElement) ? document.activeElement.id : "";
  settings.replaceChildren(...controls.map((each) => control(figure, each)));
  for (const axis of figure.log) {
    const id = `${figure.name}-log-${axis}`;
    const holder = element("label", null, { for: id, class: "tick" });
    const box = element("input", null, { id, type: "checkbox" });
    box.checked = !linear.includes(axis);
    box.addEventListener("change", () => {
      const rest = linear.filter((other) => other !== axis).concat(box.checked ? [] : [axis]).sort().join("");
      ask(figure, "linear", rest || undefined);
    });
    holder.append(box, element("span", axis === "x" ? "logarithmic across" : "logarithmic upwards"));
    settings.append(holder);
  }
  if (focused) document.getElementById(focused)?.focus();
  if (document.activeElement !== find) find.value = asked.find || "";
  figure.picked = { controls, rows, linear };
  if (figure.seen) figure.drawing = draw(figure, rows, linear);
  fillTable(figure);
}

function fillTable(figure) {
  if (!figure.parts.details.open) return;
  const asked = state[figure.name] || {};
  const wanted = { search: asked.find, sort: asked.sort, down: asked.down === "1", all: figure.all };
  figure.shown = tabulate(figure, figure.picked.rows, wanted, ({ sort, down }, column) => {
    ask(figure, "down", down ? "1" : undefined);
    ask(figure, "sort", sort);
    figure.parts.table.querySelectorAll("th button")[figure.columns.indexOf(column)].focus();
  });
}

/** Finds a figure's parts in the page and makes them listen. */
function wire(figure) {
  const section = document.getElementById(figure.name);
  const part = (name) => section.querySelector(`[data-part="${name}"]`);
  figure.parts = Object.fromEntries(["box", "stage", "tip", "live", "settings", "table", "count", "more", "find", "details", "csv", "sql", "link"].map((name) => [name, part(name)]));
  const { box, details, find, more } = figure.parts;
  box.addEventListener("keydown", (event) => walk(figure, event));
  box.addEventListener("blur", () => { figure.parts.tip.hidden = true; });
  details.addEventListener("toggle", () => fillTable(figure));
  find.addEventListener("input", () => { figure.all = false; ask(figure, "find", find.value || undefined); });
  more.addEventListener("click", () => { figure.all = true; fillTable(figure); });
  figure.parts.csv.addEventListener("click", () => {
    const asked = state[figure.name] || {};
    const rows = arranged(figure.picked.rows, figure.columns, { search: asked.find, sort: asked.sort, down: asked.down === "1" });
    save(`${figure.name}.csv`, csv(figure.columns, rows), "text/csv");
  });
  figure.parts.sql.addEventListener("click", () => copy(sql(figure, figure.picked.controls), figure.parts.sql));
  figure.parts.link.addEventListener("click", () => { writeLink(figure.name); copy(location.href, figure.parts.link); });
}

/** Draws what comes near the window, then the rest while nothing else is to do, so that all of it prints. */
function drawInTurn() {
  const see = (figure) => {
    if (figure.seen) return;
    figure.seen = true;
    figure.drawing = draw(figure, figure.picked.rows, figure.picked.linear);
  };
  const near = new IntersectionObserver((entries) => entries.forEach((entry) => { if (entry.isIntersecting) see(figures.get(entry.target.dataset.figure)); }), { rootMargin: "400px" });
  for (const figure of figures.values()) near.observe(figure.parts.box);
  const rest = [...figures.values()];
  const idle = window.requestIdleCallback || ((then) => setTimeout(then, 50));
  const next = async () => {
    const figure = rest.shift();
    if (!figure) { document.documentElement.dataset.ready = "all"; return; }
    see(figure);
    await figure.drawing;
    idle(next);
  };
  idle(next);
}

async function start() {
  pageData = await unpacked("rows");
  for (const packed of pageData.figures) {
    const figure = { ...packed, rows: rowsOf(packed.columns), columns: Object.keys(packed.columns), numeric: new Set(packed.numeric) };
    figures.set(figure.name, figure);
    wire(figure);
  }
  readLink();
  figures.forEach(refresh);
  const anchor = location.hash.slice(1).split("&")[0];
  if (anchor) document.getElementById(anchor)?.scrollIntoView();
  drawInTurn();
  startCalculators();
  window.addEventListener("hashchange", () => { if (location.hash.includes("&")) { readLink(); figures.forEach(refresh); } });
  let timer;
  window.addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => figures.forEach((figure) => { if (figure.seen && figure.width !== figure.parts.box.clientWidth) refresh(figure); }), 200);
  });
  document.documentElement.dataset.ready ||= "rows";
}

start();
