// SPDX-License-Identifier: Apache-2.0

package verifier

import (
	"cmp"
	"crypto/x509"
	"slices"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/endorse"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// maxStrange bounds the seals that are kept of streams that nothing vouches for yet, in bytes of memory, roughly. What is passed over costs a
// second pass if something does later.
const maxStrange = 64 << 20

// TrustCA makes the verifier trust streams without a trust line too, if a certificate below these CAs vouches for their first seal
// (docs/stamp-format.md, section 7.1). It is to be called before anything is added.
func (v *Verifier) TrustCA(roots *x509.CertPool) { v.roots = roots }

// vouchEndorsed trusts a stream if its first seal is endorsed.
func (v *Verifier) vouchEndorsed(st *stream, first *seal.Seal) (name string, refusal finding.Reason) {
	identity, err := endorse.Check(first, v.roots)
	if err != nil {
		return "", endorse.Refusal(err)
	}
	st.identity = identity
	return endorse.StreamName(identity, first), ""
}

// isStrange reports whether nothing vouches for a stream. One that is to be trusted on first use is not strange for want of its first seal.
func (v *Verifier) isStrange(st *stream) bool { return v.roots != nil && !st.chain.Vouched() }

// lost reports whether seals of a stream were passed over before something vouched for it.
func (v *Verifier) lost() bool {
	for _, st := range v.streams {
		if st.chain.Lost() {
			return true
		}
	}
	return false
}

// identified is an endorsed stream.
type identified struct {
	*stream
	identity, name string
	began          time.Time // zero if it began before what is verified
}

// finishIdentities reports the streams of one identity and one name after the first. Whoever has a host's certificate can begin another stream in
// its name, and can do nothing to the one it has: so what came before must have been closed by then. Section 7.1.
func (v *Verifier) finishIdentities(streams []*stream) {
	if v.roots == nil {
		return
	}
	groups := map[[2]string][]identified{}
	for _, st := range streams {
		if s, ok := v.identify(st); ok {
			key := [2]string{s.identity, s.name}
			groups[key] = append(groups[key], s)
		}
	}
	for _, group := range groups {
		slices.SortFunc(group, func(a, b identified) int {
			return cmp.Or(a.began.Compare(b.began), cmp.Compare(a.chain.StreamID(), b.chain.StreamID()))
		})
		for i := 1; i < len(group); i++ {
			v.finishFurther(group[:i], group[i])
		}
	}
}

// identify says under which identity and name a stream runs, if a certificate vouches for it.
func (v *Verifier) identify(st *stream) (identified, bool) {
	switch first := st.sessions.FirstOpen(); {
	case !st.chain.Begun():
	case first != nil: // also of a stream with a trust line
		identity, err := endorse.Check(first, v.roots)
		return identified{st, identity, first.Name, first.Time}, err == nil
	case st.from != nil && st.from.Open != nil && st.identity != "":
		return identified{st, st.identity, st.from.Open.Name, time.Time{}}, true
	}
	return identified{}, false
}

// finishFurther reports a stream that began after others of its identity and name.
func (v *Verifier) finishFurther(before []identified, further identified) {
	if further.began.IsZero() {
		return // that was said when it began
	}
	for _, st := range before {
		if !st.chain.Closed() || st.chain.End().Time.After(further.began) {
			f := finding.New(finding.NotClosedBefore)
			f.Stream, f.Detail.StreamID = further.chain.Name(), st.chain.StreamID()
			v.findings.AddCause(f)
			return
		}
	}
	further.goesOn = before[len(before)-1].chain.StreamID()
}
