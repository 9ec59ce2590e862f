/* One chart: drawn by Vega-Lite as wide as there is room, and told mark by mark by hover and by keyboard. */

/** An element with text and attributes. */
function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined && text !== null) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) if (value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  return made;
}

/** Visits every object of a specification. */
function eachPart(part, visit) {
  if (Array.isArray(part)) part.forEach((inner) => eachPart(inner, visit));
  else if (part && typeof part === "object") {
    visit(part);
    Object.values(part).forEach((inner) => eachPart(inner, visit));
  }
}

/** Whether a row passes the filter of a layer. */
function passes(filter, row) {
  if (filter.not) return !passes(filter.not, row);
  const value = row[filter.field];
  return filter.oneOf ? filter.oneOf.includes(value) : value === filter.equal;
}

/** The specification with data, width, and axes linear or logarithmic as the reader wants them. */
function fitted(figure, rows, width, linear) {
  const spec = structuredClone(figure.chart);
  // A layer without a row to draw has no extent, of which Vega would complain.
  if (spec.layer) {
    spec.layer = spec.layer.filter(({ data, transform, encoding = {} }) => {
      const needed = ["x", "x2", "y", "y2"].map((axis) => encoding[axis] && encoding[axis].field).filter(Boolean);
      return data || rows.some((row) => (!transform || passes(transform[0].filter, row)) && needed.every((field) => row[field] !== null));
    });
  }
  if (spec.height.step) {
    const drawn = spec.transform ? rows.filter((row) => passes(spec.transform[0].filter, row)) : rows;
    spec.height = spec.height.step * Math.max(2, new Set(drawn.map((row) => row[spec.encoding.y.field])).size);
  }
  eachPart(spec, (part) => {
    if (part.labelLimit === 0) part.labelLimit = Math.round(width * (width < 500 ? 0.4 : 0.48));
    if (!part.encoding) return;
    for (const axis of linear) {
      const channel = part.encoding[axis];
      if (channel && channel.scale && channel.scale.type === "log") {
        channel.scale = { zero: false };
        if (channel.axis) channel.axis = { format: channel.axis.format, tickCount: 6 };
      }
    }
  });
  const values = rows.map((row) => ({ _row: row._row, ...Object.fromEntries(figure.fields.map((name) => [name, row[name]])) }));
  return { ...spec, width, autosize: { type: "fit-x", contains: "padding" }, data: { values } };
}

/** What a mark tells: label and value, in order. */
function told(figure, row) {
  const { name, value, low, high, source, on, more } = figure.told;
  const ends = [low, high].map((end) => (end ? row[end] : null));
  const range = ends.some((end) => end !== null && end !== undefined) ? ` (${inWords(ends[0])} to ${inWords(ends[1])})` : "";
  const lines = [["", name.map((part) => (typeof row[part] === "number" ? `${words(part)} ${inWords(row[part])}` : inWords(row[part]))).join(", ")]];
  lines.push([words(value), inWords(row[value]) + range]);
  for (const each of more) if (row[each] !== null && row[each] !== undefined) lines.push([words(each), inWords(row[each])]);
  lines.push(["source", inWords(row[source])], ["date", inWords(row[on])]);
  if (row.is_stale) lines.push(["stale", "nobody was seen to state it for more than a month"]);
  return lines;
}

/** A drawn mark that stands for a row, of every row one, in the order they are read. */
function marksOf(view) {
  const found = new Map();
  const walk = (group, left, top) => {
    for (const item of group.items || []) {
      if (item.items) {
        for (const mark of item.items) walk(mark, left + (item.x || 0), top + (item.y || 0));
      } else if (["symbol", "rect"].includes(group.marktype) && item.datum && Number.isInteger(item.datum._row) && !found.has(item.datum._row)) {
        const { x1, x2, y1, y2 } = item.bounds;
        found.set(item.datum._row, { row: item.datum._row, x: left + (x1 + x2) / 2, y: top + (y1 + y2) / 2 });
      }
    }
  };
  walk(view.scenegraph().root, view.origin()[0], view.origin()[1]);
  return [...found.values()].sort((one, other) => one.x - other.x || one.y - other.y);
}

/** Draws a figure's rows and listens for pointer and keys. */
async function draw(figure, rows, linear) {
  const { box, stage, tip, live } = figure.parts;
  tip.hidden = true;
  figure.turn = (figure.turn || 0) + 1;
  const turn = figure.turn;
  const width = Math.max(220, Math.floor(box.clientWidth) - 4);
  figure.width = box.clientWidth;
  if (figure.view) figure.view.finalize();
  stage.replaceChildren();
  if (!rows.length) {
    stage.append(element("p", "No row is left. Pick something else.", { class: "missing" }));
    figure.view = null;
    return;
  }
  const holder = element("div");
  const result = await window.vegaEmbed(holder, fitted(figure, rows, width, linear), {
    ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: false, config: pageData.config,
  });
  if (turn !== figure.turn) return result.view.finalize();
  stage.replaceChildren(holder);
  figure.view = result.view;
  figure.marks = marksOf(result.view);
  figure.at = -1;
  result.view.addEventListener("pointermove", (event, item) => {
    const row = item && item.datum && ["symbol", "rect", "rule"].includes(item.mark.marktype) ? item.datum._row : undefined;
    if (Number.isInteger(row) && figure.rows[row]) show(figure, row, event.clientX, event.clientY);
    else tip.hidden = true;
  });
  result.view.addEventListener("pointerout", () => { tip.hidden = true; });
  box.dataset.drawn = figure.marks.length;
  live.textContent = "";
}

/** Shows what a row tells, beside a place of the window. */
function show(figure, row, clientX, clientY) {
  const { tip, box } = figure.parts;
  tip.replaceChildren(...told(figure, figure.rows[row]).map(([label, text]) => {
    const line = element("p");
    if (label) line.append(element("b", `${label}: `));
    line.append(text);
    if (!label) line.className = "name";
    return line;
  }));
  tip.hidden = false;
  const frame = box.getBoundingClientRect();
  const left = Math.min(Math.max(0, clientX - frame.left + 12), Math.max(0, frame.width - tip.offsetWidth));
  const below = clientY - frame.top + 14;
  tip.style.left = `${left}px`;
  tip.style.top = `${below}px`;
}

/** Walks the marks by the arrow keys, one at a time; what each tells is shown and spoken. */
function walk(figure, event) {
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  const { stage, tip, live } = figure.parts;
  if (event.key === "Escape") { tip.hidden = true; return; }
  if (!figure.marks || !figure.marks.length) return;
  const last = figure.marks.length - 1;
  if (event.key === "Home") figure.at = 0;
  else if (event.key === "End") figure.at = last;
  else if (steps[event.key]) figure.at = Math.min(last, Math.max(0, figure.at + steps[event.key]));
  else return;
  event.preventDefault();
  const mark = figure.marks[figure.at];
  if (mark.y < stage.scrollTop || mark.y > stage.scrollTop + stage.clientHeight) stage.scrollTop = mark.y - stage.clientHeight / 2;
  const frame = stage.getBoundingClientRect();
  show(figure, mark.row, frame.left + mark.x - stage.scrollLeft, frame.top + mark.y - stage.scrollTop);
  live.textContent = `${figure.at + 1} of ${last + 1}. ${told(figure, figure.rows[mark.row]).map(([label, text]) => (label ? `${label}: ${text}` : text)).join(". ")}`;
}
