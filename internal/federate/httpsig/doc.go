// Package httpsig signs requests between nodes and verifies them: HTTP Message Signatures (RFC 9421) with Ed25519 keys,
// and content digests (RFC 9530) for what a request carries.
//
// It promises that a request which [Guard.Verify] lets through was made by the holder of the key that it names, for this
// very host, path and body, not long ago, and that it was not let through before. A signature base is built exactly as the
// RFC says; its test vectors pass.
//
// It is not for responses (what a node answers is verified by hashes and checkpoint signatures), knows no parties and
// decides nothing: whose a key is, and what that party may have, is asked elsewhere. Start reading at [Signer.Sign] and
// [Guard.Verify].
package httpsig
