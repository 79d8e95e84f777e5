// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
	"github.com/logseal/logseal/pkg/seal/verifier"
)

// on is a finding on records of one session.
type on struct {
	reason      finding.Reason
	first, last uint64
}

const (
	someHandle = "k3x7a2qd"
	elsewhere  = "elsewhere " // before a reason: on another stream
)

func (o on) finding() finding.Finding {
	reason, other := strings.CutPrefix(string(o.reason), elsewhere)
	f := finding.New(finding.Reason(reason))
	f.Stream = "web-17"
	if other {
		f.Stream = "db-3"
	}
	f.SetIDs(someHandle, o.first, o.last)
	if f.Code == finding.Voided { // the offline verifier does not say which
		f.ID, f.LastID = "", ""
	}
	return f
}

// TestLeeway: where a watcher may say something else than the offline verifier, it may do so of these records, and in no other way.
func TestLeeway(t *testing.T) {
	waiting := seal.Ranges{{First: 40, Last: 49}}
	for name, c := range map[string]struct {
		want, got []on
		differs   bool
	}{
		"a record waits in a session that goes on":               {want: []on{{finding.SealMissing, 40, 44}}},
		"and another does not":                                   {want: []on{{finding.SealMissing, 40, 44}, {finding.SealMissing, 60, 60}}, differs: true},
		"and a part of the run does not":                         {want: []on{{finding.SealMissing, 38, 44}}, got: []on{{finding.SealMissing, 38, 39}}},
		"which is not found":                                     {want: []on{{finding.SealMissing, 38, 44}}, differs: true},
		"a record waits that lost power":                         {want: []on{{finding.PowerLost, 40, 44}}, differs: true},
		"a record waits that is missing":                         {want: []on{{finding.RecordMissing, 40, 44}}, differs: true},
		"a record waits that was inserted":                       {want: []on{{finding.UncoveredAtTheEnd, 40, 44}}, differs: true},
		"one of a group is named":                                {want: []on{{finding.PolicyUnknown, 3, 15}}, got: []on{{finding.PolicyUnknown, 5, 5}}},
		"none is":                                                {want: []on{{finding.PolicyUnknown, 3, 15}}, differs: true},
		"one of another group is":                                {want: []on{{finding.PolicyUnknown, 0, 15}, {finding.PolicyUnknown, 48, 63}}, got: []on{{finding.PolicyUnknown, 5, 5}}, differs: true},
		"one of the group is altered, and that is not said":      {want: []on{{finding.PolicyUnknown, 3, 15}, {finding.DigestDiffers, 20, 20}}, got: []on{{finding.PolicyUnknown, 5, 5}}, differs: true},
		"all but those whose short digest tells":                 {want: []on{{finding.GroupDiffers, 3, 15}}, got: []on{{finding.GroupDiffers, 5, 5}}, differs: true},
		"a void one came long after its session":                 {want: []on{{finding.VoidID, 7, 9}}, got: []on{{finding.CameAgain, 7, 9}}},
		"and another void one is not found":                      {want: []on{{finding.VoidID, 7, 10}}, got: []on{{finding.CameAgain, 7, 9}}, differs: true},
		"and another came in time":                               {want: []on{{finding.VoidID, 7, 9}}, got: []on{{finding.VoidID, 7, 7}, {finding.CameAgain, 8, 9}}},
		"and copies of others came":                              {want: []on{{finding.VoidID, 7, 9}}, got: []on{{finding.VoidID, 7, 7}, {finding.CameAgain, 8, 20}}},
		"void ones came long after, on another stream":           {want: []on{{finding.VoidID, 7, 9}}, got: []on{{elsewhere + finding.CameAgain, 7, 9}}, differs: true},
		"an altered one came again":                              {want: []on{{finding.DigestDiffers, 7, 7}}, got: []on{{finding.CameAgain, 7, 7}}, differs: true},
		"a missing one came again":                               {want: []on{{finding.RecordMissing, 7, 7}}, got: []on{{finding.CameAgain, 7, 7}}, differs: true},
		"a forged one is counted again":                          {want: []on{{finding.OtherBacked, 7, 7}}, got: []on{{finding.OtherBacked, 7, 7}, {finding.OtherBacked, 7, 7}}},
		"more often than it came":                                {want: []on{{finding.OtherBacked, 7, 7}}, got: []on{{finding.OtherBacked, 7, 7}, {finding.OtherBacked, 7, 7}, {finding.OtherBacked, 7, 7}, {finding.OtherBacked, 7, 7}}, differs: true},
		"and another one":                                        {want: []on{{finding.OtherBacked, 7, 7}}, got: []on{{finding.OtherBacked, 7, 7}, {finding.OtherBacked, 8, 8}}, differs: true},
		"of two one is counted twice":                            {want: []on{{finding.OtherBacked, 7, 8}}, got: []on{{finding.OtherBacked, 7, 7}, {finding.OtherBacked, 7, 7}}, differs: true},
		"an altered one is counted again":                        {want: []on{{finding.DigestDiffers, 7, 7}}, got: []on{{finding.DigestDiffers, 7, 7}, {finding.DigestDiffers, 7, 7}}, differs: true},
		"another branch of a fork is followed":                   {want: []on{{finding.NumberTwice, 0, 0}, {finding.RecordMissing, 7, 7}}, got: []on{{finding.NumberTwice, 0, 0}, {finding.UncoveredAtTheEnd, 9, 9}}},
		"the fork is not found":                                  {want: []on{{finding.NumberTwice, 0, 0}, {finding.RecordMissing, 7, 7}}, got: []on{{finding.RecordMissing, 7, 7}}, differs: true},
		"the fork is false":                                      {want: []on{{finding.RecordMissing, 7, 7}}, got: []on{{finding.NumberTwice, 0, 0}, {finding.RecordMissing, 7, 7}}, differs: true},
		"a fork and a loss elsewhere":                            {want: []on{{finding.NumberTwice, 0, 0}, {finding.RecordMissing, 7, 7}, {elsewhere + finding.RecordMissing, 7, 7}}, got: []on{{finding.NumberTwice, 0, 0}}, differs: true},
		"a fork and a false alarm elsewhere":                     {want: []on{{finding.NumberTwice, 0, 0}}, got: []on{{finding.NumberTwice, 0, 0}, {elsewhere + finding.RecordMissing, 7, 7}}, differs: true},
		"what was given up as missing came":                      {got: []on{{finding.RecordMissing, 7, 9}, {finding.CameAgain, 7, 9}}},
		"and another one did not":                                {got: []on{{finding.RecordMissing, 7, 10}, {finding.CameAgain, 7, 9}}, differs: true},
		"the genuine one came when the altered one was given up": {want: []on{{finding.OtherBacked, 7, 7}}, got: []on{{finding.DigestDiffers, 7, 7}, {finding.CameAgain, 7, 7}}},
		"and of another altered one nobody came":                 {want: []on{{finding.OtherBacked, 7, 7}}, got: []on{{finding.DigestDiffers, 7, 8}, {finding.CameAgain, 7, 7}}, differs: true},
		"and others came":                                        {got: []on{{finding.RecordMissing, 7, 9}, {finding.CameAgain, 17, 19}}, differs: true},
		"a false alarm on what waits":                            {got: []on{{finding.RecordMissing, 40, 40}}, differs: true},
		"a false alarm beside what may wait":                     {want: []on{{finding.SealMissing, 40, 44}}, got: []on{{finding.DigestDiffers, 41, 41}}, differs: true},
	} {
		t.Run(name, func(t *testing.T) {
			claims := func(list []on) claims {
				report := &verifier.Report{}
				for _, o := range list {
					report.Findings = append(report.Findings, o.finding())
				}
				return claimsOf(report)
			}
			want, got := claims(c.want), claims(c.got)
			want.mayWait(map[string]seal.Ranges{someHandle: waiting})
			got.mayStay()
			want.agree(got)
			want.mayRepeat(got, map[string]uint64{"web-17": 2})
			if got.differs(want) != "" {
				want.eitherFork(got, false)
			}
			if differs := got.differs(want); c.differs {
				require.NotEmpty(t, differs)
			} else {
				require.Empty(t, differs)
			}
		})
	}
}

// TestForgetting: what a kill, or looking at a part, excuses, and nothing beside it. Each excuse is needed by one of the cases at least.
func TestForgetting(t *testing.T) {
	const web, db, other = "web-17", "db-3", "a7b2c3d4"
	one := func(code finding.Code, stream, handle string) claims {
		cs := claims{}
		cs.add(about{code, stream}, 1).with(handle, seal.Range{First: 7, Last: 7})
		return cs
	}
	lost := forgetting{lost: map[string]bool{web: true}}
	young := forgetting{young: map[string]bool{web: true}}
	unknown := forgetting{unknown: map[string]bool{someHandle: true}}
	partial, skips := forgetting{partial: true}, forgetting{skips: true}
	cases := map[string]struct {
		f         forgetting
		want, got claims
		differs   bool
	}{
		"nothing":                                   {},
		"the same":                                  {want: one(finding.Altered, web, someHandle), got: one(finding.Altered, web, someHandle)},
		"a false alarm":                             {got: one(finding.Missing, web, someHandle), differs: true},
		"another alarm on the same record":          {want: one(finding.Conflict, web, someHandle), got: one(finding.Altered, web, someHandle)},
		"one on another record":                     {want: one(finding.Conflict, web, other), got: one(finding.Altered, web, someHandle), differs: true},
		"one on another stream":                     {want: one(finding.Altered, web, someHandle), got: union(one(finding.Altered, web, someHandle), one(finding.Altered, db, someHandle)), differs: true},
		"a false alarm on what was lost":            {f: lost, got: one(finding.Missing, web, someHandle), differs: true},
		"not looked at":                             {want: one(finding.Altered, web, someHandle), got: one(finding.Unchecked, web, someHandle)},
		"another one was not looked at":             {want: one(finding.Altered, web, someHandle), got: one(finding.Unchecked, web, other), differs: true},
		"another stream was not looked at":          {want: one(finding.Altered, web, someHandle), got: one(finding.Unchecked, db, someHandle), differs: true},
		"nobody knows of which stream":              {f: skips, want: one(finding.Altered, web, someHandle), got: one(finding.Unchecked, "", someHandle)},
		"nobody knows, and all was looked at":       {want: one(finding.Altered, web, someHandle), got: one(finding.Unchecked, "", someHandle), differs: true},
		"late, and seals were not looked at":        {want: one(finding.Late, web, someHandle), got: one(finding.Unchecked, web, "")},
		"late, and records were not looked at":      {want: one(finding.Late, web, someHandle), got: one(finding.Unchecked, web, other), differs: true},
		"altered, and seals were not looked at":     {want: one(finding.Altered, web, someHandle), got: one(finding.Unchecked, web, ""), differs: true},
		"lost":                                      {f: lost, want: one(finding.Altered, web, someHandle)},
		"lost of another stream":                    {f: lost, want: one(finding.Altered, db, someHandle), differs: true},
		"lost, and it is of no stream":              {f: lost, want: one(finding.BadSeal, "", "")},
		"nothing is lost, and it is of no stream":   {f: young, want: one(finding.BadSeal, "", ""), differs: true},
		"an orphan, since its seal was lost":        {f: lost, got: one(finding.Orphan, "", someHandle)},
		"an orphan, and no seal was lost":           {f: young, got: one(finding.Orphan, "", someHandle), differs: true},
		"two with one id that is void":              {f: lost, want: one(finding.Voided, web, ""), got: one(finding.Conflict, web, someHandle)},
		"two with one id that is void, whoever's":   {f: lost, want: one(finding.Voided, web, ""), got: one(finding.Conflict, "", someHandle)},
		"two with one id, and none is void":         {f: lost, want: one(finding.Missing, web, other), got: one(finding.Conflict, web, someHandle), differs: true},
		"two with one id that is void elsewhere":    {f: lost, want: one(finding.Voided, db, ""), got: union(one(finding.Conflict, web, someHandle), one(finding.Voided, db, "")), differs: true},
		"altered, and its id is void":               {f: lost, want: one(finding.Voided, web, ""), got: one(finding.Altered, web, someHandle), differs: true},
		"inserted just before":                      {f: young, want: one(finding.Inserted, web, someHandle)},
		"a second one just before":                  {f: young, want: one(finding.Conflict, web, someHandle)},
		"inserted just before, into another stream": {f: young, want: one(finding.Inserted, db, someHandle), differs: true},
		"altered just before":                       {f: young, want: one(finding.Altered, web, someHandle), differs: true},
		"missing just before":                       {f: young, want: one(finding.Missing, web, someHandle), differs: true},
		"inserted into an unknown session":          {f: unknown, want: one(finding.Inserted, web, someHandle)},
		"an orphan of an unknown session":           {f: unknown, want: one(finding.Orphan, "", someHandle)},
		"a second one of an unknown session":        {f: unknown, want: one(finding.Conflict, "", someHandle)},
		"and one of a known session":                {f: unknown, want: union(one(finding.Inserted, web, someHandle), one(finding.Inserted, web, other)), differs: true},
		"and that one is found":                     {f: unknown, want: union(one(finding.Inserted, web, someHandle), one(finding.Inserted, web, other)), got: one(finding.Inserted, web, other)},
		"and an orphan of another that is found":    {f: unknown, want: union(one(finding.Orphan, "", someHandle), one(finding.Orphan, "", other)), got: one(finding.Orphan, "", other)},
		"an orphan of another session":              {f: unknown, want: one(finding.Orphan, "", other), differs: true},
		"altered in an unknown session":             {f: unknown, want: one(finding.Altered, web, someHandle), differs: true},
		"missing, or others have it":                {f: partial, want: one(finding.Missing, web, someHandle)},
		"missing is said, and others may have it":   {f: partial, want: one(finding.Missing, web, someHandle), got: one(finding.Missing, web, someHandle), differs: true},
		"altered, whatever others see":              {f: partial, want: one(finding.Altered, web, someHandle), differs: true},
		"forked, whatever others see":               {f: partial, want: one(finding.Forked, web, ""), differs: true},
	}
	differs := func(name, denied string) bool {
		c := cases[name]
		c.f.denied = denied
		said := claims{}
		for at, g := range c.got {
			said = union(said, claims{{stream: at.stream}: g})
		}
		return c.f.alarmsWithoutCause(c.got, c.want)+c.f.lostFindings(c.want, said) != ""
	}
	for name, c := range cases {
		require.Equal(t, c.differs, differs(name, ""), name)
	}
	for _, e := range slices.Concat(alarmExcuses, lossExcuses) {
		needed := false
		for name, c := range cases {
			needed = needed || differs(name, e.name) != c.differs
		}
		require.True(t, needed, "no case needs the excuse %q", e.name)
	}
}
