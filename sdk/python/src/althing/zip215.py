"""Ed25519 as ZIP 215 has it, which settles what RFC 8032 leaves open.

`s < l`; `R` and the key are any encodings of curve points, also non-canonical ones;
`[8][s]B = [8]R + [8][k]A`. Plain integer arithmetic, some milliseconds: it sees public values only,
so that its time may depend on them.
"""

from hashlib import sha512

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)

_Point = tuple[int, int, int, int]
"""Extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z."""
_IDENTITY: _Point = (0, 1, 1, 0)


def decompress(encoded: bytes) -> _Point | None:
    """The point that 32 bytes encode, canonically or not; `None` if they encode none."""
    if len(encoded) != 32:
        return None
    number = int.from_bytes(encoded, "little")
    y, sign = (number & (2**255 - 1)) % _P, number >> 255
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if v * x * x % _P == -u % _P:
        x = x * _ROOT_OF_MINUS_ONE % _P
    if v * x * x % _P != u:
        return None
    # Of x = 0 there is no other sign; RFC 8032 refuses one here, ZIP 215 does not.
    x = -x % _P if x & 1 != sign else x
    return x, y, 1, x * y % _P


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature by a key covers a message."""
    a, r = decompress(key), decompress(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or len(signature) != 64 or s >= _L:
        return False
    k = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % _L
    difference = _add(_multiply(s, _BASE), _negate(_add(r, _multiply(k, a))))
    for _ in range(3):
        difference = _add(difference, difference)
    x, y, z, _ = difference
    return x % _P == 0 and (y - z) % _P == 0


def _add(a: _Point, b: _Point) -> _Point:
    # RFC 8032, 5.1.4; complete, so it doubles too.
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    g, h = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    i, j, m, n = f - e, h - g, h + g, f + e
    return i * j % _P, m * n % _P, j * m % _P, i * n % _P


def _negate(a: _Point) -> _Point:
    return -a[0] % _P, a[1], a[2], -a[3] % _P


def _multiply(scalar: int, point: _Point) -> _Point:
    total = _IDENTITY
    for bit in bin(scalar)[2:]:
        total = _add(total, total)
        if bit == "1":
            total = _add(total, point)
    return total


_BASE_Y = 4 * pow(5, -1, _P) % _P
_base = decompress(_BASE_Y.to_bytes(32, "little"))
assert _base is not None
_BASE: _Point = _base
