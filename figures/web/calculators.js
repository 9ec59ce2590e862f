/* Calculators over rows that are in the page. They pick among what was computed and never go beyond it. */

const usd = (value) => (value === null || value === undefined ? "\u2013" : `$${Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 })}`);

/** The inputs of a calculator, by their names: numbers where they are numbers, NaN where one is empty. */
function asked(form) {
  return Object.fromEntries([...form.querySelectorAll("[name]")].map((input) => [input.name, input.type === "number" ? input.valueAsNumber : input.value]));
}

/** Lines of an answer; each a text or an element. */
function answer(form, ...lines) {
  form.querySelector(".answer").replaceChildren(...lines.map((line) => (line instanceof Node ? line : element("p", line))));
}

/** Fills a list of options, keeping what was picked where it is still there. */
function fill(list, options) {
  const before = list.value;
  list.replaceChildren(...options.map((option) => element("option", option, { value: option })));
  if (options.includes(before)) list.value = before;
}

/** The value of a column that lies nearest on a logarithmic scale, and whether what is asked lies between its ends. */
function nearest(rows, column, wanted) {
  const known = [...new Set(rows.map((row) => row[column]))].sort((one, other) => one - other);
  const value = known.reduce((best, each) => (Math.abs(Math.log(each / wanted)) < Math.abs(Math.log(best / wanted)) ? each : best));
  return { value, inside: wanted >= known[0] && wanted <= known[known.length - 1], known };
}

const DESIGN_WORDS = { unchunked: "colocated, whole prompts first", chunked: "colocated, prompts in chunks", disaggregated: "prefill and decode on separate GPUs", none: "no design" };

/** Nearest computed cell to a contract, with the command that answers for the contract itself. */
function pickContract(form) {
  const rows = figures.get("partition_map").rows;
  const want = asked(form);
  const command = `iecon decide --model ${want.model} --gpu ${want.gpu} --in ${want.input} --out ${want.output} --rate ${want.rate} --ttft-p99 ${want.ttft} --tpot-p99 ${want.tpot}`;
  const numbers = [want.input, want.output, want.rate, want.ttft, want.tpot];
  if (numbers.some((each) => !(each > 0))) return answer(form, "Every field needs a number above 0.");
  const code = element("code", command);
  const button = element("button", "Copy the command", { type: "button" });
  button.addEventListener("click", () => copy(command, button));
  let cells = rows.filter((row) => row.model === want.model && row.gpu === want.gpu && row.setting === want.setting);
  if (!cells.length) return answer(form, "This model was not computed on this GPU.", code, button);
  const near = { input_per_output: want.input / want.output, arrival_rate_per_s: want.rate, ttft_s: want.ttft, tpot_s: want.tpot };
  const beyond = [];
  const at = {};
  for (const [column, wanted] of Object.entries(near)) {
    const found = nearest(cells, column, wanted);
    if (!found.inside) beyond.push(`${words(column)} ${inWords(wanted)} is outside ${inWords(found.known[0])} to ${inWords(found.known[found.known.length - 1])}`);
    at[column] = found.value;
    cells = cells.filter((row) => row[column] === found.value);
  }
  if (beyond.length) return answer(form, `Not computed: ${beyond.join("; ")}. Ask for it exactly:`, code, button);
  const [cell] = cells;
  const cost = ["unchunked", "chunked", "disaggregated"].map((name) => `${name} ${usd(cell[`${name}_usd_per_mtok`])}`).join(", ");
  const place = Object.entries(at).map(([column, value]) => `${words(column)} ${inWords(value)}`).join(", ");
  return answer(
    form,
    element("p", cell.winner === "none" ? "No design meets this contract in the nearest computed cell." : `${DESIGN_WORDS[cell.winner]}: ${usd(cell.usd_per_mtok)} per million output tokens.`, { class: "main" }),
    `Nearest computed cell: ${place}. Costs there: ${cost}. Rent of ${cell.gpu_price_on}.`,
    "For exactly this contract, with its interval:", code, button,
  );
}

/** Sellers of a model by what a million tokens cost at the reader's own mix. */
function blendPrice(form) {
  const want = asked(form);
  const total = want.input + want.output;
  if (!(want.input >= 0 && want.output >= 0 && total > 0 && want.cached >= 0 && want.cached <= 100)) return answer(form, "Tokens of input and output, and a share of 0 to 100 % that the cache holds.");
  const share = want.cached / 100;
  const sold = pageData.prices.filter((row) => row.model === want.model);
  if (!sold.length) return answer(form, "No seller of this model is known. Pick a name from the list.");
  const priced = sold.map((row) => {
    const cached = share > 0 ? row.cache_read_usd_per_mtok : 0;
    const parts = [want.input > 0 ? row.input_usd_per_mtok : 0, want.output > 0 ? row.output_usd_per_mtok : 0, want.input > 0 ? cached : 0];
    const known = parts.every((part) => part !== null);
    const value = known ? (want.input * ((1 - share) * parts[0] + share * parts[2]) + want.output * parts[1]) / total : null;
    return { ...row, value };
  }).sort((one, other) => (one.value ?? Infinity) - (other.value ?? Infinity));
  const table = element("table");
  const head = element("tr");
  for (const name of ["seller", "$ per million tokens", "input", "cache read", "output", "seen on"]) head.append(element("th", name, { scope: "col" }));
  table.append(head);
  for (const row of priced.slice(0, 12)) {
    const line = element("tr");
    const day = row.evidence_on + (row.is_stale ? " (stale)" : "");
    for (const text of [row.provider, usd(row.value), usd(row.input_usd_per_mtok), usd(row.cache_read_usd_per_mtok), usd(row.output_usd_per_mtok), day]) line.append(element("td", text));
    table.append(line);
  }
  const unknown = priced.filter((row) => row.value === null).length;
  return answer(form, table, unknown ? `${unknown} of ${priced.length} sellers state no price for a part of this mix: theirs is not known, not 0.` : `${priced.length} sellers, standard prices at all hours.`);
}

/** What a number of correct answers a month costs, by a measured run. */
function priceCorrect(form) {
  const want = asked(form);
  const row = figures.get("cost_by_benchmark").rows.find((each) => each.benchmark === want.benchmark && `${each.system} (${each.configuration})` === want.run);
  if (!row || !(want.volume > 0)) return answer(form, "A benchmark, a run of it, and a number of correct answers above 0.");
  const cost = (each) => (each === null ? null : each * want.volume);
  const ends = row.corrected_usd_per_correct_low === null ? "" : ` (${usd(cost(row.corrected_usd_per_correct_low))} to ${usd(cost(row.corrected_usd_per_correct_high))})`;
  return answer(
    form,
    element("p", `${usd(cost(row.corrected_usd_per_correct))}${ends} for ${inWords(want.volume)} correct answers.`, { class: "main" }),
    `${usd(row.corrected_usd_per_correct)} each: ${inWords(row.accuracy * 100)} % right at ${usd(row.usd_per_task)} per task, measured on ${row.as_of} (${row.paper}). The interval is that of the accuracy. It holds for tasks like those of the benchmark.`,
  );
}

const DAY_S = 86400;
const PEAK = 2; // of the mean, at which the capacities in the table hold the contract
const HOST_BOUNDS = { chat: { ttft_p99_s: 2 }, agent: { ttft_p99_s: 5 }, long_context: { ttft_p99_s: 10 } };

/** Both bills of a month: the capacity of an instance is that of the table, so are the hours of a month. */
function hostOrCall(form) {
  const want = asked(form);
  const row = pageData.hosting.find((each) => each.model === want.model && each.workload === want.workload && each.gpu === want.gpu);
  if (!row) return answer(form, "This model was not computed on this GPU: it does not fit, or cannot keep the bounds.");
  if (!(want.volume > 0)) return answer(form, "A number of requests a day above 0.");
  const own = want.rent > 0;
  const rent = own ? want.rent : row.usd_per_gpu_hour;
  const perInstance = (row.hosted_usd_per_month / row.instances / row.usd_per_gpu_hour) * rent;
  const hosted = (capacity) => (capacity > 0 ? Math.ceil((PEAK * want.volume) / DAY_S / capacity) * perInstance : null);
  const called = (row.called_usd_per_month / row.requests_per_day) * want.volume;
  const [value, best, worst] = [row.capacity_per_s, row.capacity_high_per_s, row.capacity_low_per_s].map(hosted);
  const range = row.capacity_low_per_s === null ? " (no interval: nothing was measured of this engine here)" : ` (${usd(best)} to ${worst === null ? "no bound" : usd(worst)})`;
  const sure = best !== null && (worst !== null ? worst < called || best > called : best > called);
  const command = `iecon host-or-call --model ${want.model} --workload ${want.workload} --gpu ${want.gpu} --rate ${Number((want.volume / DAY_S).toPrecision(6))} --peak ${PEAK} --ttft-p99 ${HOST_BOUNDS[want.workload].ttft_p99_s}${own ? ` --price ${want.rent}` : ""}`;
  const button = element("button", "Copy the command", { type: "button" });
  button.addEventListener("click", () => copy(command, button));
  const turns = own ? "" : row.break_even_per_day === null ? " No volume pays." : ` Hosting pays from ${inWords(row.break_even_per_day)} requests a day.`;
  return answer(
    form,
    element("p", `${value < called ? "Host" : "Call"}${sure ? "" : ", though the interval allows the other"}: ${usd(value)}${range} a month hosted, ${usd(called)} called.`, { class: "main" }),
    `${inWords(row.gpus_per_instance)} GPUs an instance, ${row.engine}, around the clock at ${usd(rent)} per GPU-hour; called at ${row.seller} (${row.price_evidence_on}).${turns}${own ? "" : ` Below a mean utilisation of ${inWords(Math.round(100 * row.least_utilisation))} % none pays.`} Step times rest on: ${row.basis}.`,
    "For your own lengths, peak and prices:", element("code", command), button,
  );
}

/** Lists of the calculators, filled from the rows, and what they do when something changes. */
function startCalculators() {
  const ready = {
    contract: ["partition_map", pickContract],
    blend: [null, blendPrice],
    correct: ["cost_by_benchmark", priceCorrect],
    host: [null, hostOrCall],
  };
  for (const table of ["prices", "hosting"]) pageData[table] = pageData[table] ? rowsOf(pageData[table]) : [];
  for (const [name, [needs, compute]] of Object.entries(ready)) {
    const form = document.querySelector(`[data-calculator="${name}"]`);
    if (!form) continue;
    const has = needs ? figures.has(needs) : pageData[name === "host" ? "hosting" : "prices"].length;
    if (!has) { answer(form, "Its table is not built yet: iecon refresh builds it."); continue; }
    const list = (field) => form.querySelector(`[name="${field}"]`);
    const distinct = (rows, column) => [...new Set(rows.map((row) => row[column]))];
    if (name === "contract") {
      const figure = figures.get(needs);
      for (const column of ["model", "gpu", "setting"]) {
        fill(list(column), distinct(figure.rows, column));
        list(column).value = figure.controls.find((each) => each.column === column).start;
      }
    } else if (name === "blend") {
      form.querySelector("datalist").replaceChildren(...distinct(pageData.prices, "model").sort().map((model) => element("option", null, { value: model })));
    } else if (name === "host") {
      for (const column of ["model", "workload", "gpu"]) fill(list(column), distinct(pageData.hosting, column));
    } else {
      const rows = figures.get(needs).rows;
      const runs = () => fill(list("run"), rows.filter((row) => row.benchmark === list("benchmark").value).map((row) => `${row.system} (${row.configuration})`));
      fill(list("benchmark"), distinct(rows, "benchmark"));
      runs();
      list("benchmark").addEventListener("change", runs);
    }
    form.addEventListener("input", () => compute(form));
    form.addEventListener("change", () => compute(form));
    compute(form);
  }
  if (document.documentElement.dataset.live) startLive();
}
