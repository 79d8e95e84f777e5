// SPDX-License-Identifier: Apache-2.0

package session

import (
	"slices"

	"github.com/logseal/logseal/pkg/seal"
)

// Resumed is what is known of a session when its stream is verified from a seal on that somebody vouches for.
type Resumed struct {
	Last    *seal.Seal // its last seal; nil to say that Open is all there is
	Open    *seal.Seal // its open seal; nil if it is not known
	Settled seal.Ranges
}

// Resume makes the session of a stream's first seal, and the one before it unless that is nil, what they were when the seal was made. Section 8.4, last
// paragraph: what they settled by then is not judged again.
func (ss *Sessions) Resume(last Resumed, before *Resumed) (own, prior *Session) {
	if before != nil {
		prior = ss.resume(before)
	}
	own = ss.resume(&last)
	switch {
	case prior != nil:
		ss.link(prior, own)
	case last.Last.Kind == seal.KindAdopt:
		ss.resumeAdopted(own, last.Last)
	}
	ss.rollbacks = nil // what open seals say was said
	return own, prior
}

// resumeAdopted makes the session that a given seal adopts from, of which nothing else is known. Adopt seals that follow may settle more of it;
// the rest of its ids were settled before.
func (ss *Sessions) resumeAdopted(own *Session, s *seal.Seal) {
	from := ss.found(s.Adopts, s.Number)
	from.past = true
	for _, list := range []seal.Ranges{s.Covered, s.Void} {
		for _, r := range list {
			from.settled = from.settled.Add(r)
		}
	}
	from.before = slices.Clone(from.settled)
	ss.adopted = append(ss.adopted, from)
	own.adoptions = append(own.adoptions, adoption{s.Number, s.Adopts, from})
}

func (ss *Sessions) resume(r *Resumed) *Session {
	nonce := r.nonce()
	if r.Open != nil && (r.Last == nil || r.Open.Number < r.Last.Number) {
		ss.recordSeal(r.Open)
	}
	if r.Last != nil {
		ss.recordSeal(r.Last)
	}
	s := ss.byNonce[nonce]
	s.settled, s.before = slices.Clone(r.Settled), slices.Clone(r.Settled)
	return s
}

func (r *Resumed) nonce() [16]byte {
	if r.Last != nil {
		return r.Last.Nonce
	}
	return r.Open.Nonce
}

// Current returns the session of the chain's highest seal, of which there must be one, and the session before it if that may still be adopted from, nil if
// not: what [Sessions.Resume] goes on with. complete says that none of the first one's seals is missing.
func (ss *Sessions) Current() (own, prior *Session, complete bool) {
	last := ss.chain.Tip()
	own = ss.byNonce[last.Nonce]
	if before := own.prior; before != nil && !own.working && !before.closed && before.open != nil {
		prior = before
	}
	return own, prior, !ss.chain.Missing(own.start(), last.Number)
}

// FirstOpen returns the open seal with number 0, nil if that is not here.
func (ss *Sessions) FirstOpen() *seal.Seal {
	for _, s := range ss.byNonce {
		if s.open != nil && s.open.Number == 0 {
			return s.open
		}
	}
	return nil
}

// OpenSeal returns the session's open seal, nil if that is not here.
func (s *Session) OpenSeal() *seal.Seal { return s.open }

// SettledIDs returns the ids that seals cover or void.
func (s *Session) SettledIDs() seal.Ranges { return slices.Clone(s.settled) }
