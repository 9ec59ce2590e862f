/* The rows behind a figure: searched, sorted, and taken along as CSV. */

const FIRST_ROWS = 50;

/** Hands a text to the reader as a file. */
function save(name, text, type) {
  const link = element("a", "", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** Puts a text on the clipboard, and says on the button that it is there. */
async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const box = element("textarea", text);
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
  const before = button.dataset.label || button.textContent;
  button.dataset.label = before;
  button.textContent = "copied";
  setTimeout(() => { button.textContent = before; }, 1500);
}

/** The rows that hold every word of a search, in the order that is asked for. */
function arranged(rows, columns, { search = "", sort = "", down = false }) {
  const wanted = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = wanted.length
    ? rows.filter((row) => {
      const text = columns.map((column) => inWords(row[column])).join(" ").toLowerCase();
      return wanted.every((word) => text.includes(word));
    })
    : [...rows];
  if (!sort) return found;
  const unknown = (value) => value === null || value === undefined;
  return found.sort((one, other) => {
    const [a, b] = [one[sort], other[sort]];
    if (unknown(a) || unknown(b)) return unknown(a) - unknown(b);
    const order = typeof a === "string" ? a.localeCompare(b) : a - b;
    return down ? -order : order;
  });
}

/** Fills a figure's table from the rows that are picked. */
function tabulate(figure, rows, asked, change) {
  const { table, count, more } = figure.parts;
  const columns = figure.columns;
  const shown = arranged(rows, columns, asked);
  const head = element("tr");
  for (const column of columns) {
    const order = asked.sort === column ? (asked.down ? "descending" : "ascending") : "none";
    const cell = element("th", null, { scope: "col", "aria-sort": order, class: figure.numeric.has(column) && "number" });
    const button = element("button", words(column) + (order === "none" ? "" : asked.down ? " \u2193" : " \u2191"), { type: "button" });
    button.addEventListener("click", () => change({ sort: column, down: asked.sort === column && !asked.down }, column));
    cell.append(button);
    head.append(cell);
  }
  const body = element("tbody");
  const most = asked.all ? shown.length : FIRST_ROWS;
  for (const row of shown.slice(0, most)) {
    const line = element("tr");
    for (const column of columns) {
      const cell = element("td", inWords(row[column]), { class: figure.numeric.has(column) && "number" });
      if (column === "verdict") { cell.textContent = words(cell.textContent); cell.className = `verdict ${row[column]}`; }
      line.append(cell);
    }
    body.append(line);
  }
  const top = element("thead");
  top.append(head);
  table.replaceChildren(top, body);
  count.textContent = `${shown.length.toLocaleString("en")} of ${figure.rows.length.toLocaleString("en")} rows`;
  more.hidden = shown.length <= most;
  more.textContent = `Show all ${shown.length.toLocaleString("en")}`;
  return shown;
}
