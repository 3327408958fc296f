"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SIZE = { row: 28, column: 30, side: 190, spare: 4 };
  const PRINTED = { cells: 6000, columns: 24 };
  const STATES = { 1: "reachable", 0: "unreachable", "-1": "unknown" };
  const VERDICTS = { p: "pass", f: "fail", u: "unknown", "-": "" };
  const byId = (id) => document.getElementById(id);
  const make = (tag, attributes, text) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // What a cell is, in words. A value only ever becomes text.
  const end = (number) => ({ name: data.ends[number][0], host: data.ends[number][1], mode: data.ends[number][2] });
  const rows = data.rows.map((row) => ({ ...row, end: end(row.s) }));
  const columns = data.columns.map(([to, target, probe]) => ({ end: end(to), target, probe }));
  const column = ({ end: { name }, target, probe }) =>
    probe === "dns" ? `name ${target}` : `${name} ${target || "(no address)"}${probe === "ping" ? "" : ` ${probe}`}`;
  const verdict = (r, c) => VERDICTS[rows[r].v[c]];
  const seen = (r, c) => data.observations[rows[r].o[c]];
  const wished = (r, c) => data.expectations[rows[r].e[c]];
  const mark = (r, c) => {
    const found = verdict(r, c);
    if (!found) return ["", "none"];
    if (found === "unknown") return ["?", "unknown"];
    const [sign, kind] = seen(r, c)[0] === 1 ? ["✓", "yes"] : ["–", "no"];
    return found === "fail" ? [`${sign}!`, "fail"] : [sign, kind];
  };
  const question = (r, c) => {
    const { end: { name }, target, probe } = columns[c];
    return `${rows[r].end.name} to ${name}${target && target !== name ? ` ${target}` : ""} by ${probe}`;
  };
  const because = (r, c) =>
    wished(r, c)[2]
      .split("{source}").join(rows[r].end.name)
      .split("{address}").join(columns[c].target)
      .split("{to}").join(columns[c].end.name);

  // The filters: which cells are wanted, and with them which rows and columns.
  const filters = ["find", "by-host", "by-mode", "by-probe", "by-verdict"].map(byId);
  const [find, byHost, byMode, byProbe, byVerdict] = filters;
  const offer = (select, values) =>
    [...new Set(values)].filter(Boolean).forEach((value) => select.append(make("option", { value }, value)));
  const kind = (probe) => probe.split("/")[0];
  offer(byHost, data.ends.map((each) => each[1]));
  offer(byMode, data.ends.map((each) => each[2]));
  offer(byProbe, columns.map((each) => kind(each.probe)));
  const texts = {
    row: rows.map((row) => row.end.name.toLowerCase()),
    column: columns.map((each) => `${each.end.name} ${each.target} ${each.probe}`.toLowerCase()),
    expected: data.expectations.map((each) => `${STATES[each[0]]} ${each.slice(1).join(" ")}`.toLowerCase()),
    observed: data.observations.map((each) => `${STATES[each[0]]} ${each.slice(1).join(" ")}`.toLowerCase()),
  };
  let wanted = () => true;
  let shown = { rows: [], columns: [] };

  const choose = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean).map((word) => ({
      row: texts.row.map((text) => text.includes(word)),
      column: texts.column.map((text) => text.includes(word)),
      expected: texts.expected.map((text) => text.includes(word)),
      observed: texts.observed.map((text) => text.includes(word)),
    }));
    const [host, mode, probe, which] = [byHost.value, byMode.value, byProbe.value, byVerdict.value];
    wanted = (r, c) => {
      const [row, target, found] = [rows[r], columns[c], verdict(r, c)];
      if (!found) return false;
      if (host && row.end.host !== host && target.end.host !== host) return false;
      if (mode && row.end.mode !== mode && target.end.mode !== mode) return false;
      if (probe && kind(target.probe) !== probe) return false;
      if (which && found !== which && !(which === "amiss" && found !== "pass")) return false;
      return words.every((w) => w.row[r] || w.column[c] || w.expected[row.e[c]] || w.observed[row.o[c]]);
    };
    const counts = { pass: 0, fail: 0, unknown: 0 };
    const [inRow, inColumn] = [new Set(), new Set()];
    for (let r = 0; r < rows.length; r++) {
      for (let c = 0; c < columns.length; c++) {
        if (!wanted(r, c)) continue;
        counts[verdict(r, c)]++;
        inRow.add(r);
        inColumn.add(c);
      }
    }
    shown = {
      rows: rows.map((_, r) => r).filter((r) => inRow.has(r)),
      columns: columns.map((_, c) => c).filter((c) => inColumn.has(c)),
      cells: counts.pass + counts.fail + counts.unknown,
    };
    const told = Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ");
    byId("count").textContent = `${shown.cells} of ${data.total} cells: ${told}`;
    at = { row: 0, column: 0 };
    lay();
    tell(null);
    const row = shown.rows.findIndex((r) => shown.columns.some((c) => wanted(r, c)));
    if (row >= 0) bring(row, shown.columns.findIndex((c) => wanted(shown.rows[row], c)));
  };

  // The grid: only what is in sight exists as elements.
  const grid = byId("grid");
  const space = make("div", { class: "space", role: "presentation" });
  const top = make("div", { class: "top", role: "row", "aria-rowindex": "1" });
  grid.append(space);
  let at = { row: 0, column: 0 };
  let high = 120;
  const beside = matchMedia("(min-width: 60rem)"); // else what is told of a cell lies over the page

  const lay = () => {
    const longest = Math.max(8, ...shown.columns.map((c) => column(columns[c]).length));
    high = Math.min(260, longest * 8 + 16);
    const wide = SIZE.side + shown.columns.length * SIZE.column + 8;
    space.style.width = `${wide}px`;
    space.style.height = `${high + shown.rows.length * SIZE.row + 4}px`;
    top.style.height = `${high}px`;
    top.style.width = `${wide}px`;
    grid.setAttribute("aria-rowcount", shown.rows.length + 1);
    grid.setAttribute("aria-colcount", shown.columns.length + 1);
    top.replaceChildren(make("span", { class: "corner", role: "columnheader", "aria-colindex": "1" }, "from ↓  to →"));
    top.firstChild.style.width = `${SIZE.side}px`;
    space.replaceChildren(top);
    grid.scrollTo(0, 0);
    draw();
  };

  const range = (first, last) => Array.from({ length: Math.max(0, last - first) }, (_, n) => first + n);

  // What is in sight already stays the same element: made anew, it would lose the focus, and a screen reader its place.
  const fill = (parent, numbers, made) => {
    const wanted = new Set(numbers);
    const there = new Map();
    let before = parent.firstElementChild; // the corner, the name of a row, or the row of heads: it is always there
    for (const each of [...parent.children].slice(1)) {
      const number = Number(each.dataset.number);
      if (wanted.has(number)) there.set(number, each);
      else each.remove();
    }
    for (const number of numbers) {
      const each = there.get(number) ?? made(number);
      if (before.nextElementSibling !== each) before.after(each);
      before = each;
    }
  };

  const draw = () => {
    const spare = SIZE.spare;
    const first = Math.max(0, Math.floor(grid.scrollTop / SIZE.row) - spare);
    const last = Math.min(shown.rows.length, Math.ceil((grid.scrollTop + grid.clientHeight) / SIZE.row) + spare);
    const left = Math.max(0, Math.floor(grid.scrollLeft / SIZE.column) - spare);
    const right = Math.min(shown.columns.length, Math.ceil((grid.scrollLeft + grid.clientWidth) / SIZE.column) + spare);
    const heads = range(left, right);
    const stay = [at, place(document.activeElement)].filter((each) => each && shown.cells); // also out of sight
    const lines = new Set([...range(first, last), ...stay.map(({ row }) => row)]);
    fill(top, heads, head);
    fill(space, [...lines].sort((a, b) => a - b), line);
    for (const made of [...space.children].slice(1)) {
      const n = Number(made.dataset.number);
      const more = stay.filter(({ row }) => row === n).map((each) => each.column);
      fill(made, [...new Set([...heads, ...more])].sort((a, b) => a - b), (m) => cell(n, m));
    }
    reach();
  };

  const head = (n) => {
    const name = column(columns[shown.columns[n]]);
    const made = make("span", { class: "head", role: "columnheader", "aria-colindex": n + 2, title: name, "data-number": n }, name);
    made.style.left = `${SIZE.side + n * SIZE.column}px`;
    made.style.width = `${SIZE.column}px`;
    return made;
  };

  const line = (n) => {
    const { name } = rows[shown.rows[n]].end;
    const made = make("div", { class: "row", role: "row", "aria-rowindex": n + 2, "data-number": n });
    made.style.top = `${high + n * SIZE.row}px`;
    made.style.height = `${SIZE.row}px`;
    made.style.width = space.style.width;
    made.append(make("span", { class: "side", role: "rowheader", "aria-colindex": "1", title: name }, name));
    made.firstChild.style.width = `${SIZE.side}px`;
    return made;
  };

  const cell = (n, m) => {
    const [r, c] = [shown.rows[n], shown.columns[m]];
    const [sign, look] = mark(r, c);
    const off = sign && !wanted(r, c);
    const name = sign ? `${question(r, c)}: ${verdict(r, c)}, ${STATES[seen(r, c)[0]]}` : `${question(r, c)}: not asked`;
    const made = make("span", {
      class: `c ${look}${off ? " off" : ""}`,
      role: "gridcell",
      "aria-colindex": m + 2,
      "aria-label": off ? `${name} (filtered out)` : name,
      tabindex: -1,
      "data-number": m,
      "data-row": n,
    }, sign);
    made.style.left = `${SIZE.side + m * SIZE.column}px`;
    made.style.width = `${SIZE.column}px`;
    made.style.height = `${SIZE.row}px`;
    return made;
  };

  const place = (element) => {
    const found = element?.closest?.("[role=gridcell]");
    return found ? { row: Number(found.dataset.row), column: Number(found.dataset.number) } : null;
  };
  const current = () => grid.querySelector(`[data-row="${at.row}"][data-number="${at.column}"]`);

  const reach = () => { // one cell is reached by Tab, the others from there; a screen reader reads its reason after its name
    const [old, now] = [grid.querySelector('[role=gridcell][tabindex="0"]'), current()];
    if (old === now) return;
    if (old) old.tabIndex = -1;
    old?.removeAttribute("aria-describedby");
    if (now) now.tabIndex = 0;
    now?.setAttribute("aria-describedby", "because");
  };

  const bring = (row, col) => {
    at = {
      row: Math.max(0, Math.min(shown.rows.length - 1, row)),
      column: Math.max(0, Math.min(shown.columns.length - 1, col)),
    };
    const [y, x] = [at.row * SIZE.row, at.column * SIZE.column];
    const [height, width] = [grid.clientHeight - high, grid.clientWidth - SIZE.side];
    if (y < grid.scrollTop) grid.scrollTop = y;
    else if (y + SIZE.row > grid.scrollTop + height) grid.scrollTop = y + SIZE.row - height + 4;
    if (x < grid.scrollLeft) grid.scrollLeft = x;
    else if (x + SIZE.column > grid.scrollLeft + width) grid.scrollLeft = x + SIZE.column - width + 8;
    draw();
  };

  const move = (row, col) => {
    bring(row, col);
    current()?.focus({ preventScroll: true });
  };

  const page = () => Math.max(1, Math.floor((grid.clientHeight - high) / SIZE.row) - 1);
  const KEYS = {
    ArrowUp: () => [at.row - 1, at.column],
    ArrowDown: () => [at.row + 1, at.column],
    ArrowLeft: () => [at.row, at.column - 1],
    ArrowRight: () => [at.row, at.column + 1],
    PageUp: () => [at.row - page(), at.column],
    PageDown: () => [at.row + page(), at.column],
    Home: (ctrl) => [ctrl ? 0 : at.row, 0],
    End: (ctrl) => [ctrl ? shown.rows.length - 1 : at.row, shown.columns.length - 1],
  };
  grid.addEventListener("keydown", (event) => {
    const step = KEYS[event.key];
    if (!step || event.altKey || event.metaKey) return;
    event.preventDefault();
    move(...step(event.ctrlKey));
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && tell(null));
  let pointer = "";
  grid.addEventListener("pointermove", (event) => {
    const moved = `${event.clientX} ${event.clientY}`; // what scrolls along under a pointer that rests is not pointed at
    if (moved !== pointer && beside.matches && place(event.target)) tell(place(event.target));
    pointer = moved;
  });
  grid.addEventListener("focusin", (event) => {
    const found = place(event.target);
    if (!found) return;
    at = found;
    reach();
    tell(at);
    if (!beside.matches) event.target.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
  grid.addEventListener("click", (event) => place(event.target) && event.target.focus({ preventScroll: true }));
  let due = false;
  grid.addEventListener("scroll", () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; draw(); });
  });

  // One cell in full, and its two ends in the picture.
  const facts = byId("facts");
  const tell = (told) => {
    document.querySelectorAll(".lit").forEach((each) => each.classList.remove("lit"));
    facts.hidden = told === null;
    byId("hint").hidden = told !== null;
    facts.replaceChildren();
    if (told === null) return;
    const [r, c] = [shown.rows[told.row], shown.columns[told.column]];
    const add = (term, text, look) => {
      if (text === "" || text === null || text === undefined) return;
      const value = make("dd");
      if (term === "Because") value.id = "because";
      value.append(look ? make("span", { class: `tag ${look}` }, text) : document.createTextNode(text));
      facts.append(make("dt", {}, term), value);
    };
    add("Question", question(r, c));
    if (!verdict(r, c)) {
      add("Verdict", "not asked");
    } else {
      const [[reach, rule, , symptom], [state, saw, detail]] = [wished(r, c), seen(r, c)];
      add("Verdict", verdict(r, c), verdict(r, c));
      add("Expected", reach === -1 ? "no claim" : STATES[reach] + (symptom ? ` (${symptom})` : ""));
      add("Observed", STATES[state] + (saw ? ` (${saw})` : ""));
      add("Because", because(r, c));
      add("Rule", rule);
      add("Evidence", detail);
      add("Round trip", rows[r].t[c] ? `${rows[r].t[c] / 1000} ms` : "");
    }
    for (const name of [rows[r].end.name, columns[c].end.name]) {
      const node = data.nodes[name];
      for (const each of node ? document.querySelectorAll("[data-node]") : []) {
        if (each.dataset.node === node) each.querySelector("rect").classList.add("lit");
      }
    }
  };

  // On paper the matrix stands whole, in blocks that fit a page.
  const paper = () => {
    const sheet = byId("paper");
    if (shown.cells > PRINTED.cells) {
      sheet.replaceChildren(make("p", {}, `The matrix has ${shown.cells} cells, too many for paper: filter it before you print.`));
      return;
    }
    const blocks = [];
    const size = Math.ceil(shown.columns.length / Math.ceil(shown.columns.length / PRINTED.columns));
    for (let start = 0; start < shown.columns.length; start += size) {
      const part = shown.columns.slice(start, start + size);
      const table = make("table");
      const heads = make("tr");
      heads.append(make("th", { scope: "col" }, "from"), ...part.map((c) => make("th", { scope: "col" }, column(columns[c]))));
      const head = make("thead");
      head.append(heads);
      const body = make("tbody");
      for (const r of shown.rows) {
        const made = make("tr");
        made.append(make("th", { scope: "row" }, rows[r].end.name));
        made.append(...part.map((c) => make("td", { class: mark(r, c)[1] }, mark(r, c)[0])));
        body.append(made);
      }
      table.append(head, body);
      blocks.push(table);
    }
    sheet.replaceChildren(...blocks);
  };
  addEventListener("beforeprint", paper);
  addEventListener("afterprint", () => byId("paper").replaceChildren());

  byId("strands")?.addEventListener("change", (event) => {
    byId("drawing").className = `scroll show-${event.target.value}`;
  });
  find.addEventListener("input", choose);
  for (const select of filters.slice(1)) select.addEventListener("change", choose);
  byId("filters").addEventListener("reset", () => setTimeout(choose));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("resize", draw);
  // The picture fits its page at first; it is made larger or smaller by buttons and keys, and pushed about.
  const picture = document.querySelector("#drawing svg");
  const drawing = byId("drawing");
  const enlarge = (factor) => {
    const now = picture.getBoundingClientRect().width;
    picture.style.maxWidth = factor ? "none" : "";
    picture.style.width = factor ? `${Math.min(8 * picture.width.baseVal.value, Math.max(200, now * factor))}px` : "";
  };
  if (picture) {
    const factors = { larger: 1.25, smaller: 0.8, fit: 0 };
    for (const [id, factor] of Object.entries(factors)) byId(id).addEventListener("click", () => enlarge(factor));
    drawing.addEventListener("keydown", (event) => {
      const factor = { "+": 1.25, "=": 1.25, "-": 0.8, 0: 0 }[event.key];
      if (factor === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      enlarge(factor);
    });
    drawing.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && event.buttons === 1) drawing.scrollBy(-event.movementX, -event.movementY);
    });
  }
  choose();
  document.documentElement.dataset.ready = "yes";
})();
