package node

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/notify"
)

// Mail is the server by which notifications leave. Without a server there are none by mail.
type Mail struct {
	Server     string `toml:"server"`   // HOST:PORT
	Security   string `toml:"security"` // starttls, tls or none; empty: starttls
	From       string `toml:"from"`
	User       string `toml:"user"` // empty: nobody signs in
	SecretFile string `toml:"secret_file"`
}

func (m Mail) check() error {
	if m.Server == "" {
		if m != (Mail{}) {
			return errors.New("mail: server is missing: write HOST:PORT, or leave mail out")
		}
		return nil
	}
	if (m.User == "") != (m.SecretFile == "") {
		return errors.New("mail: user and secret_file go together: set both or neither")
	}
	if err := m.mailer("").Check(); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	return nil
}

func (m Mail) mailer(secret string) notify.Mailer {
	security := m.Security
	if security == "" {
		security = notify.StartTLS
	}
	return notify.Mailer{Server: m.Server, Security: security, From: m.From, User: m.User, Secret: secret}
}

// mailer is the configured mail server, with the password as its file holds it now.
func (n *Node) mailer() (notify.Mailer, error) {
	m := n.cfg.Mail
	if m.Server == "" {
		return notify.Mailer{}, fault.New(fault.Invalid, "set mail in "+ConfigName, "sending mail: no mail server is configured")
	}
	if m.SecretFile == "" {
		return m.mailer(""), nil
	}
	data, err := os.ReadFile(Within(n.dir, m.SecretFile)) // #nosec G304 -- the operator names the file
	if err != nil {
		return notify.Mailer{}, &fault.Fault{Code: fault.Invalid, What: "sending mail: reading its secret_file", Err: err, Remedy: "write the password into it"}
	}
	return m.mailer(strings.TrimSpace(string(data))), nil
}
