package node

import (
	"errors"

	"github.com/mithaq/mithaq/internal/fault"
)

func errReadOnly() error {
	return &fault.Fault{Code: fault.Unavailable, What: "this process only reads the node", Err: errors.New("read-only"), Remedy: "use the node's daemon"}
}

func errUnsettled(doing string) error {
	return fault.New(fault.Behind, "settle it with 'mithaq restore'", "%s: this node was restored, or a follower is ahead of it: it does not know how far its logs had grown", doing)
}
