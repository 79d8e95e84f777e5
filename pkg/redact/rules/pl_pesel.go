// SPDX-License-Identifier: Apache-2.0

package rules

// Poland's number of residents.
var _ = nationalNumber("pl_pesel", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"ddddddddddd"},
		Cues: []string{"pesel"},
		Valid: func(d []int) bool {
			return (10-weighted(d, 1, 3, 7, 9, 1, 3, 7, 9, 1, 3)%10)%10 == d[10]
		},
	},
	Gone:        []Example{{"PESEL: 44051401359", "44051401359"}, {`{"pesel":"44051401359"}`, "44051401359"}},
	Stay:        []string{"pesel=44051401358", "id 44051401359"},
	Takes:       "Poland's PESEL, behind the word",
	ValidatedBy: "check digit",
	Source:      "Ministerstwo Cyfryzacji",
})
