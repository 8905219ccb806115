package node

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/record"
)

const (
	// commandTimeout bounds an external signer: a person may have to touch a token.
	commandTimeout = 60 * time.Second
	// commandGrace is how long what an ended command left behind may keep its output open.
	commandGrace = 5 * time.Second
)

// trialPrefix begins what a command signs to show that it can: neither a DSSE message nor a checkpoint begins so.
const trialPrefix = "mithaq/signer-trial/v1\x00"

// commandSigner signs with an external command: the bytes to sign on its standard input, the base64 signature on its
// standard output. What it prints is verified, so that a wrong signature never reaches a log.
type commandSigner struct {
	public record.PublicKey
	argv   []string
}

func (c commandSigner) KeyID() string { return c.public.ID() }

func (c commandSigner) Sign(ctx context.Context, msg []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...) // #nosec G204 -- the owner put the command into the encrypted key file
	cmd.Stdin = bytes.NewReader(msg)
	cmd.WaitDelay = commandGrace
	out, errs := &capped{room: 4096}, &capped{room: 200}
	cmd.Stdout, cmd.Stderr = out, errs
	if err := cmd.Run(); err != nil {
		return nil, c.fault(fmt.Errorf("%w: %q", err, bytes.TrimSpace(errs.kept)))
	}
	sig, err := record.DecodeSignature(out.kept)
	if err != nil {
		return nil, c.fault(err)
	}
	if !ed25519.Verify(ed25519.PublicKey(c.public.Bytes), msg, sig) {
		return nil, c.fault(errors.New("its signature does not verify under the key " + c.KeyID()))
	}
	return sig, nil
}

func (c commandSigner) fault(err error) error {
	return &fault.Fault{Code: fault.Unavailable, What: "signing with the command " + c.argv[0], Err: err, Remedy: "run it by hand"}
}

// try has the command sign something that means nothing.
func (c commandSigner) try(ctx context.Context, rand io.Reader) error {
	var nonce [16]byte
	if _, err := io.ReadFull(rand, nonce[:]); err != nil {
		return fmt.Errorf("trying the command: %w", err)
	}
	_, err := c.Sign(ctx, []byte(trialPrefix+hex.EncodeToString(nonce[:])))
	return err
}

// capped keeps the first bytes that are written to it and drops the others.
type capped struct {
	kept []byte
	room int
}

func (c *capped) Write(b []byte) (int, error) {
	keep := b[:min(len(b), c.room)]
	c.kept, c.room = append(c.kept, keep...), c.room-len(keep)
	return len(b), nil
}
