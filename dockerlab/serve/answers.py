"""What a page is told: JSON that holds nothing which a browser or a terminal obeys."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from dockerlab.plain import for_page


def text(value: Any) -> str:
    """Return JSON with no character that is an order, or turns the direction of the page's text."""
    return json.dumps(for_page(value), ensure_ascii=False)


def data(value: Any, status: int = 200) -> Response:
    """Return an answer of JSON."""
    return Response(text(value), status, media_type="application/json")
