"""Ids, decimals and times in text."""

import re

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DID = re.compile(r"did:althing:([a-z0-9-]{1,32}):([1-9A-HJ-NP-Za-km-z]{32,44})")
_HEX32 = re.compile(r"[0-9a-fA-F]{64}")


def to_did(network: str, id: bytes) -> str:
    """The DID of an entity or thing of a network."""
    number, digits = int.from_bytes(id, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        digits = _ALPHABET[rest] + digits
    zeros = len(id) - len(id.lstrip(b"\0"))
    return f"did:althing:{network}:{'1' * zeros}{digits}"


def parse_did(text: str) -> tuple[str, bytes]:
    """Network and id of a DID of this method. Each id has one text; raises `ValueError` otherwise."""
    match = _DID.fullmatch(text)
    if match:
        number = 0
        for char in match[2]:
            number = number * 58 + _ALPHABET.index(char)
        if number < 2**256 and to_did(match[1], number.to_bytes(32, "big")) == text:
            return match[1], number.to_bytes(32, "big")
    raise ValueError("a did:althing:... expected")


def to_id(id: str | bytes) -> bytes:
    """The 32 bytes of an id: a DID, 64 hexadecimal digits, or the bytes. Raises `ValueError`."""
    if isinstance(id, bytes) and len(id) == 32:
        return id
    if isinstance(id, str):
        return bytes.fromhex(id) if _HEX32.fullmatch(id) else parse_did(id)[1]
    raise ValueError("a did:althing:..., 64 hex digits or 32 bytes expected")


def to_decimal(mantissa: int, scale: int) -> str:
    """The text of a mantissa at a scale: 2150 at scale 2 is `21.50`."""
    digits = str(abs(mantissa)).zfill(scale + 1)
    sign = "-" if mantissa < 0 else ""
    whole, fraction = digits[: len(digits) - scale], digits[len(digits) - scale :]
    return f"{sign}{whole}.{fraction}" if scale else f"{sign}{whole}"


_DECIMAL = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,4}))?")
_DECIMAL_CHARS_MAX = 64


def parse_decimal(text: str, scale: int) -> int:
    """The mantissa of a decimal text at a scale: `21.5` at scale 2 is 2150. Accepts JSON's numbers.

    Raises `ValueError` if it is no number, has more places than the scale, or exceeds 64 bits.
    """
    match = _DECIMAL.fullmatch(text) if len(text) <= _DECIMAL_CHARS_MAX else None
    if not match:
        raise ValueError(f"`{text[:_DECIMAL_CHARS_MAX]}` is no decimal number")
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", int(match[4] or 0)
    digits, shift = int(whole + fraction), exponent - len(fraction) + scale
    if digits and shift > 100:
        raise ValueError(f"{text} is too large")
    mantissa, rest = divmod(digits * int(10 ** max(shift, 0)), int(10 ** max(-shift, 0)))
    if rest:
        raise ValueError(f"{text} has more decimal places than the scale")
    mantissa = -mantissa if sign == "-" else mantissa
    if not -(2**63) <= mantissa < 2**63:
        raise ValueError(f"{text} does not fit 64 bits at scale {scale}")
    return mantissa


_DAY_MS = 86_400_000
_ERA_DAYS = 146_097


def to_rfc3339(ms: int) -> str:
    """Milliseconds since 1970 in the form of RFC 3339, UTC.

    Unlike `datetime` it takes any number: a hostile time is shown, not thrown at the reader.
    """
    days, rest = divmod(ms, _DAY_MS)
    seconds, ms = divmod(rest, 1000)
    year, month, day = _date(days)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"
    return f"{year:04}-{month:02}-{day:02}T{clock}Z"


def _date(days: int) -> tuple[int, int, int]:
    """Counts years that begin with March, so that the leap day is the last."""
    era, day = divmod(days + 719_468, _ERA_DAYS)
    year = (day - day // 1460 + day // 36_524 - day // (_ERA_DAYS - 1)) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month, carry = (month + 3, 0) if month < 10 else (month - 9, 1)
    return era * 400 + year + carry, month, day


def printable(text: str) -> str:
    """Text of the ledger as a terminal may show it: quotes and what has no glyph escaped."""
    named = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\\": "\\\\", '"': '\\"', "'": "\\'"}
    return "".join(
        named.get(char) or (char if char.isprintable() else f"\\u{{{ord(char):x}}}") for char in text
    )
