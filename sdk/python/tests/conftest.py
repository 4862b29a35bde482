"""The pinned encodings of the Rust code, as docs/contributing/vectors.md describes them."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT / "sdk" / "testdata"


def vectors(form: str) -> list[dict[str, Any]]:
    """The examples of a form."""
    document = json.loads((ROOT / "testdata" / "vectors" / f"{form}.json").read_text())
    found: list[dict[str, Any]] = document["vectors"]
    return found
