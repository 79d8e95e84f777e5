// SPDX-License-Identifier: Apache-2.0

package watch_test

import (
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
	return f
}

// TestLeeway: where a watcher may say something else than the offline verifier, it may do so of these records, and in no other way.
func TestLeeway(t *testing.T) {
	waiting := seal.Ranges{{First: 40, Last: 49}}
	for name, c := range map[string]struct {
		want, got []on
		differs   bool
	}{
		"a record waits in a session that goes on":          {want: []on{{finding.SealMissing, 40, 44}}},
		"and another does not":                              {want: []on{{finding.SealMissing, 40, 44}, {finding.SealMissing, 60, 60}}, differs: true},
		"and a part of the run does not":                    {want: []on{{finding.SealMissing, 38, 44}}, got: []on{{finding.SealMissing, 38, 39}}},
		"which is not found":                                {want: []on{{finding.SealMissing, 38, 44}}, differs: true},
		"a record waits that lost power":                    {want: []on{{finding.PowerLost, 40, 44}}, differs: true},
		"a record waits that is missing":                    {want: []on{{finding.RecordMissing, 40, 44}}, differs: true},
		"a record waits that was inserted":                  {want: []on{{finding.UncoveredAtTheEnd, 40, 44}}, differs: true},
		"one of a group is named":                           {want: []on{{finding.PolicyUnknown, 3, 15}}, got: []on{{finding.PolicyUnknown, 5, 5}}},
		"none is":                                           {want: []on{{finding.PolicyUnknown, 3, 15}}, differs: true},
		"one of another group is":                           {want: []on{{finding.PolicyUnknown, 0, 15}, {finding.PolicyUnknown, 48, 63}}, got: []on{{finding.PolicyUnknown, 5, 5}}, differs: true},
		"one of the group is altered, and that is not said": {want: []on{{finding.PolicyUnknown, 3, 15}, {finding.DigestDiffers, 20, 20}}, got: []on{{finding.PolicyUnknown, 5, 5}}, differs: true},
		"all but those whose short digest tells":            {want: []on{{finding.GroupDiffers, 3, 15}}, got: []on{{finding.GroupDiffers, 5, 5}}, differs: true},
		"a void one came long after its session":            {want: []on{{finding.VoidID, 7, 9}}, got: []on{{finding.CameAgain, 7, 9}}},
		"and another void one is not found":                 {want: []on{{finding.VoidID, 7, 10}}, got: []on{{finding.CameAgain, 7, 9}}, differs: true},
		"an altered one came again":                         {want: []on{{finding.DigestDiffers, 7, 7}}, got: []on{{finding.CameAgain, 7, 7}}, differs: true},
		"a missing one came again":                          {want: []on{{finding.RecordMissing, 7, 7}}, got: []on{{finding.CameAgain, 7, 7}}, differs: true},
		"a forged one is counted again":                     {want: []on{{finding.OtherBacked, 7, 7}}, got: []on{{finding.OtherBacked, 7, 7}, {finding.OtherBacked, 7, 7}}},
		"more often than it came":                           {want: []on{{finding.OtherBacked, 7, 7}}, got: []on{{finding.OtherBacked, 7, 7}, {finding.OtherBacked, 7, 7}, {finding.OtherBacked, 7, 7}, {finding.OtherBacked, 7, 7}}, differs: true},
		"and another one":                                   {want: []on{{finding.OtherBacked, 7, 7}}, got: []on{{finding.OtherBacked, 7, 7}, {finding.OtherBacked, 8, 8}}, differs: true},
		"of two one is counted twice":                       {want: []on{{finding.OtherBacked, 7, 8}}, got: []on{{finding.OtherBacked, 7, 7}, {finding.OtherBacked, 7, 7}}, differs: true},
		"an altered one is counted again":                   {want: []on{{finding.DigestDiffers, 7, 7}}, got: []on{{finding.DigestDiffers, 7, 7}, {finding.DigestDiffers, 7, 7}}, differs: true},
		"another branch of a fork is followed":              {want: []on{{finding.NumberTwice, 0, 0}, {finding.RecordMissing, 7, 7}}, got: []on{{finding.NumberTwice, 0, 0}, {finding.UncoveredAtTheEnd, 9, 9}}},
		"the fork is not found":                             {want: []on{{finding.NumberTwice, 0, 0}, {finding.RecordMissing, 7, 7}}, got: []on{{finding.RecordMissing, 7, 7}}, differs: true},
		"the fork is false":                                 {want: []on{{finding.RecordMissing, 7, 7}}, got: []on{{finding.NumberTwice, 0, 0}, {finding.RecordMissing, 7, 7}}, differs: true},
		"a fork and a loss elsewhere":                       {want: []on{{finding.NumberTwice, 0, 0}, {finding.RecordMissing, 7, 7}, {elsewhere + finding.RecordMissing, 7, 7}}, got: []on{{finding.NumberTwice, 0, 0}}, differs: true},
		"a fork and a false alarm elsewhere":                {want: []on{{finding.NumberTwice, 0, 0}}, got: []on{{finding.NumberTwice, 0, 0}, {elsewhere + finding.RecordMissing, 7, 7}}, differs: true},
		"what was given up as missing came":                 {got: []on{{finding.RecordMissing, 7, 9}, {finding.CameAgain, 7, 9}}},
		"and another one did not":                           {got: []on{{finding.RecordMissing, 7, 10}, {finding.CameAgain, 7, 9}}, differs: true},
		"and others came":                                   {got: []on{{finding.RecordMissing, 7, 9}, {finding.CameAgain, 17, 19}}, differs: true},
		"a false alarm on what waits":                       {got: []on{{finding.RecordMissing, 40, 40}}, differs: true},
		"a false alarm beside what may wait":                {want: []on{{finding.SealMissing, 40, 44}}, got: []on{{finding.DigestDiffers, 41, 41}}, differs: true},
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
			got.mayStayMissing()
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
