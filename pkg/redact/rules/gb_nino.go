// SPDX-License-Identifier: Apache-2.0

package rules

// The United Kingdom's number of national insurance.
var _ = nationalNumber("gb_nino", Rule{
	Pack:      PII,
	Canonical: alnumOnly,
	Number: &Number{
		Cued: []string{"AAddddddA", "AA dd dd dd A"},
		Cues: []string{"nino", "national insurance", "nationalinsurance"},
		Valid: func(d []int) bool {
			for _, x := range d[:2] {
				switch x - 10 + 'a' {
				case 'd', 'f', 'i', 'q', 'u', 'v':
					return false
				}
			}
			return d[1]-10+'a' != 'o' && d[8] >= 10 && d[8] <= 13 // A to D
		},
	},
	Gone:        []Example{{"NINO: AB123456C", "AB123456C"}, {`{"nationalInsurance":"AB 12 34 56 C"}`, "AB 12 34 56 C"}},
	Stay:        []string{"nino=QQ123456C", "build AB123456C"},
	Takes:       "the National Insurance number of the United Kingdom, behind the word",
	ValidatedBy: "its letters",
	Source:      "HM Revenue & Customs, NIM39110",
})
