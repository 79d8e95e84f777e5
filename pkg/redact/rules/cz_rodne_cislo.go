// SPDX-License-Identifier: Apache-2.0

package rules

// Birth numbers of the Czech Republic and Slovakia.
var _ = nationalNumber("cz_rodne_cislo", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"dddddd/dddd"},
		Cues: []string{"rodné číslo", "rodne cislo", "rodnecislo", "rodne_cislo", "rc"},
		Valid: func(d []int) bool {
			month := numberOf(d[2:4]) % 50 % 20 // women's are 50 more, 20 more where a day's numbers do not suffice
			return month >= 1 && month <= 12 && numberOf(d[4:6]) >= 1 && numberOf(d[4:6]) <= 31 && numberOf(d)%11 == 0
		},
	},
	Gone:        []Example{{"rc: 710319/2745", "710319/2745"}, {`{"rodne_cislo":"710319/2745"}`, "710319/2745"}},
	Stay:        []string{"rc=710319/2746", "path 710319/2745"},
	Takes:       "birth numbers of the Czech Republic and Slovakia, behind the word",
	ValidatedBy: "date, check digit",
	Source:      "Ministerstvo vnitra ČR",
})
