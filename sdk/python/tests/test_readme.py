"""The quick start of the README is the example."""

from conftest import ROOT

HERE = ROOT / "sdk" / "python"


def test_the_quick_start_is_the_example() -> None:
    assert (HERE / "examples" / "read.py").read_text() in (HERE / "README.md").read_text()
