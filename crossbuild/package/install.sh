#!/bin/sh
# Installs payterm from this tar file on a system without packages, such as Buildroot or Yocto:
#
#	./install.sh                  onto this machine
#	./install.sh --root DIR       into a tree that an image is made of
#
# It upgrades too: /etc/payterm and /var/lib/payterm are never overwritten. ./install.sh --remove
# removes the program and keeps both.
set -eu
cd "$(dirname "$0")"
umask 022
groups="spi i2c gpio dialout lp input video"

root=""
action=install
while [ $# -gt 0 ]; do
	case "$1" in
	--root)
		[ -d "${2:-}" ] || { echo "install.sh: --root needs a directory" >&2; exit 2; }
		root=${2%/}
		shift 2
		;;
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

# A file is replaced in one step, by one that is already synced: the agent may be running, and the
# power may fail. The installed files belong to root, not to the user who unpacked the tar file.
find tree -type f | while read -r from; do
	f=${from#tree/}
	case "$f" in
	etc/*) [ ! -e "$root/$f" ] || continue ;;
	esac
	mkdir -p "$root/$(dirname "$f")"
	cp -p "$from" "$root/$f.new"
	[ "$(id -u)" != 0 ] || chown 0:0 "$root/$f.new"
done
sync
find tree -type f | while read -r from; do
	f=$root/${from#tree/}
	[ ! -e "$f.new" ] || mv -f "$f.new" "$f"
done
mkdir -p "$root/var/lib/payterm"
chmod 700 "$root/var/lib/payterm"
chmod 750 "$root/etc/payterm"

if [ -n "$root" ]; then
	echo "payterm is in $root. The image needs its user (Buildroot, users table):"
	echo "  payterm -1 payterm -1 * /var/lib/payterm - $(echo "$groups" | tr ' ' ,) Payment terminal"
	echo "and what is that user's (permissions table); /var/lib/payterm on a file system that keeps it:"
	echo "  /var/lib/payterm d 700 payterm payterm - - - - -"
	echo "  /etc/payterm d 750 root payterm - - - - -"
	echo "  /etc/payterm/payterm.toml f 640 root payterm - - - - -"
	echo "With systemd its sysusers make the user at the first start, and the unit has to be enabled:"
	echo "  systemctl --root=$root enable payterm.service"
else
	# Three ways: shadow's tools, BusyBox's, or editing the files if there is neither.
	free=$(cut -d: -f3 /etc/group /etc/passwd 2>/dev/null | awk '$1 > n && $1 < 1000 { n = $1 } END { print n + 1 }')
	for group in payterm $groups; do
		grep -q "^$group:" /etc/group || groupadd -r "$group" 2>/dev/null || addgroup -S "$group" 2>/dev/null || {
			echo "$group:x:$free:" >>/etc/group
			free=$((free + 1))
		}
	done
	grep -q '^payterm:' /etc/passwd || useradd -r -g payterm -d /var/lib/payterm -s /bin/false payterm 2>/dev/null ||
		adduser -S -D -H -G payterm -h /var/lib/payterm -s /bin/false payterm 2>/dev/null ||
		echo "payterm:x:$free:$(sed -n 's/^payterm:[^:]*:\([0-9]*\):.*/\1/p' /etc/group):Payment terminal:/var/lib/payterm:/bin/false" >>/etc/passwd
	for group in $groups; do
		id -nG payterm | tr ' ' '\n' | grep -qx "$group" || usermod -a -G "$group" payterm 2>/dev/null || addgroup payterm "$group" 2>/dev/null ||
			sed -i "/^$group:/ { s/:\$/:payterm/; t; s/\$/,payterm/; }" /etc/group
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
	echo "Without systemd, init keeps the agent alive; in /etc/inittab:"
	echo "  ::respawn:/sbin/start-stop-daemon -S -c payterm -x /usr/bin/payterm -- run"
fi
