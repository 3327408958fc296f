import { by, hour, listen, made, order } from "./live.js";
import { showLab } from "./lab.js";
import { open } from "./shell.js";

const opened = new Map();
let asked = "";

function toggle(target, button) {
  const close = opened.get(target);
  if (close) {
    close();
    opened.delete(target);
  } else {
    opened.set(target, open(by("terminals"), `terminal/${encodeURIComponent(target)}`, target));
  }
  button.setAttribute("aria-pressed", String(!close));
}

function showTerminals(state) {
  by("unconfined").hidden = state.unconfined === null;
  by("unconfined").textContent = `No terminal is offered: ${state.unconfined}`;
  by("targets").hidden = state.unconfined !== null;
  if (by("targets").childElementCount) return;
  for (const target of state.terminals) {
    const button = by("targets").appendChild(made("button", target));
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.onclick = () => toggle(target, button);
    by("targets").append(" ");
  }
}

function showTask(state) {
  const key = JSON.stringify([state.html, state.questions]);
  if (key === asked) return; // what is being typed stays
  asked = key;
  by("task").innerHTML = state.html; // the exercise's own text, rendered without HTML of its own
  by("answers").replaceChildren(...state.questions.map((question) => {
    const label = made("label", question);
    label.append(made("input", "", "answer"));
    return label;
  }));
}

listen((state) => {
  const found = state.found ? ` · faults found: ${state.found}` : "";
  const grade = state.percent === null ? "not graded yet" : `${state.percent} %`;
  by("where").textContent = `${state.steps ? `${state.step} of ${state.steps} steps done` : grade}${found}${state.until ? ` · until ${hour(state.until)}` : ""}`;
  by("step").textContent = state.title;
  showTask(state);
  by("check").disabled = state.busy || Boolean(state.shut);
  by("check").textContent = state.busy ? "Checking …" : "Check";
  by("healthy").hidden = !state.maybe;
  by("healthy").disabled = by("check").disabled;
  by("hint").hidden = !state.steps;
  by("break").hidden = !state.may_break || state.fault;
  by("break").disabled = state.busy;
  by("said").textContent = state.problem || state.shut;
  by("last").hidden = state.last === null;
  if (state.last) {
    by("last").className = state.last.verdict;
    by("last").textContent = `${hour(state.last.at)} · ${state.last.verdict}\n${state.last.text}`;
  }
  by("hints").replaceChildren(...state.hints.map((hint) => made("li", hint)));
  by("messages").replaceChildren(...state.messages.map(([at, text]) => made("li", `${hour(at)} · ${text}`)).reverse());
  by("hand-in").textContent = state.handed_in ? `Handed in at ${hour(state.handed_in)}: hand in again` : "Hand in";
  showTerminals(state);
  showLab(state);
});

const told = (error) => { by("said").textContent = error; };
const check = async (healthy) => {
  const fields = [...document.querySelectorAll("#answers input")].map((field) => field.value.trim());
  const last = fields.reduce((found, value, at) => (value ? at : found), -1);
  told(await order("check", { answers: fields.slice(0, last + 1), healthy }));
};
by("check").onclick = () => check(false);
by("healthy").onclick = () => check(true);
by("answers").onsubmit = (event) => { event.preventDefault(); check(false); };
by("break").onclick = async () => told(await order("fault"));
by("hint").onclick = async () => told(await order("hint"));
by("hand-in").onclick = async () => told(await order("hand-in"));
by("look").onclick = async () => told(await order("look"));
