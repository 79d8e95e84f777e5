// SPDX-License-Identifier: Apache-2.0

package rules

// The number of tax payers of the United States who have no social security number.
var _ = nationalNumber("us_itin", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Forms: []string{"9dd-dd-dddd"},
		Cued:  []string{"9dd dd dddd", "9dddddddd"},
		Cues:  []string{"itin"},
		Valid: func(d []int) bool {
			group := numberOf(d[3:5])
			return group >= 50 && group <= 65 || group >= 70 && group <= 88 || group >= 90 && group <= 92 || group >= 94
		},
	},
	Gone:        []Example{{"ITIN 912-90-3456 ok", "912-90-3456"}, {`{"itin":"912903456"}`, "912903456"}},
	Stay:        []string{"912-49-3456", "id 912903456"},
	Takes:       "the ITIN of the United States: 912-90-3456; in one piece behind the word",
	ValidatedBy: "its form, group",
	Source:      "Internal Revenue Service",
})
