"""Shards: pieces come back as they went in; damage is told."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from score_strategies import scores

from symgen.corpus.shards import VERSION, Piece, content_digest, load_shard, read_index, save_shard
from symgen.errors import CorpusError
from symgen.score import Note, Score, Track


def index_at(grid):
    return {"corpus": "test", "steps_per_quarter": grid, "digest": "", "n_duplicates": 0, "skipped": []}


def stored(score):
    """Return what a shard keeps of a score: no markers, usual grouping of metres."""
    meters = tuple(replace(c, meter=replace(c.meter, groups=())) for c in score.meters)
    return replace(score, markers=(), meters=meters)


@settings(max_examples=30)
@given(st.lists(scores(), min_size=1, max_size=3), st.data())
def test_pieces_come_back(tmp_path_factory, found, data):
    grid = found[0].steps_per_quarter
    pieces = [
        Piece(f"piece {i}", "test", "folk", data.draw(st.sampled_from(["train", "valid", "test"])), stored(score))
        for i, score in enumerate(found)
        if score.steps_per_quarter == grid
    ]
    folder = tmp_path_factory.mktemp("shard")
    save_shard(folder, pieces, index_at(grid))
    assert load_shard(folder) == pieces


def melody(pitches, grid=4, start=0, bpm=None):
    notes = tuple(Note(start + 4 * i, 4, p) for i, p in enumerate(pitches))
    return Score(grid, (Track("Melody", notes),))


def test_the_digest_knows_a_tune_in_any_key_and_at_any_place():
    tune = content_digest(melody([60, 62, 64]))
    assert content_digest(melody([65, 67, 69], start=16)) == tune
    assert content_digest(melody([60, 62, 65])) != tune
    assert content_digest(melody([60, 62, 64], grid=12)) != tune


def test_damage_is_told(tmp_path):
    save_shard(tmp_path, [Piece("a", "test", "folk", "train", melody([60]))], index_at(4))
    next(tmp_path.glob("pieces*.npz")).write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(CorpusError, match=r"damaged .* build the corpus again"):
        load_shard(tmp_path)
    index = json.loads((tmp_path / "index.json").read_text())
    (tmp_path / "index.json").write_text(json.dumps({**index, "version": VERSION + 1}))
    with pytest.raises(CorpusError, match=f"version {VERSION + 1}: expected a whole index of version {VERSION}"):
        read_index(tmp_path)
    for text in ("[]", json.dumps({"version": VERSION})):
        (tmp_path / "index.json").write_text(text)
        with pytest.raises(CorpusError, match="expected a whole index"):
            read_index(tmp_path)
    (tmp_path / "index.json").write_text("{")
    with pytest.raises(CorpusError, match="not an index"):
        read_index(tmp_path)
    with pytest.raises(CorpusError, match="no built corpus there"):
        load_shard(tmp_path / "elsewhere")
