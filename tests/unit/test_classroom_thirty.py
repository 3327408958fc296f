"""Thirty students at the same moment, from one address, as behind a proxy: all of their pages open."""

import asyncio
import re

import httpx2
import pytest
from support.class_served import Served

from dockerlab.cli.class_ import CONNECTIONS
from dockerlab.students import roster
from dockerlab.students.roster import Roster

STUDENTS = roster.counted(30)


@pytest.fixture
def served(tmp_path):
    made = Served(tmp_path, students=Roster(STUDENTS), limit=20_000, most=1024, each=CONNECTIONS * len(STUDENTS))
    made.start()
    yield made
    made.stop()


async def opened(link):
    """Open a page as a browser does, with all of its files at once, and return what its events tell first."""
    async with httpx2.AsyncClient(follow_redirects=True, timeout=60) as client:
        page = await client.get(link)
        files = re.findall(r'(?:src|href)="(\.\.[^"]+)"', page.text)
        assert len(files) > 3
        for answer in await asyncio.gather(*(client.get(str(page.url.join(file))) for file in files)):
            assert answer.status_code == 200
        async with client.stream("GET", str(page.url.join("events"))) as events:
            async for line in events.aiter_lines():
                if line.startswith("data: "):
                    return line
    return ""


def test_all_at_once(served):
    """Nobody's connection is ended to make room for another's: each page and its files come, and its events begin."""

    async def script():
        return await asyncio.gather(*(opened(served.link(each.id)) for each in STUDENTS))

    shown = asyncio.run(script())
    assert [each.name in told for each, told in zip(STUDENTS, shown, strict=True)] == [True] * 30
