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

// Policy says which top-level attributes are left out of a record's digest: of the
// record's own, [IDKey] always, and what the session's open seal declares; of its
// resource's, what the open seal declares. The zero value leaves out nothing else.
type Policy struct {
	Record, Resource NameSet
}

// NameSet is a set of excluded names. The zero value is empty.
type NameSet struct {
	names    []string // as declared, ascending
	exact    []string
	prefixes []string // with the dot, without the star
}

// ClientKeys are the attributes that a receiver writes of the client that a record came from. Every host that stamps with our
// agent leaves them out, on records and on resources: it cannot know them.
const ClientKeys = "logseal.client.*"

// Usual returns the policy that leaves out [ClientKeys] and nothing else, which a verifier assumes of a session while it does
// not know its open seal. For a record without such attributes it is the same as one that leaves out nothing.
func Usual() Policy {
	p, err := NewPolicy([]string{ClientKeys}, []string{ClientKeys})
	if err != nil {
		panic("seal: " + err.Error())
	}
	return p
}

// NewPolicy returns the policy that leaves out the given names of a record's own
// attributes and of its resource's: an exact name, or a prefix that ends in ".*"
// ("k8s.*" is every name that starts with "k8s."). In each list at most 64 names
// of 1 to 128 printable ASCII characters, without space, double quote, backslash,
// and without a star but in a final ".*".
func NewPolicy(attributes, resourceAttributes []string) (p Policy, err error) {
	if p.Record, err = newNameSet(attributes); err != nil {
		return Policy{}, err
	}
	if p.Resource, err = newNameSet(resourceAttributes); err != nil {
		return Policy{}, fmt.Errorf("resource attributes: %w", err)
	}
	return p, nil
}

func newNameSet(names []string) (e NameSet, err error) {
	if len(names) > maxExcludes {
		return e, fmt.Errorf("%d excluded names: a seal declares at most %d", len(names), maxExcludes)
	}
	e.names = slices.Sorted(slices.Values(names))
	for i, name := range e.names {
		if err := checkExclude(name); err != nil {
			return e, err
		}
		if i > 0 && name == e.names[i-1] {
			return e, fmt.Errorf("excluded name %q is given twice", name)
		}
		if prefix, ok := strings.CutSuffix(name, "*"); ok {
			e.prefixes = append(e.prefixes, prefix)
		} else {
			e.exact = append(e.exact, name)
		}
	}
	return e, nil
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

// Names returns the excluded names of a record's own attributes, ascending.
func (p Policy) Names() []string { return slices.Clone(p.Record.names) }

// ResourceNames returns the excluded names of resource attributes, ascending.
func (p Policy) ResourceNames() []string { return slices.Clone(p.Resource.names) }

// Equal reports whether two policies leave out the same.
func (p *Policy) Equal(other *Policy) bool {
	return slices.Equal(p.Record.names, other.Record.names) && slices.Equal(p.Resource.names, other.Resource.names)
}

// Plain reports whether nothing but the id is left out.
func (p *Policy) Plain() bool { return p.Record.Empty() && p.Resource.Empty() }

// Empty reports whether nothing is in the set.
func (e *NameSet) Empty() bool { return len(e.names) == 0 }

// Has reports whether the attribute of that name is left out.
func (e *NameSet) Has(key string) bool {
	return slices.Contains(e.exact, key) ||
		slices.ContainsFunc(e.prefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
}
