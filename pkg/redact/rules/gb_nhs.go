// SPDX-License-Identifier: Apache-2.0

package rules

// The United Kingdom's number of the National Health Service.
var _ = nationalNumber("gb_nhs", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"ddd ddd dddd", "ddd-ddd-dddd", "dddddddddd"},
		Cues: []string{"nhs", "nhsnumber"},
		Valid: func(d []int) bool {
			return (11-weighted(d, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11)%11 == d[9]
		},
	},
	Gone:        []Example{{"NHS: 943 476 5919", "943 476 5919"}, {`{"nhsNumber":"9434765919"}`, "9434765919"}},
	Stay:        []string{"nhs=9434765918", "id 9434765919"},
	Takes:       "the NHS number of the United Kingdom, behind the word",
	ValidatedBy: "check digit",
	Source:      "NHS Data Dictionary",
})
