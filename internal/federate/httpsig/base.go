package httpsig

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// message is what components are taken from: a request, or of a response its status and header alone.
type message struct {
	method, scheme, authority string
	path                      string // as it is sent, escaped
	query                     string // without its question mark
	status                    int    // of a response
	header                    http.Header
}

func messageOf(r *http.Request) message {
	m := message{method: r.Method, scheme: r.URL.Scheme, authority: r.Host, path: r.URL.EscapedPath(), query: r.URL.RawQuery, header: r.Header}
	if m.authority == "" {
		m.authority = r.URL.Host
	}
	if m.scheme == "" {
		m.scheme = "http"
		if r.TLS != nil {
			m.scheme = "https"
		}
	}
	if m.path == "" {
		m.path = "/"
	}
	m.authority = normalAuthority(m.authority, m.scheme)
	return m
}

// normalAuthority is the authority in lower case without the scheme's own port (RFC 9421, section 2.2.3).
func normalAuthority(host, scheme string) string {
	host = strings.ToLower(host)
	if port, ok := map[string]string{"http": ":80", "https": ":443"}[scheme]; ok {
		host = strings.TrimSuffix(host, port)
	}
	return host
}

// signatureBase is what is signed (RFC 9421, section 2.5): one line for each component, and the parameters last.
func signatureBase(m message, input member) ([]byte, error) {
	var b strings.Builder
	seen := map[string]bool{}
	for _, it := range input.list {
		name := it.String()
		if it.value.kind != 's' {
			return nil, fmt.Errorf("%w: component %s is not a string", errField, name)
		}
		if seen[name] {
			return nil, fmt.Errorf("the component %s comes twice", name)
		}
		seen[name] = true
		value, err := m.component(it)
		if err != nil {
			return nil, err
		}
		b.WriteString(name + ": " + value + "\n")
	}
	b.WriteString(`"@signature-params": ` + input.innerString())
	return []byte(b.String()), nil
}

// component is the value of one component (RFC 9421, sections 2.1 and 2.2).
func (m message) component(it item) (string, error) {
	name := it.value.text
	if name == "@query-param" {
		return m.queryParam(it)
	}
	if len(it.params) > 0 {
		return "", fmt.Errorf("the component %s has parameters, which is not supported", it)
	}
	if !strings.HasPrefix(name, "@") {
		return m.field(name)
	}
	if m.status != 0 {
		if name == "@status" {
			return strconv.Itoa(m.status), nil
		}
		return "", fmt.Errorf("a response has no component %s", name)
	}
	switch name {
	case "@method":
		return m.method, nil
	case "@authority":
		return m.authority, nil
	case "@scheme":
		return strings.ToLower(m.scheme), nil
	case "@path":
		return m.path, nil
	case "@query":
		return "?" + m.query, nil
	case "@target-uri":
		return m.scheme + "://" + m.authority + m.requestTarget(), nil
	case "@request-target":
		return m.requestTarget(), nil
	}
	return "", fmt.Errorf("a request has no component %s", name)
}

func (m message) requestTarget() string {
	if m.query == "" {
		return m.path
	}
	return m.path + "?" + m.query
}

// field is a header field's value: its lines without the white space around them, joined by comma and space.
func (m message) field(name string) (string, error) {
	if name != strings.ToLower(name) {
		return "", fmt.Errorf("the field name %q is not in lower case", name)
	}
	values := m.header.Values(name)
	if len(values) == 0 && name == "host" && m.authority != "" {
		values = []string{m.authority} // net/http keeps it apart from the others
	}
	if len(values) == 0 {
		return "", fmt.Errorf("the signature covers the field %s, which is not there", name)
	}
	lines := make([]string, len(values))
	for i, v := range values {
		if lines[i] = strings.TrimSpace(v); strings.ContainsAny(v, "\r\n") {
			return "", fmt.Errorf("the field %s holds a line break", name)
		}
	}
	return strings.Join(lines, ", "), nil
}

// queryParam is the one parameter of that name, in the spelling of an HTML form (RFC 9421, section 2.2.8).
func (m message) queryParam(it item) (string, error) {
	if len(it.params) != 1 || it.params[0].key != "name" || it.params[0].value.kind != 's' {
		return "", errors.New(`"@query-param" needs the parameter name and no other`)
	}
	want, err := url.QueryUnescape(it.params[0].value.text)
	if err != nil {
		return "", fmt.Errorf(`"@query-param": %w`, err)
	}
	values, err := url.ParseQuery(m.query)
	if err != nil {
		return "", fmt.Errorf(`"@query-param": %w`, err)
	}
	if len(values[want]) != 1 {
		return "", fmt.Errorf("the query has %d parameters %s, a signature covers exactly one", len(values[want]), want)
	}
	return strings.ReplaceAll(url.QueryEscape(values[want][0]), "+", "%20"), nil
}
