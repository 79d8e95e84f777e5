// SPDX-License-Identifier: Apache-2.0

// Package rules holds what is redacted, one file a family: each [Rule] is one value, with the names and triggers that lead to it, the
// detector that examines the place, and texts that prove it.
package rules

import (
	"slices"

	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Packs of rules.
const (
	Secrets = "secrets" // credentials of people and machines
	PCI     = "pci"     // payment card data
	PII     = "pii"     // data about people
)

// ID is the place of a rule in [All].
type ID = uint16

// Rule is one thing that is found and removed.
type Rule struct {
	ID   string
	Pack string // "" for rules that are part of no pack: on unless switched off
	Off  bool   // off unless the configuration gives it an action

	// Names are names of keys whose values the rule takes. In text, what leads to them is derived from them.
	Names []Names
	// Detectors find what has a form of its own. Several rules may share one.
	Detectors []*Detector
	// Number is a number with a form of its own, such as a national one. It needs no detector: all numbers are looked at anyway.
	Number *Number
	// Runs says that the rule wants long runs of token characters, which are examined when the detectors are through.
	Runs bool
	// Canonical maps the bytes of a value, so that the ways to write it have one pseudonym. It returns false for bytes that do not
	// count. If it is nil the value is taken as it is.
	Canonical func(b byte) (byte, bool)
	// NeverKept says that no part and no pseudonym may be kept (PCI DSS 3.3.1).
	NeverKept bool

	// Gone are texts with what must go; the rule does not start without passing them.
	Gone []Example
	// Stay are texts that must not be changed.
	Stay []string

	// Placed says, for an explanation, what tells a value that stands behind none of the names.
	Placed string
	// For docs/redaction.md. Source is where the form is specified.
	Takes, ValidatedBy, Misses, OverMatches, Source string
}

// Example is a text and the part of it that must go.
type Example struct{ Text, Secret string }

// Detector examines the places where one of its triggers begins.
type Detector struct {
	// Find examines the place at i for the rule. It offers what it finds, and returns where to go on, or 0: what lies before is
	// offered to no other detector.
	Find func(c *Context, rule ID, i int) int
	At   []Trigger
	// Free says that it takes time in proportion to the text, and so needs no limit. Extra is what a call mostly takes besides
	// [prefilter.CostOfCall], in steps, where that is much.
	Free  bool
	Extra int
}

// Number is how a number is written and checked. In a form d is a digit, A a letter of either case, * one of both, and all else stands
// for itself.
type Number struct {
	// Forms are those that tell the number wherever they stand, Cued those that count only behind one of the Cues, words in small
	// letters, as one number in ten or so has the right check digits by chance. A form that begins with a letter must be cued.
	Forms, Cued []string
	Cues        []string
	// Valid applies the check digits, and what else is known, to the digits, 0 to 9, and letters, 10 for A to 35 for Z.
	Valid func(digits []int) bool
}

// Trigger is where a detector is called: at a literal, lower case, whose letters match in either case, or at a sequence of sets
// of bytes. What lies behind the end of the text counts as NUL.
type Trigger struct {
	Literal string
	Sets    []*prefilter.Set
	// Boundary says that the first set is what may stand before the place, which may also be the start of the text.
	Boundary bool
}

// literals are the triggers of so many words.
func literals(words ...string) (t []Trigger) {
	for _, w := range words {
		t = append(t, Trigger{Literal: w})
	}
	return t
}

// sets is the trigger of a sequence of sets.
func sets(s ...*prefilter.Set) Trigger { return Trigger{Sets: s} }

// behind is the trigger of a sequence of sets, the first of which may stand before.
func behind(s ...*prefilter.Set) Trigger { return Trigger{Sets: s, Boundary: true} }

var registered []*Rule

// newID takes the next ID for a rule. It is apart from register because detectors name their rules.
func newID(name string) ID {
	registered = append(registered, &Rule{ID: name})
	return ID(len(registered) - 1)
}

// register defines the rule of an ID.
func register(id ID, r Rule) bool {
	r.ID = registered[id].ID
	if r.Number != nil {
		r.Detectors = append(r.Detectors, digits)
	}
	*registered[id] = r
	return true
}

// nationalNumber registers a national number that is a rule of its own: the detector gets the rule with the place.
func nationalNumber(name string, r Rule) bool { return register(newID(name), r) }

// All returns the rules, by ID. Nobody changes them.
func All() []*Rule { return registered }

// ByID returns the rule of that name.
func ByID(name string) (ID, bool) {
	for i, r := range registered {
		if r.ID == name {
			return ID(i), true
		}
	}
	return 0, false
}

// Triggers returns what the prefilter is to look for when the rules are on for which on is true, and names match the globs, lower
// case.
func Triggers(on func(ID) bool, globs []string) (all []prefilter.Trigger[*Context]) {
	add := func(d *Detector, rule ID, at ...Trigger) {
		find := d.Find
		if asksForLine(d, rule) {
			find = keepingPlaces(find)
		}
		for _, t := range at {
			all = append(all, prefilter.Trigger[*Context]{
				Lit: t.Literal, Sets: t.Sets, Boundary: t.Boundary, Rule: rule, Free: d.Free, Extra: d.Extra, Detect: find,
			})
		}
	}
	seen := map[*Detector]bool{}
	var names []Names
	for i, r := range registered {
		if !on(ID(i)) {
			continue
		}
		names = append(names, r.Names...)
		if r.Number != nil {
			for _, form := range r.Number.Forms {
				add(grouped, ID(i), formTrigger(form)...)
			}
			if slices.ContainsFunc(r.Number.Cued, hidden) {
				add(cued, ID(i), cueTriggers(r.Number.Cues)...)
			}
		}
		for _, d := range r.Detectors {
			if !seen[d] {
				seen[d] = true
				add(d, ID(i), d.At...)
			}
		}
	}
	add(markers, 0, markers.At...)
	for k := range markers.At {
		// A marker is known as one also in what another detector has taken, which then covers all of it or nothing.
		all[len(all)-1-k].Always = true
	}
	add(named, 0, nameTriggers(names, globs)...)
	return all
}
