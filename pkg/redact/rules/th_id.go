// SPDX-License-Identifier: Apache-2.0

package rules

// Thailand's number of identity.
var _ = nationalNumber("th_id", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Forms: []string{"d-dddd-ddddd-dd-d"},
		Cued:  []string{"ddddddddddddd"},
		Cues:  []string{"thai id", "thai_id", "ประชาชน"},
		Valid: func(d []int) bool {
			return d[0] > 0 && (11-weighted(d, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2)%11)%10 == d[12]
		},
	},
	Gone:        []Example{{"user 1-2345-45678-78-1 ok", "1-2345-45678-78-1"}, {`{"thai_id":"1234545678781"}`, "1234545678781"}},
	Stay:        []string{"1-2345-45678-78-2", "ts 1234545678781"},
	Takes:       "Thailand's identity number: 1-2345-45678-78-1; in one piece behind the word",
	ValidatedBy: "its form, check digit",
	Source:      "Department of Provincial Administration",
})
