package intel

import (
	"strings"
	"testing"

	"github.com/mithaq/mithaq/internal/detect/index"
)

// TestGuess reads values as lists hold them.
func TestGuess(t *testing.T) {
	for value, want := range map[string]string{
		"bad.example": "domain bad.example", "BAD[.]example": "domain bad.example", "bad(dot)example": "domain bad.example", "bad.example:8443": "domain bad.example",
		"*.bad.example": "subdomain bad.example", ".bad.example": "domain bad.example subdomain bad.example", "*.zip": "subdomain zip", "zip": "domain zip", "nothing": "",
		"xn--bcher-kva.example": "domain xn--bcher-kva.example", "bücher.example": "domain xn--bcher-kva.example", "_dmarc.bad.example": "domain _dmarc.bad.example",
		"hxxps://bad.example/a?b": "url https://bad.example/a?b", "bad.example/a": "url //bad.example/a", "bad.example?a=b": "url //bad.example/?a=b",
		"198.51.100.7:8080/x": "url //198.51.100.7:8080/x", "bad.example:8080/x": "url //bad.example:8080/x",
		"a[@]bad.example": "email a@bad.example", "meow://bad.example/": "url http://bad.example/",
		"d41d8cd98f00b204e9800998ecf8427e": "hash", "t13d1516h2_8daaf6152771_e5627efa2ab1": "ja4 t13d1516h2_8daaf6152771_e5627efa2ab1",
		"198.51.100.7": "address", "198.51.100[.]7": "address", "198.51.100.7:443": "address", "[2001:db8::1]:443": "address", "2001:db8::/32": "network", "198.51.100.7/32": "address",
		"1.2.3": "", "not a value": "", "a@": "", "http://": "", "-": "", "": "",
	} {
		c := &Compiler{}
		atoms, why := c.guess([]byte(value))
		var got []string
		for _, a := range atoms {
			switch a.Kind {
			case index.Domain:
				got = append(got, "domain "+string(a.Key))
			case index.Subdomain:
				got = append(got, "subdomain "+string(a.Key))
			case index.URL:
				got = append(got, "url "+string(a.Key))
			case index.Email:
				got = append(got, "email "+string(a.Key))
			case index.JA4:
				got = append(got, "ja4 "+string(a.Key))
			case index.FileHash:
				got = append(got, "hash")
			case index.Address:
				got = append(got, "address")
			case index.Network:
				got = append(got, "network")
			}
		}
		if strings.Join(got, " ") != want || (why == "") != (want != "") {
			t.Errorf("%q is %q (%s), want %q", value, got, why, want)
		}
	}
}
