"""Identifiers of events and messages, from the seed.

Not `uuid4`: it draws from the process's entropy, which whatever was imported first has
already drawn from, so that a second run in the same process would differ.
"""

from __future__ import annotations

import random
import uuid


def new_id(chance: random.Random) -> str:
    """A random UUID (version 4) from this stream of chance."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
