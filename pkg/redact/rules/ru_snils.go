// SPDX-License-Identifier: Apache-2.0

package rules

// Russia's number of pension insurance.
var _ = nationalNumber("ru_snils", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Forms: []string{"ddd-ddd-ddd dd"},
		Cued:  []string{"ddddddddddd"},
		Cues:  []string{"snils", "снилс", "СНИЛС"},
		Valid: func(d []int) bool {
			return weighted(d, 9, 8, 7, 6, 5, 4, 3, 2, 1)%101%100 == numberOf(d[9:])
		},
	},
	Gone:        []Example{{"СНИЛС 112-233-445 95 принят", "112-233-445 95"}, {`{"snils":"11223344595"}`, "11223344595"}},
	Stay:        []string{"112-233-445 96", "id 11223344595"},
	Takes:       "Russia's SNILS: 112-233-445 95; in one piece behind the word",
	ValidatedBy: "its form, two check digits",
	Source:      "Pension Fund of Russia",
})
