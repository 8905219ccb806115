package fetch

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"syscall"
	"time"
)

// maxHead bounds the head of an answer in bytes.
const maxHead = 64 << 10

// TransportOptions say what is connected to.
type TransportOptions struct {
	// Private permits addresses of this machine and of private networks.
	Private bool
	// ResponseHeader bounds the wait for an answer's head. Default: none but the request's own.
	ResponseHeader time.Duration
	// ConnsPerHost is how many connections one host gets. Default: 32.
	ConnsPerHost int
}

// NewTransport makes a transport for hosts that may be hostile. Which address a name leads to is looked at when it is connected
// to, so that a name which leads elsewhere the second time gains nothing; behind a proxy that is the proxy's concern. It speaks
// HTTP/1.1: one request to a connection at a time, so that whose answer breaks off is known.
func NewTransport(o TransportOptions) *http.Transport {
	if o.ConnsPerHost <= 0 {
		o.ConnsPerHost = 32
	}
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	if !proxied() {
		dialer.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return Refuse(ForbiddenIP, "connecting to %.60q: %w", address, err)
			}
			return CheckAddr(to.Addr(), o.Private)
		}
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, MaxIdleConns: 4096, MaxIdleConnsPerHost: 8,
		MaxConnsPerHost: o.ConnsPerHost, IdleConnTimeout: 2 * time.Minute, TLSHandshakeTimeout: 10 * time.Second,
		ResponseHeaderTimeout: o.ResponseHeader, MaxResponseHeaderBytes: maxHead, DisableCompression: true, Protocols: &protocols}
}

func proxied() bool {
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// NoRedirect is an [http.Client]'s CheckRedirect: following one would carry what was asked to another host, or into this network.
func NoRedirect(*http.Request, []*http.Request) error {
	return Refuse(Redirected, "the server redirects, which is refused")
}

// Redirects is an [http.Client]'s CheckRedirect for an address that a person named, whose host may send on up to so many times.
func Redirects(most int) func(*http.Request, []*http.Request) error {
	return func(_ *http.Request, via []*http.Request) error {
		if len(via) > most {
			return Refuse(Redirected, "the server redirects more than %d times", most)
		}
		return nil
	}
}

// RedirectsWithin is [Redirects] for requests with credentials: they are not carried to another host.
func RedirectsWithin(most int) func(*http.Request, []*http.Request) error {
	bound := Redirects(most)
	return func(next *http.Request, via []*http.Request) error {
		if next.URL.Host != via[0].URL.Host || via[0].URL.Scheme == "https" && next.URL.Scheme != "https" {
			return Refuse(Redirected, "the server redirects to %.100s, which is refused because the credentials are not for it: name that address if it is meant", next.URL.Host)
		}
		return bound(next, via)
	}
}

// CheckAddr refuses an address that a host of others has no business to be at: link-local ones, where machines in clouds are
// told their secrets, multicast and unspecified ones; unless private is set also this machine's and those of private networks.
func CheckAddr(a netip.Addr, private bool) error {
	a = a.Unmap().WithZone("")
	switch {
	case a.IsUnspecified(), a.IsMulticast(), a.IsLinkLocalUnicast(), inside(a, cloudAddresses()), !a.IsValid():
		return Refuse(ForbiddenIP, "the address %s is never another party's", a)
	case !private && !isGlobal(a):
		return Refuse(ForbiddenIP, "the address %s is not on the Internet: set private_peers if it is another party's", a)
	}
	return nil
}

// CheckURL is CheckAddr for an address that is written as a number or as this machine's name; another name is looked at when it
// is connected to.
func CheckURL(address string, private bool) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return Refuse(ForbiddenIP, "%.60q is no address", address)
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil {
		return CheckAddr(a, private)
	}
	if u.Hostname() == "localhost" {
		return CheckAddr(netip.IPv6Loopback(), private)
	}
	return nil
}

// cloudAddresses are where clouds tell a machine its secrets, beside the link-local address that most use.
func cloudAddresses() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("fd00:ec2::254/128"), netip.MustParsePrefix("100.100.100.200/32")}
}

func isGlobal(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && !inside(a, []netip.Prefix{
		netip.MustParsePrefix("100.64.0.0/10"), // RFC 6598
		netip.MustParsePrefix("192.0.0.0/24"),  // RFC 6890
		netip.MustParsePrefix("198.18.0.0/15"), // RFC 2544
		netip.MustParsePrefix("240.0.0.0/4"),
	})
}

func inside(a netip.Addr, nets []netip.Prefix) bool {
	for _, n := range nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}
