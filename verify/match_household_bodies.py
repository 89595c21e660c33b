"""What stands in the name of a company in which a member has a say: nobody's row and in no figure, and yet to be looked at.

A car or a home of a company bears its credit code where a person's ID would stand. Told are numbers only.
"""

from __future__ import annotations

from collections.abc import Iterator

from verify.formulas import plain_condition
from verify.identity.credit_codes import credit_code_of
from verify.match_household_hints import Hint, Looking, places

KEY = "regexp_replace(upper(nfc_normalize(\"{column}\")), '[^0-9A-Z]', '', 'g')"


def owned_through(looking: Looking) -> Iterator[Hint]:
    """For each member with a say in a body the extracts whose rows name it as owner, and how many."""
    for member, codes in sorted(_bodies(looking).items()):
        found = []
        for name, shape in sorted(looking.book.extracts.items()):
            if not shape.owned_by_bodies or name not in looking.rows:
                continue
            owners = " OR ".join(f"{KEY.format(column=person.id)} IN (SELECT unnest(?::VARCHAR[]))" for person in shape.people if person.id)
            count = looking.store.one(f"SELECT count(*) FROM {looking.rows[name]} WHERE {owners}", [sorted(codes)] * sum(bool(p.id) for p in shape.people))
            found += [(shape.label, count)] if count else []
        if found:
            yield Hint("owns_through", member, others=tuple(found))


def _bodies(looking: Looking) -> dict[int, set[str]]:
    """The credit codes of the bodies in which each member has a say, by the case's accepted rows; a code that fails its check is none."""
    found: dict[int, set[str]] = {}
    for shape, rows in looking.extracts("bodies"):
        part, linked = shape.plays.bodies, looking.linked(shape.extract)
        assert part is not None
        of = {(link["file"], link["row"]): link["member_no"] for link in linked}
        say = plain_condition(part.when, looking.night.manifest.origin.as_of)
        for file, row, written in looking.store.rows(f'SELECT _file, _row, "{part.code}" FROM {rows} WHERE {places(linked)} AND {say} ORDER BY 1, 2'):
            code = credit_code_of(written or "")
            if code and code.valid:
                found.setdefault(of[file, row], set()).add(code.key)
    return found
