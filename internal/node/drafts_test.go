package node

import (
	"context"
	"testing"

	"github.com/mithaq/mithaq/internal/agreement"
	"github.com/mithaq/mithaq/internal/fault"
	"github.com/mithaq/mithaq/internal/store"
)

// A kept draft goes its way once: two who write at once are told, an approval is for the words that stand, and a node that
// stops between publishing the act and noting so publishes it no second time.
func TestAKeptDraftIsPublishedOnce(t *testing.T) {
	ctx := context.Background()
	n := newTestNode(t)
	def := text("1", "promise", n)
	id := agreement.ID([]byte(def))
	must(perform(t, n, id, ActRequest{Act: "propose", Definition: def}))(t)

	d := must(n.KeepDraft(ctx, "amal", DraftWords{Agreement: "memo", Act: ActRequest{Act: "amend", Definition: "not yet a text", Officer: "k-other"}}))(t)
	if d.State != store.DraftWriting || d.Trouble == "" || d.Base != def || d.Act.Officer != "" || len(d.Officers) != 1 {
		t.Fatalf("%+v", d)
	}
	if _, err := n.FixDraft(ctx, "amal", d.ID, DraftTurn{}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("words that are no agreement were fixed: %v", err)
	}
	d.Act.Definition = text("2", "a better promise", n)
	saved := must(n.SaveDraft(ctx, "basim", d.ID, DraftWords{Revision: d.Revision, Act: d.Act}))(t)
	if saved.Revision == d.Revision || saved.Trouble != "" || len(saved.Changes) == 0 || saved.ChangedBy != "basim" || saved.BegunBy != "amal" {
		t.Fatalf("%+v", saved)
	}
	if _, err := n.SaveDraft(ctx, "amal", d.ID, DraftWords{Revision: d.Revision, Act: d.Act}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("what somebody else wrote was overwritten: %v", err)
	}
	if _, err := n.SaveDraft(ctx, "amal", d.ID, DraftWords{Act: ActRequest{Act: "withdraw"}}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("an amendment became a withdrawal: %v", err)
	}
	fixed := must(n.FixDraft(ctx, "basim", d.ID, DraftTurn{Revision: saved.Revision}))(t)
	if fixed.State != store.DraftSigning || fixed.File == nil || fixed.Needed != 1 {
		t.Fatalf("%+v", fixed)
	}
	if _, err := n.SignKept(ctx, "basim", d.ID, DraftTurn{Digest: "another"}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("other words than those read were approved: %v", err)
	}
	signed := must(n.SignKept(ctx, "basim", d.ID, DraftTurn{Digest: fixed.File.Digest}))(t)
	if !signed.Complete || !signed.Officers[0].Approved || !signed.Officers[0].Signed {
		t.Fatalf("%+v", signed)
	}
	out := must(n.SubmitDraft(ctx, *signed.File))(t) // and the node stops before it notes so
	must(n.SubmitKept(ctx, "basim", d.ID, DraftTurn{}))(t)
	done := must(n.Draft(ctx, d.ID))(t)
	if done.State != store.DraftSubmitted || done.Leaf != out.Receipt.Leaf {
		t.Errorf("%+v", done)
	}
	if h := here(t, n, id); len(h.Acts) != 2 {
		t.Errorf("%d acts", len(h.Acts))
	}
	if _, err := n.ReopenDraft(ctx, "amal", d.ID, DraftTurn{}); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a published act was opened for writing: %v", err)
	}
	if list := must(n.Drafts(ctx))(t); len(list) != 1 || list[0].Act.Definition != "" || list[0].Signed != 1 {
		t.Errorf("%+v", list)
	}
}
