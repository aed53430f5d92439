"""Is this commit slower than the one it departs from? `make bench-check` asks; tools/bench_check.sh builds both."""
