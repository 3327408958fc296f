import { by, hour, listen, made, order } from "./live.js";
import { open } from "./shell.js";

let close = null;

function look(student, target) {
  close?.();
  by("over").textContent = `Over the shoulder: ${student.name}, ${target}`;
  const path = `terminal/${encodeURIComponent(student.id)}/${encodeURIComponent(target)}`;
  close = open(by("terminals"), path, `${student.name}, ${target}`);
}

// Ask before something that cannot be taken back; resolves to whether it is wanted.
function asked(head, text, steps) {
  by("question-head").textContent = head;
  by("question-text").textContent = text;
  by("steps").hidden = !steps;
  by("question").returnValue = "";
  by("question").showModal();
  return new Promise((done) => { by("question").onclose = () => done(by("question").returnValue === "yes"); });
}

async function reset(student) {
  const text = `All that ${student.name} has made is removed; the steps before the one that is chosen are done anew by their own commands.`;
  by("step").value = Math.min(student.step, by("step").length - 1);
  if (!await asked(`Reset ${student.name}?`, text, true)) return;
  told("", `resetting ${student.name} …`);
  told(await order("reset", { to: student.id, step: Number(by("step").value) }), `${student.name}: reset`);
}

async function takeOut(student) {
  if (!await asked(`Take the fault out for ${student.name}?`, student.fault, false)) return;
  told(await order("take-out", { to: student.id }), `${student.name}: taken out`);
}

function button(text, label, act) {
  const element = made("button", text);
  element.type = "button";
  element.setAttribute("aria-label", label);
  element.onclick = act;
  return element;
}

function nameOf(student) {
  const name = made("th", student.name);
  name.scope = "row";
  if (student.problem) name.append(made("p", student.problem, "fail"));
  if (student.refused) name.append(made("p", student.refused, "fail"));
  if (student.fault) name.append(made("p", `to be found: ${student.fault}`, "unknown"));
  if (student.found) name.append(made("p", `faults found: ${student.found}`));
  return name;
}

function choiceOf(state, student) {
  const choice = made("select");
  choice.setAttribute("aria-label", `Look over the shoulder of ${student.name}`);
  choice.append(made("option", "look at …"), ...state.terminals.map((target) => made("option", target)));
  choice.onchange = () => {
    if (choice.selectedIndex) look(student, choice.value);
    choice.selectedIndex = 0;
  };
  return choice;
}

function rowOf(state, student) {
  const row = made("tr");
  const minutes = student.first ? Math.round((new Date(student.latest) - new Date(student.first)) / 60000) : "";
  const check = made("td", student.busy ? "something runs …" : student.verdict && `${student.verdict}, ${hour(student.checked)}`, student.verdict);
  check.title = student.text;
  const grade = student.percent === null ? "" : `${student.percent} %`;
  const cells = [state.steps ? `${student.step} of ${state.steps}` : grade, student.attempts, student.hints, minutes].map((text) => made("td", text));
  const last = made("td");
  last.append(choiceOf(state, student));
  const set = made("td", "", "orders");
  if (state.steps) set.append(button("Reset …", `Reset ${student.name}`, () => reset(student)));
  if (student.fault) set.append(" ", button("Take out …", `Take the fault out for ${student.name}`, () => takeOut(student)));
  row.append(nameOf(student), ...cells, check, made("td", student.handed_in && hour(student.handed_in)), last, set);
  return row;
}

// What does not change while the page is open.
function fill(state) {
  for (const student of state.students) {
    for (const list of ["to", "whom"]) by(list).append(new Option(student.name, student.id));
  }
  state.titles.forEach((title, step) => {
    const box = made("input");
    box.type = "checkbox";
    box.value = step;
    const label = made("label");
    label.append(box, ` ${step + 1}`);
    label.title = title;
    by("opened").append(label, " ");
    by("step").append(new Option(`${step + 1}: ${title}`, step));
  });
  by("opened-set").hidden = !state.steps;
  by("fault").hidden = !state.faults;
  by("may-break-label").hidden = !state.faults;
}

let rules = "";

listen((state) => {
  const focused = document.activeElement?.getAttribute("aria-label");
  by("rows").replaceChildren(...state.students.map((student) => rowOf(state, student)));
  if (focused) [...by("rows").querySelectorAll("select, button")].find((each) => each.getAttribute("aria-label") === focused)?.focus();
  if (by("to").length === 1) fill(state);
  const now = JSON.stringify([state.opened, state.may_break]);
  if (now !== rules) { // what is being chosen stays until it is set
    rules = now;
    for (const box of by("opened").querySelectorAll("input")) box.checked = state.opened?.includes(Number(box.value)) ?? true;
    by("may-break").checked = state.may_break;
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
  const boxes = [...by("opened").querySelectorAll("input")];
  const opened = boxes.every((box) => box.checked) ? null : boxes.filter((box) => box.checked).map((box) => Number(box.value));
  const end = by("minutes").value === "" ? {} : { until };
  told(await order("rules", { opened, ...end, may_break: by("may-break").checked }), "set");
  by("minutes").value = "";
};
by("fault").onsubmit = async (event) => {
  event.preventDefault();
  const wish = { to: by("whom").value, number: Number(by("number").value), maybe: by("maybe").checked, seed: by("seed").value };
  told("", "breaking …");
  told(await order("fault", wish), wish.to ? "broken" : "it is broken for one after the other");
};
