// What both pages do: hear of what changes, and ask for something to be done.
export const by = (identity) => document.getElementById(identity);

let cut = false;

function say(text) {
  if (text || cut) by("state").textContent = text; // what else is said there stays
  cut = Boolean(text);
}

export function listen(show) {
  const events = new EventSource("events");
  events.addEventListener("state", (event) => {
    say("");
    show(JSON.parse(event.data));
  });
  events.addEventListener("end", () => say("The class's server has ended; this page goes on when it is back."));
  events.onerror = () => {
    say("There is no connection; it is tried again.");
    if (events.readyState === EventSource.CLOSED) setTimeout(() => { events.close(); listen(show); }, 2000);
  };
}

// Returns why it was not done, empty where it was.
export async function order(path, data = {}) {
  try {
    const answer = await fetch(path, { method: "POST", body: JSON.stringify(data), headers: { "Content-Type": "application/json" } });
    return (await answer.json()).error;
  } catch {
    return "there was no connection: try again";
  }
}

export function made(tag, text = "", name = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (name) element.className = name;
  return element;
}

export const hour = (time) => new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
