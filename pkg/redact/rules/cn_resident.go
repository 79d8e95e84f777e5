// SPDX-License-Identifier: Apache-2.0

package rules

// China's number of residents.
var _ = nationalNumber("cn_resident", Rule{
	Pack:      PII,
	Canonical: alnumOnly,
	Number: &Number{
		Forms: []string{"ddddddddddddddddd*"},
		Valid: func(d []int) bool {
			year := numberOf(d[6:10])
			if d[0] == 0 || year < 1900 || year > 2100 || !validDay(d[10:12], d[12:14]) {
				return false
			}
			check := (12 - weighted(d, 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)%11) % 11
			if check == 10 {
				check = 33 // X
			}
			return check == d[17]
		},
	},
	Gone:        []Example{{"用户 11010519491231002X 登录", "11010519491231002X"}, {"idcard=110105194912310038", "110105194912310038"}},
	Stay:        []string{"110105194912310020", "110105199913310038"},
	Takes:       "China's resident number: eighteen digits, or seventeen and X",
	ValidatedBy: "date of birth, check digit",
	Source:      "GB 11643",
})
