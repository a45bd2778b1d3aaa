package doctor

import (
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"payterm/config"
	"payterm/terminal/api"
)

// Link reports whether this machine has a way to the gateway: an interface that is up, with an
// address, and a default route over it.
func Link(gateway string) Finding {
	if u, err := url.Parse(gateway); err == nil && config.IsLoopback(u.Hostname()) {
		return finding(api.OK, "the gateway is on this machine")
	}
	all, err := net.Interfaces()
	if err != nil {
		return finding(api.Warn, "the interfaces cannot be listed: "+err.Error())
	}
	var list []iface
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		running := i.Flags&net.FlagUp != 0 && i.Flags&net.FlagRunning != 0
		list = append(list, iface{i.Name, running, err == nil && len(addrs) > 0})
	}
	v4, err4 := os.ReadFile("/proc/net/route")
	v6, err6 := os.ReadFile("/proc/net/ipv6_route")
	if err4 != nil && err6 != nil {
		return finding(api.Warn, "the routes cannot be read: "+err4.Error())
	}
	return linkOf(list, defaultRoutes(string(v4), string(v6)))
}

// iface is an interface other than loopback.
type iface struct {
	name             string
	running, address bool
}

func linkOf(list []iface, routes []string) Finding {
	var running, addressed []string
	for _, i := range list {
		if i.running {
			running = append(running, i.name)
			if i.address {
				addressed = append(addressed, i.name)
			}
		}
	}
	switch {
	case len(list) == 0:
		return finding(api.Fail, "there is no network interface: is its driver loaded?")
	case len(running) == 0:
		return finding(api.Fail, "no network interface is up: plug in the cable, or join the wireless network")
	case len(addressed) == 0:
		return finding(api.Fail, strings.Join(running, ", ")+
			" is up without an address: is there a DHCP server, or a static address to be set?")
	}
	for _, r := range routes {
		if slices.Contains(addressed, r) {
			return finding(api.OK, "up, default route by "+r)
		}
	}
	return finding(api.Fail, strings.Join(addressed, ", ")+" is up without a default route: set the router's address")
}

// defaultRoutes are the interfaces of default routes that are up, from the text of
// /proc/net/route and /proc/net/ipv6_route (proc(5)).
func defaultRoutes(v4, v6 string) []string {
	var names []string
	add := func(name, flags string, all bool) {
		n, err := strconv.ParseUint(flags, 16, 32)
		if all && err == nil && n&1 != 0 && name != "lo" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for line := range strings.Lines(v4) {
		if f := strings.Fields(line); len(f) >= 8 { // name, destination, router, flags, ..., mask
			add(f[0], f[3], f[1] == "00000000" && f[7] == "00000000")
		}
	}
	for line := range strings.Lines(v6) {
		if f := strings.Fields(line); len(f) >= 10 { // destination, its length, ..., flags, name
			add(f[9], f[8], f[1] == "00" && strings.Trim(f[0], "0") == "")
		}
	}
	return names
}
