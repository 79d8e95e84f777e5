// SPDX-License-Identifier: Apache-2.0

package rules

// Malaysia's number of identity.
var _ = nationalNumber("my_nric", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"dddddd-dd-dddd", "dddddddddddd"},
		Cues: []string{"mykad", "nric", "kad pengenalan"},
		Valid: func(d []int) bool {
			return validDay(d[2:4], d[4:6]) && numberOf(d[6:8]) > 0
		},
	},
	Gone:        []Example{{"MyKad: 770305-02-1234", "770305-02-1234"}, {`{"nric":"770305021234"}`, "770305021234"}},
	Stay:        []string{"nric=771305-02-1234", "file 770305-02-1234"},
	Takes:       "Malaysia's NRIC, behind the word",
	ValidatedBy: "date and place of birth",
	Source:      "Jabatan Pendaftaran Negara",
})
