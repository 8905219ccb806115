package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// ErrFull is returned when the disk, or a quota, has no room left. Nothing acknowledged is lost.
var ErrFull = errors.New("the disk is full: free some space, then try again")

// ErrReadOnly is returned when the store's folder cannot be written.
var ErrReadOnly = errors.New("the store cannot be written: check the folder's owner, mode and mount options")

// explain gives a driver's error the name that a person or a caller can act on.
func (d *DB) explain(err error) error {
	if err == nil {
		return nil
	}
	var coded interface{ Code() int }
	if errors.As(err, &coded) && d.kind == sqlite {
		switch coded.Code() & 0xff {
		case 13: // SQLITE_FULL
			return fmt.Errorf("%w (%w)", ErrFull, err)
		case 8, 14: // SQLITE_READONLY, SQLITE_CANTOPEN
			return fmt.Errorf("%w (%w)", ErrReadOnly, err)
		}
	}
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		switch {
		case state.SQLState() == "53100":
			return fmt.Errorf("%w (%w)", ErrFull, err)
		case strings.HasPrefix(state.SQLState(), "25006"), state.SQLState() == "42501":
			return fmt.Errorf("%w (%w)", ErrReadOnly, err)
		}
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w (%w)", ErrReadOnly, err)
	}
	return err
}
