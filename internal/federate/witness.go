package federate

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/mithaq/mithaq/internal/ledger"
	"github.com/mithaq/mithaq/internal/record"
)

// A witness checks that a log only grew, and says so with its signature (C2SP tlog-witness, tlog-cosignature). It sees an
// opaque origin, sizes and hashes: no records, no party, no agreement. Its signature vouches for no contents, no truth, and
// not for anybody having read anything.

// Witnessed is the last head of a log that a witness co-signed; the zero value: none yet.
type Witnessed struct {
	ledger.Head
	Checkpoint []byte
}

// AddCheckpoint is what somebody asks a witness to co-sign.
type AddCheckpoint struct {
	Old        int64 // size that the asker believes the witness has
	Proof      [][32]byte
	Checkpoint []byte
}

// maxAddCheckpoint bounds a request in bytes: 63 hashes and a checkpoint.
const maxAddCheckpoint = 64<<10 + 64*48

// ParseAddCheckpoint reads the body of a request.
func ParseAddCheckpoint(body []byte) (AddCheckpoint, error) {
	var a AddCheckpoint
	if len(body) > maxAddCheckpoint {
		return a, fmt.Errorf("the request has %d bytes, at most %d", len(body), maxAddCheckpoint)
	}
	head, rest, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return a, errors.New("an empty line must stand before the checkpoint")
	}
	lines := strings.Split(string(head), "\n")
	size, ok := strings.CutPrefix(lines[0], "old ")
	old, err := strconv.ParseInt(size, 10, 64)
	if !ok || err != nil || old < 0 || strconv.FormatInt(old, 10) != size {
		return a, errors.New("the first line must be the word old and a size")
	}
	if len(lines) > 64 {
		return a, errors.New("a consistency proof has at most 63 hashes")
	}
	for _, line := range lines[1:] {
		h, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(h) != sha256.Size {
			return a, errors.New("a line of the consistency proof is not 32 bytes in base64")
		}
		a.Proof = append(a.Proof, [32]byte(h))
	}
	a.Old, a.Checkpoint = old, rest
	return a, nil
}

// Body is the request as it is sent.
func (a AddCheckpoint) Body() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", a.Old)
	for _, h := range a.Proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteByte('\n')
	b.Write(a.Checkpoint)
	return b.Bytes()
}

// WitnessRefusal is why a witness does not co-sign, with the status that C2SP tlog-witness gives it.
type WitnessRefusal struct {
	Status int
	Size   int64 // with 409: of the last head that the witness co-signed
	Why    string
	// Second is the other checkpoint of the same size when the asker showed two trees of one size: evidence.
	Second []byte
}

func (r *WitnessRefusal) Error() string { return r.Why }

// KnowsLog refuses what does not bear the signature of a log that a witness knows, whose keys these are. To whoever cannot show
// it, the witness does not know the log.
func KnowsLog(a AddCheckpoint, origin string, keys []note.Verifier) *WitnessRefusal {
	for _, v := range keys {
		if _, err := ledger.OpenCheckpoint(a.Checkpoint, origin, v); err == nil {
			return nil
		}
	}
	return errUnknownLog()
}

func errUnknownLog() *WitnessRefusal {
	return &WitnessRefusal{Status: http.StatusNotFound, Why: "this witness does not know the log"}
}

// Judge decides whether a witness co-signs: keys are those that may sign the log's checkpoints, none for a log that it does
// not know. The returned head must be durable before the cosignature leaves.
func (w Witnessed) Judge(a AddCheckpoint, origin string, keys []note.Verifier) (Witnessed, *WitnessRefusal) {
	if len(keys) == 0 {
		return w, errUnknownLog()
	}
	var head ledger.Head
	err := errors.New("no key")
	for _, v := range keys {
		if head, err = ledger.OpenCheckpoint(a.Checkpoint, origin, v); err == nil {
			break
		}
	}
	switch {
	case err != nil:
		return w, &WitnessRefusal{Status: http.StatusForbidden, Why: "the checkpoint is not signed by the log's key"}
	case a.Old > head.Size:
		return w, &WitnessRefusal{Status: http.StatusBadRequest, Why: "the old size is larger than the checkpoint's"}
	case a.Old != w.Size:
		return w, &WitnessRefusal{Status: http.StatusConflict, Size: w.Size, Why: fmt.Sprintf("this witness co-signed %d leaves", w.Size)}
	case head.Size == w.Size && w.Checkpoint != nil && head.Root != w.Root:
		return w, &WitnessRefusal{Status: http.StatusConflict, Size: w.Size, Why: "this witness co-signed another tree of this size", Second: a.Checkpoint}
	}
	if w.Size > 0 && head.Size > w.Size {
		if err := ledger.CheckConsistency(a.Proof, w.Head, head); err != nil {
			return w, &WitnessRefusal{Status: http.StatusUnprocessableEntity, Why: "the consistency proof does not hold"}
		}
	} else if len(a.Proof) > 0 {
		return w, &WitnessRefusal{Status: http.StatusUnprocessableEntity, Why: "there is nothing that the proof could prove"}
	}
	return Witnessed{Head: head, Checkpoint: a.Checkpoint}, nil
}

// cosignatureAlg is the signature type of Ed25519 cosignatures (C2SP tlog-cosignature).
const cosignatureAlg = 4

// WitnessName is the name under which a witness key co-signs: opaque, as origins are.
func WitnessName(key record.Key) string { return "mithaq/" + key.ID }

// WitnessKey is a witness key as a verifier key of C2SP tlog-cosignature.
func WitnessKey(key record.Key) string {
	public := append([]byte{cosignatureAlg}, key.Public...)
	return fmt.Sprintf("%s+%08x+%s", WitnessName(key), cosignatureID(key), base64.StdEncoding.EncodeToString(public))
}

func cosignatureID(key record.Key) uint32 {
	h := sha256.New()
	_, _ = h.Write([]byte(WitnessName(key) + "\n"))
	_, _ = h.Write([]byte{cosignatureAlg})
	_, _ = h.Write(key.Public)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

// Cosign makes a cosignature/v1 line over a checkpoint at a time. sign signs with the witness key.
func Cosign(key record.Key, checkpoint []byte, at time.Time, sign func(msg []byte) ([]byte, error)) ([]byte, error) {
	text, _, ok := bytes.Cut(checkpoint, []byte("\n\n"))
	if !ok || at.Unix() < 0 {
		return nil, errors.New("co-signing: it is not a signed note")
	}
	msg := fmt.Sprintf("cosignature/v1\ntime %d\n%s\n", at.Unix(), text)
	sig, err := sign([]byte(msg))
	if err != nil {
		return nil, fmt.Errorf("co-signing: %w", err)
	}
	if len(sig) != ed25519.SignatureSize {
		return nil, fmt.Errorf("co-signing: the key made a signature of %d bytes", len(sig))
	}
	raw := binary.BigEndian.AppendUint32(nil, cosignatureID(key))
	raw = binary.BigEndian.AppendUint64(raw, uint64(at.Unix())) // #nosec G115 -- checked not to be negative
	raw = append(raw, sig...)
	return fmt.Appendf(nil, "— %s %s\n", WitnessName(key), base64.StdEncoding.EncodeToString(raw)), nil
}
