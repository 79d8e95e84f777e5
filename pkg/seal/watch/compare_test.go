// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/watch"
)

// compare checks what was found.
func (s *schedule) compare() {
	list := make([]claims, len(s.samples))
	for i, one := range s.samples {
		list[i] = one.claims
		if again := s.again[i]; len(again) > 0 { // an archive has that too
			all := slices.Clone(again)
			for _, c := range one.chunks {
				all = append(all, c.logs)
			}
			list[i] = claimsOf(offline(s.t, all, one.trust))
		}
	}
	repeated := map[string]uint64{}
	for i, one := range s.samples {
		for _, ld := range s.again[i] {
			repeated[one.trust.Name] += uint64(ld.LogRecordCount())
		}
	}
	want, got := union(list...), s.claims(func(e *watch.Event) bool {
		return !s.before[e.UID] || len(s.lost) == 0 && !s.young[e.Finding.Stream]
	})
	want.mayWait(s.w.Waiting())
	if s.small {
		got.mayStayMissing()
	}
	want.agree(got)
	want.mayRepeat(got, repeated)
	exact := s.kills == 0 && !s.skips && !s.small && !s.partial
	differs := func() string {
		if exact {
			return got.differs(want)
		}
		return s.alarmsWithoutCause(got, want) + s.lostFindings(want)
	}
	if differs() != "" {
		want.eitherFork(got, !exact)
	}
	if differs := differs() + s.alarmsInBetween(want, exact); differs != "" {
		s.fail(differs)
	}
}

// notInBetween are findings that end only if what was missing comes after its time. Others, such as BAD_SEAL and SILENT, last until the next seal.
var notInBetween = []finding.Code{finding.Missing, finding.MissingSeal, finding.Altered, finding.Inserted, finding.Unresolved, finding.Late, finding.BrokenChain, finding.Forked}

// alarmsInBetween says which alarms there were on the way, on streams that nobody touched, that the offline verifier does not raise: who waits long enough raises none.
func (s *schedule) alarmsInBetween(want claims, exact bool) string {
	var b strings.Builder
	for _, one := range s.samples {
		if !exact || !one.prompt || s.lateBy >= watch.DefaultLateAfter || s.repeats || one.claims[about{finding.Forked, one.trust.Name}] != nil {
			continue
		}
		for _, e := range s.log {
			if at := (about{e.Finding.Code, one.trust.Name}); e.Finding.Stream == at.stream && slices.Contains(notInBetween, at.code) && want[at] == nil {
				fmt.Fprintf(&b, "%v: false alarm in between: %s\n", at, describe(e))
			}
		}
	}
	return b.String()
}

// alarmsWithoutCause says which alarms there are at the end that the offline verifier does not raise. What a watcher has forgotten makes others of them: a record
// that was altered is one of two with its id.
func (s *schedule) alarmsWithoutCause(got, want claims) string {
	var b strings.Builder
	for at, c := range got {
		switch {
		case at.code.Verdict() != finding.Tampered:
			continue
		case s.partial && (at.code == finding.Missing || at.code == finding.Inserted || at.code == finding.Orphan || at.code == finding.MissingSeal):
			fmt.Fprintf(&b, "%v: false alarm, since others may have it: %v\n", at, c)
			continue
		case at.code == finding.Orphan && len(s.lost) > 0: // whose it is may have been forgotten
			continue
		case at.code == finding.Conflict && s.lost[at.stream] && want[about{finding.Voided, at.stream}] != nil: // or that the id is void
			continue
		}
		all := &claim{which: map[string]seal.Ranges{}}
		n := 0
		for of, w := range want {
			if (of.stream == at.stream || at.stream == "") && of.code.Verdict() == finding.Tampered {
				all = union(claims{at: all}, claims{at: w})[at]
				n++
			}
		}
		if n == 0 || c.exact() && !c.in(all) {
			fmt.Fprintf(&b, "%v: false alarm: %v, not %v\n", at, c, all)
		}
	}
	return b.String()
}

// lostFindings says which records and seals the offline verifier raises an alarm on and the watcher does not, nor says that it did not look. Where it has
// forgotten that a part of a stream has passed, it cannot say which, and says so once for all.
func (s *schedule) lostFindings(want claims) string {
	var b strings.Builder
	said := claims{}
	for _, e := range slices.Concat(s.log, s.w.Open()) { // what there is more of is told once a minute
		if e.Finding.Code == finding.Unchecked || e.Verdict() == finding.Tampered {
			said.add(about{stream: of(&e.Finding).stream}, 1).evidence(e)
		}
	}
	for at, w := range want {
		switch {
		case s.partial && at.code != finding.Altered && at.code != finding.Forked && at.code != finding.Conflict:
			continue
		case at.code.Verdict() != finding.Tampered, s.lost[at.stream], at.stream == "" && len(s.lost) > 0:
			continue
		case at.code == finding.Orphan, at == about{code: finding.Conflict}: // a state does not hold records of sessions that are not known
			continue
		case s.young[at.stream] && (at.code == finding.Inserted || at.code == finding.Conflict):
			continue
		}
		if at.code == finding.Inserted || at.code == finding.Conflict {
			w = &claim{n: w.n, which: maps.Clone(w.which)}
			for name := range s.unknown {
				delete(w.which, name)
			}
			if len(w.which) == 0 {
				continue
			}
		}
		c := said[about{stream: at.stream}]
		if other := said[about{}]; s.skips && other != nil && at.stream != "" { // it was not known of which stream that was
			c = union(claims{at: other}, claims{at: cmp.Or(c, &claim{})})[at]
		}
		if at.code == finding.Late && c != nil && c.which[""] != nil { // the seals for want of which they are late may have come then
			continue
		}
		if c == nil || !c.cut && !w.in(c) {
			fmt.Fprintf(&b, "%v: lost: %v, not %v\n", at, c, w)
		}
	}
	return b.String()
}

func (s *schedule) fail(why string) {
	var b strings.Builder
	for _, one := range s.samples {
		fmt.Fprintf(&b, "%s\n%s", one.what, show(one.report))
	}
	s.t.Errorf("restarts %d, late by %s, clock steps %v, repeats %v, skips %v, small %v, learns %v, partial %v: %s\n%s\n---\n%s", s.restart, s.lateBy, s.steps, s.repeats, s.skips, s.small, s.learns, s.partial, why, s, b.String())
}
