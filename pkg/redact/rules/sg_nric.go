// SPDX-License-Identifier: Apache-2.0

package rules

// Singapore's number of identity, of citizens and of foreigners.
var _ = nationalNumber("sg_nric", Rule{
	Pack:      PII,
	Canonical: alnumOnly,
	Number: &Number{
		Cued: []string{"AdddddddA"},
		Cues: []string{"nric"},
		Valid: func(d []int) bool {
			offset := map[int]int{'s': 0, 't': 4, 'f': 0, 'g': 4, 'm': 3}
			kind := d[0] - 10 + 'a'
			add, known := offset[kind]
			if !known {
				return false
			}
			rest := (weighted(d[1:], 2, 7, 6, 5, 4, 3, 2) + add) % 11
			letters := "jzihgfedcba"
			switch kind {
			case 'f', 'g':
				letters = "xwutrqpnmlk"
			case 'm':
				letters, rest = "kljnpqrtuwx", 10-rest
			}
			return int(letters[rest]) == d[8]-10+'a'
		},
	},
	Gone:        []Example{{"NRIC: S1234567D", "S1234567D"}, {`{"nric":"S1234567D"}`, "S1234567D"}},
	Stay:        []string{"nric=S1234567E", "build S1234567D"},
	Takes:       "Singapore's NRIC and FIN, behind the word",
	ValidatedBy: "check letter",
	Source:      "Immigration & Checkpoints Authority",
})
