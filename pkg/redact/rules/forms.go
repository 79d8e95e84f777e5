// SPDX-License-Identifier: Apache-2.0

package rules

import "strings"

// Form is a form of token with a vendor's prefix, for documentation and tests.
type Form struct {
	Vendor, Prefix, Source string
	Min                    int    // characters after the prefix, at least
	Stay                   string // a text that looks like one of the vendor's and is none, or ""
}

// Forms returns the vendors' forms, in the order of the table.
func Forms() (all []Form) {
	for _, v := range vendors {
		for _, f := range v.forms {
			all = append(all, Form{v.name, f.prefix, v.source, f.min, v.stay})
		}
	}
	return all
}

// Example returns a token of the form at its shortest.
func (f Form) Example() string {
	// No character repeats near another of its kind, and the letters change their case, as in tokens.
	const body = "q7Zp2mW9xT4vK8sB1nD6fJ3hL5gR0cYeA2uQ8iX5oN7bM4tV9wG6yP1kS3dF0jH"
	s := f.Prefix
	for n := 0; n < f.Min; n++ {
		s += body[n%len(body) : n%len(body)+1]
	}
	return s
}

// VendorOf returns the vendor whose tokens begin as v does, or "". Of several prefixes the longest counts.
func VendorOf(v string) (vendor string) {
	longest := 0
	for _, f := range Forms() {
		if len(f.Prefix) > longest && strings.HasPrefix(v, f.Prefix) {
			vendor, longest = f.Vendor, len(f.Prefix)
		}
	}
	return vendor
}
