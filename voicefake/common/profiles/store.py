"""The profiles on this machine: those that came with the package, those of the user."""

from __future__ import annotations

import datetime
import difflib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from voicefake.common.consent import ConsentRecord, Permission, write_consent
from voicefake.common.errors import Action, BadInput, Remedy, VoicefakeError, WrongUse
from voicefake.common.files import regular_file
from voicefake.common.hashes import sha256_of
from voicefake.common.places import data_folder
from voicefake.common.profiles import archive
from voicefake.common.profiles.profile import (
    CONSENT,
    FILE_NAME,
    MANIFEST,
    NAME,
    SUFFIXES,
    Kind,
    Manifest,
    Profile,
    check_name,
    load_profile,
)

_STALE_SECONDS = 86_400.0


class ProfileStore:
    """Profiles of one kind in at most two folders; the user's come before the bundled.

    Args:
        bundled: folder inside the package (``None``: nothing is bundled).
        user: the user's folder; default: under the platform's data folder.
    """

    def __init__(self, kind: Kind, bundled: Path | None = None, user: Path | None = None) -> None:
        self.kind = kind
        self.bundled = bundled
        self.user = user or data_folder() / kind.plural

    def list(self) -> Sequence[Profile]:
        """All profiles that can be read, by name; :meth:`damaged` tells of the others."""
        return self._read()[0]

    def damaged(self) -> Sequence[VoicefakeError]:
        """One error for each profile that cannot be read, and for each stranger's file."""
        known = set(self._folders().values())
        strangers = [
            BadInput(path, f"is no {self.kind} and was passed over", "move it elsewhere")
            for path in self._entries()
            if path not in known and path.name != "README.md"
        ]
        return [*self._read()[1], *strangers]

    def find(self, name: str) -> Profile:
        """The profile called ``name``.

        Raises:
            WrongUse: there is none; the error lists what there is.
            BadInput: it is damaged.
        """
        folders = self._folders()
        if name in folders:
            return self._load(name, folders[name])
        known = sorted(folders)
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
        if near:
            remedy = f"did you mean {' or '.join(near)}?"
        elif known:
            shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
            remedy = f"choose one of {shown}"
        else:
            remedy = f"there is no {self.kind} yet: train or import one"
        raise WrongUse(name, f"is not a known {self.kind}", remedy)

    def create(
        self,
        name: str,
        files: Mapping[str, Path],
        consent: Permission,
        details: Mapping[str, Any] | None = None,
        *,
        force: bool = False,
    ) -> Profile:
        """Make a profile from finished files, whole or not at all.

        Args:
            files: by the name each gets inside the profile; they are copied.
            details: JSON values to keep with it.
            force: replace a profile of the user's that has this name.

        Raises:
            WrongUse: the name is taken or cannot be one, or the folder cannot be written.
            BadInput: a file is missing or of a kind that profiles do not hold.
            Refused: the consent record does not hold, or not for this kind of likeness.
        """
        self.refuse_taken(name, force=force)
        consent.check(self.kind.covers)
        for inside, path in files.items():
            regular_file(path)
            if not FILE_NAME.fullmatch(inside) or Path(inside).suffix not in SUFFIXES:
                known = " ".join(sorted(SUFFIXES))
                raise BadInput(inside, "does not belong into a profile", f"use one of {known}")
        with self._building(name, force=force) as folder:
            for inside, path in files.items():
                shutil.copyfile(path, folder / inside)
            if isinstance(consent, ConsentRecord):
                write_consent(folder / CONSENT, consent, force=True)
            self._write_manifest(folder, name, consent, details or {})
        return self.find(name)

    def export(self, name: str, path: Path, *, force: bool = False) -> Path:
        """Write the profile to one file that can be mailed; returns its path.

        Raises:
            WrongUse: unknown name, or ``path`` exists.
            BadInput: the profile is damaged.
            Refused: its consent record does not hold (any more).
        """
        profile = self.find(name)
        profile.require_use()
        return archive.pack(profile, path, force=force)

    def import_file(self, path: Path, name: str | None = None, *, force: bool = False) -> Profile:
        """Take in a file that :meth:`export` wrote, here or elsewhere.

        Args:
            name: call it so here; default: as it was called there.

        Raises:
            BadInput: not such a file, damaged, or built to do harm.
            Refused: its consent record is unsigned or was changed.
            WrongUse: the name is taken.
        """
        with archive.unpacked(path, self.kind) as (manifest, contents):
            name = name or manifest.name
            self.refuse_taken(name, force=force, rename="call it otherwise with --as")
            with self._building(name, force=force) as folder:
                for file in (*manifest.files, MANIFEST):
                    shutil.copyfile(contents / file, folder / file)
        return self.find(name)

    def remove(self, name: str) -> None:
        """Delete one of the user's profiles.

        Raises:
            WrongUse: there is none of this name, or it came with the package.
        """
        folder = self._folders().get(name)
        if folder is None:
            self.find(name)
            return
        if self._is_bundled(folder):
            raise WrongUse(name, "came with the package", "only your own can be removed")
        doomed = self._temporary(name)
        folder.replace(doomed / name)
        shutil.rmtree(doomed)

    def refuse_taken(
        self, name: str, *, force: bool = False, rename: str = "choose another name"
    ) -> None:
        """Stop before hours of training for a name that cannot be used.

        Args:
            rename: how the command line gives another name.

        Raises:
            WrongUse: the name cannot be one, is a bundled profile's, or exists without ``force``.
        """
        check_name(self.kind, name)
        # Some file systems take Ann and ann for the same name.
        taken = {known.lower(): folder for known, folder in self._folders().items()}
        folder = taken.get(name.lower())
        if folder is None:
            return
        if self._is_bundled(folder):
            other = Remedy(Action.OTHER_NAME, rename)
            raise WrongUse(name, f"is a bundled {self.kind}", other)
        if not force:
            other = Remedy(Action.OTHER_NAME_OR_REPLACE, f"{rename} or add --force")
            raise WrongUse(name, "exists already", other)

    def _folders(self) -> dict[str, Path]:
        """Folders with a profile's description, by name."""
        found: dict[str, Path] = {}
        for folder in self._entries():
            if NAME.fullmatch(folder.name) and (folder / MANIFEST).exists():
                found[folder.name] = folder
        # A process that was killed while it replaced a profile left the old one here.
        for old in self.user.glob(".*-*/old"):
            found.setdefault(old.parent.name[1:].rpartition("-")[0], old)
        return dict(sorted(found.items()))

    def _entries(self) -> Iterator[Path]:
        for root in (self.bundled, self.user):
            if root is not None and root.is_dir():
                yield from sorted(p for p in root.iterdir() if not p.name.startswith("."))

    def _is_bundled(self, folder: Path) -> bool:
        return folder.parent == self.bundled

    def _load(self, name: str, folder: Path) -> Profile:
        return load_profile(folder, self.kind, name=name, bundled=self._is_bundled(folder))

    def _read(self) -> tuple[Sequence[Profile], Sequence[VoicefakeError]]:
        good = []
        bad = []
        for name, folder in self._folders().items():
            try:
                good.append(self._load(name, folder))
            except VoicefakeError as error:
                bad.append(error)
        return good, bad

    def _write_manifest(
        self, folder: Path, name: str, consent: Permission, details: Mapping[str, Any]
    ) -> None:
        manifest = Manifest(
            kind=self.kind,
            name=name,
            basis=str(consent.basis),
            licence=consent.licence,
            attribution=consent.attribution,
            created=datetime.datetime.now(datetime.UTC).replace(microsecond=0),
            consent_sha256=consent.sha256,
            override=consent.override,
            files={path.name: sha256_of(path) for path in sorted(folder.iterdir())},
            details=dict(details),
        )
        (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")

    @contextmanager
    def _building(self, name: str, *, force: bool) -> Iterator[Path]:
        """A folder to fill, which becomes the profile ``name`` when the block ends well."""
        work = self._temporary(name)
        try:
            fresh = work / "new"
            fresh.mkdir()
            yield fresh
            load_profile(fresh, self.kind)
            for path in fresh.iterdir():
                with open(path, "rb+") as file:
                    os.fsync(file.fileno())
            target = self.user / name
            self.refuse_taken(name, force=force)
            if target.exists():
                target.replace(work / "old")
            try:
                fresh.replace(target)
            except OSError:
                if (work / "old").exists() and not target.exists():
                    (work / "old").replace(target)
                raise
        except OSError as error:
            fault = f"cannot be written ({error.strerror})"
            raise WrongUse(
                self.user / name, fault, "free some space or check its rights"
            ) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _temporary(self, name: str) -> Path:
        try:
            self.user.mkdir(parents=True, exist_ok=True)
            self._sweep()
            return Path(tempfile.mkdtemp(dir=self.user, prefix=f".{name}-"))
        except OSError as error:
            fault = f"cannot be written ({error.strerror})"
            raise WrongUse(self.user, fault, "check the folder's rights") from error

    def _sweep(self) -> None:
        """Delete what killed processes left; but for ``old``, which stands in for a profile."""
        for left in self.user.glob(".*-*"):
            with suppress(OSError):  # another process was quicker
                is_stale = time.time() - left.stat().st_mtime > _STALE_SECONDS
                if is_stale and left.is_dir() and not (left / "old").exists():
                    shutil.rmtree(left, ignore_errors=True)
