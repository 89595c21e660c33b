"""The stages of a night, in order: read, standardise, match, group, assess, watch, report, publish.

Each reads what the one before wrote and writes its own tables; stages never import each other.
"""
