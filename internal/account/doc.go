// Package account is who may use a node: people with their roles, passwords and other ways to sign in, and the tokens and client
// certificates of programs.
//
// It promises that a password, a code and a token are never kept as they are given (argon2id, a secret that only makes codes, a
// SHA-256), that a failed sign-in does not tell what was wrong, and that whoever's access has ended is refused at once. What a
// scope or a role opens is for those who ask to enforce, in internal/api and internal/web. It is not for other parties, whose
// nodes sign with their keyrings. Start reading at [Accounts.SignIn] and [Accounts.TokenScopes].
package account
