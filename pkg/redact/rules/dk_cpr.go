// SPDX-License-Identifier: Apache-2.0

package rules

// Denmark's personal number.
var _ = nationalNumber("dk_cpr", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"dddddd-dddd", "dddddddddd"},
		Cues: []string{"cpr", "cprnr"},
		Valid: func(d []int) bool {
			return validDay(d[2:4], d[:2]) // the check digit is no longer kept since 2007
		},
	},
	Gone:        []Example{{"CPR: 211062-5629", "211062-5629"}, {`{"cpr":"2110625629"}`, "2110625629"}},
	Stay:        []string{"cpr=991062-5629", "file 211062-5629"},
	Takes:       "Denmark's CPR number, behind the word",
	ValidatedBy: "date of birth",
	Source:      "CPR-kontoret",
})
