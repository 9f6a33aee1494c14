"""Every error driftgate raises on purpose, in one tree.

::

    DriftgateError
    |-- UserMistake                 exit 2: the user can change something and try again
    |   |-- UsageError              wrong option, unknown name
    |   |-- DocumentError           a contract document cannot be read (broken, too large)
    |   `-- MetadataError           one of our own files (system.yaml, a scenario) is wrong
    `-- OutsideWorld                exit 3: nothing was checked; the remedy lies outside the program
        |-- Unreachable             a target did not answer or refused us
        `-- TransportError          one HTTP exchange failed below HTTP
            |-- ConnectFailed       the request certainly had no effect
            `-- AnswerLost          the request may have had its effect; nobody knows
                `-- AnswerTimedOut  ... because we stopped waiting

Anything else that escapes is our own bug (exit 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from typing_extensions import override


class ExitCode(IntEnum):
    """What a command tells the shell."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    NOT_CHECKED = 3
    BUG = 4


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A place in the user's file: ``line`` and ``column`` from 1, ``None`` when unknown."""

    path: str
    line: int | None = None
    column: int | None = None

    @override
    def __str__(self) -> str:
        """Return ``path:line:column`` as editors and compilers print it."""
        parts = [self.path]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


class DriftgateError(Exception):
    """An error with a message for a person, a remedy and, where known, a place.

    ``message`` says what is wrong in one sentence; ``remedy`` says what to change.
    """

    exit_code: ExitCode = ExitCode.BUG

    def __init__(
        self, message: str, *, remedy: str = "", location: SourceLocation | None = None
    ) -> None:
        """Keep the three parts apart so that every renderer can place them."""
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.location = location

    @override
    def __str__(self) -> str:
        """Return the whole text: place, message, remedy."""
        place = f"{self.location}: " if self.location else ""
        if not self.remedy:
            return f"{place}{self.message}"
        stop = "" if self.message.endswith((".", "?", "!", ":")) else "."
        return f"{place}{self.message}{stop} {self.remedy}"


class UserMistake(DriftgateError):
    """Something the user wrote or typed; the remedy says what to change."""

    exit_code = ExitCode.USAGE


class UsageError(UserMistake):
    """A wrong option or an unknown name on the command line."""


class DocumentError(UserMistake):
    """A contract document that cannot be read at all."""


class MetadataError(UserMistake):
    """A mistake in one of our own files (``system.yaml``, ``mapping.yaml``, a scenario, ...)."""


class OutsideWorld(DriftgateError):
    """The network, a server or the machine; nothing could be checked."""

    exit_code = ExitCode.NOT_CHECKED


class Unreachable(OutsideWorld):
    """A target did not answer, or refused to let us look."""


class TransportError(OutsideWorld):
    """One HTTP exchange failed below HTTP.

    ``outcome_unknown`` is the question a retry must ask: may the request have taken effect?
    """

    outcome_unknown: bool = True


class ConnectFailed(TransportError):
    """The connection never came up: the request certainly had no effect."""

    outcome_unknown = False


class AnswerLost(TransportError):
    """The request went out and no complete answer came back."""


class AnswerTimedOut(AnswerLost):
    """No complete answer within the time the caller allowed."""
