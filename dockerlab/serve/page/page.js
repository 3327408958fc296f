// The teacher's page. Values come from strangers: they only ever become text (textContent), never markup.
"use strict";

const $ = (id) => document.getElementById(id);

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

const tagged = (verdict) => element("span", verdict, `tag ${verdict === "error" ? "unknown" : verdict}`);

let board = { students: [] };
let chosen = null;
let asked = 0;

function matches(student) {
  const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = [student.name, student.id, student.more, student.hosts, student.problem].join(" ").toLowerCase();
  const verdict = $("by-verdict").value;
  return words.every((word) => text.includes(word)) && (verdict === "" || student.verdict === verdict);
}

// Makes the children of `parent` like those of `made`, and keeps every element that can stay: one that is made anew
// would lose the focus, its place in scrolling, and what is selected in it. Those with a data-id stand for somebody.
function renew(parent, made) {
  const alike = (one, other) => one.nodeName === other.nodeName && one.dataset?.id === other.dataset?.id;
  for (const old of [...parent.children]) if (!made.some((each) => alike(each, old))) old.remove();
  made.forEach((each, n) => {
    const next = parent.childNodes[n] ?? null;
    const old = [...parent.childNodes].slice(n).find((one) => alike(one, each));
    if (old !== next || !old) parent.insertBefore(old ?? each, next);
    if (old) become(old, each);
  });
  while (parent.childNodes.length > made.length) parent.lastChild.remove();
}

function become(old, made) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== made.data) old.data = made.data;
    return;
  }
  for (const name of new Set([...old.getAttributeNames(), ...made.getAttributeNames()])) {
    const value = made.getAttribute(name);
    if (value === null) old.removeAttribute(name);
    else if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  renew(old, [...made.childNodes]);
}

function row(student) {
  const line = element("tr");
  line.dataset.id = student.id;
  const head = element("th");
  head.scope = "row";
  const button = element("button", student.name);
  button.type = "button";
  head.append(button);
  if (student.more) head.append(element("small", student.more));
  line.append(head, element("td", student.id), element("td", student.hosts));
  for (const verdict of ["pass", "fail", "unknown"]) line.append(element("td", student[verdict], "number"));
  const verdict = element("td");
  if (student.verdict) verdict.append(tagged(student.verdict));
  line.append(verdict, element("td", student.problem));
  line.classList.toggle("chosen", student.id === chosen);
  button.setAttribute("aria-expanded", String(student.id === chosen));
  return line;
}

function show() {
  const focused = document.activeElement.closest("#rows tr");
  const number = focused?.sectionRowIndex;
  renew($("rows"), board.students.filter(matches).map(row));
  if (!focused || focused.isConnected) return;
  const next = $("rows").rows[Math.min(number, $("rows").rows.length - 1)];  // who stood there no longer matches the filters
  (next ? next.querySelector("button") : $("by-verdict")).focus();
}

function head() {
  const total = $("total");
  if (board.total && total.textContent !== board.total) total.textContent = board.total;
  const verdicts = board.students.map((student) => student.verdict);
  const worst = verdicts.includes("fail") ? "fail" : verdicts.every((v) => v === "pass") ? "pass" : "unknown";
  total.className = `verdict ${worst}`;
  const hosts = board.hosts ?? [];
  $("hosts").hidden = hosts.length === 0;
  renew($("hosts"), hosts.map((line) => element("li", line)));
  $("about").textContent = board.round
    ? `Round ${board.round}, at ${new Date(board.made).toLocaleTimeString()}, in ${board.seconds} s.` : "";
}

function trouble(text) {
  $("trouble").hidden = !text;
  if ($("trouble").textContent !== text) $("trouble").textContent = text;
}

function facts(list, pairs) {
  const told = pairs.filter(([, value]) => value);
  renew(list, told.flatMap(([term, value]) => [element("dt", term), element("dd", value)]));
}

const named = (cell) => `${cell.from} → ${cell.to}${cell.target && cell.target !== cell.to ? ` ${cell.target}` : ""}, ${cell.probe}`;
const seen = (cell) => cell.observed + (cell.symptom ? ` (${cell.symptom})` : "");

function matrix(found) {
  if (!found.rows.length) return element("p", `${found.probe}: ${found.cells} cells, too many for a table here.`);
  const table = element("table", undefined, "matrix");
  table.append(element("caption", found.probe));
  const top = element("tr");
  top.append(element("td"));
  for (const name of found.columns) {
    const cell = element("th", name);
    cell.scope = "col";
    top.append(cell);
  }
  const body = element("tbody");
  for (const { source, marks } of found.rows) {
    const line = element("tr");
    const side = element("th", source);
    side.scope = "row";
    line.append(side);
    for (const [mark, verdict] of marks) line.append(element("td", mark, `${verdict} ${mark}`.replace("!", "")));
    body.append(line);
  }
  const begin = element("thead");
  begin.append(top);
  table.append(begin, body);
  const around = element("div", undefined, "scroll");
  around.tabIndex = 0;
  around.setAttribute("role", "region");
  around.setAttribute("aria-label", `Matrix: ${found.probe}`);
  around.append(table);
  return around;
}

function amiss(cell) {
  const line = element("tr");
  const verdict = element("td");
  verdict.append(tagged(cell.verdict));
  const side = element("th", named(cell));
  side.scope = "row";
  const observed = element("td", seen(cell));
  if (cell.detail) observed.append(element("br"), element("small", cell.detail));
  const because = element("td", `${cell.because} `);
  because.append(element("code", cell.rule));
  line.append(verdict, side, element("td", cell.expected), observed, because);
  return line;
}

function detail(student) {
  $("detail-head").textContent = `${student.name} (${student.id})`;
  $("detail-error").hidden = !student.error;
  $("detail-error").textContent = student.error || "";
  const last = student.failed;
  $("last").hidden = !last;
  $("last").classList.toggle("repaired", student.repaired);
  if (last) {
    facts($("last-facts"), [
      ["Cell", named(last)], ["Observed", seen(last)], ["Expected", last.expected], ["Because", last.because],
      ["Rule", last.rule], ["Detail", last.detail], ["Seen at", new Date(last.at).toLocaleTimeString()],
      ["Since then", student.repaired ? "repaired: every cell passes" : ""],
    ]);
  }
  renew($("matrices"), (student.matrices || []).map(matrix));
  $("amiss").hidden = !(student.amiss || []).length;
  renew($("amiss-rows"), (student.amiss || []).map(amiss));
  renew($("notes"), (student.notes || []).map((note) => element("li", note)));
}

async function load(move) {
  const identity = chosen;
  const mine = ++asked;
  let student;
  try {
    const answer = await fetch(`/students/${encodeURIComponent(identity)}`);
    student = await answer.json();
    if (!answer.ok) student = { ...board.students.find((each) => each.id === identity), error: student.error };
  } catch (error) {
    student = { ...board.students.find((each) => each.id === identity), error: `could not be asked: ${error.message}` };
  }
  if (mine !== asked || chosen !== identity) return;  // somebody else was chosen meanwhile
  detail(student);
  $("detail").hidden = false;
  if (move) {
    $("detail").focus({ preventScroll: true }); // it may be taller than the screen: its heading is to be seen
    $("detail").scrollIntoView({ block: "start" });
  }
}

function choose(identity) {
  chosen = identity;
  show();
  load(true);
}

function close() {
  const before = chosen;
  chosen = null;
  $("detail").hidden = true;
  show();
  const line = [...$("rows").children].find((each) => each.dataset.id === before);
  if (line) line.querySelector("button").focus();
}

$("rows").addEventListener("click", (event) => {
  if (event.target.closest("button")) choose(event.target.closest("tr").dataset.id);
});
$("close").addEventListener("click", close);
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && chosen !== null) close(); });
$("find").addEventListener("input", show);
$("by-verdict").addEventListener("change", show);
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("filters").addEventListener("reset", () => setTimeout(show));

const events = new EventSource("/events");
events.addEventListener("board", (event) => {
  board = JSON.parse(event.data);
  head();
  show();
  trouble(board.error);
  if (chosen !== null) load(false);
});
events.addEventListener("end", () => { events.close(); trouble("dockerlab serve has ended."); });
events.addEventListener("error", () => trouble("The connection is lost; what is shown is the last that was known."));
