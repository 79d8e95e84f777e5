// SPDX-License-Identifier: Apache-2.0

package rules

// Belgium's number of the national register.
var _ = nationalNumber("be_national", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Forms: []string{"dd.dd.dd-ddd.dd"},
		Cued:  []string{"ddddddddddd"},
		Cues:  []string{"rijksregisternummer", "niss", "insz", "nrn", "registre national"},
		Valid: func(d []int) bool {
			n, check := numberOf(d[:9]), numberOf(d[9:])
			return numberOf(d[2:4]) <= 12 && (97-n%97 == check || 97-(2e9+n)%97 == check) // 2e9: born in 2000 or later
		},
	},
	Gone:        []Example{{"patient 85.07.30-033.28 admitted", "85.07.30-033.28"}, {"niss=85073003328", "85073003328"}},
	Stay:        []string{"85.07.30-033.29", "ref 85073003328"},
	Takes:       "Belgium's national number: 85.07.30-033.28; in one piece behind a word such as NISS",
	ValidatedBy: "its form, month, two check digits",
	Source:      "Rijksregister",
})
