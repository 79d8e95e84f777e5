// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/logseal/logseal/pkg/redact/rules"
)

// Modes, answers to failure, and annotations that a [Config] can name.
const (
	ModeEnforce = "enforce"
	ModeAudit   = "audit"

	Tombstone = "tombstone"
	Drop      = "drop"

	AnnotateNone   = "none"
	AnnotateCounts = "counts"
)

// Config says what to redact and how. [DefaultConfig] is the place to start from; the zero value is not valid.
type Config struct {
	// Packs of rules to use: secrets, pci, pii.
	Packs []string `mapstructure:"packs"`
	// Mode is enforce, or audit: count matches and change nothing.
	Mode string `mapstructure:"mode"`
	// OnFailure is what becomes of a record that cannot be redacted: tombstone keeps its times, severity and trace
	// context and replaces the rest; drop removes it.
	OnFailure string `mapstructure:"on_failure"`
	// Limits bound the work a record can cause.
	Limits Limits `mapstructure:"limits"`
	// PseudonymKey is needed by rules with the action pseudonymize.
	PseudonymKey PseudonymKey `mapstructure:"pseudonym_key"`
	// Rules change the built-in rules that they name and add others.
	Rules []Rule `mapstructure:"rules"`
	// Keys are names whose values are redacted, or left to the detectors, whatever they hold.
	Keys Keys `mapstructure:"keys"`
	// Allow lists matches that are left as they are.
	Allow []Allow `mapstructure:"allow"`
	// Annotate adds the attribute logseal.redacted to changed records: none or counts ("pan:1 email:2").
	Annotate string `mapstructure:"annotate"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Limits bound the size of what is examined. What is over a limit is not examined, and never passed.
type Limits struct {
	// MaxValueBytes is the longest string or byte value that is examined.
	MaxValueBytes ByteSize `mapstructure:"max_value_bytes"`
	// MaxDepth is how deep maps and slices may be nested in a value.
	MaxDepth int `mapstructure:"max_depth"`
	// OnExceed is tombstone (the value is replaced by a marker) or drop (the record is removed).
	OnExceed string `mapstructure:"on_exceed"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// PseudonymKey names the key of the pseudonyms and the file that holds it.
type PseudonymKey struct {
	// ID is written into every pseudonym, so that a rotation shows: 1 to 16 letters and digits.
	ID string `mapstructure:"id"`
	// File holds at least 32 random bytes and must not be readable by group or others.
	File string `mapstructure:"file"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// Rule changes a built-in rule, or, with a regular expression, adds one.
type Rule struct {
	// ID of a built-in rule, or the name of a new one.
	ID string `mapstructure:"id"`
	// Action is mask, partial, pseudonymize, drop_field, drop_record or off.
	Action string `mapstructure:"action"`
	// KeepFirst and KeepLast are how many letters and digits the action partial shows at either end.
	KeepFirst int `mapstructure:"keep_first"`
	KeepLast  int `mapstructure:"keep_last"`
	// Regex finds what a new rule redacts, in Go's syntax. It is run only on texts that hold one of its literals.
	Regex string `mapstructure:"regex"`
	// ScanAll allows a Regex without literals: it is run on every text.
	ScanAll bool `mapstructure:"scan_all"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// Keys are glob patterns (* and ?) over names, ignoring case.
type Keys struct {
	Sensitive []string `mapstructure:"sensitive"`
	Ignore    []string `mapstructure:"ignore"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// Allow leaves matches of one rule as they are.
type Allow struct {
	Rule string `mapstructure:"rule"`
	// Match is a glob pattern (* and ?) over the matched text, ignoring case.
	Match string `mapstructure:"match"`
	// prevent unkeyed literal initialization
	_ struct{}
}

// ByteSize is a number of bytes, written 1048576 or 1MiB.
type ByteSize int64

// UnmarshalText reads a size such as 1048576, 64KiB, 1MiB or 2GiB.
func (b *ByteSize) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	shift := 0
	for unit, n := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30} {
		if rest, ok := strings.CutSuffix(s, unit); ok {
			s, shift = strings.TrimSpace(rest), n
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > (1<<62)>>shift {
		return errors.New("a size is a whole number of bytes, alone or with KiB, MiB or GiB, such as 1MiB")
	}
	*b = ByteSize(n << shift)
	return nil
}

// DefaultConfig uses all packs, enforces, and replaces what it cannot examine.
func DefaultConfig() Config {
	return Config{
		Packs:     []string{PackSecrets, PackPCI, PackPII},
		Mode:      ModeEnforce,
		OnFailure: Tombstone,
		Limits:    Limits{MaxValueBytes: 1 << 20, MaxDepth: 64, OnExceed: Tombstone},
		Annotate:  AnnotateNone,
	}
}

var (
	ruleName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	keyName  = regexp.MustCompile(`^[A-Za-z0-9]{1,16}$`)
)

// Validate reports everything that is wrong with the configuration. Files are not looked at; [New] does that.
func (c *Config) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	oneOf := func(key, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			fail("%s: %q is not known; write one of: %s", key, value, strings.Join(allowed, ", "))
		}
	}

	if len(c.Packs) == 0 {
		fail("packs: is empty; name at least one of: secrets, pci, pii (leave the key out for all three)")
	}
	for i, p := range c.Packs {
		oneOf(fmt.Sprintf("packs[%d]", i), p, PackSecrets, PackPCI, PackPII)
	}
	oneOf("mode", c.Mode, ModeEnforce, ModeAudit)
	if c.OnFailure == "pass" || c.Limits.OnExceed == "pass" {
		fail("on_failure, limits.on_exceed: there is no pass; what cannot be redacted is not let through")
	} else {
		oneOf("on_failure", c.OnFailure, Tombstone, Drop)
		oneOf("limits.on_exceed", c.Limits.OnExceed, Tombstone, Drop)
	}
	if c.Limits.MaxValueBytes < 64 || c.Limits.MaxValueBytes > 1<<30 {
		fail("limits.max_value_bytes: must be between 64 and 1GiB")
	}
	if c.Limits.MaxDepth < 1 || c.Limits.MaxDepth > 1000 {
		fail("limits.max_depth: must be between 1 and 1000")
	}
	oneOf("annotate", c.Annotate, AnnotateNone, AnnotateCounts)

	known := map[string]bool{}
	for _, r := range rules.All() {
		known[r.ID] = true
	}
	seen := map[string]string{} // id to action
	needsKey := false
	for i, r := range c.Rules {
		key := fmt.Sprintf("rules[%d]", i)
		if !ruleName.MatchString(r.ID) {
			fail("%s.id: must be 1 to 32 lower-case letters, digits or _, and start with a letter", key)
			continue
		}
		key = fmt.Sprintf("rules[%d] (%s)", i, r.ID)
		if before, twice := seen[r.ID]; twice && r.ID == rules.All()[rules.PAN].ID && before != r.Action {
			fail("%s: card numbers are given the actions %s and %s; choose one: a truncated number beside a pseudonym of it gives the number back (PCI DSS 3.5.1)", key, before, r.Action)
		} else if twice {
			fail("%s: the rule is listed twice; join the two entries", key)
		}
		seen[r.ID] = r.Action
		errs = append(errs, r.validate(key)...)
		needsKey = needsKey || r.Action == actionPseudonymize.String()
		switch _, isBuiltin := rules.ByID(r.ID); {
		case isBuiltin && r.Regex != "":
			fail("%s.regex: a built-in rule has its own detector; give the new rule another id", key)
		case isBuiltin && r.Action == "":
			fail("%s.action: is missing; say what to do with matches of this rule", key)
		case !isBuiltin && r.Regex == "":
			fail("%s: is not a built-in rule; give it a regex, or correct the id", key)
		}
		known[r.ID] = true
	}
	if needsKey {
		if !keyName.MatchString(c.PseudonymKey.ID) {
			fail("pseudonym_key.id: must be 1 to 16 letters and digits; it is written into every pseudonym")
		}
		if c.PseudonymKey.File == "" {
			fail("pseudonym_key.file: is missing; the action pseudonymize needs a file with at least 32 random bytes")
		}
	}
	for i, a := range c.Allow {
		if !known[a.Rule] {
			fail("allow[%d].rule: %q is not a rule; name a built-in rule or one under rules", i, a.Rule)
		}
		if strings.Trim(a.Match, "*") == "" {
			fail("allow[%d].match: matches everything; to switch a rule off, give it the action off", i)
		}
	}
	for name, list := range map[string][]string{"sensitive": c.Keys.Sensitive, "ignore": c.Keys.Ignore} {
		for i, p := range list {
			if strings.Trim(p, "*?") == "" {
				fail("keys.%s[%d]: matches names by their length alone, or every name; name the keys you mean", name, i)
			}
		}
	}
	return errors.Join(errs...)
}

func (r *Rule) validate(key string) (errs []error) {
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(key+format, args...)) }
	switch r.Action {
	case "", "mask", "drop_field", "drop_record", "off", "partial", "pseudonymize":
	case "seal":
		fail(".action: seal (encryption to an escrow key) is not available in this version; use mask, or pseudonymize to keep values comparable")
	case "truncate":
		fail(".action: truncate is called partial here; use partial with keep_first and keep_last")
	default:
		fail(".action: %q is not known; write one of: mask, partial, pseudonymize, drop_field, drop_record, off", r.Action)
	}
	if r.KeepFirst < 0 || r.KeepLast < 0 {
		fail(": keep_first and keep_last must not be negative")
	}
	if r.Action == "partial" {
		if r.KeepFirst == 0 && r.KeepLast == 0 {
			fail(": partial shows nothing without keep_first or keep_last; set one of them, or use mask")
		}
	} else if r.KeepFirst != 0 || r.KeepLast != 0 {
		fail(": keep_first and keep_last belong to the action partial")
	}
	if id, isBuiltin := rules.ByID(r.ID); isBuiltin && rules.All()[id].NeverKept && (r.Action == "partial" || r.Action == "pseudonymize") {
		fail(".action: sensitive authentication data must not be kept in any form (PCI DSS 3.3.1); use mask, drop_field or drop_record")
	}
	switch r.ID {
	case rules.All()[rules.PAN].ID:
		if r.Action == "partial" && (r.KeepFirst > 8 || r.KeepLast > 4) {
			fail(": of a card number at most the first 8 and the last 4 digits may be kept (PCI DSS 3.4.1)")
		}
	case rules.All()[rules.Control].ID:
		if r.Action != "mask" && r.Action != "off" && r.Action != "" {
			fail(".action: control characters are escaped (mask) or left (off)")
		}
	}
	if r.ScanAll && r.Regex == "" {
		fail(".scan_all: belongs to a rule with a regex")
	}
	if r.Regex != "" {
		if err := checkRegex(r.Regex, r.ScanAll); err != nil {
			fail(".regex: %w", err)
		}
	}
	return errs
}
