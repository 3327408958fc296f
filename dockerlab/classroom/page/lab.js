// The lab as it was seen last: its picture, and the matrix, which come by themselves where there are new ones.
import { by, hour, made } from "./live.js";

const VERDICTS = { pass: "as expected", fail: "not as expected", unknown: "could not be told", asked: "the step asks for it" };
let shown = -1;

function cellOf(cell) {
  if (cell === null) return made("td", "");
  const [mark, verdict] = cell;
  const element = made("td", mark, verdict);
  element.title = VERDICTS[verdict];
  return element;
}

function tableOf({ probe, columns, rows }) {
  const table = made("table");
  table.append(made("caption", `Who reaches whom: ${probe}`));
  const head = table.createTHead().insertRow();
  head.append(made("td", ""), ...columns.map((name) => {
    const element = made("th", name);
    element.scope = "col";
    return element;
  }));
  const body = table.createTBody();
  for (const [source, cells] of rows) {
    const name = made("th", source);
    name.scope = "row";
    body.insertRow().append(name, ...cells.map(cellOf));
  }
  const scroll = made("div", "", "scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "group");
  scroll.setAttribute("aria-label", `Matrix: ${probe}`);
  scroll.append(table);
  return scroll;
}

// The picture is parsed as XML, so that nothing in it is taken for the page's own.
function pictureOf(svg) {
  const root = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  return root.nodeName === "svg" ? [document.importNode(root, true)] : [];
}

export async function showLab(state) {
  by("look").disabled = state.busy || state.looking || Boolean(state.shut);
  by("look").textContent = state.looking ? "Looking \u2026" : "Look again";
  if (state.seen === shown) return;
  shown = state.seen;
  try {
    const lab = await (await fetch("lab")).json();
    by("seen").textContent = !lab.at ? "" : lab.problem || `${hour(lab.at)} \u00b7 ${Object.entries(lab.counts).map(([verdict, count]) => `${count} ${VERDICTS[verdict]}`).join(", ")}`;
    by("picture").replaceChildren(...pictureOf(lab.svg ?? ""));
    by("matrix").replaceChildren(...(lab.tables ?? []).map(tableOf));
  } catch {
    shown = -1; // it is fetched with what comes next
  }
}
