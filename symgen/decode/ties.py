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

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgen.decode.automaton import DEAD
from symgen.decode.infer import backward, forward_support
from symgen.decode.lattice import Lattice
from symgen.decode.semiring import BOOL, COUNT, LOG, MAX, Semiring
from symgen.errors import RequestError

__all__ = ["Tie", "TiedSums", "best_tied", "count_tied"]

_Values = NDArray[Any]  # elements of a semiring
_Index = NDArray[np.int64]
_Choose = Callable[[NDArray[np.float64]], int]

_MAX_MOVES = 1 << 26
"""Moves of all joint states of a block; 4 bytes each are kept."""

_MAX_PRODUCTS = 1 << 24
"""Products summed at one step."""

_MAX_MARKS = 1 << 24
"""Codes are numbered by marking, if there are no more; by sorting otherwise."""


@dataclass(frozen=True, slots=True, order=True)
class Tie:
    """A segment whose symbols are those of another before it.

    Parameters
    ----------
    source_start, target_start
        First steps of the two.
    n_steps
        Their length, at least 1.

    Raises
    ------
    RequestError
        If the copy does not lie after the source.
    """

    source_start: int
    target_start: int
    n_steps: int

    def __post_init__(self) -> None:
        if self.n_steps < 1 or self.source_start < 0 or self.target_start < self.source_start + self.n_steps:
            msg = f"{self}: expected a copy of at least one step that starts after its source has ended"
            raise RequestError(msg)


@dataclass(frozen=True, slots=True)
class _Run:
    """Steps that are neither source nor copy."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Block:
    """A source and its copies, and the parts that lie between each and the next."""

    starts: tuple[int, ...]
    n_steps: int
    gaps: tuple[tuple[_Part, ...], ...]


_Part = _Run | _Block


def _parts(groups: list[tuple[tuple[int, ...], int]], start: int, end: int) -> tuple[_Part, ...]:
    """Return the parts that steps fall into, given the starts and the length of each source with its copies."""
    parts: list[_Part] = []
    position = start
    inside = sorted(group for group in groups if start <= group[0][0] < end)
    while inside:
        starts, n_steps = inside.pop(0)
        gap_ends = [(here + n_steps, there) for here, there in pairwise(starts)]
        within = [[g for g in inside if low <= g[0][0] and g[0][-1] + g[1] <= high] for low, high in gap_ends]
        inside = [group for group in inside if not any(group in held for held in within)]
        gaps = tuple(_parts(held, low, high) for held, (low, high) in zip(within, gap_ends, strict=True))
        if starts[0] < position or any(low > high for low, high in gap_ends):
            msg = f"segments of {n_steps} steps at {', '.join(map(str, starts))}: tied segments overlap or cross others"
            raise RequestError(msg)
        parts += [_Run(position, starts[0])] * (position < starts[0]) + [_Block(starts, n_steps, gaps)]
        position = starts[-1] + n_steps
    return (*parts, *[_Run(position, end)] * (position < end))


def _groups(ties: Iterable[Tie]) -> list[tuple[tuple[int, ...], int]]:
    """Return each source with its copies: all their starts, rising, and the length.

    Ties that continue one another are one, and a copy's copies are its source's.
    """
    root: dict[tuple[int, int], int] = {}  # a copy's start and length -> where its source starts
    starts: dict[tuple[int, int], list[int]] = {}  # a source's start and length -> all starts
    for tie in sorted(_joined(ties), key=lambda tie: tie.target_start):
        source = root.get((tie.source_start, tie.n_steps), tie.source_start)
        group = starts.setdefault((source, tie.n_steps), [source])
        if tie.target_start not in group:
            group.append(tie.target_start)
        root[tie.target_start, tie.n_steps] = source
    return [(tuple(sorted(group)), n_steps) for (_, n_steps), group in starts.items()]


def _joined(ties: Iterable[Tie]) -> list[Tie]:
    """Join ties of which one goes on where the other ends, in source and copy."""
    joined: list[Tie] = []
    for tie in sorted(set(ties), key=lambda tie: (tie.target_start - tie.source_start, tie.source_start)):
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.source_start + last.n_steps == tie.source_start
            and last.target_start + last.n_steps == tie.target_start
            and tie.source_start + tie.n_steps <= last.target_start
        ):
            joined[-1] = Tie(last.source_start, last.target_start, last.n_steps + tie.n_steps)
        else:
            joined.append(tie)
    return joined


@dataclass(frozen=True, slots=True)
class _Level:
    """Joint states before one step of a source, and where its symbols lead.

    Parameters
    ----------
    states
        State in the source and in each copy, shape (n, 1 + copies).
    guess
        The guess they come from, shape (n,).
    symbols
        The symbols that are open in source and copies, shape (m,); none after the last step.
    target
        Numbers of the joint states of the next level, shape (n, m); their number where there is no move.
    """

    states: _Index
    guess: _Index
    symbols: _Index
    target: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class _SolvedRun:
    """Sums from each step of a run on; ``values[i, c, s]`` is of column c, from state s before step ``start + i``."""

    start: int
    values: _Values


@dataclass(frozen=True, slots=True)
class _SolvedBlock:
    """Sums from each step of a source on; ``values[i][c, j]`` is of column c, from joint state j of level i.

    ``guesses[g]`` are the places, among the columns of each gap, of the states in which the copies start.
    """

    block: _Block
    levels: list[_Level]
    guesses: _Index
    values: list[_Values]
    gaps: list[list[_Solved]]


_Solved = _SolvedRun | _SolvedBlock


@dataclass(frozen=True, slots=True)
class _Solver:
    """One semiring's way over the parts of a lattice. ``alive[t, s]``: some untied line is in s before step t."""

    lattice: Lattice
    alive: NDArray[np.bool_]
    semiring: Semiring

    @classmethod
    def of(cls, lattice: Lattice, semiring: Semiring) -> _Solver:
        return cls(lattice, forward_support(lattice) & backward(lattice, BOOL).astype(np.bool_), semiring)

    def solve(self, parts: Sequence[_Part], after: _Values) -> tuple[list[_Solved], _Values]:
        """Return the sums over parts, and what they come to before the first.

        ``after[c, s]`` is what follows the last part from state s; there may be several such columns.
        """
        solved: list[_Solved] = []
        for part in reversed(parts):
            if isinstance(part, _Run):
                values = self._run(part, after)
                solved.append(_SolvedRun(part.start, values))
                after = values[0]
            else:
                block = self._block(part, after)
                solved.append(block)
                after = self._before(block)
        return solved[::-1], after

    def _run(self, run: _Run, after: _Values) -> _Values:
        rows = [after]
        for step in range(run.end - 1, run.start - 1, -1):
            target, log_move = _moves(self.lattice, step, np.arange(after.shape[1]))
            _check_work(len(after) * target.size, _MAX_PRODUCTS, run)
            rows.append(self._sum(rows[-1], target, log_move))
        return np.stack(rows[::-1])

    def _sum(self, after: _Values, target: _Index | NDArray[np.int32], log_move: NDArray[np.float64]) -> _Values:
        """Return the sums over moves, (columns, n), given what follows, and -1 or what is past it for no move."""
        never = np.full((len(after), 1), self.semiring.zero, dtype=after.dtype)
        onward = np.hstack([after, never])[:, target]
        summed: _Values = self.semiring.sum_last(self.semiring.times(self.semiring.from_log(log_move), onward))
        return summed

    def _block(self, block: _Block, after: _Values) -> _SolvedBlock:
        columns = [np.flatnonzero(self.alive[start]) for start in block.starts[1:]]
        gaps, between = [], []
        for gap, states in zip(block.gaps, columns, strict=True):
            meets = np.full((len(states), self.alive.shape[1]), -np.inf)
            meets[np.arange(len(states)), states] = 0.0
            solved, matrix = self.solve(gap, self.semiring.from_log(meets))
            gaps.append(solved)
            between.append(matrix)  # [place of the guess, state the source or copy before ends in]
        levels, guesses = _levels(self.lattice, self.alive, block, columns)
        end = levels[-1]
        values = [after[:, end.states[:, -1]]]
        for i, matrix in enumerate(between):
            values[0] = self.semiring.times(values[0], matrix[guesses[end.guess, i], end.states[:, i]])
        for offset in range(block.n_steps - 1, -1, -1):
            level = levels[offset]
            _check_work(len(after) * level.target.size, _MAX_PRODUCTS, block)
            log_move = _joint_log_moves(self.lattice, block, offset, level)
            values.append(self._sum(values[-1], level.target, log_move))
        return _SolvedBlock(block, levels, guesses, values[::-1], gaps)

    def _before(self, solved: _SolvedBlock) -> _Values:
        """Return what a block and all after it come to from each state before it: the sum over all guesses."""
        first, n_guesses = solved.levels[0].states[:, 0], len(solved.guesses)
        starts = np.flatnonzero(self.alive[solved.block.starts[0]])
        assert len(first) == len(starts) * n_guesses  # for each start, one joint state for each guess
        by_start = solved.values[0].reshape(len(solved.values[0]), len(starts), n_guesses)
        before = np.full((len(by_start), self.alive.shape[1]), self.semiring.zero, dtype=by_start.dtype)
        before[:, starts] = self.semiring.sum_last(by_start)
        return before


def _moves(lattice: Lattice, step: int, states: _Index) -> tuple[_Index, NDArray[np.float64]]:
    """Return where each symbol leads from each state, and what the move itself weighs; shapes (n, symbols)."""
    kind = lattice.kind[step]
    target = lattice.automaton.next_state[kind, states].astype(np.int64)
    arriving = np.append(lattice.log_state[step], -np.inf)[target]  # DEAD, -1, finds the last entry
    return target, lattice.automaton.log_weight[kind, states] + lattice.log_symbol[step] + arriving


def _joint_log_moves(lattice: Lattice, block: _Block, offset: int, level: _Level) -> NDArray[np.float64]:
    """Return what each open symbol weighs in source and copies together, shape (n, m)."""
    total = np.zeros(level.target.shape)
    for start, states in zip(block.starts, level.states.T, strict=True):
        # Where joint states are many, single ones are few: weigh the moves of all, then pick.
        picked = len(states) > lattice.automaton.n_states
        _, log_move = _moves(lattice, start + offset, np.arange(lattice.automaton.n_states) if picked else states)
        log_move = log_move.take(level.symbols, axis=1)
        total += log_move[states] if picked else log_move
    return total


def _levels(
    lattice: Lattice, alive: NDArray[np.bool_], block: _Block, columns: list[_Index]
) -> tuple[list[_Level], _Index]:
    """Return the joint states of a block step by step, and the guesses, shape (guesses, copies)."""
    firsts = np.flatnonzero(alive[block.starts[0]])
    n_guesses = prod(len(states) for states in columns)
    _check_work(len(firsts) * n_guesses * lattice.automaton.n_symbols, _MAX_PRODUCTS, block)
    guesses = np.indices([len(states) for states in columns]).reshape(len(columns), -1).T
    guessed = np.stack([states[guesses[:, i]] for i, states in enumerate(columns)], axis=1)
    states = np.hstack([np.repeat(firsts, n_guesses)[:, None], np.tile(guessed, (len(firsts), 1))])
    guess = np.tile(np.arange(n_guesses), len(firsts))
    levels, n_moves = [], 0
    for offset in range(block.n_steps):
        symbols, code = _joint_targets(lattice, alive, block, offset, states, guess)
        n_moves += code.size
        _check_work(n_moves, _MAX_MOVES, block)
        codes, target = _numbered(code, n_guesses * lattice.automaton.n_states ** len(block.starts))
        levels.append(_Level(states, guess, symbols, target))
        *singles, guess = _split(codes, lattice.automaton.n_states, len(block.starts))
        states = np.stack(singles, axis=1)
    nothing = np.zeros(0, dtype=np.int64)
    return [*levels, _Level(states, guess, nothing, np.zeros((len(states), 0), dtype=np.int32))], guesses


def _joint_targets(
    lattice: Lattice, alive: NDArray[np.bool_], block: _Block, offset: int, states: _Index, guess: _Index
) -> tuple[_Index, _Index]:
    """Return the open symbols and the codes of the joint states they lead to, -1 for none."""
    steps = [start + offset for start in block.starts]
    symbols = np.flatnonzero(~np.isneginf(lattice.log_symbol[steps]).any(axis=0))
    code = np.repeat(guess[:, None], len(symbols), axis=1)
    is_open = np.ones(code.shape, dtype=np.bool_)
    for i in range(len(steps) - 1, -1, -1):
        target = lattice.automaton.next_state[lattice.kind[steps[i]]].take(symbols, axis=1)
        lives = (target != DEAD) & alive[steps[i] + 1][target]
        is_open &= lives[states[:, i]]
        code = code * lattice.automaton.n_states + target[states[:, i]]
    return symbols, np.where(is_open, code, -1)


def _split(codes: _Index, size: int, n: int) -> list[_Index]:
    parts = []
    for _ in range(n):
        codes, part = np.divmod(codes, size)
        parts.append(part)
    return [*parts, codes]


def _numbered(code: _Index, n_codes: int) -> tuple[_Index, NDArray[np.int32]]:
    """Return the codes that occur, rising, and in place of each code its number; -1 becomes their number."""
    if n_codes > _MAX_MARKS:
        codes = np.unique(code)
        codes = codes[codes >= 0]
        numbers = np.searchsorted(codes, code)
    else:
        marks = np.zeros(n_codes, dtype=np.int32)
        marks[code[code >= 0]] = 1
        codes = np.flatnonzero(marks)
        marks[codes] = np.arange(len(codes))
        numbers = marks[code].astype(np.int64)
    return codes, np.where(code < 0, len(codes), numbers).astype(np.int32)


def _check_work(work: int, most: int, part: _Part) -> None:
    if work > most:
        where = f"source at {part.starts[0]}" if isinstance(part, _Block) else f"steps {part.start} to {part.end}"
        msg = f"ties, {where}: {work} moves to keep in mind: expected at most {most}; tie shorter or fewer segments"
        raise RequestError(msg)


def _solve(lattice: Lattice, ties: Sequence[Tie], semiring: Semiring) -> tuple[list[_Solved], Any]:
    """Return the sums of a tied lattice, and what all its lines come to."""
    for tie in ties:
        if tie.target_start + tie.n_steps > lattice.n_steps:
            msg = f"{tie}: expected it to end by step {lattice.n_steps}"
            raise RequestError(msg)
    parts = _parts(_groups(ties), 0, lattice.n_steps)
    solved, before = _Solver.of(lattice, semiring).solve(parts, semiring.from_log(lattice.log_final)[None])
    return solved, before[0, 0]


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
    _solved: list[_Solved]

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
        solved, total = _solve(lattice, ties, LOG)
        return cls(lattice, float(total), solved)

    def sample(self, rng: np.random.Generator, n: int = 1) -> NDArray[np.int64]:
        """Draw lines from the law, shape (n, n_steps); there must be one."""
        assert not np.isneginf(self.log_total)

        def draw(log_weights: NDArray[np.float64]) -> int:
            heights = np.cumsum(np.exp(log_weights - log_weights.max()))
            return int((heights > rng.random() * heights[-1]).argmax())

        return np.stack([_follow(self.lattice, self._solved, draw) for _ in range(n)])


def count_tied(lattice: Lattice, ties: Sequence[Tie]) -> int:
    """Return exactly how many lines whose tied segments are equal have a weight above zero; see :class:`TiedSums`."""
    return int(_solve(lattice, ties, COUNT)[1])


def best_tied(lattice: Lattice, ties: Sequence[Tie]) -> tuple[NDArray[np.int64], float]:
    """Return a heaviest line whose tied segments are equal, and its log weight; see :class:`TiedSums`.

    There must be one. Of equals it is always the same, but not the one with the lowest symbols.
    """
    solved, weight = _solve(lattice, ties, MAX)
    assert not np.isneginf(weight)
    return _follow(lattice, solved, lambda log_weights: int(log_weights.argmax())), float(weight)


def _follow(lattice: Lattice, solved: Sequence[_Solved], choose: _Choose) -> NDArray[np.int64]:
    line = np.full(lattice.n_steps, -1, dtype=np.int64)
    _follow_parts(lattice, solved, 0, 0, line, choose)
    return line


def _follow_parts(
    lattice: Lattice, solved: Sequence[_Solved], column: int, state: int, line: NDArray[np.int64], choose: _Choose
) -> None:
    """Fill in the symbols of parts, from a state before them and for one column of what follows them."""
    for part in solved:
        if isinstance(part, _SolvedRun):
            state = _follow_run(lattice, part, column, state, line, choose)
        else:
            state = _follow_block(lattice, part, column, state, line, choose)


def _follow_run(
    lattice: Lattice, run: _SolvedRun, column: int, state: int, line: NDArray[np.int64], choose: _Choose
) -> int:
    for offset, after in enumerate(run.values[1:, column]):
        target, log_move = _moves(lattice, run.start + offset, np.array([state]))
        symbol = choose(log_move[0] + np.append(after, -np.inf)[target[0]])
        line[run.start + offset] = symbol
        state = int(target[0, symbol])
    return state


def _follow_block(
    lattice: Lattice, solved: _SolvedBlock, column: int, state: int, line: NDArray[np.int64], choose: _Choose
) -> int:
    block, levels = solved.block, solved.levels
    starting = np.flatnonzero(levels[0].states[:, 0] == state)
    joint = int(starting[choose(solved.values[0][column, starting])])
    guess = solved.guesses[levels[0].guess[joint]]
    for offset, level in enumerate(levels[:-1]):
        one = _Level(level.states[[joint]], level.guess[[joint]], level.symbols, level.target[[joint]])
        log_move = _joint_log_moves(lattice, block, offset, one)[0]
        place = choose(log_move + np.append(solved.values[offset + 1][column], -np.inf)[one.target[0]])
        line[[start + offset for start in block.starts]] = level.symbols[place]
        joint = int(one.target[0, place])
    ends = levels[-1].states[joint].tolist()
    for gap, guessed, end in zip(solved.gaps, guess.tolist(), ends[:-1], strict=True):
        _follow_parts(lattice, gap, guessed, end, line, choose)
    return int(ends[-1])
