"""Text forms: ids, decimals, times."""

import pytest
from althing.text import parse_decimal, parse_did, printable, to_decimal, to_did, to_id, to_rfc3339


def test_a_did_has_one_spelling() -> None:
    for id in (bytes(32), bytes([7]) * 32, bytes([255]) * 32):
        did = to_did("demo", id)
        assert parse_did(did) == ("demo", id)
        assert to_id(did) == to_id(id.hex()) == to_id(id) == id
    did = to_did("demo", bytes([7]) * 32)
    for wrong in ("did:web:example", "did:althing:demo", "did:althing:Demo:1", "did:althing:demo:0OIl", did + "1", did[:-1], did.replace("demo:", "demo:1"), f"did:althing:demo:{'z' * 44}", did + "\n"):
        with pytest.raises(ValueError):
            to_id(wrong)


def test_decimals_are_exact() -> None:
    for text, scale, mantissa in (("21.5", 2, 2150), ("2.15e1", 2, 2150), ("-0.5", 1, -5), ("+1.50", 1, 15), ("1e3", 0, 1000), ("0e999", 0, 0), ("-9223372036854775808", 0, -(2**63))):
        assert parse_decimal(text, scale) == mantissa
    for text, scale in (("21.505", 2), ("", 0), ("-", 0), (".5", 1), ("5.", 1), ("NaN", 0), ("0x10", 0), ("1e40", 0), ("1e9999", 0), ("1e99999", 0), ("9223372036854775808", 0), ("1" * 65, 0), ("٣", 0)):
        with pytest.raises(ValueError):
            parse_decimal(text, scale)
    for mantissa, scale, text in ((2150, 2, "21.50"), (-5, 1, "-0.5"), (0, 3, "0.000"), (7, 0, "7"), (-(2**63), 15, "-9223.372036854775808")):
        assert to_decimal(mantissa, scale) == text and parse_decimal(text, scale) == mantissa


def test_times_are_those_of_the_calendar_and_any_number_has_one() -> None:
    for ms, text in (
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ):
        assert to_rfc3339(ms) == text
    assert all(to_rfc3339(extreme).endswith("Z") for extreme in (-(2**63), 2**63 - 1))


def test_texts_of_the_ledger_are_shown_without_what_a_terminal_would_obey() -> None:
    assert printable("plain text, Kühlraum 3") == "plain text, Kühlraum 3"
    assert printable("\x1b[2Jx\n\"\\'") == "\\u{1b}[2Jx\\n\\\"\\\\\\'"
    assert printable("\u202eabc") == "\\u{202e}abc"
