// SPDX-License-Identifier: Apache-2.0

package rules

// Japan's individual number.
var _ = nationalNumber("jp_my_number", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"dddd dddd dddd", "dddddddddddd"},
		Cues: []string{"my number", "mynumber", "my_number", "マイナンバー", "個人番号"},
		Valid: func(d []int) bool {
			sum := weighted(d, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
			check := 11 - sum%11
			if sum%11 <= 1 {
				check = 0
			}
			return check == d[11]
		},
	},
	Gone:        []Example{{"My Number: 1234 5678 9018", "1234 5678 9018"}, {`{"myNumber":"123456789018"}`, "123456789018"}},
	Stay:        []string{"mynumber=123456789019", "id 123456789018"},
	Takes:       "Japan's My Number, behind the word",
	ValidatedBy: "check digit",
	Source:      "Digital Agency, Japan",
})
