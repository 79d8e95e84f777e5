// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"slices"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// maxOwed bounds the anchors of a stream that are remembered as lacking signatures.
const maxOwed = 16

// owed is an anchor of a post-quantum stream that a later one leads down to, and that came without the signatures it must carry all the same
// (docs/stamp-format.md, section 8.1, rule 5). A copy that has them settles it.
type owed struct {
	number uint64
	text   seal.Hash
	key    seal.AnchorKey
	cause  *cause
}

// owe reports a seal that is reached from a later anchor, if it is an anchor that lacks its signatures in all its copies.
func (w *Watcher) owe(st *stream, n *note, copies []*note) {
	number := n.Seal.Number
	key, named := st.anchors[number]
	if !named || !key.Hybrid() || slices.ContainsFunc(copies, func(n *note) bool { return n.AnchoredBy(&key) }) {
		return
	}
	if len(st.owed) >= maxOwed {
		st.owed = slices.Delete(st.owed, 0, 1)
	}
	st.owed = append(st.owed, owed{number, n.hash, key, w.broken(st, number, 0, finding.AnchorUnsigned)})
}

// settleOwed looks whether a seal that has come again carries what its copies lacked.
func (w *Watcher) settleOwed(st *stream, n *note) {
	st.owed = slices.DeleteFunc(st.owed, func(o owed) bool {
		if o.number != n.Seal.Number || o.text != n.hash || !n.AnchoredBy(&o.key) {
			return false
		}
		w.retract(o.cause, 1)
		st.dirty = true
		return true
	})
}
