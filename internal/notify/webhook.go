package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/mithaq/mithaq/internal/fetch"
)

// Format names the form of a webhook's body.
const Format = "mithaq-notice/1"

// SecretPrefix begins a webhook's secret as people copy it; base64 of the key follows.
const SecretPrefix = "whsec_"

// SecretBytes is how long a webhook's key is.
const SecretBytes = 32

// patience is how long a mail server or a receiver may take for one message.
const patience = 30 * time.Second

// Hook posts notices.
type Hook struct{ client *http.Client }

// NewHook makes one. An administrator named the addresses, so they may be in this network; link-local ones, where clouds keep
// secrets, are refused, and no redirect is followed.
func NewHook() *Hook {
	return &Hook{&http.Client{Transport: fetch.NewTransport(fetch.TransportOptions{Private: true, ConnsPerHost: 2}), CheckRedirect: fetch.NoRedirect}}
}

// Close drops idle connections.
func (h *Hook) Close() { h.client.CloseIdleConnections() }

// message is a webhook's body. Its text is in the language of the notifier, and where chat programs look for it.
type message struct {
	Format   string    `json:"format"`
	Occasion Occasion  `json:"occasion"`
	Count    int64     `json:"count"`
	Since    time.Time `json:"since"`
	Link     string    `json:"link"`
	Party    string    `json:"party"`
	Mark     string    `json:"mark,omitempty"`
	Text     string    `json:"text"`
}

// Post sends a notice to an address, signed with the key. Any answer in the 200s has taken it.
func (h *Hook) Post(ctx context.Context, address string, key []byte, n Notice, now time.Time) error {
	body, err := json.Marshal(message{Format, n.Occasion, n.Count, n.Since.UTC(), n.Link, n.Party, n.Mark, n.Text()})
	if err != nil {
		return fmt.Errorf("writing a notice: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("posting a notice: %w", err)
	}
	at := strconv.FormatInt(now.Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "mithaq")
	req.Header.Set("Webhook-Id", n.ID)
	req.Header.Set("Webhook-Timestamp", at)
	req.Header.Set("Webhook-Signature", Sign(key, n.ID, at, body))
	answer, err := fetch.Open(h.client, req, fetch.Limits{Bytes: 0, Patience: patience})
	if fetch.KindOf(err) == fetch.TooLong || fetch.KindOf(err) == fetch.Compressed {
		return nil // it answered 200, with words that nobody reads
	}
	if err != nil {
		return fmt.Errorf("posting a notice: %w", err)
	}
	if err := answer.Close(); err != nil {
		return fmt.Errorf("posting a notice: %w", err)
	}
	if answer.Status < 200 || answer.Status > 299 {
		return fmt.Errorf("posting a notice: it answered %d %s", answer.Status, http.StatusText(answer.Status))
	}
	return nil
}

// Sign is the signature of a webhook (Standard Webhooks, "Signature scheme"): HMAC-SHA256 over id, time and body with dots between.
func Sign(key []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
