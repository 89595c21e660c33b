"""The identity kit: what an ID, a code, a name, an address or a phone number of Chinese administrative records says.

Everything here takes one value as it was written and gives back what it is worth and what is in it; nothing is looked up
anywhere, nothing is guessed, and a value that says nothing gives None or an empty tuple. Whole columns of IDs are worked on
by `verify.citizen_id`; names are made comparable by `name_keys`, held against each other by `name_grades`, taken apart by `names`; the
linker is `verify.linkage`.
"""

from __future__ import annotations
