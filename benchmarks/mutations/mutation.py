"""What a deliberate bug is, and how it is put into a copy of the project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CORE, AWS = "functions/sidestep/core", "functions/sidestep/aws"
CONTROL, API = "functions/sidestep/control", "functions/sidestep/api"


@dataclass(frozen=True)
class Edit:
    """In `file`, `after` instead of `before`, which is there exactly once."""

    file: str
    before: str
    after: str


class StaleMutationError(Exception):
    """The text that a mutation replaces is not there, or not once. Names the file and the text."""


@dataclass(frozen=True)
class Mutation:
    """One bug. `faults`: the kinds that worlds are drawn from; empty for all of them. `expected`:
    the invariants that it breaks, one of which has to find it; empty where any may."""

    name: str
    what: str
    edits: tuple[Edit, ...]
    faults: tuple[str, ...] = ()
    expected: frozenset[str] = frozenset()

    def put_into(self, root: Path) -> None:
        """Put it into a copy of the project. Raises StaleMutationError."""
        for edit in self.edits:
            path = root / edit.file
            text = path.read_text()
            found = text.count(edit.before)
            if found != 1:
                raise StaleMutationError(
                    f"{self.name}: {edit.file} has {edit.before!r} {found} times, not once: "
                    "the code has changed, change it in benchmarks/mutations/ too"
                )
            path.write_text(text.replace(edit.before, edit.after))


def one(
    name: str,
    what: str,
    file: str,
    before: str,
    after: str,
    faults: str = "",
    expected: str = "",
) -> Mutation:
    """A bug of one edit; `faults` and `expected` are words with spaces between."""
    return bug(name, what, (Edit(file, before, after),), faults, expected)


def bug(
    name: str, what: str, edits: tuple[Edit, ...], faults: str = "", expected: str = ""
) -> Mutation:
    """A bug of several edits; `faults` and `expected` are words with spaces between."""
    return Mutation(name, what, edits, tuple(faults.split()), frozenset(expected.split()))
