#!/usr/bin/env bash
# Builds a static payterm for each target of targets.tsv and runs it under the
# lowest CPU that the target promises, where QEMU is there.
set -euo pipefail
cd "$(dirname "$0")/.."
grep -v '^#' crossbuild/targets.tsv | while IFS=$'\t' read -r target goarch goarm cc qemu cpu; do
	command -v "$cc" >/dev/null || { echo "cross: $cc is missing: make tools"; exit 1; }
	mkdir -p "build/$target"
	[ "$goarm" = - ] || export GOARM="$goarm"
	CGO_ENABLED=1 GOOS=linux GOARCH="$goarch" CC="$cc" go build \
		-ldflags '-linkmode external -extldflags -static -s -w' -o "build/$target/payterm" ./cmd/payterm
	echo "build/$target/payterm $(stat -c %s "build/$target/payterm") bytes"
	if command -v "$qemu" >/dev/null; then
		"$qemu" -cpu "$cpu" "build/$target/payterm" version </dev/null
	else
		echo "cross: not run, $qemu is missing: make tools"
		[ -z "${CI:-}" ] || exit 1
	fi
done
