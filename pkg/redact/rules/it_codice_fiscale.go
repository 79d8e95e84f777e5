// SPDX-License-Identifier: Apache-2.0

package rules

// Italy's number of tax payers.
var _ = nationalNumber("it_codice_fiscale", Rule{
	Pack:      PII,
	Canonical: alnumOnly,
	Number: &Number{
		Cued: []string{"AAAAAAddAddAdddA"},
		Cues: []string{"fiscal"},
		Valid: func(d []int) bool {
			odd := [...]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
			sum := 0
			for k, x := range d[:15] {
				if x > 9 {
					x -= 10 // the letter A counts as the digit 0
				}
				if k%2 == 0 {
					x = odd[x]
				}
				sum += x
			}
			return sum%26+10 == d[15]
		},
	},
	Gone:        []Example{{"codice fiscale: RCCMNL83S18D969H", "RCCMNL83S18D969H"}, {`{"codiceFiscale":"RCCMNL83S18D969H"}`, "RCCMNL83S18D969H"}},
	Stay:        []string{"codice fiscale RCCMNL83S18D969I", "build RCCMNL83S18D969H"},
	Takes:       "Italy's codice fiscale, behind the word",
	ValidatedBy: "check letter",
	Misses:      "those with letters in the place of digits",
	Source:      "Agenzia delle Entrate",
})
