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
)

// forgetting is what a watcher may not know of what came: it was killed, or looked at a part.
type forgetting struct {
	lost    map[string]bool // names of streams of which something was seen and forgotten
	young   map[string]bool // names of streams of which something came just before the state that was restored, which does not hold that yet
	unknown map[string]bool // handles of sessions that were not known then: a state does not hold their records
	partial bool            // it knows that others see a part
	skips   bool            // what comes is not looked at, now and then
	denied  string          // the name of an excuse that is not granted
}

func newForgetting() forgetting {
	return forgetting{lost: map[string]bool{}, young: map[string]bool{}, unknown: map[string]bool{}}
}

// excuse says when a claim of one verifier may stand that the other does not make. all is what the offline verifier says.
type excuse struct {
	name   string
	covers func(f *forgetting, at about, c *claim, all claims) bool
}

func (f *forgetting) excused(excuses []excuse, at about, c *claim, all claims) bool {
	return slices.ContainsFunc(excuses, func(e excuse) bool { return e.name != f.denied && e.covers(f, at, c, all) })
}

// notOfStrangers are what cannot be said of records of a session that a watcher has forgotten while it did not know it.
var notOfStrangers = []finding.Code{finding.Orphan, finding.Conflict, finding.Inserted}

// alarmExcuses are for alarms of the watcher.
var alarmExcuses = []excuse{
	{"whose a record is was forgotten", func(f *forgetting, at about, _ *claim, _ claims) bool {
		return at.code == finding.Orphan && len(f.lost) > 0
	}},
	{"that ids are void was forgotten, and maybe whose they are", func(f *forgetting, at about, _ *claim, all claims) bool {
		if at.code != finding.Conflict {
			return false
		}
		for name := range f.lost {
			if (at.stream == name || at.stream == "") && all[about{finding.Voided, name}] != nil {
				return true
			}
		}
		return false
	}},
}

// lossExcuses are for what the watcher does not say.
var lossExcuses = []excuse{
	{"others see that part", func(f *forgetting, at about, _ *claim, _ claims) bool {
		return f.partial && at.code != finding.Altered && at.code != finding.Forked && at.code != finding.Conflict
	}},
	{"what it rests on was forgotten", func(f *forgetting, at about, _ *claim, _ claims) bool {
		return f.lost[at.stream] || at.stream == "" && len(f.lost) > 0
	}},
	{"a state does not hold what has just come", func(f *forgetting, at about, _ *claim, _ claims) bool {
		return f.young[at.stream] && (at.code == finding.Inserted || at.code == finding.Conflict)
	}},
	{"a state does not hold records of sessions that are not known", func(f *forgetting, at about, c *claim, _ claims) bool {
		return slices.Contains(notOfStrangers, at.code) && c.isOf(f.unknown)
	}},
}

// isOf reports whether all records that a claim names are of these handles.
func (c *claim) isOf(handles map[string]bool) bool {
	for handle := range c.which {
		if !handles[handle] {
			return false
		}
	}
	return len(c.which) > 0
}

// alarmsWithoutCause says which alarms there are at the end that the offline verifier does not raise. What a watcher has forgotten makes others of them: a record
// that was altered is one of two with its id.
func (f *forgetting) alarmsWithoutCause(got, want claims) string {
	var b strings.Builder
	for at, c := range got {
		switch {
		case at.code.Verdict() != finding.Tampered:
			continue
		case f.partial && (at.code == finding.Missing || at.code == finding.Inserted || at.code == finding.Orphan || at.code == finding.MissingSeal):
			fmt.Fprintf(&b, "%v: false alarm, since others may have it: %v\n", at, c)
			continue
		case f.excused(alarmExcuses, at, c, want):
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

// lostFindings says which records and seals the offline verifier raises an alarm on and the watcher has said nothing of. Where it has forgotten that a part of a stream
// has passed, it cannot say which, and says so once for all.
func (f *forgetting) lostFindings(want, said claims) string {
	var b strings.Builder
	for at, w := range want {
		if at.code.Verdict() != finding.Tampered {
			continue
		}
		if slices.Contains(notOfStrangers, at.code) { // the rest has to be found
			known := maps.Clone(w.which)
			maps.DeleteFunc(known, func(handle string, _ seal.Ranges) bool { return f.unknown[handle] })
			if len(known) > 0 {
				w = &claim{n: w.n, which: known}
			}
		}
		if f.excused(lossExcuses, at, w, want) {
			continue
		}
		c := said[about{stream: at.stream}]
		if other := said[about{}]; f.skips && other != nil && at.stream != "" { // it was not known of which stream that was
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
