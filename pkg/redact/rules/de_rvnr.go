// SPDX-License-Identifier: Apache-2.0

package rules

// Germany's number of pension insurance.
var _ = nationalNumber("de_rvnr", Rule{
	Pack:      PII,
	Canonical: alnumOnly,
	Number: &Number{
		Cued: []string{"ddddddddAddd", "dd dddddd A ddd"},
		Cues: []string{"svnr", "versicherungsnummer"},
		Valid: func(d []int) bool {
			letter := d[8] - 9 // A is 01
			all := append(append(append([]int{}, d[:8]...), letter/10, letter%10), d[9:11]...)
			sum := 0
			for k, w := range []int{2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1} {
				sum += all[k]*w/10 + all[k]*w%10
			}
			return sum%10 == d[11]
		},
	},
	Gone:        []Example{{"SVNR: 15070649C103", "15070649C103"}, {`{"sozialversicherungsnummer":"15 070649 C 103"}`, "15 070649 C 103"}},
	Stay:        []string{"svnr=15070649C104", "build 15070649C103"},
	Takes:       "Germany's number of social insurance, behind the word",
	ValidatedBy: "check digit",
	Source:      "Deutsche Rentenversicherung",
})
