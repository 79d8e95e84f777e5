// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"slices"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/endorse"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// maxEarly bounds the seals that are kept of streams that are not known yet.
const maxEarly = 256

// meet is called for a seal of a stream that is not known. It returns the stream if it is from now on: by its first seal, which a
// certificate vouches for, or which is trusted on first use.
func (w *Watcher) meet(n *note) *stream {
	s := n.Seal
	if !w.config.Learn && w.config.Roots == nil {
		w.stranger(finding.NotTrusted, n)
		return nil
	}
	if s.Number != 0 || s.Kind != seal.KindOpen || !n.Begins(&seal.Trust{Key: s.Key}) {
		w.waitForFirst(n)
		return nil
	}
	identity, refusal := w.vouch(s)
	if refusal == "" && len(w.streams) >= w.config.MaxStreams {
		refusal = finding.NotTrusted
	}
	if refusal != "" {
		w.stranger(refusal, n)
		return nil
	}
	before := w.endorsedAs(identity, s.Name)
	st := w.trust(s.FirstTrust())
	st.learned, st.endorsed, st.when, st.from, st.dirty = identity == "", identity, w.now, n.from, true
	if before != nil && (before.head == nil || before.head.kind != seal.KindClose || before.head.time.After(s.Time)) {
		w.add(finding.NotClosedBefore, subject{stream: st, from: n.from, detail: finding.Detail{StreamID: before.id}})
	}
	if c := w.causes.current[causeKey{reason: w.unvouched(), sub: st.id}]; c != nil {
		w.retract(c, c.remaining) // it was known before its first seal came
	}
	w.early = slices.DeleteFunc(w.early, func(other *note) bool {
		if other.Seal.StreamID == st.id {
			w.wait(st, other)
			return true
		}
		return false
	})
	return st
}

// vouch says whether a stream is trusted by its first seal: the identity of the certificate that vouches for it, empty if it is trusted
// on first use, or why it is not.
func (w *Watcher) vouch(first *seal.Seal) (identity string, refusal finding.Reason) {
	if w.config.Roots != nil {
		identity, err := endorse.Check(first, w.config.Roots)
		if err == nil {
			return identity, ""
		}
		if !w.config.Learn {
			return "", endorse.Refusal(err)
		}
	}
	if w.names[first.Name] > 0 {
		return "", finding.NameTaken
	}
	return "", ""
}

// endorsedAs returns the latest stream that a certificate of that identity vouches for under that name, nil if there is none.
func (w *Watcher) endorsedAs(identity, name string) (latest *stream) {
	if identity == "" || w.names[name] == 0 {
		return nil
	}
	for _, st := range w.streams {
		if st.endorsed == identity && st.trust.Name == name && (latest == nil || st.when.After(latest.when)) {
			latest = st
		}
	}
	return latest
}

// waitForFirst keeps a seal of a stream that is not known yet, for the case that its first seal comes late.
func (w *Watcher) waitForFirst(n *note) {
	if w.causes.current[causeKey{reason: w.unvouched(), sub: n.Seal.StreamID}] != nil {
		w.stranger(w.unvouched(), n)
		return
	}
	if len(w.early) >= maxEarly {
		w.judgeEarly(func(early *note) bool { return early == w.early[0] })
	}
	w.early = append(w.early, n)
}

// judgeEarly reports seals of streams whose first seal has not come.
func (w *Watcher) judgeEarly(ripe func(*note) bool) {
	w.early = slices.DeleteFunc(w.early, func(n *note) bool {
		if !ripe(n) {
			return false
		}
		w.stranger(w.unvouched(), n)
		return true
	})
}

// unvouched says why a stream is not trusted whose first seal is not here. Where others see a part of the streams, one of them may have it.
func (w *Watcher) unvouched() finding.Reason {
	switch {
	case w.config.Partial:
		return finding.NotWatched
	case w.config.Roots != nil:
		return finding.NotEndorsed
	}
	return finding.NotTrusted
}

// stranger reports a seal of a stream that nobody trusts.
func (w *Watcher) stranger(reason finding.Reason, n *note) {
	w.add(reason, subject{sub: n.Seal.StreamID, from: n.from, count: 1, detail: finding.Detail{StreamID: n.Seal.StreamID}})
}
