"""Noticing that a world changed since the disk's last clean stop: ``<world>/bbd/<disk>.regions``.

At a clean stop the file keeps a fingerprint (size and time of change) of every place, for instance a region file, that
holds columns of the disk. It is a hint, no more: where it is missing or wrong, more columns are looked at than need be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bbd.disk.column_map import ColumnMap
from bbd.files import Files, write_atomically
from bbd.worlds.world import Fingerprint, Site

FORMAT: Final = 1


class Watch:
    """What one disk remembers of its places. Methods block; one thread at a time.

    ``allocated`` is the disk's map at opening. It must be made before anything is written.
    """

    def __init__(self, files: Files, path: Path, site: Site, allocated: ColumnMap) -> None:
        self._files = files
        self._path = path
        self._site = site
        self._allocated = allocated.copy()
        self._known, self._whole = _load(files, path)
        self._altered = {place for place, was in self._known.items() if site.fingerprint(place) != was}
        self._unverified: set[str] | None = None

    def changed(self) -> dict[str, ColumnMap]:
        """The allocated columns of each place that isn't as it was left."""
        found: dict[str, ColumnMap] = {}
        if self._whole and not self._altered:
            # Asking for the places of every group would cost more than all else in opening a large disk.
            self._unverified = set()
            return found
        for group, allocated in self._allocated.groups.items():
            for place, bits in self._site.places(group).items():
                here = bits & allocated
                if here and (place in self._altered or place not in self._known):
                    found.setdefault(place, ColumnMap()).groups[group] = here
        self._unverified = set(found)
        return found

    def verified(self, place: str) -> None:
        """All columns of a changed place were looked at."""
        if self._unverified is not None:
            self._unverified.discard(place)

    def remember(self, allocated: ColumnMap) -> None:
        """Keep the fingerprints of now, durably; places that were not verified stay as they were known."""
        if self._unverified is None:
            self.changed()
        places = self._places(allocated)
        kept = {place: self._kept(place) for place in places}
        now = {place: fingerprint for place, fingerprint in kept.items() if fingerprint is not None}
        whole = len(now) == len(places)
        if (now, whole) != (self._known, self._whole):
            document = {"format": FORMAT, "whole": whole, "places": dict(sorted(now.items()))}
            write_atomically(self._files, self._path, json.dumps(document, indent=1).encode() + b"\n")
            self._known, self._whole = now, whole

    def _places(self, allocated: ColumnMap) -> set[str]:
        """Every place that holds allocated columns."""
        if self._whole and allocated == self._allocated:
            return set(self._known)
        return {
            place
            for group, bits in allocated.groups.items()
            for place, here in self._site.places(group).items()
            if here & bits
        }

    def _kept(self, place: str) -> Fingerprint | None:
        if self._unverified and place in self._unverified:
            return self._known.get(place)
        return self._site.fingerprint(place)


def _load(files: Files, path: Path) -> tuple[Mapping[str, Fingerprint], bool]:
    """Fingerprints by place, and whether no place that holds columns is missing among them."""
    if not files.exists(path):
        return {}, False
    file = files.open(path)
    try:
        document = json.loads(file.pread(file.size(), 0))
        if document["format"] != FORMAT:
            return {}, False
        places = {str(place): (int(size), int(time)) for place, (size, time) in document["places"].items()}
        return places, document["whole"] is True
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}, False
    finally:
        file.close()
