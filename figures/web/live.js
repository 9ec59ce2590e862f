/* What only a page that `iecon serve` hands out can do: ask the command's own answers in place of the grid's. */

/** Asks the server this page came from. Answers with what it says, or throws its one line. */
async function exactly(path, question) {
  const reply = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question) });
  if (!reply.ok) throw new Error((await reply.text()).trim());
  return reply.json();
}

/** Shows what a question answers while it is asked, and its error in its place. */
async function asking(place, path, question, show) {
  place.replaceChildren(element("p", "asking \u2026"));
  try {
    place.replaceChildren(...show(await exactly(path, question)));
  } catch (error) {
    place.replaceChildren(element("p", error.message, { class: "missing" }));
  }
}

/** Rows as a table. */
function plainTable(columns, rows) {
  const table = element("table");
  const head = element("tr");
  for (const column of columns) head.append(element("th", column, { scope: "col" }));
  table.append(head);
  for (const row of rows) {
    const line = element("tr");
    for (const value of row) line.append(element("td", inWords(value)));
    table.append(line);
  }
  return table;
}

function startLive() {
  for (const part of document.querySelectorAll(".live-only")) part.hidden = false;
  const contract = document.querySelector('[data-calculator="contract"]');
  contract.querySelector(".exact").addEventListener("click", () => {
    const want = asked(contract);
    const question = { model: want.model, gpu: want.gpu, input_tokens: want.input, output_tokens: want.output, requests_per_s: want.rate, ttft_p99_s: want.ttft, tpot_p99_s: want.tpot };
    asking(contract.querySelector(".exactly"), "decide", question, ({ text }) => [element("pre", text)]);
  });
  const host = document.querySelector('[data-calculator="host"]');
  host.querySelector(".exact").addEventListener("click", () => {
    const want = asked(host);
    const rent = want.rent > 0 ? { usd_per_gpu_hour: want.rent } : {};
    const question = { model: want.model, workload: want.workload, gpus: [want.gpu], rate: want.volume / DAY_S, peak: PEAK, ...HOST_BOUNDS[want.workload], ...rent };
    asking(host.querySelector(".exactly"), "host-or-call", question, ({ text }) => [element("pre", text)]);
  });
  const box = document.querySelector('[data-calculator="sql"]');
  box.querySelector(".exact").addEventListener("click", () => {
    asking(box.querySelector(".exactly"), "query", { sql: asked(box).sql }, ({ columns, rows, more }) => [plainTable(columns, rows), element("p", more ? `first ${rows.length} rows` : `${rows.length} rows`)]);
  });
}
