package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
)

// isTLS tells whether an error of net/http says that no connection that can be trusted came about.
func isTLS(err error) bool {
	var certificate *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	var alert tls.AlertError
	var authority x509.UnknownAuthorityError
	text := err.Error()
	return errors.As(err, &certificate) || errors.As(err, &header) || errors.As(err, &alert) || errors.As(err, &authority) ||
		strings.Contains(text, "tls: ") || plainHTTP(text)
}

func plainHTTP(text string) bool { return strings.Contains(text, "HTTP response to HTTPS client") }

// Distrust says what to do where a host could not be trusted, in a sentence without a full stop. It is empty for any other error.
func Distrust(err error) string {
	if KindOf(err) != BadTLS && !isTLS(err) {
		return ""
	}
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the host's certificate is out of its time: have it renewed, or set this machine's clock"
	case errors.As(err, &name):
		return "the host's certificate is for another name: use the name that it has in the address"
	case errors.As(err, &authority):
		return "the host's certificate is signed by an authority that is not known here: if you trust it, add its certificate to this machine's, or name the file in SSL_CERT_FILE, and start the node again"
	case errors.As(err, &header), plainHTTP(err.Error()):
		return "the host does not speak TLS there: check the port, or write http:// if the way to it is safe otherwise"
	}
	return "no connection that can be trusted came about: ask the host's operator about its certificate and its versions of TLS"
}
