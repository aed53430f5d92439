# The commands of the project. Each does all set-up it needs; `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test fuzz bench bench-check curves soak setup format clean

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: setup ## playlists to candidates, on real data: build, index, search, compare, draw
	@tools/demo.sh

test: setup ## every test, C++ and Python, with sanitizers
	@tools/test.sh

fuzz: setup ## the fuzz targets, each for FUZZ_SECONDS (3600); TARGETS="filter index_file" runs those
	@tools/fuzz.sh $(TARGETS)

bench: setup ## a short run of the benchmark suite
	@tools/bench.sh

bench-check: setup ## this commit against the one it departs from, in turns; fails if something is slower
	@tools/bench_check.sh

curves: setup ## recall against queries/s, Segue and the peers that are installed; SETS="a.npz b.npz" measures those
	@tools/curves.sh $(SETS)

soak: setup ## searches, updates, snapshots and swaps for SOAK_SECONDS (1200), judged and drawn
	@tools/soak.sh

setup: ## distribution packages that are missing, and one virtual environment
	@tools/setup.sh

format: ## clang-format over all C++
	@tools/format.sh

clean: ## removes what was built; keeps .venv
	rm -rf build
