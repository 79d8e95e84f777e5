// SPDX-License-Identifier: Apache-2.0

package rules

// India's permanent account number of tax payers.
var _ = nationalNumber("in_pan", Rule{
	Pack:      PII,
	Canonical: alnumOnly,
	Number: &Number{
		Cued: []string{"AAAAAddddA"},
		Cues: []string{"pan"},
		Valid: func(d []int) bool {
			switch d[3] - 10 + 'a' { // what kind of holder
			case 'a', 'b', 'c', 'f', 'g', 'h', 'j', 'l', 'p', 't':
				return true
			}
			return false
		},
	},
	Gone:        []Example{{"PAN: ACUPA7085R", "ACUPA7085R"}, {`{"pan_number":"ACUPA7085R"}`, "ACUPA7085R"}},
	Stay:        []string{"pan=ACUXA7085R", "build ACUPA7085R"},
	Takes:       "India's PAN, behind the word",
	ValidatedBy: "its form, the kind of holder",
	Source:      "Income Tax Department, India",
})
