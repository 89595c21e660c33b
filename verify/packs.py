"""Regional packs: the rules beside `packs/` overlaid by a chain of packs, each saying openly what it replaces, adds and leaves out.

A pack is a folder `packs/<name>/`. Its own folder is a rules folder like any other: whoever loads it gets the whole book.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from verify.pack_files import BASE, Adds, Cites, Document, Pack
from verify.problems import Problem, UsageError
from verify.rule_decisions import Rule
from verify.rule_facts import Example, Input, Parameter
from verify.rule_files import Membership
from verify.rule_texts import Entry, entries_of

PACKS = "packs"
Entries = dict[tuple[str, str], Entry]


@dataclass(frozen=True)
class Layer:
    """One layer of a rule book: the rules that all share, or a pack; the files below it, in order of name."""

    name: str
    folder: Path
    root: Path
    pack: Pack | None = None
    entry: Entry | None = None

    def files(self) -> list[Path]:
        """Its YAML and CSV files; the packs below the shared rules are none of theirs."""
        found = (p for p in self.folder.rglob("*") if p.suffix in {".yaml", ".csv"})
        return sorted(p for p in found if self.pack is not None or PACKS not in p.relative_to(self.folder).parts[:1])


def layers_of(folder: Path) -> list[Layer]:
    """The layers of the rule book that `folder` is, the shared rules first.

    Raises UsageError: E-PACK-FORM (no pack.yaml with one pack called as its folder is), E-PACK-CHAIN (it inherits what is
    not there, or itself).
    """
    if folder.parent.name != PACKS:
        return [Layer(BASE, folder, folder)]
    root, name = folder.parent.parent, folder.name
    found: list[Layer] = []
    while name != BASE:
        layer = _layer(root, name)
        if layer.pack is None or name in [one.name for one in found]:
            raise UsageError(Problem("E-PACK-CHAIN", f"{PACKS}/{found[-1].name if found else name}", {"name": name}))
        found.append(layer)
        name = layer.pack.inherits
    return [Layer(BASE, root, root), *reversed(found)]


def _layer(root: Path, name: str) -> Layer:
    path = root / PACKS / name / "pack.yaml"
    if not path.is_file():
        return Layer(name, path.parent, root)
    read = list(entries_of(path.relative_to(root.parent).as_posix(), path.read_text(encoding="utf-8")))
    problems = [one for one in read if isinstance(one, Problem)]
    packs = [one for one in read if isinstance(one, Entry) and isinstance(one.shape, Pack)]
    if problems or [one.name for one in packs] != [name]:
        raise UsageError(*problems or [Problem("E-PACK-FORM", path.relative_to(root.parent).as_posix(), {"name": name})])
    assert isinstance(packs[0].shape, Pack)
    return Layer(name, path.parent, root, packs[0].shape, packs[0])


def all_packs(root: Path) -> list[Layer]:
    """Every pack below the rules of `root`, in order of name. Raises UsageError as `layers_of` does."""
    names = sorted(p.parent.name for p in (root / PACKS).glob("*/pack.yaml"))
    return [_layer(root, name) for name in names]


def pack_folder(root: Path, asked: str) -> Path:
    """The folder of the pack of that name or division code. Raises UsageError (E-PACK-NONE) with the names there are."""
    listed = all_packs(root)
    for layer in listed:
        assert layer.pack is not None
        if asked in (layer.name, layer.pack.region):
            return layer.folder
    raise UsageError(Problem("E-PACK-NONE", asked, {"name": asked, "known": ", ".join(layer.name for layer in listed) or "–"}))


def home_of(entries: Entries, layer: Layer) -> str:
    """The division for which examples of a layer speak that name none."""
    said = [e.shape.home_region for e in entries.values() if isinstance(e.shape, Membership)]
    return layer.pack.region if layer.pack else said[0] if said else ""


def overlay(below: Entries, own: list[Entry], layer: Layer, problems: list[Problem]) -> Entries:
    """The entries below, changed by those of a pack; what is changed by accident is noted as a problem.

    E-PACK-REPLACES: an entry that is there already and is not said to be replaced, or the other way round; E-PACK-ADDS: values
    for a parameter that is not there; E-PACK-LEFT: something left out that is not there.
    """
    assert layer.pack is not None
    assert layer.entry is not None
    entries = dict(below)
    for at, left in enumerate(layer.pack.leaves_out):
        if entries.pop((left.kind, left.name), None) is None:
            problems.append(Problem("E-PACK-LEFT", layer.entry.where("leaves_out", at), {"name": left.name}))
    for entry in own:
        if isinstance(entry.shape, Adds | Cites):
            problems += _added(entries, entry) if isinstance(entry.shape, Adds) else _cited(entries, entry)
            continue
        old = entries.get((entry.kind, entry.name))
        may = old is not None and entry.replaces is not None and entry.replaces == (old.layer or BASE)
        if (old is not None or entry.replaces is not None) and not may and entry.kind != "pack":
            problems.append(Problem("E-PACK-REPLACES", entry.where(), {"name": entry.name, "layer": (old.layer or BASE) if old else "–"}))
        entries[entry.kind, entry.name] = entry
    return entries


def _added(entries: Entries, entry: Entry) -> Iterator[Problem]:
    """Put values, examples and what is not known behind those of the parameter that is there."""
    old = entries.get(("parameter", entry.name))
    if old is None or not isinstance(old.shape, Parameter) or not isinstance(entry.shape, Adds):
        yield Problem("E-PACK-ADDS", entry.where(), {"name": entry.name})
        return
    shape, more = old.shape, entry.shape
    new = Parameter.model_construct(
        **{
            **dict(shape),
            "label": more.label or shape.label,
            "values": (*shape.values, *more.values),
            "examples": (*shape.examples, *more.examples),
            "not_known": (*shape.not_known, *more.not_known),
        }
    )
    places: dict[tuple[str | int, ...], str] = {
        (key, len(getattr(shape, key)) + at): entry.where(key, at) for key in ("values", "examples") for at in range(len(getattr(more, key)))
    }
    entries["parameter", entry.name] = replace(old, shape=new, added={**old.added, **places})


def _cited(entries: Entries, entry: Entry) -> Iterator[Problem]:
    """Give an inherited rule or fact the pack's basis, and put its cases behind those that are there."""
    keys = [key for key in (("rule", entry.name), ("input", entry.name)) if key in entries]
    if not keys or not isinstance(entry.shape, Cites):
        yield Problem("E-PACK-ADDS", entry.where(), {"name": entry.name})
        return
    old, said = entries[keys[0]], entry.shape
    assert isinstance(old.shape, Rule | Input)
    told = {"law": said.law, "examples": (*old.shape.examples, *said.examples), **({"label": said.label} if said.label else {})}
    places: dict[tuple[str | int, ...], str] = {("examples", len(old.shape.examples) + at): entry.where("examples", at) for at in range(len(said.examples))}
    entries[keys[0]] = replace(old, shape=old.shape.model_copy(update=told), added={**old.added, **places, ("law",): entry.where("law")})


def placed(entries: Entries, region: str) -> Entries:
    """The entries with the division of their layer written into every example that names none."""
    return {key: replace(entry, shape=_placed(entry.shape, region)) for key, entry in entries.items()}


def _placed(shape: Any, region: str) -> Any:
    examples: tuple[Example, ...] = getattr(shape, "examples", ())
    if all(example.region for example in examples):
        return shape
    told = tuple(example if example.region else example.model_copy(update={"region": region}) for example in examples)
    return type(shape).model_construct(**{**dict(shape), "examples": told})


def documents_of(entries: Entries) -> list[Document]:
    """The documents that the packs of a book declare, in order of name."""
    return [entry.shape for _, entry in sorted(entries.items()) if isinstance(entry.shape, Document)]
