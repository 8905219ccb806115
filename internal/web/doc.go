// Package web serves the screens: the built files, sign-in with its sessions, and live updates over server-sent events.
//
// It promises that no page loads or runs anything from elsewhere, that nobody is served on another's session, and that
// the JSON API beneath it answers exactly as without it; a session only lends the API the scopes of the person's roles.
//
// It knows nothing of agreements and records: what is on the screens comes from the API. The screens' source is in the
// folder ui, whose files come in as a parameter. Start reading at [New].
package web
