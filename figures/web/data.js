/* The rows behind every figure, as they were packed into the page, and what is picked of them. */

/** Unpacks the page's data: gzip in base64 in a script element that is no script. */
async function unpacked(id) {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

/** Rows as objects, from columns that hold either their values or the places of their values in a list. */
function rowsOf(columns) {
  const names = Object.keys(columns);
  const read = names.map((name) => {
    const { values, places } = columns[name];
    return places ? (at) => (places[at] === null ? null : values[places[at]]) : (at) => values[at];
  });
  const first = columns[names[0]];
  const count = (first.places || first.values).length;
  const rows = new Array(count);
  for (let at = 0; at < count; at += 1) {
    const row = { _row: at };
    for (let each = 0; each < names.length; each += 1) row[names[each]] = read[each](at);
    rows[at] = row;
  }
  return rows;
}

/** What there is to pick in a column of some rows, in the order of the rows; numbers and days of a slider in their own. */
function choices(rows, control) {
  const found = [...new Set(rows.map((row) => row[control.column]))].filter((value) => value !== null);
  return control.slider ? found.sort((one, other) => (one < other ? -1 : one > other ? 1 : 0)) : found;
}

/** Follows the controls one by one: the options of each, what is picked, and the rows that remain. `null` is every value. */
function picked(figure, state) {
  let rows = figure.rows;
  const controls = figure.controls.map((control) => {
    const options = choices(rows, control);
    const asked = state[control.column];
    let value = null;
    if (asked !== undefined && options.some((option) => String(option) === asked)) {
      value = options.find((option) => String(option) === asked);
    } else if (!(control.every && (control.start === null || asked === ""))) {
      value = options.includes(control.start) ? control.start : options.length ? options[0] : null;
    }
    if (value !== null) rows = rows.filter((row) => row[control.column] === null || row[control.column] === value);
    return { control, options, value };
  });
  return { controls, rows };
}

/** A value in words: four digits, a dash for what is not known. */
function inWords(value) {
  if (value === null || value === undefined) return "\u2013";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en");
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-4 ? value.toExponential(3) : Number(value.toPrecision(4)).toLocaleString("en", { maximumSignificantDigits: 4 });
}

const UNITS = [["usd_per_mtok", "$ per million tokens"], ["usd_per_gpu_hour", "$ per GPU-hour"], ["usd_per_correct", "$ per correct answer"], ["usd_per_task", "$ per task"]];

/** The name of a column as people say it, with its unit behind: `low_usd_per_mtok` is `low, $ per million tokens`. */
function words(column) {
  for (const [unit, said] of UNITS) {
    if (!column.includes(unit)) continue;
    const rest = column.split(unit).map((part) => part.replace(/^_|_$/g, "")).filter(Boolean);
    const name = rest.join(" ").replace(/^cpm$/, "blended price").replaceAll("_", " ");
    return name ? `${name}, ${said}` : said;
  }
  return column.replaceAll("_", " ");
}

/** Rows as CSV after RFC 4180. A text that a spreadsheet would run as a formula is shown as text. */
function csv(columns, rows) {
  const cell = (value) => {
    if (value === null || value === undefined) return "";
    let text = String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows.map((row) => columns.map((column) => row[column]))].map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}

/** The SQL behind a figure, narrowed to what is picked. */
function sql(figure, controls) {
  const literal = (value) => (typeof value === "number" || typeof value === "boolean" ? String(value) : `'${String(value).replaceAll("'", "''")}'`);
  const tests = controls.filter(({ value }) => value !== null).map(({ control, value }) => `${control.column} = ${literal(value)}`);
  return tests.length ? `SELECT * FROM (\n  ${figure.sql}\n)\nWHERE ${tests.join("\n  AND ")}` : figure.sql;
}
