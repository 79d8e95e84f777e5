// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
		repeated[one.trust.Name] += one.report.Duplicates
		for _, ld := range s.again[i] {
			repeated[one.trust.Name] += uint64(ld.LogRecordCount())
		}
	}
	want, got := union(list...), s.claims(func(e *watch.Event) bool {
		return !s.before[e.UID] || len(s.lost) == 0 && !s.young[e.Finding.Stream]
	})
	want.mayWait(s.w.Waiting())
	if s.small {
		got.mayStay()
	}
	want.agree(got)
	want.mayRepeat(got, repeated)
	exact := s.kills == 0 && !s.skips && !s.small && !s.partial
	differs := func() string {
		if exact {
			return got.differs(want)
		}
		return s.alarmsWithoutCause(got, want) + s.lostFindings(want, s.said())
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

// compareClients checks that nobody was taken for another client, and that a client who sends what another has sent is found where the stream is bound.
func (s *schedule) compareClients() {
	other := func() map[string]bool {
		found := map[string]bool{}
		for _, e := range s.log {
			if e.Finding.Code == finding.IdentityMismatch {
				found[e.Finding.Stream] = true
			}
		}
		return found
	}
	if found := other(); len(found) > 0 {
		s.fail(fmt.Sprintf("false alarm: each stream came from its own client: %v", found))
		return
	}
	bound := map[string]bool{}
	for _, st := range s.w.Stats().Streams {
		bound[st.Name] = !st.SealTime.IsZero()
	}
	for _, one := range s.samples {
		for _, c := range one.chunks {
			s.take(s.w.Observe(c.logs, watch.Peer{Identity: "thief.example.com"}, s.now))
		}
	}
	s.take(s.w.Tick(s.now.Add(time.Second)))
	found := other()
	for _, one := range s.samples {
		if bound[one.trust.Name] && !found[one.trust.Name] {
			s.fail(fmt.Sprintf("what %s had sent came from another client, and that was not found", one.trust.Name))
		}
	}
}

// said returns the records and seals that the watcher has raised an alarm on, or has said not to have looked at: what there is more of is told once a minute.
func (s *schedule) said() claims {
	said := claims{}
	for _, e := range slices.Concat(s.log, s.w.Open()) {
		if e.Finding.Code == finding.Unchecked || e.Verdict() == finding.Tampered {
			said.add(about{stream: of(&e.Finding).stream}, 1).evidence(e)
		}
	}
	return said
}

func (s *schedule) fail(why string) {
	var b strings.Builder
	for _, one := range s.samples {
		fmt.Fprintf(&b, "%s\n%s", one.what, show(one.report))
	}
	s.t.Errorf("restarts %d, late by %s, clock steps %v, repeats %v, skips %v, small %v, learns %v, partial %v: %s\n%s\n---\n%s", s.restart, s.lateBy, s.steps, s.repeats, s.skips, s.small, s.learns, s.partial, why, s, b.String())
}
