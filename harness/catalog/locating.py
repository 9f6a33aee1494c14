"""Line and column of any part of a loaded contract, in the file that really holds it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.catalog.limits import Limits
from harness.catalog.parsing import positions
from harness.catalog.places import Places
from harness.catalog.references import FILES
from harness.catalog.sources import Source
from harness.model.errors import SourceLocation
from harness.model.values import pointer, pointer_tokens

Origin = Callable[[str], tuple[Source | None, str]]


class Locator:
    """Finds the place of a pointer; a file is scanned when something in it is first asked for.

    ``places`` are the document's own, where reading it told them. ``origin`` says which overlay
    wrote a part (``None``: the document), and its pointer in that file.
    """

    def __init__(
        self,
        source: Source,
        files: dict[str, bytes],
        limits: Limits,
        *,
        places: Places | None = None,
        origin: Origin | None = None,
    ) -> None:
        """Keep the texts; nothing is scanned yet."""
        self._source = source
        self._files = files
        self._limits = limits
        self._origin = origin
        self._known: dict[str, Places] = {"": places} if places else {}

    def __call__(self, target: str) -> SourceLocation | None:
        """Return the place of ``target``, or of the nearest thing around it in the same file."""
        tokens = pointer_tokens(target)
        name = tokens[1] if len(tokens) > 1 and tokens[0] == FILES else ""
        if name:
            return self._in_file(name, pointer(*tokens[2:]))
        overlay, place = self._origin(target) if self._origin else (None, target)
        if overlay:
            return self._found(f"overlay {overlay.label}", overlay.label, overlay.text, place)
        return self._found("", self._source.label, self._source.text, place)

    def _in_file(self, name: str, place: str) -> SourceLocation | None:
        if name not in self._files:
            return None
        label = str(Path(self._source.label).parent / name)
        return self._found(FILES + name, label, self._files[name], place)

    def _found(self, key: str, label: str, data: bytes, place: str) -> SourceLocation:
        if key not in self._known:
            self._known[key] = positions(data, label, self._limits)
        return SourceLocation(label, *self._known[key].at(place))
