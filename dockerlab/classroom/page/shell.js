// A terminal on the page: xterm.js, a web socket, and another one when it was cut.
import { Terminal } from "./xterm.mjs";
import { FitAddon } from "./addon-fit.mjs";

const PAUSES = [500, 1000, 2000, 4000, 8000];

// xterm.js makes style sheets and sets style attributes as it runs. The page's policy takes a sheet that bears the
// nonce of the page, and no attribute: what would be one is set as a property.
const nonce = document.querySelector("meta[name=style-nonce]").nonce;
const create = document.createElement.bind(document);
document.createElement = (tag, options) => {
  const made = create(tag, options);
  if (tag === "style") made.nonce = nonce;
  const set = made.setAttribute.bind(made);
  made.setAttribute = (key, value) => {
    if (key === "style") made.style.cssText = value;
    else set(key, value);
  };
  return made;
};

// Show a terminal at `path` in an element. It is as large as the smallest window in which somebody looks at it: the
// server is told how much room there is here, and says how large it is. Returns a function that takes it away.
export function open(element, path, label) {
  const box = element.appendChild(document.createElement("div"));
  box.className = "terminal-box";
  const note = box.appendChild(document.createElement("p"));
  note.className = "note";
  note.setAttribute("role", "status");
  const screen = box.appendChild(document.createElement("div"));
  screen.className = "screen";
  const terminal = new Terminal({ screenReaderMode: true, scrollback: 5000 });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(screen);
  terminal.textarea?.setAttribute("aria-label", `${label}: Shift+Tab leaves it`);
  terminal.attachCustomKeyEventHandler((event) => !(event.key === "Tab" && event.shiftKey)); // the shell has the other
  let socket = null;
  let tries = 0;
  let closed = false;
  let ended = false;

  const send = (data) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(data));
  };
  const size = () => {
    const room = fit.proposeDimensions();
    if (room?.cols && room.rows) send({ columns: room.cols, rows: room.rows });
  };
  const say = (text) => { note.textContent = `${label}${text ? `: ${text}` : ""}`; };
  const resized = ([columns, rows], windows) => {
    terminal.resize(columns, rows);
    say(windows > 1 ? `${columns} × ${rows}, the smaller of ${windows} windows` : "");
  };

  function connect() {
    ended = false;
    const address = new URL(path, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      tries = 0;
      say("");
      terminal.reset(); // what was on the screen comes again
      size();
    };
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") {
        terminal.write(new Uint8Array(data));
        return;
      }
      const told = JSON.parse(data);
      if (told.size) resized(told.size, told.windows);
      if (told.end) {
        ended = true;
        say(`${told.end}. Press Enter to open it again.`);
      }
    };
    socket.onclose = () => {
      if (closed || ended) return;
      say("the connection was cut; it is tried again");
      setTimeout(() => { if (!closed) connect(); }, PAUSES[Math.min(tries++, PAUSES.length - 1)]);
    };
  }
  terminal.onData((data) => {
    if (ended && data === "\r") connect();
    else for (let at = 0; at < data.length; at += 8000) send({ type: data.slice(at, at + 8000) });
  });
  const observer = new ResizeObserver(size);
  observer.observe(screen);
  connect();
  terminal.focus();
  box.scrollIntoView({ block: "nearest" });
  return () => {
    closed = true;
    observer.disconnect();
    socket.close();
    terminal.dispose();
    box.remove();
  };
}
