"""Random changes to a file: to its bytes, or to the values of a JSON document."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

_ODD_VALUES = [None, -1, 1.5, 10**30, True, "", "x", "\ud800", [], {}, [1], {"a": 1}]


def mutate(data: bytes, tokens: Sequence[bytes], rng: random.Random) -> bytes:
    """Change one to six places; `tokens` are words of the format, put where they don't belong."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
        if not changed:
            break
        at = rng.randrange(len(changed))
        token = rng.choice(tokens)
        match rng.randrange(7):
            case 0:
                changed[at] ^= 1 << rng.randrange(8)
            case 1:
                changed[at] = rng.randrange(256)
            case 2:
                del changed[at : at + rng.choice([1, 1, 4, 30])]
            case 3:
                changed[at:at] = token
            case 4:
                changed[at : at + len(token)] = token
            case 5:
                end = min(len(changed), at + rng.randrange(1, 60))
                changed[at:at] = changed[at:end]
            case 6:
                del changed[at : len(changed) if rng.random() < 0.3 else at + 2]
    return bytes(changed)


def mutate_json(data: bytes, rng: random.Random) -> bytes:
    """Remove or replace one or two values, at any depth."""
    document = json.loads(data)
    for _ in range(rng.choice([1, 1, 2])):
        _change_value(document, rng)
    return json.dumps(document).encode()


def _change_value(node: Any, rng: random.Random) -> None:
    while isinstance(node, dict | list) and node:
        key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
        if not isinstance(node[key], dict | list) or not node[key] or rng.random() < 0.35:
            if rng.random() < 0.4:
                del node[key]
            else:
                node[key] = rng.choice(_ODD_VALUES)
            return
        node = node[key]
