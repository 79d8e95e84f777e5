// SPDX-License-Identifier: Apache-2.0

package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/logseal/logseal/pkg/seal/canonical"
)

// layout is how a store's search answers. A path names a place in its JSON: members behind dots, [] for every element of an array, empty for
// the answer itself, of which a file holds one or many. An array of answers is the same as so many answers.
type layout struct {
	name string
	is   string // what an answer looks like, for messages

	rows     map[string]shape // where the records are
	envelope []string         // members by which an answer is told from a record, where the path "" is among rows
	otlp     bool             // rows are OTLP instead, wherever a member resourceLogs is

	prefixes []string // of the names of a row's fields, which say nothing
	id       []string // names of the field that is the attribute logseal.id
	carried  []string // of the one that is the attribute logseal.original
	text     []string // of the record's body
	event    []string // of its event name

	visible []string // names of the fields that show the record's text to people
	events  bool     // an event is an original and nothing else
	noText  string   // how the sentence begins that stands in for a text that there is not
	cutsAt  int      // how many bytes of a text are kept where nobody has set it, 0 where all are

	// shown returns the name of the field that shows a value of a carried original, empty if none does for sure; time is that of its time.
	shown func(canonical.Shown) string
	time  []string

	// repeats says that a row may have a member twice: the store makes one name of two, such as those of a record's attribute and its resource's.
	repeats bool

	total   []string // paths of how many records the search found
	atLeast []string // paths of what is "gte" where it found more than that, and has not counted on
	offset  string   // path of how many of them stand in earlier answers
	partial []string // paths of what is neither false nor 0 where records are missing from an answer

	lost string // what the store does not give back of a record, as a clause
}

// shape is how a record stands at its path: an object, whose members are its fields, unless it says otherwise.
type shape struct {
	names  []string // of an array's elements
	header string   // or the path of the list of their names, which comes before
	with   string   // path of an object that comes before, whose members are fields of each of these records
}

var stores = []*layout{&splunk, &elastic, &loki, &victoriaLogs, &otlp}

// Stores returns the names of the stores whose exports can be read.
func Stores() []string {
	names := make([]string, len(stores))
	for i, s := range stores {
		names[i] = s.name
	}
	return names
}

func find(name string) (*layout, error) {
	for _, s := range stores {
		if s.name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("no such store: %q; there are %s", name, strings.Join(Stores(), ", "))
}

// leads reports whether something that is read stands below a path.
func (l *layout) leads(path string) bool {
	if l.otlp || path == "" {
		return true
	}
	below := func(p string) bool {
		rest, ok := strings.CutPrefix(p, path)
		return ok && (strings.HasPrefix(rest, ".") || strings.HasPrefix(rest, "[]"))
	}
	for p := range l.rows {
		if below(p) {
			return true
		}
	}
	return slices.ContainsFunc(l.total, below) || slices.ContainsFunc(l.partial, below)
}

// keeps reports whether the value at a path is kept for the rows behind it.
func (l *layout) keeps(path string) bool {
	for _, s := range l.rows {
		if path != "" && (path == s.header || path == s.with) {
			return true
		}
	}
	return false
}

// ofRow reports whether a member is one that records have: one of their fields that are known by name, or what these stand in.
func (l *layout) ofRow(member string) bool {
	for _, list := range [][]string{l.id, l.carried, l.text, l.event, l.time} {
		for _, name := range list {
			first, _, _ := strings.Cut(name, ".")
			if member == name || member == first {
				return true
			}
		}
	}
	return slices.ContainsFunc(l.prefixes, func(p string) bool { return member+"." == p })
}

// plain returns a field's name without what says nothing.
func (l *layout) plain(name string) string {
	for _, p := range l.prefixes {
		if rest, ok := strings.CutPrefix(name, p); ok {
			return rest
		}
	}
	return name
}
