#!/usr/bin/env bash
# Installs what the further tests need; what is there is left alone.
set -euo pipefail
want=()
need() { command -v "$1" >/dev/null 2>&1 || want+=("${@:2}"); }
need zbarimg zbar-tools
need chromium chromium
need arm-linux-gnueabi-gcc gcc-arm-linux-gnueabi libc6-dev-armel-cross
need arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross
need qemu-arm-static qemu-user-static
[ ${#want[@]} -gt 0 ] || { echo "tools: all there"; exit 0; }
sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${want[@]}"
