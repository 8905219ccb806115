package node

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"

	"github.com/mithaq/mithaq/internal/fault"
)

// SecretSource says where what opens a key file comes from. The first of the following that is there is taken: KeyFile,
// PassphraseFile, the key file that the configuration names, a question to the person at the terminal.
type SecretSource struct {
	KeyFile        string // a file with an AGE-SECRET-KEY-PQ-1… line
	PassphraseFile string // a file whose first line is the passphrase
	Ask            func(prompt string) ([]byte, error)
}

// lock opens and closes key files.
type lock struct {
	identity  age.Identity
	recipient age.Recipient
}

// find returns the lock. configured is a path from the configuration, or empty.
func (s SecretSource) find(configured string) (lock, error) {
	missing := ""
	switch {
	case s.KeyFile != "":
		return keyFileLock(s.KeyFile)
	case s.PassphraseFile != "":
		data, err := os.ReadFile(s.PassphraseFile)
		if err != nil {
			return lock{}, fmt.Errorf("reading the passphrase: %w", err)
		}
		line, _, _ := bytes.Cut(data, []byte("\n"))
		return passphraseLock(bytes.TrimSuffix(line, []byte("\r")))
	case configured != "":
		l, err := keyFileLock(configured)
		if !errors.Is(err, fs.ErrNotExist) || s.Ask == nil {
			return l, err
		}
		missing = configured + " is not there, and "
	}
	if s.Ask == nil {
		return lock{}, fault.New(fault.Forbidden, "set MITHAQ_KEY_FILE or MITHAQ_PASSPHRASE_FILE", "opening the keys: nothing was given to open them with")
	}
	pass, err := s.Ask("passphrase of the node's keys")
	if err != nil {
		return lock{}, fmt.Errorf("opening the keys: %s%w", missing, err)
	}
	return passphraseLock(pass)
}

func keyFileLock(path string) (lock, error) {
	data, err := os.ReadFile(path) // #nosec G304 -- the operator names the key file
	if err != nil {
		return lock{}, fmt.Errorf("reading the key file: %w", err)
	}
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		id, err := age.ParseHybridIdentity(string(line))
		if err != nil {
			break
		}
		return lock{identity: id, recipient: id.Recipient()}, nil
	}
	return lock{}, fault.New(fault.Invalid, "it must hold one line AGE-SECRET-KEY-PQ-1…", "reading the key file %s: no key in it", path)
}

func passphraseLock(pass []byte) (lock, error) {
	if len(pass) < 8 {
		return lock{}, fault.New(fault.Invalid, "use a longer one", "opening the keys: the passphrase has fewer than 8 bytes")
	}
	id, err := age.NewScryptIdentity(string(pass))
	if err != nil {
		return lock{}, fmt.Errorf("opening the keys: %w", err)
	}
	rec, err := age.NewScryptRecipient(string(pass))
	if err != nil {
		return lock{}, fmt.Errorf("opening the keys: %w", err)
	}
	return lock{identity: id, recipient: rec}, nil
}

// makeKeyFile writes a new key file; one that is there is left alone.
func makeKeyFile(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return fmt.Errorf("making a key file: %w", err)
	}
	text := "# opens the keys of a mithaq node; keep it away from backups\n" + id.String() + "\n"
	return writeDurable(path, []byte(text), 0o600)
}

// Within resolves a path of the configuration: relative ones are below the node's directory.
func Within(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
