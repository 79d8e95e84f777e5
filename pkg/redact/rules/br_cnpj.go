// SPDX-License-Identifier: Apache-2.0

package rules

// Brazil's number of legal persons, which are often one person.
var _ = nationalNumber("br_cnpj", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Forms: []string{"dd.ddd.ddd/dddd-dd"},
		Cued:  []string{"dddddddddddddd"},
		Cues:  []string{"cnpj"},
		Valid: func(d []int) bool {
			weights := []int{6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2}
			for check := 12; check < 14; check++ {
				if weighted(d, weights[13-check:]...)%11*10%11%10 != d[check] {
					return false
				}
			}
			return true
		},
	},
	Gone:        []Example{{"empresa 16.727.230/0001-97 ok", "16.727.230/0001-97"}, {`{"cnpj":"16727230000197"}`, "16727230000197"}},
	Stay:        []string{"16.727.230/0001-98", "id 16727230000197"},
	Takes:       "Brazil's CNPJ: 16.727.230/0001-97; in one piece behind the word",
	ValidatedBy: "its form, two check digits",
	Source:      "Receita Federal do Brasil",
})
