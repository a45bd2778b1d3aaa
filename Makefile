# The words are the same at the desk and in CI: `make` lists them.
# Flags and tags are set once for build and test alike; with others SQLite's C
# code compiles once more, which takes a minute. Without net/http's HTTP/2, which is
# half a megabyte: the gateway is spoken to by HTTP/1.1, and so is everybody else.
TAGS := osusergo,netgo,sqlite_omit_load_extension,nethttpomithttp2
export GOFLAGS := -trimpath -buildvcs=false -tags=$(TAGS)
export CGO_ENABLED := 1

VERSION ?= $(shell crossbuild/version 2>/dev/null || echo unknown)
# The build's date is that of its commit, so that the same source gives the same
# bytes; an agent whose clock lies before it knows that its clock is not set.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
COMMIT ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
# Asked once: a program and its bill of materials name the same source.
VERSION := $(VERSION)
SOURCE_DATE_EPOCH := $(SOURCE_DATE_EPOCH)
COMMIT := $(COMMIT)
STAMP := -X main.version=$(VERSION) -X main.built=$(SOURCE_DATE_EPOCH)

TIME ?= 30s
SEEDS ?= 1000
TIMES ?= 100
CYCLES ?= 1000
SALES ?= 2000
TARGETS := $(shell awk -F'\t' '/^[^\#]/ { print $$1 }' crossbuild/targets.tsv)
# What has C, bytes or integers of the machine's own size in it.
CROSS_TESTED := . ./board ./drivers/... ./flows/order ./flows/counter ./flows/runner ./gateway/... ./glass ./hal/... ./receipt ./screen ./storage/...
# What races could meet: everything with goroutines.
RACE := ./board ./flows/... ./hal/... ./drivers/... ./gateway/... ./storage/... ./terminal/... ./panel/... ./config/... ./internal/...

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

.PHONY: help
help: ## lists these words
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## starts the terminal on emulated hardware with the gateway simulator inside; Ctrl-C ends it
	@echo "building build/payterm (the first time it compiles SQLite, which takes about a minute)"
	@$(MAKE) --no-print-directory build
	@exec build/payterm emulate --data build/demo

.PHONY: build
build: ## builds build/payterm and build/ottsim for this machine
	@mkdir -p build
	go build -ldflags '$(STAMP)' -o build/ ./cmd/...

.PHONY: test
test: ## everything that must pass, and how long each part took
	@MAKE='$(MAKE)' .ci/parts build fmt vet lint cross-if-possible unit race
	@echo "make test: all passed"

.PHONY: fmt
fmt:
	@bad=$$(gofmt -l .); [ -z "$$bad" ] || { echo "not gofmt'ed:"; echo "$$bad"; exit 1; }

.PHONY: vet
vet:
	go vet ./...

# .golangci.yml says what it looks at. It has a module file of its own, so that the
# programs' has none of what it needs.
.PHONY: lint
lint:
	go tool -modfile=.ci/golangci.mod golangci-lint run --allow-parallel-runners ./...

.PHONY: unit
unit:
	go test -cover -timeout 20m $$(go list ./... | grep -v '^payterm/cmd/payterm$$')
	go test -cover -timeout 20m -count=1 ./cmd/payterm # it tests programs that it builds: go's cache does not see them change

.PHONY: race
race:
	go test -race -short -timeout 20m $$(go list $(RACE))

.PHONY: tools
tools: ## installs what the further tests need, from the system's packages
	@.ci/tools

.PHONY: fuzz
fuzz: ## runs each fuzz target for TIME=30s
	@.ci/fuzz $(TIME)

.PHONY: bench
bench: ## benchmarks as a table, and in build/bench.json
	@.ci/bench

.PHONY: cross
cross: $(TARGETS:%=cross-%) ## builds and checks build/{armv5,armv7,arm64}/payterm
	go test -count=1 -run 'Artefact' -v ./crossbuild

.PHONY: cross-again
cross-again: $(TARGETS:%=cross-%) ## builds each target again, elsewhere and from nothing: the same bytes
	VERSION='$(VERSION)' SOURCE_DATE_EPOCH='$(SOURCE_DATE_EPOCH)' COMMIT='$(COMMIT)' \
		go test -count=1 -timeout 30m -run Again -v ./crossbuild -again

.PHONY: cross-test
cross-test: $(TARGETS:%=cross-test-%) ## runs the Go tests of each target on its lowest processor, under QEMU

.PHONY: $(TARGETS:%=cross-test-%)
$(TARGETS:%=cross-test-%): cross-test-%:
	@crossbuild/cross-test $* $(CROSS_TESTED)

# Static, so that it runs beside whatever C library the board's image has.
.PHONY: $(TARGETS:%=cross-%)
# SQLite is built for size (-Os): 0.27 MB less, and its time is the card's.
$(TARGETS:%=cross-%): cross-%:
	@mkdir -p build/$*
	@set -e; row=$$(awk -F'\t' '$$1 == "$*"' crossbuild/targets.tsv); \
	field() { printf '%s\n' "$$row" | cut -f$$1; }; \
	cc=$$(field 4); goarm=$$(field 3); \
	command -v $$cc >/dev/null || { echo "cross: $$cc is missing: make tools"; exit 1; }; \
	echo "build/$*/payterm ($$cc)"; \
	GOOS=linux GOARCH=$$(field 2) GOARM=$${goarm#-} CC=$$cc CGO_CFLAGS="-g -Os" go build \
		-ldflags "$(STAMP) -s -w -linkmode external -extldflags -static" -o build/$*/payterm ./cmd/payterm; \
	go run ./crossbuild/sbom -version '$(VERSION)' -commit '$(COMMIT)' -built '$(SOURCE_DATE_EPOCH)' -cc $$cc \
		build/$*/payterm >build/$*/payterm.cdx.json

# At the desk a missing compiler is a skip with one line; in CI it is a failure.
.PHONY: cross-if-possible
cross-if-possible:
	@for cc in $$(awk -F'\t' '/^[^#]/ { print $$4 }' crossbuild/targets.tsv); do \
		command -v $$cc >/dev/null && continue; \
		echo "skipped: cross builds: $$cc is missing: make tools"; \
		[ "$(CI)" != true ]; exit; \
	done; \
	$(MAKE) --no-print-directory $(TARGETS:%=cross-%) cross-vet

# Integers are of 32 bits there. With the compilers of the builds, whose SQLite is
# in the cache already.
.PHONY: cross-vet
cross-vet:
	GOOS=linux GOARCH=arm GOARM=7 CC=arm-linux-gnueabihf-gcc go vet $(CROSS_TESTED) ./cmd/...
	GOOS=linux GOARCH=arm64 CC=aarch64-linux-gnu-gcc go vet $(CROSS_TESTED) ./cmd/...

.PHONY: board-test
board-test: build cross-arm64 cross-armv7 probe-arm64 probe-armv7 ## on virtual boards (QEMU, Debian's kernels): sales over real ttys, lines, buses, chips; the package's life
	@crossbuild/board/fetch arm64
	@crossbuild/board/fetch armhf
	@crossbuild/board/system
	CI=true go test -count=1 -v -timeout 40m ./crossbuild/board -board # what is missing is no skip here

.PHONY: powercut
powercut: build cross-arm64 probe-arm64 ## TIMES=100: the virtual board loses its power at random moments of sales; ledger against journal
	@crossbuild/board/fetch arm64
	CI=true go test -count=1 -v -timeout 0 -run '^TestPowerCuts$$' ./crossbuild/board -cuts $(TIMES) $(if $(LIES),-lies)

# What the guests of the virtual board run beside the agent.
.PHONY: $(TARGETS:%=probe-%)
$(TARGETS:%=probe-%): probe-%:
	@mkdir -p build/$*
	@set -e; row=$$(awk -F'\t' '$$1 == "$*"' crossbuild/targets.tsv); goarm=$$(printf '%s\n' "$$row" | cut -f3); \
	GOOS=linux GOARCH=$$(printf '%s\n' "$$row" | cut -f2) GOARM=$${goarm#-} CGO_ENABLED=0 go build -o build/$*/probe ./crossbuild/board/probe

.PHONY: sim
sim: ## SEEDS=n random worlds; SEED=n tells one (PLAN=FILE plays another plan in it); BUG=name plants a bug, which must fail
	@mkdir -p build
	@go test -c -o build/sim.test ./flows/flowstest
	@if [ -n "$(BUG)" ]; then set -- -test.run '^TestBugs$$' -bug '$(BUG)' -seeds $(SEEDS); \
	elif [ -n "$(SEED)" ]; then set -- -test.run '^TestSeeds$$' -seed $(SEED) -plan '$(abspath $(PLAN))'; \
	elif [ -n "$(PLAN)" ]; then echo "make sim: PLAN needs the SEED=n of its world" >&2; exit 2; \
	else set -- -test.v -test.run '^TestSeeds$$' -seeds $(SEEDS) -progress; fi; \
	cd flows/flowstest && ../../build/sim.test -test.timeout 0 "$$@"

.PHONY: torture
torture: ## TIME=10m: the real process, killed at random under load with faults; ledger against journal
	go test -count=1 -timeout 0 -v -run '^TestTorture$$' ./cmd/payterm -torture $(TIME)

.PHONY: soak
soak: ## CYCLES=1000: devices unplugged and plugged; SALES=2000 on emulated chips: nothing may race or stay behind
	go test -race -count=1 -timeout 0 -v -run '^TestSoakPlugs$$' ./hal/emulated -cycles $(CYCLES)
	go test -count=1 -timeout 0 -v -run '^TestSoakSales$$' ./terminal -sales $(SALES) # whose memory counts: the detector has its own
	go test -race -count=1 -timeout 0 -v -run '^TestSoakSales$$' ./terminal -sales 200

.PHONY: flash
flash: ## writes the image of BOARD=rpi, or IMAGE=, to DEV=/dev/sdX, and reads it back
	@CERT='$(CERT)' crossbuild/image/flash '$(or $(IMAGE),build/image/payterm-arm64-$(or $(BOARD),rpi).img)' '$(DEV)'

.PHONY: package
package: build cross ## Debian packages and tar files, in build/packages
	@rm -rf build/packages
	@set -e; for t in $(TARGETS); do \
		VERSION='$(VERSION)' SOURCE_DATE_EPOCH='$(SOURCE_DATE_EPOCH)' crossbuild/package/build $$t build/packages; \
	done
	go test -count=1 -run 'Package' -v ./crossbuild -packages

.PHONY: image
image: build cross-arm64 ## BOARD=virt (QEMU) or rpi, PROFILE= of boards/ or a file, SIGNERS= of parcels: a bootable image and its bundle, signed by KEY= CERT=
	@VERSION='$(VERSION)' SOURCE_DATE_EPOCH='$(SOURCE_DATE_EPOCH)' KEY='$(KEY)' CERT='$(CERT)' CA='$(CA)' PROFILE='$(PROFILE)' SIGNERS='$(SIGNERS)' \
		crossbuild/image/build $(or $(BOARD),virt)

.PHONY: ab-test
ab-test: ## on a virtual board: bad bundles are refused, good ones prove themselves, broken ones fall back, a cut harms nothing
	@[ -e build/image/payterm-arm64-virt.rootfs.ext4 ] || $(MAKE) --no-print-directory image
	go test -count=1 -v -timeout 2h -run '^TestAB$$' ./crossbuild/image -ab

.PHONY: field-test
field-test: build cross-arm64 ## on a virtual board: a virgin card is provisioned by stick, scanner and keypad, sells, and hands out a service bundle
	@mkdir -p build/field
	@[ -e build/field/signers ] || { rm -f build/field/fleet.key; build/payterm provision make --new-signer --signer build/field/fleet.key >build/field/signers; }
	@VERSION='$(VERSION)' SOURCE_DATE_EPOCH='$(SOURCE_DATE_EPOCH)' PROFILE=crossbuild/image/virt.toml SIGNERS=build/field/signers ZSTD=1 crossbuild/image/build virt build/field
	go test -count=1 -v -timeout 1h -run '^Test(Field|Watchdog)$$' ./crossbuild/image -field
