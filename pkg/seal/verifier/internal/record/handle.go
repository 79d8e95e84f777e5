// SPDX-License-Identifier: Apache-2.0

package record

import (
	"cmp"
	"iter"
	"slices"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
	"github.com/logseal/logseal/pkg/seal/finding"
)

const (
	// maxCandidates bounds how many records with one id but other content are held for a seal to choose from, and with it the work
	// on each of them.
	maxCandidates = 1024

	maxConflicts = 1 << 16 // a handle
)

// keeper keeps the records of a handle until seals settle their ids, and judges them: [single] where one session has the handle, [shared] where
// several have it.
type keeper interface {
	// add takes in a record.
	add(seq uint64, r *canonical.Record, d *Digest, at place)

	// resume takes in the leaf of a record that an earlier verification of a session left waiting, and reports whether another session has
	// not brought it yet.
	resume(a *account, seq uint64, leaf *seal.Hash, at place) bool

	// void puts the records of void ids aside: nothing can be said of them.
	void(r seal.Range)

	// cover verifies a group, or keeps it until it can be. The group is valid until cover returns; see [group.keep].
	cover(g *group)

	// open returns the leaves of the records that no group has, as a session computes them, by seq.
	open(a *account) iter.Seq2[uint64, seal.Hash]

	// claimants returns the records that stand for the leaf at index i of a group that does not verify: the first has to answer
	// for it. fits says that one of them could be it.
	claimants(g *group, i int) (list []candidate, fits bool)

	// finish reports the records that no group has reported.
	finish()
}

// handle is all that is known of the records whose ids begin with one handle. There is a session for it once a seal of one is
// genuine; that two have it is rare, but possible: section 8.3, first paragraph.
type handle struct {
	keeper   keeper
	records  *Records
	name     string
	accounts []*account // of the sessions that have it

	ended  bool   // a session of it ended before a checkpoint,
	former string // of this stream

	leaves    leaves
	malformed map[uint64]place // records that have this id and no meaning
	lost      seal.Ranges      // of these: what a store does not give back as it was
	shown     seal.Ranges      // shown by a store otherwise than their originals say
	conflicts []conflict
	against   map[conflictKey]bool // what is in conflicts

	count, duplicates, voided uint64
	unjudged                  uint64 // see [handle.reportOpen]
	from, to                  uint64 // times in nanoseconds, 0 while there is none

	assumed  assumption
	policies []*seal.Policy // in a second pass: what its sessions exclude, where that differs
	recheck  seal.Ranges    // came again when their leaf was gone already: for a second pass
}

// conflict is a record that another one with the same id stands against.
type conflict struct {
	seq uint64
	candidate
	against place // of the other one
	backed  bool  // and a seal backs that one
}

type conflictKey struct {
	seq  uint64
	leaf seal.Hash
}

// stream returns the name of the stream that findings are held against where no session is to be told.
func (h *handle) stream() string {
	if len(h.accounts) == 0 {
		return ""
	}
	return h.accounts[0].Stream()
}

// digestFor returns a record's leaf as a session computes it; nil stands for one that is not known yet. Section 8.3, "if the open seal … is missing".
func (h *handle) digestFor(a *account, r *canonical.Record, d *Digest) *seal.Hash {
	if a != nil && a.policy != nil {
		return d.under(a.policy, r)
	}
	known := h.records.policies.get(h.name)
	if known != nil {
		return d.under(known, r)
	}
	usual := h.records.policies.usual
	h.assumed.note(r, usual)
	return d.under(usual, r)
}

// policyOf is what a session excludes: the usual, while that is not known.
func (h *handle) policyOf(a *account) *seal.Policy {
	if a.policy == nil {
		return h.records.policies.usual
	}
	return a.policy
}

// distinctPolicies returns what the sessions exclude, each once.
func (h *handle) distinctPolicies() (list []*seal.Policy) {
	for _, a := range h.accounts {
		if policy := h.policyOf(a); !slices.Contains(list, policy) {
			list = append(list, policy)
		}
	}
	return list
}

// countTime widens the time that the records are of.
func (h *handle) countTime(t uint64) {
	if t == 0 {
		return
	}
	if h.from == 0 || t < h.from {
		h.from = t
	}
	h.to = max(h.to, t)
}

// addConflict keeps a record that stands against another one with its id. Section 8.3, "several records with one id".
func (h *handle) addConflict(c conflict) {
	key := conflictKey{c.seq, c.leaf}
	if h.against[key] {
		h.duplicates++
		return
	}
	if len(h.conflicts) < maxConflicts {
		if h.against == nil {
			h.against = map[conflictKey]bool{}
		}
		h.against[key] = true
		h.conflicts = append(h.conflicts, c)
		return
	}
	f := finding.New(finding.TooMany)
	h.records.findings.Omit(&f)
}

// report adds a finding on one record.
func (h *handle) report(reason finding.Reason, seq uint64, stream string, at place, detail finding.Detail) {
	f := finding.New(reason)
	f.SetID(h.name, seq)
	f.Stream, f.Place, f.Detail = stream, h.records.places.unpack(at), detail
	h.records.findings.AddRecord(f)
}

// finishGroups reports the records of the groups that do not verify. Section 8.3, "in a block".
func (h *handle) finishGroups(a *account) {
	for _, seq := range sortedKeys(a.groups) {
		g := a.groups[seq]
		list, fits := h.keeper.claimants(g, g.index(seq))
		if len(list) == 0 {
			h.finishMissing(g, seq)
			continue
		}
		notHere := h.lacks(g)
		for n, c := range list {
			reason, detail := finding.DigestDiffers, finding.Detail{}
			switch {
			case n > 0:
				reason = finding.NoneBacked
			case a.policy == nil:
				reason = finding.PolicyUnknown
			case fits && notHere && c.place&beyond != 0 && !h.records.coverage.asks(g.sealed):
				h.unjudged++
				continue
			case fits && notHere:
				reason, detail = finding.GroupNotRebuilt, g.detail()
			case fits:
				reason, detail = finding.GroupDiffers, g.detail()
			}
			h.report(reason, seq, a.Stream(), c.place, detail)
		}
	}
}

// finishMissing reports that there is no record for a seq of a group. Section 8.3: not where a malformed one bears its id.
func (h *handle) finishMissing(g *group, seq uint64) {
	if _, there := h.malformed[seq]; there {
		return // said already
	}
	if !h.records.coverage.asks(g.sealed) {
		g.account.elsewhere++
		return
	}
	f := finding.New(finding.RecordMissing)
	if excuse := h.records.coverage.excuse(g.sealed); excuse != "" {
		f = finding.New(excuse)
	}
	if g.doubt {
		f = finding.New(finding.OnItsWay)
	}
	f.SetID(h.name, seq)
	f.Stream = g.account.Stream()
	h.records.findings.AddRecord(f)
}

// finish reports the records that no seal settled, and those that stood against others. Section 8.3.
func (h *handle) finish() {
	h.keeper.finish()
	stream := h.stream()
	if h.voided > 0 {
		f := finding.New(finding.VoidID)
		f.Stream, f.Count = stream, h.voided
		h.records.findings.AddCause(f)
	}
	slices.SortStableFunc(h.conflicts, func(a, b conflict) int { return cmp.Compare(a.seq, b.seq) })
	for _, c := range h.conflicts {
		reason, detail := finding.TooMany, finding.Detail{}
		if c.backed {
			reason, detail.Other = finding.OtherBacked, h.records.places.unpack(c.against)
		}
		h.report(reason, c.seq, stream, c.place, detail)
	}
}
