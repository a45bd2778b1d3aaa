#!/bin/sh
# Installs payterm from this tar file onto a system without packages, such as one of
# Buildroot or Yocto:
#
#	./install.sh                  onto this machine
#	./install.sh --root DIR       into a tree that an image is made of
#
# It also upgrades: /etc/payterm and /var/lib/payterm are never overwritten.
# ./install.sh --remove takes the program away again and leaves both.
set -eu
cd "$(dirname "$0")"

root=""
action=install
while [ $# -gt 0 ]; do
	case "$1" in
	--root) root=${2%/}; shift 2 ;;
	--remove) action=remove; shift ;;
	*) echo "install.sh: $1 is not known: --root DIR, --remove" >&2; exit 2 ;;
	esac
done
running() { [ -z "$root" ] && [ -d /run/systemd/system ]; }

if [ $action = remove ]; then
	! running || systemctl disable --now payterm.service || true
	(cd tree && find . -type f ! -path './etc/*') | while read -r f; do rm -f "$root/${f#./}"; done
	! running || systemctl daemon-reload
	echo "payterm is removed; /etc/payterm and /var/lib/payterm stay"
	exit 0
fi

# A file is replaced in one step: the agent may run, and the power may fail.
(cd tree && find . -type f) | while read -r f; do
	f=${f#./}
	case "$f" in
	etc/*) [ ! -e "$root/$f" ] || continue ;;
	esac
	mkdir -p "$root/$(dirname "$f")"
	cp -p "tree/$f" "$root/$f.new"
	mv -f "$root/$f.new" "$root/$f"
done
mkdir -p "$root/var/lib/payterm"
chmod 700 "$root/var/lib/payterm"
chmod 750 "$root/etc/payterm"

if [ -n "$root" ]; then
	echo "payterm is in $root. The image needs its user (Buildroot, users table):"
	echo "  payterm -1 payterm -1 * /var/lib/payterm - spi,i2c,gpio,dialout,lp,input Payment terminal"
	echo "and /var/lib/payterm has to be that user's, on a file system that keeps it."
else
	for group in payterm spi i2c gpio dialout lp input video; do
		grep -q "^$group:" /etc/group || groupadd -r $group 2>/dev/null || addgroup -S $group
	done
	if ! grep -q '^payterm:' /etc/passwd; then
		useradd -r -g payterm -d /var/lib/payterm -s /bin/false payterm 2>/dev/null ||
			adduser -S -D -H -G payterm -h /var/lib/payterm -s /bin/false payterm
	fi
	for group in spi i2c gpio dialout lp input video; do
		usermod -a -G $group payterm 2>/dev/null || addgroup payterm $group
	done
	chown payterm:payterm /var/lib/payterm
	chgrp payterm /etc/payterm /etc/payterm/payterm.toml
fi
if running; then
	systemctl daemon-reload
	systemctl enable payterm.service
	systemctl try-restart payterm.service
	echo "fill in /etc/payterm/payterm.toml, then: systemctl start payterm"
elif [ -e "$root/etc/inittab" ]; then
	echo "fill in /etc/payterm/payterm.toml. Without systemd, init keeps the agent alive; in /etc/inittab:"
	echo "  ::respawn:/sbin/start-stop-daemon -S -c payterm -x /usr/bin/payterm -- run"
fi
