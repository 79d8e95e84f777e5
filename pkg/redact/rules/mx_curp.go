// SPDX-License-Identifier: Apache-2.0

package rules

// Mexico's key of the population register.
var _ = nationalNumber("mx_curp", Rule{
	Pack:      PII,
	Canonical: alnumOnly,
	Number: &Number{
		Cued: []string{"AAAAddddddAAAAAA*d"},
		Cues: []string{"curp"},
		Valid: func(d []int) bool {
			if !validDay(d[6:8], d[8:10]) {
				return false
			}
			sum := 0
			for k, x := range d[:17] {
				if x > 23 {
					x++ // Ñ, which is no letter of ASCII, counts
				}
				sum += x * (18 - k)
			}
			return (10-sum%10)%10 == d[17]
		},
	},
	Gone:        []Example{{"CURP: BOXW310820HNERXN09", "BOXW310820HNERXN09"}, {`{"curp":"BOXW310820HNERXN09"}`, "BOXW310820HNERXN09"}},
	Stay:        []string{"curp=BOXW310820HNERXN08", "build BOXW310820HNERXN09"},
	Takes:       "Mexico's CURP, behind the word",
	ValidatedBy: "date of birth, check digit",
	Source:      "RENAPO",
})
