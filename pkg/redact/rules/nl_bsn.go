// SPDX-License-Identifier: Apache-2.0

package rules

// The Netherlands' citizen service number.
var _ = nationalNumber("nl_bsn", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"ddddddddd", "dddd.dd.ddd"},
		Cues: []string{"bsn", "burgerservicenummer"},
		Valid: func(d []int) bool {
			return numberOf(d) > 0 && weighted(d, 9, 8, 7, 6, 5, 4, 3, 2, -1)%11 == 0
		},
	},
	Gone:        []Example{{"BSN: 111222333", "111222333"}, {`{"burgerservicenummer":"1112.22.333"}`, "1112.22.333"}},
	Stay:        []string{"bsn=111222334", "id 111222333"},
	Takes:       "the BSN of the Netherlands, behind the word",
	ValidatedBy: "sum of weighted digits",
	Source:      "Rijksdienst voor Identiteitsgegevens",
})
