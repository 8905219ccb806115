package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// socketName is the owner's way into a running node: a Unix socket that only the owner of the directory can open.
const socketName = "mithaq.sock"

// maxSocketPath is what a Unix socket's address holds on Linux, less its closing zero (unix(7)).
const maxSocketPath = 107

// withSocketPath calls do with a path to dir's socket. A directory too deep for a socket address is reached through
// the descriptor of the open directory.
func withSocketPath(dir string, do func(path string) error) error {
	path := filepath.Join(dir, socketName)
	if len(path) <= maxSocketPath {
		return do(path)
	}
	d, err := os.Open(dir) // #nosec G304 -- the operator names the directory
	if err != nil {
		return err
	}
	return errors.Join(do(fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), socketName)), d.Close())
}

func dialSocket(ctx context.Context, dir string) (conn net.Conn, err error) {
	err = withSocketPath(dir, func(path string) (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, "unix", path)
		return err
	})
	return conn, err
}

// listenSocket listens on the owner's socket. The caller holds the directory's lease, so a socket file that is there
// is what a killed process left.
func listenSocket(ctx context.Context, dir string) (l net.Listener, err error) {
	err = withSocketPath(dir, func(path string) error {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		// Between listening and the change of mode below nobody else may connect. At this moment of the start nothing else
		// makes files in this process.
		mask := syscall.Umask(0o177)
		var lc net.ListenConfig
		l, err = lc.Listen(ctx, "unix", path)
		syscall.Umask(mask)
		if err != nil {
			return err
		}
		if err := os.Chmod(path, 0o600); err != nil {
			return errors.Join(err, l.Close())
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listening on the node's own socket in %s: %w", dir, err)
	}
	return l, nil
}
