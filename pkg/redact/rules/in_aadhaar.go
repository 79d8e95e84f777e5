// SPDX-License-Identifier: Apache-2.0

package rules

// India's number of residents.
var _ = nationalNumber("in_aadhaar", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"dddd dddd dddd", "dddd-dddd-dddd", "dddddddddddd"},
		Cues: []string{"aadhaar", "aadhar", "uidai", "आधार"},
		Valid: func(d []int) bool {
			if d[0] < 2 {
				return false
			}
			check := 0
			for k := range d { // the scheme of Verhoeff
				check = dihedral(check, permuted(d[len(d)-1-k], k))
			}
			return check == 0
		},
	},
	Gone:        []Example{{"Aadhaar: 2341 2341 2346", "2341 2341 2346"}, {`{"aadhaar":"234123412346"}`, "234123412346"}},
	Stay:        []string{"aadhaar=234123412347", "id 234123412346"},
	Takes:       "India's Aadhaar number, behind the word",
	ValidatedBy: "first digit, check digit",
	Source:      "UIDAI",
})

// dihedral multiplies two elements of the dihedral group of order ten.
func dihedral(a, b int) int {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return 5 + (a+b)%5
	case b < 5:
		return 5 + (a-b)%5
	}
	return (a - b + 5) % 5
}

// permuted is the digit after the permutation of Verhoeff's scheme has been applied n times.
func permuted(digit, n int) int {
	for range n % 8 {
		digit = [...]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}[digit]
	}
	return digit
}
