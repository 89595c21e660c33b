"""How far a link stands from the next person whom its row could speak of: by how many thousandths of a bit.

The night's own tables keep it; what is accepted stands in the rules and hangs on it nowhere.
"""

from __future__ import annotations

from pathlib import Path

from verify.link_scores import MARGINS
from verify.store import Store, statements

_SQL = statements(Path(__file__).with_suffix(".sql"))


def load_fitting(store: Store) -> None:
    """Whom faces and rows of joint documents fit beside those that are judged: the tables fitting_faces and fitting_documents."""
    for name in ("fitting_faces", "fitting_documents"):
        store.table(name, _SQL[name])


def write_margins(store: Store, work: Path) -> None:
    """Write the table: extract, file, row, side, case_id, member_no, score, second, ahead, second_method, second_case, second_member.

    The last two are NULL for somebody who is on no list. Needs the tables that the match leaves in the store.
    """
    store.run(f"CREATE VIEW judged AS {_SQL['judged']}")
    for name in ("besides", "contested", "in_question"):
        store.table(name, _SQL[name])
    store.save(_SQL["margins"], work / MARGINS)
