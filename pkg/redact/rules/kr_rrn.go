// SPDX-License-Identifier: Apache-2.0

package rules

// South Korea's number of residents.
var _ = nationalNumber("kr_rrn", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Forms: []string{"dddddd-ddddddd"},
		Cued:  []string{"ddddddddddddd"},
		Cues:  []string{"rrn", "resident registration", "주민등록번호", "주민번호"},
		Valid: func(d []int) bool {
			return validDay(d[2:4], d[4:6]) && d[6] > 0 &&
				(11-weighted(d, 2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)%11)%10 == d[12]
		},
	},
	Gone:        []Example{{"회원 971013-9019902 가입", "971013-9019902"}, {`{"rrn":"9710139019902"}`, "9710139019902"}},
	Stay:        []string{"971013-9019903", "971313-9019902", "id 9710139019902"},
	Takes:       "South Korea's RRN: 971013-9019902; in one piece behind the word",
	ValidatedBy: "date of birth, check digit",
	Misses:      "those given since October 2020, which have no check digit",
	Source:      "Ministry of the Interior and Safety, Korea",
})
