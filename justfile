# Everything that is done often, one recipe each; `just` lists them.
# The tools are those of .venv, which `python3 dev.py setup` makes from requirements.lock.

set positional-arguments

export PATH := justfile_directory() / ".venv/bin" + ":" + env("PATH")

_default:
    @just --list --unsorted

# Everything that must pass before a change lands
[group("check")]
check: lint types layers test

# Rewrite the sources in the house format, and fix what can be fixed without thought
[group("check")]
fmt:
    ruff check --fix-only --quiet
    ruff format

# Style, format, spelling, metadata
[group("check")]
lint:
    ruff check
    ruff format --check
    codespell && validate-pyproject pyproject.toml

# Static types, tests and benchmarks included
[group("check")]
types:
    mypy

# Which package may import which
[group("check")]
layers:
    lint-imports --no-logo

# The tests, the long suites as a sample; ARGS go to pytest
[group("test")]
test *ARGS:
    pytest --numprocesses=auto --dist=loadfile "$@"

# The tests with every long suite in full; ARGS go to pytest
[group("test")]
test-full *ARGS:
    GOLEM_HOST_TEST_PROFILE=full pytest --numprocesses=auto --dist=loadfile \
        --override-ini faulthandler_timeout=1800 "$@"

# Torn writes, failing syncs, killed processes
[group("test")]
test-crash *ARGS:
    pytest tests/crash "$@"

# Every example through the command line, killed and resumed
[group("test")]
test-e2e *ARGS:
    pytest tests/e2e "$@"

# Branch coverage; fails below 100 % for the log and for the replay core
[group("test")]
coverage *ARGS:
    pytest --numprocesses=auto --dist=loadfile --cov --cov-branch --cov-report= "$@"
    coverage report
    coverage report --fail-under=100 --include='oplog/golem_oplog/*,host/golem_host/replay/*'

# One benchmark, such as `just bench oplog`; ARGS go to it
[group("measure")]
bench NAME *ARGS:
    python -m benchmarks.bench_"$@"

# Generate bindings for every interface, as a guest's toolchain would: fails where wit/ is wrong
[group("make")]
wit:
    rm -rf .build/wit && componentize-py -d wit -w everything bindings .build/wit

# Write everything anew in the documents that is made from the code
[group("make")]
docs-generate:
    for each in api cli examples interfaces replay rest; do python -m docs.generate_$each || exit; done

# Build the documents into a site, .build/site; a broken link ends it
[group("make")]
docs: docs-generate
    python docs/build_site.py

# Write the table of import types anew from wit/ and wit_dialects/
[group("make")]
signatures:
    python -m docs.generate_signatures

# Build every guest example into .build/examples
[group("make")]
guests:
    mkdir -p .build/examples
    for app in $(find guest_examples -name app.py); do guest="${app%/app.py}"; golem-host build "$guest" -o ".build/examples/${guest##*/}.wasm" || exit; done

# Remove what can be made again
[group("make")]
clean:
    rm -rf .build build dist .coverage .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# Pin and hash every dependency anew; ARGS such as `--upgrade` go to uv
[group("make")]
lock *ARGS:
    uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "just lock" \
        --quiet --output-file requirements.lock "$@"
