# make demo   a song from nothing: MIDI, WAV and a picture in demo/
# make test   the whole test suite
# make lint   ruff and mypy
# make docs   docs/theory.md with its pictures, the picture of the README, the tables of docs/band.md, the gallery
# make bench  speeds, each as a ratio to a peer measured in the same run

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SEED ?= 7

.PHONY: demo test lint bench docs clean

demo: $(VENV)/.installed $(VENV)/.fluidsynth
	@mkdir -p demo
	@$(BIN)/symgen generate --key "A minor" --chords "Am F | C G | Am F | C G | F G | Am F | Dm E | Am" \
		--style lead-sheet --bpm 104 --seed $(SEED) -o demo/song.mid
	@$(BIN)/symgen render demo/song.mid -o demo/song.wav
	@$(BIN)/symgen plot demo/song.mid -o demo/song.png

test: $(VENV)/.installed-dev $(VENV)/.fluidsynth
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-bench $(VENV)/.fluidsynth
	$(BIN)/python -m benchmarks.run

docs: $(VENV)/.installed-docs
	$(BIN)/python docs/make_theory.py
	$(BIN)/python docs/make_images.py
	$(BIN)/python docs/make_band.py
	$(BIN)/python docs/make_gallery.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	$(PIP) install --quiet --constraint constraints.txt --editable ".[bench]"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(PIP) install --quiet --constraint constraints.txt --editable ".[docs]"
	@touch $@

# libfluidsynth: the one that is there, else the system's package where it may be installed, else the wheel's.
$(VENV)/.fluidsynth: $(VENV)/.installed
	@if $(BIN)/python -c "from symgen.render.library import load_library; load_library()" 2>/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		(apt-get install -y -qq libfluidsynth3 || (apt-get update -qq && apt-get install -y -qq libfluidsynth3)) >/dev/null 2>&1 && \
		$(BIN)/python -c "from symgen.render.library import load_library; load_library()" 2>/dev/null; then :; \
	else $(PIP) install --quiet --constraint constraints.txt --editable ".[bundled-fluidsynth]"; fi
	@$(BIN)/python -c "from symgen.render.library import load_library; print('FluidSynth', load_library().version)"
	@touch $@

clean:
	rm -rf $(VENV) demo build dist *.egg-info
