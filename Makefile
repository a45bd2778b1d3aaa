# payterm: the words are the same at the desk and in CI (docs/decisions).
.DEFAULT_GOAL := help
SHELL := /bin/bash

# One set of flags for build and test, so that SQLite is compiled once.
TAGS := osusergo,netgo,sqlite_omit_load_extension
export GOFLAGS := -trimpath -buildvcs=false -tags=$(TAGS)
export CGO_ENABLED := 1

TIME ?= 30s
RACE := . ./drivers/... ./flows/... ./gateway/... ./hal/... ./tomlfile/...

.PHONY: help test tools fuzz bench cross demo sim flash package image lint

help: ## list the words
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: ## build payterm and run it on emulated hardware with a simulated gateway
	@echo "building (the first build compiles SQLite and takes about a minute)"
	@mkdir -p build && go build -o build/payterm ./cmd/payterm
	@exec build/payterm emulate

test: lint ## everything that must pass
	go build ./cmd/...
	go test ./...
	go test -race $(RACE)

lint:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "not gofmt'ed: $$unformatted"; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go tool go-check-sumtype ./...

tools: ## install what the further tests need
	@crossbuild/tools.sh

fuzz: ## each fuzz target for TIME
	@set -e; for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(TIME) $$pkg; \
		done; done

bench: ## benchmarks
	@mkdir -p build
	go test -run '^$$' -bench . -benchmem ./... | tee build/bench.txt

cross: ## build/armv5, build/armv7, build/arm64
	@crossbuild/cross.sh

sim flash package image:
	@echo "make $@ is not built yet"; exit 1
