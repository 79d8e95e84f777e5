// SPDX-License-Identifier: Apache-2.0

package rules

// South Africa's number of identity.
var _ = nationalNumber("za_id", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"ddddddddddddd", "dddddd dddd ddd"},
		Cues: []string{"id number", "idnumber", "id_number", "identity number", "identitynumber"},
		Valid: func(d []int) bool {
			return validDay(d[2:4], d[4:6]) && d[10] < 3 && validLuhn(d)
		},
	},
	Gone:        []Example{{"ID number: 7503305044089", "7503305044089"}, {`{"idNumber":"7503305044089"}`, "7503305044089"}},
	Stay:        []string{"id_number=7503305044088", "ts 7503305044089"},
	Takes:       "South Africa's identity number, behind the word",
	ValidatedBy: "date of birth, Luhn",
	Source:      "Department of Home Affairs",
})
