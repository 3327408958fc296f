"""The console blocks of a page: what is typed in them, what is printed, and what of that may be otherwise."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
NAMED = re.compile(r"`(?P<name>[\w.-]+\.yaml)`")

OTHERWISE = (
    (r"\d+\.\d+ s\b", "T s"),  # a time
    (r"\b[0-9a-f]{64}\b", "ID"),
    (r"\bbr-[0-9a-f]{12}\b", "br-ID"),
    (r"dockerlab\.run=[0-9a-f]{8}", "dockerlab.run=RUN"),
    (r"\b\w+@\w+", "USER@MACHINE"),
    (r"\b(engine|command) \d+\.\d+\.\d+\S*?(?=,|\n|$)", r"\1 VERSION"),
    (r"\b[0-9a-f]{12}\b", "SHORT-ID"),
    (r"\b(nat|filter) ([A-Z][\w-]*) \d+\b", r"\1 \2 N"),  # a Swarm that was there leaves a bridge with rules
    (r"\b\d+\.\d+MB\b", "SIZE"),  # of a busybox, which is the machine's
    (r"\b\d{6,} bytes\b", "SIZE"),
)
OF_KERNELS = (
    (r"\bveth[0-9a-f]{7}\b", "vethID"),
    (r"\b8000\.[0-9a-f]{12}\b", "8000.ID"),
    (r"\bnet:\[\d+\]", "net:[ID]"),
    (r"(?m)^\d+: ", "N: "),
    (r"@if\d+\b", "@ifN"),
    (r"\b(?!00:00:|ff:ff:|02:42:)[0-9a-f]{2}(:[0-9a-f]{2}){5}\b", "MAC"),
    (r"\b172\.17\.0\.\d+:", "172.17.0.N:"),  # docker0 gives them by who starts first
    (r"\b02:42:0a:32:00:0\d\b", "02:42:0a:32:00:0N"),  # and a Swarm 10.50.0.0/24's, load balancers among them
    (r"[ \t]+", " "),
)
"""What differs beside in what the tools of a host print; a MAC address that an engine makes of an address does not."""
"""What differs from run to run, and what stands for it."""

AT_ONCE = re.compile(r"(created|recreated|removed) +\S+ \S+ on \S+  \(")
"""What is reported in the order in which it is done, which nobody knows before."""


@dataclass(frozen=True)
class Typed:
    """A command of a block with what is printed then; `at` is where that stands in the page."""

    command: str
    printed: str
    at: tuple[int, int]


@dataclass(frozen=True)
class Written:
    """A file that the page asks one to write."""

    name: str
    text: str


def steps(page: str) -> Iterator[Typed | Written]:
    """Yield what a page has one do, in order.

    A YAML block is a file where the paragraph ahead of it names one; a block with lines that begin with `$ ` is a
    console.
    """
    for block in FENCE.finditer(page):
        text = block["text"]
        if block["kind"] == "yaml":
            paragraph = page[: block.start()].rstrip().rpartition("\n\n")[2]
            named = NAMED.findall(paragraph)
            if named and "rite" in paragraph:
                yield Written(named[-1], text)
        elif block["kind"] in ("text", "console"):
            yield from _typed(text, block.start("text"))


def _typed(text: str, offset: int) -> Iterator[Typed]:
    prompts = list(re.finditer(r"^\$ (.*)\n", text, re.MULTILINE))
    for number, prompt in enumerate(prompts):
        end = prompts[number + 1].start() if number + 1 < len(prompts) else len(text)
        yield Typed(prompt[1], text[prompt.end() : end], (offset + prompt.end(), offset + end))


def on_host(page: str, own: str, labs: Collection[str]) -> Iterator[tuple[str, Typed]]:
    """Yield the commands of a page that are typed on a host and print something, each with the lab that is there.

    It is the last of these labs that the paragraph ahead of the block names, else the page's own.
    """
    for block in FENCE.finditer(page):
        typed = [
            each for each in _typed(block["text"], block.start("text")) if not each.command.startswith("dockerlab ")
        ]
        if any(each.printed.strip() for each in typed):
            paragraph = page[: block.start()].rstrip().rpartition("\n\n")[2]
            named = [word for word in re.findall(r"`([\w-]+)`", paragraph) if word in labs]
            yield from (((named or [own])[-1], each) for each in typed)


def alike(shown: str, printed: str) -> bool:
    """Tell whether a page shows what the tools of a host printed; in which order they list things is theirs."""
    for pattern, word in OF_KERNELS:
        shown, printed = re.sub(pattern, word, shown), re.sub(pattern, word, printed)
    return same(*("\n".join(sorted(text.strip().split("\n"))) for text in (shown, printed)))


def comparable(printed: str) -> list[str]:
    """Return what was printed, line by line, with what may differ taken out."""
    for pattern, word in OTHERWISE:
        printed = re.sub(pattern, word, printed)
    lines = [line.rstrip() for line in printed.strip("\n").split("\n")]
    begun = [n for n, line in enumerate(lines) if AT_ONCE.match(line)]
    for place, line in zip(begun, sorted(lines[n] for n in begun), strict=True):
        lines[place] = line
    return lines


def same(shown: str, printed: str) -> bool:
    """Tell whether a page shows what was printed; a line that begins with `…` stands for any lines."""
    wanted = comparable(shown)
    parts = "\n".join("…" if line.startswith("…") else re.escape(line) for line in wanted)
    return re.fullmatch(parts.replace("…", r"(?:.|\n)*?"), "\n".join(comparable(printed))) is not None
