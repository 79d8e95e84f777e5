// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/internal/forge"
	"github.com/logseal/logseal/pkg/seal/internal/keychain"
)

// host makes the seals of a stream: an open seal, then heartbeats.
type host struct {
	*forge.Forger
	t     *testing.T
	trust seal.Trust
	base  seal.Seal
	notes []string // by number
	taken map[int]*keychain.Chain
}

// newHost makes seals up to a number.
func newHost(t *testing.T, postQuantum bool, last int) *host {
	random := rand.NewChaCha8([32]byte{1})
	keys, err := keychain.New(postQuantum, random)
	require.NoError(t, err)
	h := &host{Forger: &forge.Forger{Chain: keys, Random: random}, t: t, trust: seal.Trust{Name: "web-17", Key: keys.Key.Public}, taken: map[int]*keychain.Chain{}}
	if postQuantum {
		h.trust.PostQuantum = seal.MLDSAHash(keys.First.Public)
	}
	nonce := [16]byte{7}
	h.base = seal.Seal{
		StreamID: h.trust.StreamID(), Kind: seal.KindHeartbeat, Nonce: nonce, Handle: seal.NewHandle(&h.trust.Key, &nonce),
		Time: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC), BootID: [16]byte{1},
	}
	for n := range last + 1 {
		s := h.base
		if n == 0 {
			s.Kind, s.Name, s.Key, s.Software, s.Interval, s.Heartbeat = seal.KindOpen, "web-17", h.trust.Key, "test/1", time.Second, time.Minute
		}
		if n%20 == 3 {
			h.taken[n] = h.Chain.Clone()
		}
		h.notes = append(h.notes, h.Seal(s, nil))
	}
	return h
}

// thief has the keys that the host had before a seal.
func (h *host) thief(before int) *forge.Forger {
	return &forge.Forger{Chain: h.taken[before].Clone(), Random: h.Random}
}

// anchorWithForeignKey is an anchor with the anchor's key, what the seal before it hashes to as prev, and a key of its own that nobody names.
func (h *host) anchorWithForeignKey(number int) string {
	f := h.thief(3)
	key, err := keychain.NewKeyPair(h.Random)
	require.NoError(h.t, err)
	before := h.parse(h.notes[number-1])
	f.Chain.Number, f.Chain.Key, f.Chain.Prev = uint64(number), key, before.TextHash()
	return f.Seal(h.base, func(s *seal.Seal) { s.Anchors = h.parse(h.notes[number]).Seal.Anchors })
}

// rewritten returns the seals as who had the anchor's key has rewritten them, from behind one up to the anchor and the next.
func (h *host) rewritten(from int, fork bool) []string {
	f := h.thief(3)
	f.Rewind(h.parse(h.notes[from]))
	if fork {
		f.Chain.Prev[0]++
	}
	notes := slices.Clone(h.notes[:from+1])
	for f.Number() < 66 {
		notes = append(notes, f.Seal(h.base, nil))
	}
	return notes
}

func (h *host) parse(body string) *seal.Note {
	n, err := seal.ParseNote(body)
	require.NoError(h.t, err)
	return n
}

// without returns the notes but for some numbers.
func (h *host) without(first, last int) []string {
	return slices.Delete(slices.Clone(h.notes), first, last+1)
}

// listener collects what a chain says.
type listener struct {
	chain   *Chain
	genuine map[uint64]bool
}

func (l *listener) Genuine(g Genuine)      { l.genuine[g.Seal.Number] = true }
func (*listener) Adjacent(_, _ *seal.Seal) {}

// told is what a chain has said in the end.
type told struct {
	genuine, late int
	findings      map[finding.Code]int
	postQuantum   int
	depends       bool
}

func (h *host) tell(notes []string, ordered bool, memory *Memory) told {
	var list finding.List
	c := New(Config{Trust: h.trust, StreamID: h.trust.StreamID(), Memory: memory, Findings: &list, Ordered: ordered})
	l := &listener{c, map[uint64]bool{}}
	c.Listen(l)
	for i, body := range notes {
		n, err := ParseNote([]byte(body), finding.Place{File: "-", Line: i + 1})
		require.NoError(h.t, err)
		c.Add(n)
	}
	c.TakeWaiting()
	if c.FinishSeals() {
		c.FinishContradictions()
	}
	t := told{genuine: len(l.genuine), findings: map[finding.Code]int{}, depends: c.DependsOnOrder()}
	for _, f := range list.Sorted() {
		t.findings[f.Code] += int(f.Count)
	}
	for number := range l.genuine {
		if _, late := c.LateUntil(number); late {
			t.late++
		}
	}
	if c.Begun() {
		if until, why := c.PostQuantum(); why == "" {
			t.postQuantum = int(until)
		}
	}
	return t
}

// TestRules: what section 8.1 makes of notes, as they come, in other orders where that can be told, and in the order of their numbers.
func TestRules(t *testing.T) {
	h := newHost(t, false, 130)
	quantum := newHost(t, true, 130)
	cut := func(note, suffix string) string { return cutSignature(t, note, suffix) }
	own := func(h *host) string { return "logseal.v1/" + h.trust.StreamID() }
	replaced := func(h *host, number int, body ...string) []string {
		return slices.Concat(h.notes[:number], body, h.notes[number+1:])
	}
	codes := func(pairs ...any) map[finding.Code]int {
		m := map[finding.Code]int{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i].(finding.Code)] = pairs[i+1].(int)
		}
		return m
	}
	for name, c := range map[string]struct {
		host  *host
		notes []string
		want  told
	}{
		"rule 1":                          {h, h.notes, told{genuine: 131, findings: codes()}},
		"rule 1, post-quantum":            {quantum, quantum.notes, told{genuine: 131, postQuantum: 128, findings: codes()}},
		"rule 2, a gap":                   {h, h.without(5, 10), told{genuine: 125, late: 53, findings: codes(finding.MissingSeal, 6)}},
		"rule 2, an anchor is missing":    {h, h.without(64, 64), told{genuine: 130, late: 63, findings: codes(finding.MissingSeal, 1)}},
		"rule 2, not signed with the key": {h, h.rewritten(40, false), told{genuine: 66, late: 23, findings: codes(finding.BrokenChain, 1)}},
		"rule 2, another before":          {h, h.rewritten(40, true), told{genuine: 66, late: 23, findings: codes(finding.Forked, 1)}},
		"rule 1, an anchor's own key":     {h, replaced(h, 64, h.anchorWithForeignKey(64))[:67], told{genuine: 64, findings: codes(finding.BadSeal, 3)}},
		"rule 3, beside a genuine anchor": {h, append(slices.Clone(h.notes), h.anchorWithForeignKey(64)), told{genuine: 131, findings: codes(finding.BadSeal, 1)}},
		"rule 2, one of two copies of an anchor bears each signature": {
			h, slices.Concat(h.notes[:30], h.notes[31:64], []string{cut(h.notes[64], own(h)+"/anchor"), cut(h.notes[64], own(h))}, h.notes[65:]),
			told{genuine: 130, late: 33, findings: codes(finding.MissingSeal, 1)},
		},
		"rule 5":  {quantum, replaced(quantum, 64, cut(quantum.notes[64], own(quantum)+"/ml-dsa-44")), told{genuine: 131, postQuantum: 128, findings: codes(finding.BrokenChain, 1)}},
		"nothing": {h, h.notes[1:], told{findings: codes(finding.BadSeal, 130, finding.Absent, 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2) {
				notes := slices.Clone(c.notes)
				rand.New(rand.NewPCG(seed, 1)).Shuffle(len(notes), func(i, j int) { notes[i], notes[j] = notes[j], notes[i] })
				require.Equal(t, c.want, c.host.tell(notes, true, new(Memory)), "in the order of numbers, seed %d", seed)
				got := c.host.tell(notes, false, new(Memory))
				if !got.depends {
					require.Equal(t, c.want, got, "as they come, seed %d", seed)
				}
			}
		})
	}
}

// TestDependsOnOrder: a chain knows when what it says is due to the order in which its notes came.
func TestDependsOnOrder(t *testing.T) {
	h := newHost(t, false, 66)
	forged := h.anchorWithForeignKey(64)
	inOrder := append(slices.Clone(h.notes[:64]), forged)
	anchorFirst := slices.Insert(slices.Clone(h.notes[:64]), 1, forged)
	want := h.tell(inOrder, false, new(Memory))
	require.False(t, want.depends)
	require.Equal(t, map[finding.Code]int{finding.BadSeal: 1}, want.findings)
	asTheyCome := h.tell(anchorFirst, false, new(Memory))
	require.True(t, asTheyCome.depends)
	require.Equal(t, map[finding.Code]int{finding.BrokenChain: 1}, asTheyCome.findings)
	require.Equal(t, want, h.tell(anchorFirst, true, new(Memory)))

	t.Run("and not where all fits in the end", func(t *testing.T) {
		notes := slices.Insert(slices.Clone(h.notes[:64]), 1, h.notes[64])
		require.False(t, h.tell(notes, false, new(Memory)).depends)
	})
	t.Run("and takes seals as they come where too many wait", func(t *testing.T) {
		require.Equal(t, asTheyCome.findings, h.tell(anchorFirst, true, &Memory{held: maxOrdered + 1}).findings)
	})
}

// TestRivalWaits: another text of a seal that an anchor led down to is judged once the seal before has come, which names the key of both.
func TestRivalWaits(t *testing.T) {
	h := newHost(t, false, 66)
	rival := h.base
	rival.Time = rival.Time.Add(time.Millisecond)
	signed := h.thief(23)
	unsigned := h.thief(23)
	var err error
	unsigned.Chain.Key, err = keychain.NewKeyPair(h.Random)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		rival string
		want  finding.Code
	}{
		"signed with its key": {signed.Seal(rival, nil), finding.Forked},
		"signed with another": {unsigned.Seal(rival, nil), finding.BadSeal},
	} {
		t.Run(name, func(t *testing.T) {
			notes := append(h.without(22, 22), c.rival, h.notes[22])
			want := told{genuine: 67, findings: map[finding.Code]int{c.want: 1}, depends: c.want == finding.Forked}
			require.Equal(t, want, h.tell(notes, false, new(Memory)))
		})
	}
}

// TestAnchorOfTheChainOwesNothing: rule 5 is for anchors that a later one leads down to. One that goes on from the seal before is signed with the key that
// this names, though an earlier seal names another: that is held against the seal before, and once.
func TestAnchorOfTheChainOwesNothing(t *testing.T) {
	h := newHost(t, true, 62)
	h.Chain.Anchors = h.Chain.Anchors[1:] // a new key for seal 64
	for h.Number() <= 66 {
		h.notes = append(h.notes, h.Seal(h.base, nil))
	}
	want := told{genuine: 67, findings: map[finding.Code]int{finding.BrokenChain: 1}}
	require.Equal(t, want, h.tell(h.notes, false, new(Memory)))
}

// TestMissing: where the keys before a seal do not vouch for it, no seal is missing for that (8.1, rule 2).
func TestMissing(t *testing.T) {
	h := newHost(t, false, 130)
	whole := h.rewritten(40, false)
	for without, missing := range map[int]bool{-1: false, 30: true, 50: true} {
		c := New(Config{Trust: h.trust, StreamID: h.trust.StreamID(), Memory: new(Memory), Findings: new(finding.List)})
		c.Listen(&listener{c, map[uint64]bool{}})
		for i, body := range whole {
			if i != without {
				n, err := ParseNote([]byte(body), finding.Place{Line: i})
				require.NoError(t, err)
				c.Add(n)
			}
		}
		c.TakeWaiting()
		require.True(t, c.FinishSeals())
		require.EqualValues(t, 65, c.Tip().Number)
		require.Equal(t, missing, c.Missing(20, 64), "without %d", without)
	}
}

// TestEveryCopyCounts: a note that nothing vouches for is counted as often as it is there, whether it waits or not.
func TestEveryCopyCounts(t *testing.T) {
	h := newHost(t, false, 5)
	f := h.thief(3)
	var err error
	f.Chain.Key, err = keychain.NewKeyPair(h.Random)
	require.NoError(t, err)
	strange := f.Seal(h.base, nil)
	for _, notes := range [][]string{{strange, strange, h.notes[0], h.notes[1], h.notes[2], h.notes[3]}, {h.notes[0], h.notes[1], h.notes[2], h.notes[3], strange, strange}} {
		require.Equal(t, 2, h.tell(notes, false, new(Memory)).findings[finding.BadSeal])
	}
}

// cutSignature takes the signature of a key off a note.
func cutSignature(t *testing.T, note, name string) string {
	before, after, found := strings.Cut(note, "— "+name+" ")
	require.True(t, found)
	_, after, _ = strings.Cut(after, "\n")
	return before + after
}
