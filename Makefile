# The commands of this project. Each sets up what it needs first.
.PHONY: build demo test test-servers test-interop bench bench-peers fuzz tsan format setup clean

JOBS ?= $(shell nproc)

setup:
	@tools/setup

build: setup
	@cmake --preset release >build-release.log 2>&1 || (cat build-release.log; exit 1)
	@mv build-release.log build/release/configure.log
	@cmake --build --preset release -j $(JOBS) --target headrace
	@ln -sfn release/src/cli/headrace build/headrace

demo: build
	@examples/demo

test: setup
	@tools/test

test-servers: setup
	@tools/test servers

test-interop: setup
	@tools/test interop

bench: build
	@bench/run

bench-peers: build
	@bench/peers/routing.py

fuzz: setup
	@tools/fuzz

tsan: setup
	@tools/tsan $(ROOMS)

format: setup
	@git ls-files '*.cpp' '*.h' | xargs clang-format-19 -i

clean:
	@rm -rf build
