import { by, hour, listen, made, order } from "./live.js";
import { open } from "./shell.js";

let close = null;

function look(student, target) {
  close?.();
  by("over").textContent = `Over the shoulder: ${student.name}, ${target}`;
  const path = `terminal/${encodeURIComponent(student.id)}/${encodeURIComponent(target)}`;
  close = open(by("terminals"), path, `${student.name}, ${target}`, false);
}

function rowOf(state, student) {
  const row = made("tr");
  const minutes = student.first ? Math.round((new Date(student.latest) - new Date(student.first)) / 60000) : "";
  const check = made("td", student.busy ? "checking …" : student.verdict && `${student.verdict}, ${hour(student.checked)}`, student.verdict);
  check.title = student.text;
  const name = made("th", student.name);
  name.scope = "row";
  if (student.problem) name.append(made("p", student.problem, "fail"));
  const cells = [`${student.step} of ${state.steps}`, student.attempts, student.hints, minutes].map((text) => made("td", text));
  const choice = made("select");
  choice.setAttribute("aria-label", `Look over the shoulder of ${student.name}`);
  choice.append(made("option", "look at …"), ...state.terminals.map((target) => made("option", target)));
  choice.onchange = () => {
    if (choice.selectedIndex) look(student, choice.value);
    choice.selectedIndex = 0;
  };
  const last = made("td");
  last.append(choice);
  row.append(name, ...cells, check, made("td", student.handed_in && hour(student.handed_in)), last);
  return row;
}

listen((state) => {
  const focused = document.activeElement?.getAttribute("aria-label");
  by("rows").replaceChildren(...state.students.map((student) => rowOf(state, student)));
  if (focused) [...by("rows").querySelectorAll("select")].find((each) => each.getAttribute("aria-label") === focused)?.focus();
  if (by("to").length === 1) {
    for (const student of state.students) by("to").append(new Option(student.name, student.id));
    for (let step = 0; step <= state.steps; step += 1) by("opened").append(new Option(step ? `1 to ${step}` : "none", step));
    by("opened").value = state.opened ?? "";
  }
  by("until").textContent = state.until ? `until ${hour(state.until)}` : "";
});

const told = (error, done) => { by("state").textContent = error || done; };
by("message").onsubmit = async (event) => {
  event.preventDefault();
  const error = await order("message", { to: by("to").value, text: by("text").value });
  told(error, "sent");
  if (!error) by("text").value = "";
};
by("rules").onsubmit = async (event) => {
  event.preventDefault();
  const minutes = Number(by("minutes").value);
  const until = minutes ? `${new Date(Date.now() + minutes * 60000).toISOString().slice(0, 19)}Z` : "";
  const opened = by("opened").value === "" ? null : Number(by("opened").value);
  told(await order("rules", { opened, until }), "set");
};
