// SPDX-License-Identifier: Apache-2.0

package rules

// Norway's birth number.
var _ = nationalNumber("no_fnr", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"ddddddddddd", "dddddd ddddd"},
		Cues: []string{"fnr", "fødselsnummer", "fodselsnummer", "personnummer", "dnr"},
		Valid: func(d []int) bool {
			return (11-weighted(d, 3, 7, 6, 1, 8, 9, 4, 5, 2)%11)%11 == d[9] &&
				(11-weighted(d, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11)%11 == d[10]
		},
	},
	Gone:        []Example{{"fnr: 15108695088", "15108695088"}, {`{"fødselsnummer":"151086 95088"}`, "151086 95088"}},
	Stay:        []string{"fnr=15108695077", "id 15108695088"},
	Takes:       "Norway's fødselsnummer and D-number, behind the word",
	ValidatedBy: "two check digits",
	Source:      "Skatteetaten",
})
