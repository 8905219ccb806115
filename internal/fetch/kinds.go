package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
)

// Kind is why an answer was refused.
type Kind string

// The kinds. The first ones are found while an answer is read, the others by whoever verifies it.
const (
	Unreachable Kind = "unreachable"  // nobody answers
	BadTLS      Kind = "tls"          // no connection that can be trusted
	ForbiddenIP Kind = "address"      // the name leads to an address that is not connected to
	Redirected  Kind = "redirect"     // it sends us elsewhere
	HeaderFlood Kind = "headers"      // its head has no end
	NotHTTP     Kind = "not-http"     // it answers in no form that is known
	BadStatus   Kind = "status"       // it answers neither what was asked for nor that it is not there
	WrongType   Kind = "type"         // the body is of another type, such as a web page
	Compressed  Kind = "compressed"   // the body is in a coding that nobody asked for
	TooLong     Kind = "too-long"     // the body is longer than it can be
	TooSlow     Kind = "too-slow"     // the answer does not come, or trickles
	BrokenOff   Kind = "broken-off"   // the body ends before its end
	WrongLength Kind = "wrong-length" // the body is not as long as it must be
	WrongHash   Kind = "wrong-hash"   // the bytes are not those that were signed
	BadSigned   Kind = "signature"    // what must be signed is not, or by another key
	Malformed   Kind = "malformed"    // the bytes are none of the form that was asked for
	TooMany     Kind = "too-many"     // it names more peers or logs than there can be
)

// Kinds lists all kinds.
func Kinds() []Kind {
	return []Kind{Unreachable, BadTLS, ForbiddenIP, Redirected, HeaderFlood, NotHTTP, BadStatus, WrongType, Compressed, TooLong, TooSlow,
		BrokenOff, WrongLength, WrongHash, BadSigned, Malformed, TooMany}
}

// Error is an answer that was refused.
type Error struct {
	Kind Kind
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Refuse makes an error of a kind.
func Refuse(kind Kind, format string, args ...any) error {
	return &Error{kind, fmt.Errorf(format, args...)}
}

// As gives an error a kind, unless it has one; nil stays nil.
func As(kind Kind, err error) error {
	if err == nil || KindOf(err) != "" {
		return err
	}
	return &Error{kind, err}
}

// KindOf is why an answer was refused; "" for an error that is none of the host's.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// classify gives an error of net/http its kind. That the caller lost interest is nobody's fault.
func classify(ctx context.Context, err error) error {
	var timeout net.Error
	switch text := err.Error(); {
	case KindOf(err) != "":
		return err
	case KindOf(context.Cause(ctx)) != "":
		return context.Cause(ctx)
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return &Error{TooSlow, err}
	case isTLS(err):
		return &Error{BadTLS, err}
	case strings.Contains(text, "headers exceeded"), strings.Contains(text, "header list larger"), strings.Contains(text, "too many 1xx"):
		return &Error{HeaderFlood, err}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		strings.Contains(text, "server closed idle connection"):
		return &Error{BrokenOff, err}
	case strings.Contains(text, "malformed"), strings.Contains(text, "HTTP/1.x transport connection broken"), strings.Contains(text, "chunk"),
		strings.Contains(text, "trailer"), strings.Contains(text, "bad Content-Length"), strings.Contains(text, "unsupported transfer encoding"):
		return &Error{NotHTTP, err}
	}
	return &Error{Unreachable, err}
}
