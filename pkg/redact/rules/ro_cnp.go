// SPDX-License-Identifier: Apache-2.0

package rules

// Romania's personal number.
var _ = nationalNumber("ro_cnp", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"ddddddddddddd"},
		Cues: []string{"cnp", "cod numeric personal"},
		Valid: func(d []int) bool {
			check := weighted(d, 2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9) % 11
			if check == 10 {
				check = 1
			}
			return d[0] != 0 && validDay(d[3:5], d[5:7]) && check == d[12]
		},
	},
	Gone:        []Example{{"CNP: 1630615123457", "1630615123457"}, {`{"cnp":"1630615123457"}`, "1630615123457"}},
	Stay:        []string{"cnp=1630615123458", "ts 1630615123457"},
	Takes:       "Romania's CNP, behind the word",
	ValidatedBy: "date of birth, check digit",
	Source:      "Direcția Generală pentru Evidența Persoanelor",
})
