// SPDX-License-Identifier: Apache-2.0

package rules

// Australia's tax file number.
var _ = nationalNumber("au_tfn", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"ddddddddd", "ddd ddd ddd", "ddd-ddd-ddd"},
		Cues: []string{"tfn", "tax file", "taxfile"},
		Valid: func(d []int) bool {
			return weighted(d, 1, 4, 3, 7, 5, 8, 6, 9, 10)%11 == 0
		},
	},
	Gone:        []Example{{"TFN: 123456782", "123456782"}, {`{"taxFileNumber":"123456782"}`, "123456782"}},
	Stay:        []string{"tfn=123456789", "id 123456782"},
	Takes:       "Australia's tax file number, behind the word",
	ValidatedBy: "sum of weighted digits",
	Source:      "Australian Taxation Office",
})
