// Package notify tells people outside the screens that something waits for them: by mail (RFC 5321) or by a webhook, a POST
// of JSON that is signed as Standard Webhooks (specification 1.0) say.
//
// It promises that a message says only what kind of thing waits, how many of them and at which address of the screens,
// never what it is; that no password crosses a line in the clear; and that a mail server or receiver which is slow, endless
// or hostile costs a bounded amount of memory and time.
//
// It decides nothing: whether something may be told at all is settled by the caller, and so is when a message that did not
// arrive is sent again.
//
// Start reading at notice.go; mail.go and webhook.go send.
package notify
