"""What keeps a backup from being made, or from being read back; nothing has changed then.

BackupError
├── BackupDamaged    a file is no backup, or is not as it was written
├── BackupThere      the file to write is there already
└── HomeNotEmpty     what is there would be replaced
"""

from pathlib import Path


class BackupError(Exception):
    """Base of all."""


class BackupDamaged(BackupError):
    """A file is no backup, or is not as it was written."""

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            f"{path}: {found}; nothing was restored: copy the file again, or take another backup"
        )
        self.path, self.found = path, found


class BackupThere(BackupError):
    """The file to write is there already."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is there already; name another file, or a folder, which gets one with a date"
        )
        self.path = path


class HomeNotEmpty(BackupError):
    """What is there would be replaced."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}; nothing was restored: name an empty home and database, or give up what is there "
            "with --replace"
        )
        self.what = what
