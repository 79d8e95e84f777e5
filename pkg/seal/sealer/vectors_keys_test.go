// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
)

// newKey makes a key that no seal names.
func (f *vectorForger) newKey() *keychain.KeyPair {
	key, err := keychain.NewKeyPair(f.Random)
	require.NoError(f.v.t, err)
	return key
}

// skip goes on at a later number, with a key that nothing vouches for: the seals between are lost.
func (f *vectorForger) skip(to uint64) { f.Chain.Number, f.Chain.Key = to, f.newKey() }

// cover adds a record with the next seq of a stream with 3 records, and the block seal over it.
func (f *vectorForger) cover(edit func(*seal.Seal)) {
	i := f.v.again(2, "3")
	f.add(f.block(seal.Ranges{{First: 3, Last: 3}}, i), edit)
}

// keys are streams in which one signature of one seal is wrong or another's, and nothing else.
func (s *vectorSet) keys() {
	lost := verdicts{"BAD_SEAL": 1, "UNSEALED": 1, "OPEN_END": 1}
	v, f := takenStream(s.t)
	f.Chain.Key = f.newKey()
	f.cover(nil)
	s.add("forward-foreign-key.jsonl", "the last seal is in order, and covers a new record; but it is signed with another key than the seal before names", v, tampered, 4, 3, lost)

	v, f = takenStream(s.t)
	f.cover(nil)
	v.spoil(2, "")
	s.add("forward-signature.jsonl", "the same, and the signature claims to be of the right key", v, tampered, 4, 3, lost)

	s.gapCopies()
	s.anchorNames()
	s.forks()
}

// gapCopies are gaps where seals have copies with other signatures.
func (s *vectorSet) gapCopies() {
	late := func() *vectorStream { return longStream(s.t).keep([]int{0, 62, 63, 64, 65}, []int{0, 61, 62, 63, 64}) }
	want := verdicts{"MISSING_SEAL": 61, "LATE": 2, "UNSEALED": 1, "OPEN_END": 1}
	for _, c := range []struct {
		name, what string
		number     int
	}{
		{"late", "a late seal has two copies, and one bears its own signature", 63},
		{"anchor-own", "the anchor behind a gap has two copies: one bears the anchor's signature, and the other the seal's own", 64},
	} {
		v := late()
		v.spoil(c.number, "")
		other := late()
		if c.number == 64 {
			other.cut(64, seal.AnchorSuffix)
		}
		v.lines = append(v.lines, other.lines[other.sealLine(c.number)])
		s.add("gap-copies-"+c.name+".jsonl", c.what, v, tampered, 5, 2, want)
	}

	v := late()
	i := v.sealLine(64)
	_, rest, _ := strings.Cut(v.lines[i], "— "+v.origin()+" ")
	v.replace(i, "— "+v.origin()+" "+rest[:4], "— "+v.origin()+" AAAA")
	s.add("gap-anchor-foreign-key.jsonl", "an anchor behind a gap bears a signature of its own by some other key: the chain goes on from it all the same", v, tampered, 5, 2,
		verdicts{"MISSING_SEAL": 61, "LATE": 2, "UNSEALED": 1, "OPEN_END": 1, "BROKEN_CHAIN": 1})
}

// anchorNames are streams of a taken host that name two keys for one anchor, and lose the seals before it.
func (s *vectorSet) anchorNames() {
	for _, first := range []bool{true, false} {
		v, f := takenStream(s.t)
		other := f.newKey()
		f.add(f.tip, func(s *seal.Seal) { s.Anchors[0].Key = seal.Ed25519Anchor(&other.Public) })
		f.skip(64)
		name, what, verified, want := "first", "the first", 4, verdicts{"MISSING_SEAL": 61, "BROKEN_CHAIN": 1, "OPEN_END": 1}
		if !first {
			f.Chain.Anchors[0].KeyPair = other
			name, what, verified, want = "last", "the last", 3, verdicts{"BAD_SEAL": 1, "UNSEALED": 1, "BROKEN_CHAIN": 1, "OPEN_END": 1}
		}
		f.cover(nil)
		s.add("gap-named-"+name+".jsonl", "two seals name two keys for the anchor behind a gap, and it is signed with "+what, v, tampered, 4, verified, want)
	}
}

// forks are two seals of one number, of which not everything is alike.
func (s *vectorSet) forks() {
	v, f := takenStream(s.t)
	fork := f.Chain.Clone()
	f.add(f.tip, nil)
	f.Chain = fork
	f.add(f.tip, func(s *seal.Seal) { s.Prev[0]++ })
	s.add("forked-prev.jsonl", "two seals of one number are signed with its key, and the second has another prev", v, tampered, 3, 3, verdicts{"FORKED": 1, "OPEN_END": 1})

	v, f = takenStream(s.t)
	f.skip(64)
	fork = f.Chain.Clone()
	f.add(f.tip, nil)
	f.Chain = fork
	f.tip.Time = f.tip.Time.Add(time.Second)
	f.add(f.tip, nil)
	s.add("forked-anchor.jsonl", "two anchors of one number behind a gap, both signed with the anchor's key", v, tampered, 3, 3, verdicts{"FORKED": 1, "MISSING_SEAL": 62, "OPEN_END": 1})
}

// settled are records whose standing is said by a session's seals in less usual ways.
func (s *vectorSet) settled() {
	v := newVectorStream(s.t, "crash")
	v.now.BootID = [16]byte{}
	v.begin()
	v.log(3, true, true, true)
	v.tock()
	v.log(2, true, true, true)
	v.begin() // seal 2 opens, seal 3 adopts
	v.log(1, true, true, true)
	v.end()
	v.again(4, "5")
	s.add("crash-no-boot.jsonl", "a record past what a killed session gave out, on a host that knows no boot id: it may not have been stored", v, incomplete, 7, 6, verdicts{"UNSEALED": 1})

	v = newVectorStream(s.t, "gap").begin()
	v.log(2, true, true, true)
	v.end()   // seal 2
	v.begin() // seal 3
	for range 62 {
		v.log(1, true, true, true)
		v.tock()
	}
	v.end() // seal 66
	v.keep([]int{0, 1, 2, 63, 64, 65, 66}, []int{0, 1, 2, 61, 62, 63})
	v.replace(v.record(63), `"attributes":[{"key":"log.file.name"`, `"attributes":[{"key":"logseal.client.address","value":{"stringValue":"192.0.2.7"}},{"key":"log.file.name"`)
	v.replace(v.record(62), `{"attributes":[{"key":"host.name"`, `{"attributes":[{"key":"logseal.client.address","value":{"stringValue":"192.0.2.7"}},{"key":"host.name"`)
	s.add("gap-session-client.jsonl", "the open seal of a session is gone, and what a gateway says of its client was added to a record and to a resource", v, tampered, 6, 4,
		verdicts{"MISSING_SEAL": 60, "UNSEALED": 1, "LATE": 1})

	v = newVectorStream(s.t, "void").begin()
	v.log(3, true, true, true)
	v.tock()
	v.log(2, true, true, false)
	v.log(1, true, false, false) // on its way, arrives
	v.begin()                    // after a kill: the adopt seal voids the two
	v.log(5, true, true, true)
	v.end()
	s.add("void-adopted.jsonl", "an adopt seal voids two ids of the session that was killed, and records come under them; the new session has records with these numbers", v, incomplete, 11, 9, verdicts{"VOIDED": 2})

	v = newVectorStream(s.t, "from").begin()
	v.log(3, true, true, true)
	v.log(2, true, true, false)
	v.tock()
	v.log(2, true, true, true)
	v.end()
	s.add("from-void.jsonl", "verified from seal 1 on: what that voids is from before, as is what it covers", v, incomplete, 7, 2, verdicts{"BEFORE": 6}).From = v.body(1)
}

// noText is a record with the event name of seals whose body is no string.
func (s *vectorSet) noText() {
	v := shortStream(s.t, "short")
	ld := plog.NewLogs()
	lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetEventName(seal.EventName)
	lr.Body().SetEmptyBytes().FromRaw([]byte(v.body(2)))
	v.add(ld)
	s.add("seal-no-text.jsonl", "a record has the event name of seals, and its body is the bytes of a note: it is no seal, and not stamped", v, tampered, 6, 5, verdicts{"UNSTAMPED": 1})
}

// sharedBest are records that verify in neither of two sessions with their handle, and take the best that they are in one.
func (s *vectorSet) sharedBest() {
	for _, c := range []struct {
		name, what   string
		sent, voided int // by the first session; the second sends 3
		open         bool
		seq          string
		outcome      string
		finding      string
		records      int
	}{
		{"unsealed-inserted", "past the end of the first session, and not sealed yet in the second", 3, 0, true, "3", incomplete, "UNSEALED", 7},
		{"unsealed-voided", "void in the first session, and not sealed yet in the second", 3, 1, true, "3", incomplete, "UNSEALED", 7},
		{"unsealed-conflict", "taken by another record in the first session, and not sealed yet in the second", 4, 0, true, "3", incomplete, "UNSEALED", 8},
		{"voided-conflict", "void in the first session, and taken by another record in the second", 1, 2, false, "1", incomplete, "VOIDED", 5},
		{"voided-inserted", "void in the first session, and past the end of the second", 3, 1, false, "3", incomplete, "VOIDED", 7},
		{"conflict-inserted", "taken by another record in the first session, and past the end of the second", 4, 0, false, "3", tampered, "CONFLICT", 8},
	} {
		v := newVectorStream(s.t, "shared")
		v.cfg.random = &nonces{v.cfg.random.(*fixedRandom), []uint64{361421, 673784}}
		v.begin()
		v.log(c.sent, true, true, true)
		if c.voided > 0 {
			v.log(c.voided, false, true, false)
		}
		v.end()
		v.begin()
		v.log(3, true, true, true)
		v.end()
		if c.open {
			v.drop(len(v.lines) - 1)
		}
		v.again(0, c.seq)
		v.replace(len(v.lines)-1, "line 0", "line X")
		want := verdicts{c.finding: 1}
		if c.open {
			want["OPEN_END"] = 1
		}
		s.add("shared-"+c.name+".jsonl", "two sessions have one handle, and the id of one more record is "+c.what, v, c.outcome, c.records, c.records-1, want)
	}
}
