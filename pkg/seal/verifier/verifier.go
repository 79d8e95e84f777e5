// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"cmp"
	"crypto/x509"
	"errors"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/chain"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/record"
	"github.com/logseal/logseal/pkg/seal/verifier/internal/session"
)

// ErrOutOfOrder says that more seals wait for those before them than there is memory for.
var ErrOutOfOrder = chain.ErrHeld

// Verifier checks records and seals against each other as they come, in any order. Its memory is bounded by what is out of order:
// it keeps the leaf hashes of records whose seal has not come, and of groups that do not verify; of everything else ranges, and about
// 70 bytes for each seal, 150 behind missing ones. Work on a record or seal does not depend on the numbers in it.
//
// It hands notes to the chain of their stream, which hands genuine seals to the stream's sessions, which hand what those settle to
// the records.
//
//	v := verifier.New(trust)
//	for … {
//		v.Prepare(&record) // may be left out; may be called from several goroutines at once
//		v.Add(&record)
//	}
//	report, err := v.Finish(until)
//	if again := v.Again(); again != nil { /* read the archive once more, into again */ }
type Verifier struct {
	streams     map[string]*stream // by id
	unknown     unknownStreams
	firstUse    bool           // trust streams when their seal 0 is met
	roots       *x509.CertPool // trust streams whose seal 0 is endorsed below these
	coveredFrom time.Time      // see Cover
	quantum     bool           // report what nothing but Ed25519 vouches for

	records  *record.Records
	count    uint64 // of records
	memory   chain.Memory
	strange  chain.Memory // for streams that nothing vouches for
	findings finding.List
}

// stream is a trusted stream.
type stream struct {
	chain    *chain.Chain
	sessions *session.Sessions
	ordered  bool // see [chain.Config]

	identity string // of the certificate that vouches for it, if one does
	goesOn   string // the id of the stream of its identity that was closed before it began, if there is one

	from      *Checkpoint // where the chain begins, if that is not seal 0
	fromPlace finding.Place
}

// New returns a verifier that trusts the given streams.
func New(trust []seal.Trust) *Verifier {
	v := &Verifier{streams: map[string]*stream{}, strange: chain.Memory{Max: maxStrange}}
	v.records = record.New(&v.findings)
	names := map[string]int{}
	for _, t := range trust {
		names[t.Name]++
	}
	for _, t := range trust {
		id := t.StreamID()
		if names[t.Name] > 1 { // a host that lost its keys is another stream with the old name; a report tells them apart
			t.Name += " (" + id + ")"
		}
		v.addStream(t, id, nil, false)
	}
	return v
}

// NewFirstUse returns a verifier that trusts every stream whose first seal it meets. It can tell that an archive is
// consistent, but not whose it is: whoever could replace the whole archive could have made the keys in it.
func NewFirstUse() *Verifier {
	v := New(nil)
	v.firstUse = true
	return v
}

// voucher says whether a stream without a trust line is to be trusted, given its first seal, and under which name; or why not.
type voucher func(st *stream, first *seal.Seal) (name string, refusal finding.Reason)

// addStream adds a stream: one with a trust line, or one that vouch decides on. For ordered see [chain.Config].
func (v *Verifier) addStream(t seal.Trust, id string, vouch voucher, ordered bool) *stream {
	st := &stream{ordered: ordered}
	config := chain.Config{Trust: t, StreamID: id, Memory: &v.memory, Findings: &v.findings, Ordered: ordered}
	if vouch != nil {
		config.Vouch = func(first *seal.Seal) (string, finding.Reason) { return vouch(st, first) }
	}
	if v.roots != nil {
		config.Unvouched = &v.strange
	}
	st.chain = chain.New(config)
	st.sessions = session.New(st.chain, v.records)
	v.streams[id] = st
	return st
}

// voucher returns what decides on streams without a trust line, nil if they are not trusted at all.
func (v *Verifier) voucher() voucher {
	switch {
	case v.firstUse:
		return vouchFirstUse
	case v.roots != nil:
		return v.vouchEndorsed
	}
	return nil
}

// vouchFirstUse trusts every stream.
func vouchFirstUse(_ *stream, first *seal.Seal) (name string, refusal finding.Reason) {
	return first.Name + " (" + first.StreamID + ")", ""
}

// RequirePostQuantum makes the verifier report what nothing but Ed25519 vouches for. It is to be called before anything is added.
func (v *Verifier) RequirePostQuantum() { v.quantum = true }

// Prepare does the part of Add that needs no order. It may be called from several goroutines at once.
func (v *Verifier) Prepare(o *Observed) {
	if o.HasID && o.Fault == "" {
		v.records.Prepare(o.ID, &o.Record, &o.digest)
	}
}

// Add takes in the next record. It keeps nothing that o points to.
func (v *Verifier) Add(o *Observed) {
	switch {
	case o.Fault.Code() == finding.Truncated:
		v.addFinding(o.Fault, o.Place) // it is no record yet
		return
	case o.Note != nil && o.Fault == "":
		v.addNote(o)
		return
	}
	v.count++
	switch {
	case o.HasID && o.Fault.Code() == finding.Uncheckable:
		v.records.AddUncheckable(o.ID, o.Fault, o.Lost, o.Place)
	case o.HasID && o.Fault == "":
		v.records.Add(o.ID, &o.Record, &o.digest, o.Place)
		if o.Otherwise != "" && (o.Beside == nil || !v.records.Alike(o.ID, &o.Record, o.Beside)) {
			v.records.AddShown(o.ID, o.Otherwise, o.Place)
		}
	case o.HasID:
		v.records.AddMalformed(o.ID, o.Fault, o.Place)
	case o.Fault != "":
		f := finding.New(o.Fault)
		f.Place, f.Detail.Lost = o.Place, o.Lost
		v.findings.AddCause(f)
	default:
		v.addFinding(finding.NoID, o.Place)
	}
}

// addNote takes in a record that claims to be a seal.
func (v *Verifier) addNote(o *Observed) {
	n, err := chain.ParseNote(o.Note, o.Place)
	if err != nil {
		reason := finding.NotASeal
		if errors.Is(err, seal.ErrUnsupported) {
			reason = finding.VersionUnknown
		}
		v.addFinding(reason, o.Place)
		return
	}
	id := n.Seal.StreamID
	st := v.streams[id]
	switch {
	case st != nil:
	case v.voucher() != nil:
		// Its key comes with an open seal, and is proven by the stream id. Until then it is not known, and nothing verifies with it.
		st = v.addStream(seal.Trust{Name: id}, id, v.voucher(), false)
	default:
		v.findings.AddCause(v.unknown.report(n, finding.NotTrusted))
		return
	}
	st.chain.Add(n)
}

// addFinding adds a finding on what is at a place.
func (v *Verifier) addFinding(reason finding.Reason, at finding.Place) {
	f := finding.New(reason)
	f.Place = at
	v.findings.AddCause(f)
}

// maxUnknownStreams bounds how many streams that nobody trusts are told apart.
const maxUnknownStreams = 100

// unknownStreams are the ids of streams that nobody trusts.
type unknownStreams map[string]bool

// report returns the finding on a seal of such a stream. Section 8.1, rule 3.
func (u *unknownStreams) report(n *chain.Note, reason finding.Reason) finding.Finding {
	id := n.Seal.StreamID
	if !(*u)[id] {
		if len(*u) >= maxUnknownStreams {
			id = "…"
		}
		if *u == nil {
			*u = unknownStreams{}
		}
		(*u)[id] = true
	}
	f := finding.New(reason)
	f.Place, f.Detail.StreamID, f.Count = n.Place, id, n.Count()
	return f
}

// Finish ends the verification and returns what was found. Every stream must be complete up to the time until; when that is zero
// nothing is asked, but then a stream that was running where the archive ends counts as incomplete: what came after
// its last seal may have been taken away. The verifier cannot be used after Finish, except for [Verifier.Again]. The error is
// [ErrOutOfOrder].
func (v *Verifier) Finish(until time.Time) (*Report, error) {
	if err := v.memory.Err(); err != nil {
		return nil, err
	}
	streams := v.sortedStreams()
	for _, st := range streams { // records may be of sessions of several
		st.chain.TakeWaiting()
	}
	sealed := false
	for _, st := range streams {
		sealed = sealed || st.chain.Sealed()
		v.finishStream(st, until)
	}
	v.finishIdentities(streams)
	v.records.FinishHandles()
	if !sealed { // section 8.4: an archive without a genuine seal is never right
		v.findings.AddCause(finding.New(finding.NoStream))
	}
	return v.report(streams), nil
}

// finishStream reports what is wrong with a stream: with its seals, then with its records. Sections 8.1 to 8.4, in that order.
func (v *Verifier) finishStream(st *stream, until time.Time) {
	if v.isStrange(st) {
		st.chain.FinishUnvouched(func(n *chain.Note, refusal finding.Reason) {
			v.findings.AddCause(v.unknown.report(n, cmp.Or(refusal, finding.NotEndorsed)))
		})
		return
	}
	if st.chain.FinishSeals() {
		st.sessions.CheckClosed()
		st.chain.FinishContradictions()
		st.sessions.FinishRollbacks(&v.findings)
		if v.quantum {
			st.chain.FinishPostQuantum()
		}
		st.chain.FinishEnd(until)
		v.finishBeginning(st)
	}
	v.records.FinishStream(st.sessions.All())
}

// Again returns a verifier for another pass, when this one cannot answer without: because records came before the seal that
// says which of their attributes count, or came again long after they were verified; because many seals of a stream came before the one
// that a certificate vouches for; or because seals that contradict each other came in another order than that of their numbers. It returns nil when the report
// of this pass stands. The archive is then to be added once more, in the same order.
func (v *Verifier) Again() *Verifier {
	next := New(nil)
	records := v.records.Next(&next.findings)
	disordered := v.dependsOnOrder()
	if records == nil && !disordered && !v.lost() {
		return nil
	}
	if records == nil || disordered { // what this pass has learnt of records rests on its seals
		records = record.New(&next.findings)
	}
	next.firstUse, next.roots, next.quantum, next.records = v.firstUse, v.roots, v.quantum, records
	for id, st := range v.streams {
		vouch := v.voucher()
		if st.chain.Vouched() {
			vouch = nil
		}
		again := next.addStream(st.chain.Trust(), id, vouch, st.ordered || st.dependsOnOrder())
		again.identity = st.identity
		if st.from != nil {
			next.startFrom(again, st.from, st.fromPlace)
		}
	}
	return next
}

// dependsOnOrder reports whether what is said of a stream may depend on the order in which its seals came.
func (st *stream) dependsOnOrder() bool {
	return st.chain.DependsOnOrder() || !st.ordered && st.sessions.DependsOnOrder()
}

func (v *Verifier) dependsOnOrder() bool {
	for _, st := range v.streams {
		if st.dependsOnOrder() {
			return true
		}
	}
	return false
}
