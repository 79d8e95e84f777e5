// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"fmt"
	"slices"
	"strings"
)

const (
	maxExcludes    = 64
	maxExcludeSize = 128
)

// Policy says which of a record's own top-level attributes are left out of its
// digest: [IDKey] always, and the names that the session's open seal declares.
// The zero value leaves out nothing else.
type Policy struct {
	names    []string // as declared, ascending
	exact    []string
	prefixes []string // with the dot, without the star
}

// NewPolicy returns the policy that leaves out the given names: an exact attribute
// name, or a prefix that ends in ".*" ("k8s.*" is every name that starts with "k8s.").
// At most 64 names of 1 to 128 printable ASCII characters, without space, double
// quote, backslash, and without a star but in a final ".*".
func NewPolicy(exclude []string) (Policy, error) {
	if len(exclude) > maxExcludes {
		return Policy{}, fmt.Errorf("%d excluded names: a seal declares at most %d", len(exclude), maxExcludes)
	}
	p := Policy{names: slices.Sorted(slices.Values(exclude))}
	for i, name := range p.names {
		if err := checkExclude(name); err != nil {
			return Policy{}, err
		}
		if i > 0 && name == p.names[i-1] {
			return Policy{}, fmt.Errorf("excluded name %q is given twice", name)
		}
		if prefix, ok := strings.CutSuffix(name, "*"); ok {
			p.prefixes = append(p.prefixes, prefix)
		} else {
			p.exact = append(p.exact, name)
		}
	}
	return p, nil
}

func checkExclude(name string) error {
	if name == "" || len(name) > maxExcludeSize {
		return fmt.Errorf("excluded name %q: 1 to %d characters are allowed", name, maxExcludeSize)
	}
	if name == IDKey {
		return fmt.Errorf("excluded name %q: it is left out anyway", name)
	}
	base, isPrefix := strings.CutSuffix(name, ".*")
	if isPrefix && base == "" {
		return fmt.Errorf("excluded name %q: a prefix needs a name before the dot", name)
	}
	for i := range len(base) {
		if c := base[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '*' {
			return fmt.Errorf(`excluded name %q: printable ASCII without space, '"', '\' and '*' is allowed, and ".*" at its end`, name)
		}
	}
	return nil
}

// Names returns what the policy was made of, ascending.
func (p Policy) Names() []string { return slices.Clone(p.names) }

// excludes reports whether a top-level record attribute is left out.
func (p *Policy) excludes(key string) bool {
	if key == IDKey {
		return true
	}
	for _, name := range p.exact {
		if key == name {
			return true
		}
	}
	for _, prefix := range p.prefixes {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}
