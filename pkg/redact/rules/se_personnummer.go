// SPDX-License-Identifier: Apache-2.0

package rules

// Sweden's personal number.
var _ = nationalNumber("se_personnummer", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"dddddd-dddd", "dddddddd-dddd", "dddddddddd", "dddddddddddd"},
		Cues: []string{"personnummer", "personnr"},
		Valid: func(d []int) bool {
			d = d[len(d)-10:]
			day := numberOf(d[4:6])
			return numberOf(d[2:4]) >= 1 && numberOf(d[2:4]) <= 12 && day >= 1 && day <= 91 && validLuhn(d) // 60 more: a coordination number
		},
	},
	Gone:        []Example{{"personnummer: 811228-9874", "811228-9874"}, {`{"personnummer":"198112289874"}`, "198112289874"}},
	Stay:        []string{"personnummer=811228-9875", "file 811228-9874"},
	Takes:       "Sweden's personnummer, behind the word",
	ValidatedBy: "date of birth, Luhn",
	Source:      "Skatteverket, SKV 704",
})
