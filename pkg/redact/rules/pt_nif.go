// SPDX-License-Identifier: Apache-2.0

package rules

// Portugal's number of tax payers.
var _ = nationalNumber("pt_nif", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"ddddddddd"},
		Cues: []string{"nif", "contribuinte"},
		Valid: func(d []int) bool {
			check := 11 - weighted(d, 9, 8, 7, 6, 5, 4, 3, 2)%11
			if check > 9 {
				check = 0
			}
			return d[0] != 0 && check == d[8]
		},
	},
	Gone:        []Example{{"NIF: 501964843", "501964843"}, {`{"contribuinte":"501964843"}`, "501964843"}},
	Stay:        []string{"nif=501964842", "id 501964843"},
	Takes:       "Portugal's NIF, behind the word",
	ValidatedBy: "check digit",
	Source:      "Autoridade Tributária e Aduaneira",
})
