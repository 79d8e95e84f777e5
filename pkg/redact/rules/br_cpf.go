// SPDX-License-Identifier: Apache-2.0

package rules

// Brazil's number of natural persons.
var _ = nationalNumber("br_cpf", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Forms: []string{"ddd.ddd.ddd-dd"},
		Cued:  []string{"ddddddddddd"},
		Cues:  []string{"cpf"},
		Valid: func(d []int) bool {
			for check := 9; check < 11; check++ {
				sum := 0
				for k := range check {
					sum += d[k] * (check + 1 - k)
				}
				if sum*10%11%10 != d[check] {
					return false
				}
			}
			return true
		},
	},
	Gone:        []Example{{"cliente 529.982.247-25 ok", "529.982.247-25"}, {`{"cpf":"11144477735"}`, "11144477735"}},
	Stay:        []string{"529.982.247-26", "version 1.529.982.247-25", "529.982.247-25a", "id 11144477735"},
	Takes:       "Brazil's CPF: `529.982.247-25`; in one piece behind the word",
	ValidatedBy: "its form, two check digits",
	Source:      "Receita Federal do Brasil",
})
