"""Repetition, exactly: lines in which some segments have the symbols of others.

A tie is a law a chain cannot keep, for the copy remembers the source however much lies between. What the two
share is only their symbols, though, so it is enough to guess the state in which the copy will start: given
that, the source segment is run in both states at once, the steps between must lead to the guess, and all guesses
are summed. Source and copy mostly fall into the same state at the first onset, so few pairs of states are met;
only those are made. Copies of copies are copies of the first; a *block* is a source with all its copies and what
lies between them, and whole blocks may follow each other, or lie between a source and its copy.

>>> import numpy as np
>>> from symgen.decode.automaton import Automaton
>>> one_state = Automaton(np.zeros((1, 1, 3), np.int32), np.zeros((1, 1, 3)), np.zeros(1), np.zeros((1, 1), np.int32))
>>> lattice, ties = Lattice.build(one_state, np.zeros((8, 3))), [Tie(0, 4, 3)]
>>> count_tied(lattice, ties) == 3**5
True
>>> line = TiedSums.of(lattice, ties).sample(np.random.default_rng(0))[0]
>>> line[0:3].tolist() == line[4:7].tolist()
True
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import DEAD
from symgen.decode.columns import Moves, Sums, live_moves, sums_of
from symgen.decode.infer import two_way_support
from symgen.decode.joint import Level, check_work, joint_log_moves, levels_of
from symgen.decode.lattice import Lattice
from symgen.decode.merge import merged
from symgen.decode.semiring import BOOL, COUNT, LOG, MAX, Semiring
from symgen.decode.tieparts import Block, Part, Run, Tie, parts_of
from symgen.errors import RequestError

__all__ = ["Tie", "TiedSums", "best_tied", "count_tied", "has_tied_line"]

_Values = NDArray[Any]  # elements of a semiring
_Index = NDArray[np.int64]
_Choose = Callable[[NDArray[np.float64]], int]

_MAX_PRODUCTS, _MAX_TRUTHS = 1 << 28, 1 << 30
"""Products summed over a run, or at one step of a block: about a second; and of truths, eight of which are one."""

_SHARED_SUMS, _SHARED_TRUTHS = 24, 512
"""One guess in so many makes a joint state a shared one: where it is quicker to sum or ask for all guesses."""

_N_KEPT = 64
"""What is solved towards a guess and kept for the next draw."""


@dataclass(frozen=True, slots=True)
class _SolvedRun:
    """Sums from each step of a run on; ``values[i][c, j]`` is of column c, from live state j before ``start + i``."""

    start: int
    values: list[_Values]


@dataclass(frozen=True, slots=True)
class _SolvedBlock:
    """Sums from each step of a source on; ``values[i][c, j]`` is of column c, from state j of level i that has a guess.

    ``guesses[g]`` are the states in which the copies start; ``after`` is what follows the block, as it was given.
    """

    block: Block
    levels: list[Level]
    guesses: _Index
    values: list[_Values]
    after: _Values


_Solved = _SolvedRun | _SolvedBlock


@dataclass(frozen=True, slots=True)
class _Solver:
    """One semiring's way over the parts of a lattice. ``live[t]`` are the states some untied line is in before step t.

    Values before a step have an entry for each of its live states.
    """

    lattice: Lattice
    live: list[_Index]
    semiring: Semiring

    @classmethod
    def of(cls, lattice: Lattice, semiring: Semiring) -> _Solver:
        return cls(lattice, [np.flatnonzero(row) for row in two_way_support(lattice)], semiring)

    def solve(self, parts: Sequence[Part], after: _Values) -> tuple[list[_Solved], _Values]:
        """Return the sums over parts, and what they come to before the first.

        ``after[c, j]`` is what follows the last part from live state j; there may be several such columns. Of runs
        with several columns only the sums before them are kept.
        """
        solved: list[_Solved] = []
        for part in reversed(parts):
            if isinstance(part, Run):
                values = self._run(part, after)
                solved.append(_SolvedRun(part.start, values))
                after = values[0]
            else:
                block = self._block(part, after)
                solved.append(block)
                after = self._before(block)
        return solved[::-1], after

    def towards(self, gap: Sequence[Part], step: int, state: int) -> tuple[list[_Solved], _Values]:
        """Return the sums over the parts of a gap that ends in one state before a step."""
        column = np.where(self.live[step] == state, 0.0, -np.inf)
        return self.solve(gap, self.semiring.from_log(column[None]))

    def _run(self, run: Run, after: _Values) -> list[_Values]:
        steps = range(run.end - 1, run.start - 1, -1)
        moves = [live_moves(self.lattice, step, self.live) for step in steps]
        check_work(self._n_at_once(len(after)) * sum(move.target.size for move in moves), self._most, run)
        sums, values = sums_of(after, self.semiring), [after]
        for move in moves:
            sums = sums.before(move)
            if len(after) == 1:
                values.append(sums.values)
        return values[::-1] if len(after) == 1 else [sums.values]

    def _block(self, block: Block, after: _Values) -> _SolvedBlock:
        one_in = _SHARED_TRUTHS if self.semiring is BOOL else _SHARED_SUMS
        levels, guesses = levels_of(self.lattice, self.live, block, one_in)
        between: list[_Values] = []
        for copy, (gap, there) in enumerate(zip(block.gaps, block.starts[1:], strict=True)):
            meets = np.full((len(self.live[there]),) * 2, -np.inf)
            np.fill_diagonal(meets, 0.0)
            matrix = self.solve(gap, self.semiring.from_log(meets))[1]  # [guess, state the one before ends in]
            between.append(matrix[np.searchsorted(self.live[there], guesses[:, copy])])
        self._check(block, levels, len(after) * len(guesses), len(after))
        end, ends = levels[-1], self._ends(block, levels[-1].states)
        values = [after[:, ends[-1]]]
        for matrix, states in zip(between, ends[:-1], strict=True):
            values[0] = self.semiring.times(values[0], matrix[end.guess, states])
        shared = self._shared_end(block, end, after, between)
        for offset in range(block.n_steps - 1, -1, -1):
            level = levels[offset]
            log_move = joint_log_moves(self.lattice, block, offset, level.states, level.symbols)
            onward = self._onward(level, values[-1], shared, len(guesses))
            values.append(self.semiring.sum_last(self.semiring.times(self.semiring.from_log(log_move), onward)))
            shared = shared.before(self._shared_moves(block, offset, level))
        return _SolvedBlock(block, levels, guesses, values[::-1], after)

    def _check(self, block: Block, levels: Sequence[Level], n_columns: int, n_after: int) -> None:
        shared = sum(level.shared_target.size for level in levels)
        own = sum(level.target.size for level in levels)
        check_work(self._n_at_once(n_columns) * shared + n_after * own, self._most, block)

    @property
    def _most(self) -> int:
        return _MAX_TRUTHS if self.semiring is BOOL else _MAX_PRODUCTS

    def _n_at_once(self, n_columns: int) -> int:
        """Return what so many columns count for: of truths eight are one."""
        return n_columns if self.semiring is not BOOL else -(-n_columns // 8)

    def _ends(self, block: Block, states: _Index) -> list[_Index]:
        """Return the places of the states in which source and copies end among those that are live there."""
        pairs = zip(block.starts, states.T, strict=True)
        return [np.searchsorted(self.live[start + block.n_steps], column) for start, column in pairs]

    def _shared_end(self, block: Block, end: Level, after: _Values, between: Sequence[_Values]) -> Sums:
        """Return what follows shared joint states, a row for each column of ``after`` and each guess."""
        ends = self._ends(block, end.shared)
        shared = after[:, None, ends[-1]]
        for matrix, states in zip(between, ends[:-1], strict=True):
            shared = self.semiring.times(shared, matrix[None, :, states])
        return sums_of(shared.reshape(len(after) * len(between[0]), len(end.shared)), self.semiring)

    def _shared_moves(self, block: Block, offset: int, level: Level) -> Moves:
        log_move = joint_log_moves(self.lattice, block, offset, level.shared, level.symbols)
        return Moves(level.shared_target, log_move, level.n_next[1])

    def _onward(self, level: Level, own: _Values, shared: Sums, n_guesses: int) -> _Values:
        """Return what follows each move of the states with a guess, shape (columns, states, symbols)."""
        n_own, n_shared = level.n_next
        none = np.full((len(own), 1), self.semiring.zero, dtype=own.dtype)
        onward: _Values = np.hstack([own, none])[:, np.minimum(level.target, n_own)]
        row, place = np.nonzero((level.target >= n_own) & (level.target < n_own + n_shared))
        for column in range(len(own)):
            guess = column * n_guesses + level.guess[row]
            onward[column, row, place] = shared.at(guess, level.target[row, place] - n_own)
        return onward

    def shared_values(self, solved: _SolvedBlock, guess: int, ends: Sequence[_Values]) -> list[_Values]:
        """Return the sums from the shared joint states of each level, for one guess; ``ends`` are of its gaps."""
        block, levels = solved.block, solved.levels
        values = [self._shared_end(block, levels[-1], solved.after, ends)]
        for offset in range(block.n_steps - 1, -1, -1):
            values.append(values[-1].before(self._shared_moves(block, offset, levels[offset])))
        return [sums.values for sums in reversed(values)]

    def _before(self, solved: _SolvedBlock) -> _Values:
        """Return what a block and all after it come to from each live state before it: the sum over all guesses."""
        n_starts = len(self.live[solved.block.starts[0]])
        by_start = solved.values[0].reshape(len(solved.values[0]), n_starts, len(solved.guesses))
        before: _Values = self.semiring.sum_last(by_start)
        return before


def _moves(lattice: Lattice, step: int, states: _Index) -> tuple[_Index, NDArray[np.float64]]:
    """Return where each symbol leads from each state, and what the move itself weighs; shapes (n, symbols)."""
    kind = lattice.kind[step]
    target = lattice.automaton.next_state[kind, states].astype(np.int64)
    arriving = np.where(target == DEAD, -np.inf, lattice.log_state[step][target])
    return target, lattice.automaton.log_weight[kind, states] + lattice.log_symbol[step] + arriving


def _solve(lattice: Lattice, ties: Sequence[Tie], semiring: Semiring) -> tuple[_Solver, list[_Solved], Any]:
    """Return the sums of a tied lattice, what has made them, and what all its lines come to."""
    for tie in ties:
        if tie.target_start + tie.n_steps > lattice.n_steps:
            msg = f"{tie}: expected it to end by step {lattice.n_steps}"
            raise RequestError(msg)
    parts = parts_of(ties, lattice.n_steps)
    solver = _Solver.of(lattice, semiring)
    if not all(len(states) for states in solver.live):
        return solver, [], semiring.zero
    solved, before = solver.solve(parts, semiring.from_log(lattice.log_final)[None, solver.live[-1]])
    return solver, solved, before[0, 0]


@dataclass(frozen=True, slots=True)
class TiedSums:
    """The law of the lines of a lattice in which tied segments are equal.

    Parameters
    ----------
    lattice
        The law without ties.
    log_total
        What all lines with equal segments weigh together; ``-inf`` if there is none.
    """

    lattice: Lattice
    log_total: float
    _draws: _Draws

    @classmethod
    def of(cls, lattice: Lattice, ties: Sequence[Tie]) -> TiedSums:
        """Sum over a lattice under ties.

        Raises
        ------
        RequestError
            If ties overlap or cross, reach beyond the end, or would take too much work.

        Notes
        -----
        For each step of a source the work is that of its joint states: those of the source times those of the guess,
        before a common onset, and few more than the guesses after it. A second copy multiplies the guesses.
        """
        solver, solved, total = _solve(lattice, ties, LOG)
        return cls(lattice, float(total), _Draws(solver, solved))

    def sample(self, rng: np.random.Generator, n: int = 1) -> NDArray[np.int64]:
        """Draw lines from the law, shape (n, n_steps); there must be one."""
        assert not np.isneginf(self.log_total)

        def draw(log_weights: NDArray[np.float64]) -> int:
            heights = np.cumsum(np.exp(log_weights - log_weights.max()))
            return int((heights > rng.random() * heights[-1]).argmax())

        return np.stack([self._draws.line(draw) for _ in range(n)])


def has_tied_line(lattice: Lattice, ties: Sequence[Tie]) -> bool:
    """Whether there is any line whose tied segments are equal; quicker than the sum of all; see :class:`TiedSums`."""
    return bool(_solve(merged(lattice), ties, BOOL)[2])


def count_tied(lattice: Lattice, ties: Sequence[Tie]) -> int:
    """Return exactly how many lines whose tied segments are equal have a weight above zero; see :class:`TiedSums`."""
    return int(_solve(lattice, ties, COUNT)[2])


def best_tied(lattice: Lattice, ties: Sequence[Tie]) -> tuple[NDArray[np.int64], float]:
    """Return a heaviest line whose tied segments are equal, and its log weight; see :class:`TiedSums`.

    There must be one. Of equals it is always the same, but not the one with the lowest symbols.
    """
    solver, solved, weight = _solve(lattice, ties, MAX)
    assert not np.isneginf(weight)
    return _Draws(solver, solved).line(lambda log_weights: int(log_weights.argmax())), float(weight)


@dataclass(frozen=True, slots=True)
class _Draws:
    """Lines drawn, or chosen, forward through what is solved.

    What lies between a source and its copy is solved anew towards the guess that was drawn, and kept for a while.
    """

    solver: _Solver
    solved: list[_Solved]
    _known: dict[tuple[int, int], Any] = field(default_factory=dict, repr=False, compare=False)

    def line(self, choose: _Choose) -> NDArray[np.int64]:
        """Return the symbols of one line."""
        line = np.full(self.solver.lattice.n_steps, -1, dtype=np.int64)
        self._parts(self.solved, 0, line, choose)
        return line

    def _parts(self, solved: Sequence[_Solved], state: int, line: NDArray[np.int64], choose: _Choose) -> None:
        """Fill in the symbols of parts, from a state before them; they have one column."""
        for part in solved:
            if isinstance(part, _SolvedRun):
                state = self._run(part, state, line, choose)
            else:
                state = self._block(part, state, line, choose)

    def _run(self, run: _SolvedRun, state: int, line: NDArray[np.int64], choose: _Choose) -> int:
        lattice, live = self.solver.lattice, self.solver.live
        for step, after in enumerate(run.values[1:], start=run.start):
            target, log_move = _moves(lattice, step, np.array([state]))
            place = np.searchsorted(live[step + 1], target[0]).clip(max=after.shape[1] - 1)
            is_there = live[step + 1][place] == target[0]
            symbol = choose(np.where(is_there, log_move[0] + after[0, place], -np.inf))
            line[step] = symbol
            state = int(target[0, symbol])
        return state

    def _block(self, solved: _SolvedBlock, state: int, line: NDArray[np.int64], choose: _Choose) -> int:
        block, levels, lattice = solved.block, solved.levels, self.solver.lattice
        starting = np.flatnonzero(levels[0].states[:, 0] == state)
        joint = int(starting[choose(solved.values[0][0, starting])])
        guess, is_shared = int(levels[0].guess[joint]), False
        gaps = [
            self._towards(gap, there, guessed)
            for gap, there, guessed in zip(block.gaps, block.starts[1:], solved.guesses[guess].tolist(), strict=True)
        ]
        shared_values = self._shared_values(solved, guess, [ends for _, ends in gaps])
        for offset, level in enumerate(levels[:-1]):
            states, target = (level.shared, level.shared_target) if is_shared else (level.states, level.target)
            n_own = 0 if is_shared else level.n_next[0]
            log_move = joint_log_moves(lattice, block, offset, states[[joint]], level.symbols)[0]
            own = solved.values[offset + 1][0, :n_own]
            onward = np.concatenate([own, shared_values[offset + 1][0], [-np.inf]])
            place = choose(log_move + onward[target[joint]])
            line[[start + offset for start in block.starts]] = level.symbols[place]
            joint = int(target[joint, place])
            is_shared, joint = (True, joint - n_own) if joint >= n_own else (False, joint)
        end = levels[-1].shared[joint] if is_shared else levels[-1].states[joint]
        for (gap, _), state_after in zip(gaps, end[:-1].tolist(), strict=True):
            self._parts(gap, state_after, line, choose)
        return int(end[-1])

    def _shared_values(self, solved: _SolvedBlock, guess: int, ends: Sequence[_Values]) -> list[_Values]:
        # What is solved is kept beside the values, so that nothing else can come to have its id.
        kept = self._kept((id(solved), guess), lambda: (solved, self.solver.shared_values(solved, guess, ends)))
        values: list[_Values] = kept[1]
        return values

    def _towards(self, gap: Sequence[Part], step: int, state: int) -> tuple[list[_Solved], _Values]:
        solved: tuple[list[_Solved], _Values] = self._kept((step, state), lambda: self.solver.towards(gap, step, state))
        return solved

    def _kept(self, key: tuple[int, int], make: Callable[[], Any]) -> Any:
        if key not in self._known:
            if len(self._known) >= _N_KEPT:
                self._known.clear()
            self._known[key] = make()
        return self._known[key]
