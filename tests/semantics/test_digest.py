"""Notes add up in any order, entries chain in one."""

from __future__ import annotations

from itertools import pairwise

from sysim.semantics import digest, salts
from sysim.semantics.rng import GOLDEN, scramble, wrapping


def test_note_and_chain_follow_their_formulas():
    with wrapping():
        assert digest.note(3, 12345, 6) == scramble(12345 ^ (3 << 48) ^ (6 << 32) ^ int(salts.SALT_NOTE))
        order = (11 << 58) | 777
        word = (55 ^ ((1_000_000 * int(GOLDEN) + order + 2**63) % 2**64 - 2**63)) % 2**64
        word = word - 2**64 if word >= 2**63 else word
        assert digest.chain(55, 1_000_000, order, 9) == (int(scramble(word)) + 9 + 2**63) % 2**64 - 2**63


def test_notes_of_an_entry_commute_and_entries_do_not():
    a, b = int(digest.note(1, 10, 0)), int(digest.note(2, 11, 3))
    assert a != b
    with wrapping():
        one = digest.chain(digest.chain(1, 5, 6, 0), 7, 8, 0)
        other = digest.chain(digest.chain(1, 7, 8, 0), 5, 6, 0)
    assert one != other


def test_each_part_of_a_note_counts():
    notes = {int(digest.note(c, k, v)) for c in range(1, 8) for k in range(20) for v in range(14)}
    assert len(notes) == 7 * 20 * 14


def test_salts_are_distinct_and_odd_and_draws_do_not_overlap():
    values = [int(v) for n, v in vars(salts).items() if n.startswith("SALT_")]
    assert len(set(values)) == len(values) == 5
    assert all(v % 2 == 1 and 0 < v < 2**62 for v in values)
    starts = [salts.X_OUT, salts.X_BACK, salts.X_CANCEL, salts.X_PATIENCE, salts.X_PICK, salts.X_LOSS_OUT]
    starts += [salts.X_FALLBACK, salts.X_BACKOFF, salts.X_HEDGE]
    assert all(b - a >= 64 for a, b in pairwise(starts))
    names = ["REQUEST", "CALL", "ATTEMPT", "VISIT", "SENT", "BREAKER", "QUEUED"]
    assert [getattr(digest, f"NOTE_{name}") for name in names] == [1, 2, 3, 4, 5, 6, 7]
