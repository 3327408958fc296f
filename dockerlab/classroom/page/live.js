// What both pages do: hear of what changes, and ask for something to be done.
export const by = (identity) => document.getElementById(identity);

export function listen(show) {
  const events = new EventSource("events");
  events.addEventListener("state", (event) => {
    by("state").textContent = "";
    show(JSON.parse(event.data));
  });
  events.addEventListener("end", () => { by("state").textContent = "The class's server has ended; this page goes on when it is back."; });
  events.onerror = () => {
    by("state").textContent = "There is no connection; it is tried again.";
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
