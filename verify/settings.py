"""Where things lie on disk, and how much of the machine a night may use. Nothing here can change an answer."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from verify.key_files import CREDENTIAL, credential_path, make_key
from verify.problems import IntegrityError, Problem, UsageError

PACKAGE = Path(__file__).resolve().parent
FIRST_CONFIG = """# What this machine may give to a night. Nothing here can change an answer.
threads = 2
memory = "4GB"

# `hedui status` exits with 3 where the last good night is older than this many days.
oldest_good_night_days = 3

# The key of everything kept here: a file of mode 0400 outside this folder, or "credential" (systemd, hedui-site-key).
# Without it nothing here can be read: keep a copy of it apart, and never beside a copy of this folder.
site_key = {key}
"""


@dataclass(frozen=True, slots=True)
class Home:
    """The private folder of one bureau: what is kept from night to night (mode 0700).

    `archive` holds accepted batches by content, `nights` the published nights, `current` names the newest of them,
    `lock` is held while a night runs, `config` is the one settings file.
    """

    folder: Path

    @property
    def archive(self) -> Path:
        """Every accepted batch, once, by content hash."""
        return self.folder / "archive"

    @property
    def nights(self) -> Path:
        """One folder for each published night; half-built ones begin with a dot."""
        return self.folder / "nights"

    @property
    def current(self) -> Path:
        """The text file that names the night all readers see."""
        return self.folder / "current"

    @property
    def lock(self) -> Path:
        """The file a running night holds."""
        return self.folder / "lock"

    @property
    def ledger(self) -> Path:
        """Who looked at which case, when and what for."""
        return self.folder / "ledger.jsonl"

    @property
    def decisions(self) -> Path:
        """What officers have decided about batches."""
        return self.folder / "decisions.jsonl"

    @property
    def config(self) -> Path:
        """The settings file; see `Settings`."""
        return self.folder / "hedui.toml"


class Settings(BaseModel):
    """The keys of `hedui.toml`: threads; memory before DuckDB spills to disk (a number with MB or GB); and how many days
    old the last good night may be before `hedui status` complains; and where the site key lies, seen from the home
    ('': beside it, `<home>.key`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threads: int = Field(default=2, ge=1, le=256)
    memory: str = Field(default="4GB", pattern=r"^[1-9]\d*(MB|GB)$")
    oldest_good_night_days: int = Field(default=3, ge=0, le=36_500)
    site_key: str = Field(default="", pattern=r"^[^\x00-\x1f]*$")


def init_home(folder: Path) -> Home:
    """Make a home that nobody else can read, with its key beside it, or complete one that is there; nothing is overwritten.

    Raises UsageError: E-HOME-TAKEN if the folder holds other things, E-HOME-MAKE or E-KEY-MAKE if it cannot be made;
    IntegrityError (E-KEY-NONE) if it holds tables and its key is not there: a new key would not open them.
    """
    home = Home(folder.expanduser().absolute())
    try:
        if home.folder.is_dir() and not home.config.exists() and any(home.folder.iterdir()):
            raise UsageError(Problem("E-HOME-TAKEN", str(folder)))
        for wanted in (home.folder, home.archive, home.nights):
            wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
            wanted.chmod(0o700)  # mkdir's mode is cut by the umask and ignored where the folder exists
        if not home.config.exists():
            home.config.write_text(FIRST_CONFIG.format(key=json.dumps(f"../{home.folder.name}.key", ensure_ascii=False)), encoding="utf-8")
            home.config.chmod(0o600)
    except OSError as error:
        raise UsageError(Problem("E-HOME-MAKE", str(folder), {"why": error.strerror or type(error).__name__})) from None
    key = key_place(home)
    if not key.credential and not key.path.exists():
        if tables_of(home):
            raise IntegrityError(Problem("E-KEY-NONE", str(key.path)))
        make_key(key.path)
    return home


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a home's site key lies, where its successor lies while it is being changed, and whether systemd hands it over."""

    path: Path
    coming: Path
    credential: bool


def key_place(home: Home) -> KeyPlace:
    """Where the settings say the site key is.

    Raises IntegrityError: E-KEY-INSIDE if that is inside the home, with whose copies it would travel; E-KEY-NONE for a
    credential outside a service. UsageError (E-CONFIG).
    """
    said = read_settings(home).site_key
    beside = home.folder.parent / f"{home.folder.name}.key"
    if said == CREDENTIAL:
        given = credential_path()
        if given is None:
            raise IntegrityError(Problem("E-KEY-NONE", CREDENTIAL))
        return KeyPlace(given, _coming(beside), credential=True)
    path = Path(os.path.normpath(home.folder / Path(said).expanduser())) if said else beside
    if path.is_relative_to(home.folder):
        raise IntegrityError(Problem("E-KEY-INSIDE", str(path)))
    return KeyPlace(path, _coming(path), credential=False)


def _coming(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def tables_of(home: Home) -> list[Path]:
    """Every Parquet file that is kept: of the archive and of the published nights."""
    return sorted([*home.archive.glob("*.parquet"), *home.nights.glob("[!.]*/**/*.parquet")])


def open_home(folder: Path) -> Home:
    """The home that lies in `folder`. Raises UsageError (E-NO-HOME) if none was made there."""
    home = Home(folder.expanduser().absolute())
    if not (home.config.is_file() and home.nights.is_dir() and home.archive.is_dir()):
        raise UsageError(Problem("E-NO-HOME", str(folder)))
    return home


def read_settings(home: Home) -> Settings:
    """The settings of a home. Raises UsageError (E-CONFIG) for a file that cannot be read and for every wrong key."""
    try:
        return Settings.model_validate(tomllib.loads(home.config.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(Problem("E-CONFIG", home.config.name, {"key": "-", "why": type(error).__name__})) from None
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        told = [Problem("E-CONFIG", home.config.name, {"key": ".".join(map(str, w["loc"])), "why": w["msg"]}) for w in wrong]
        raise UsageError(*told) from None


def origins(home: Home) -> list[tuple[str, str, str]]:
    """Every key of the settings with its value and where it comes from: `file:line`, or '' where nothing was said.

    Raises UsageError (E-CONFIG).
    """
    settings = read_settings(home)
    told = {line.split("=")[0].strip(): at for at, line in enumerate(home.config.read_text(encoding="utf-8").splitlines(), start=1) if "=" in line}
    keys = Settings.model_fields
    return [(key, str(getattr(settings, key)), f"{home.config.name}:{told[key]}" if key in settings.model_fields_set and key in told else "") for key in keys]


def rules_folder() -> Path:
    """The rules that came with the program: those in the wheel, else those of the checkout."""
    return _shipped("rules")


def demo_drop() -> Path:
    """The made-up county's drop that came with the program."""
    return _shipped("fixtures") / "county-a" / "drop"


def _shipped(name: str) -> Path:
    """A folder that the wheel carries inside the package and a checkout beside it.

    The package comes first: beside an installed package lie other people's packages, which may be called `rules` too.
    """
    inside = PACKAGE / "installed" / name
    return inside if inside.is_dir() else PACKAGE.parent / name


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut (nothing to do where the system has no such call)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, text: str | bytes) -> None:
    """Write a small file so that a reader, or a power cut, sees the old or the new one and never a part."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(text.encode() if isinstance(text, str) else text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)
