// Package api is the node over HTTP: the JSON API with its OpenAPI 3.1 description, the logs as static files, health
// and metrics, and the client that the command line uses for all of it.
//
// It promises that every request is authorised before anything is looked up, that errors are problem+json (RFC 9457)
// with the same words as on the command line, and that a caller who may not see a log cannot tell it from one that
// does not exist.
//
// It decides nothing about records: that is package node. Start reading at [New].
package api
