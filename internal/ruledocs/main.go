// SPDX-License-Identifier: Apache-2.0

// Command ruledocs writes the tables of rules and vendors into docs/redaction.md, from the rules themselves. `make generate` runs it.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/logseal/logseal/pkg/redact/rules"
)

const path = "docs/redaction.md"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "ruledocs:", err)
		os.Exit(1)
	}
}

func run() error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text := string(data)
	for name, table := range map[string]string{"rules": ruleTable(), "vendors": vendorTable()} {
		if text, err = replace(text, name, table); err != nil {
			return err
		}
	}
	return os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // documentation
}

// replace puts the table between the comments that begin and end it.
func replace(text, name, table string) (string, error) {
	begin, end := fmt.Sprintf("<!-- %s: generated from pkg/redact/rules by make generate -->\n", name), fmt.Sprintf("<!-- end of %s -->\n", name)
	before, rest, ok := strings.Cut(text, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("%s has no lines %q and %q around the table", path, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return before + begin + table + end + after, nil
}

func ruleTable() string {
	var b, more strings.Builder
	b.WriteString("| rule | takes | validated by | known to miss | known to over-match | source |\n|---|---|---|---|---|---|\n")
	for _, pack := range []string{rules.Secrets, rules.PCI, rules.PII, ""} {
		for _, r := range rules.All() {
			if r.Pack != pack {
				continue
			}
			name := "`" + r.ID + "`"
			if r.Off {
				name += " (off)"
			}
			takes := r.Takes
			if len(takes) > longCell {
				takes, _, _ = strings.Cut(takes, "; ")
				takes += fmt.Sprintf("; [more](#all-that-%s-takes)", strings.ReplaceAll(r.ID, "_", "-"))
				fmt.Fprintf(&more, "\n#### All that %s takes\n", strings.ReplaceAll(r.ID, "_", " "))
				for clause := range strings.SplitSeq(r.Takes, "; ") {
					more.WriteString("- " + clause + "\n")
				}
			}
			b.WriteString("| " + strings.Join([]string{name, takes, dash(r.ValidatedBy), dash(r.Misses), dash(r.OverMatches), r.Source}, " | ") + " |\n")
		}
	}
	return b.String() + more.String()
}

// longCell is what a cell of the table may hold, in bytes. What a rule with a longer list takes stands below the table.
const longCell = 400

func dash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

func vendorTable() string {
	var b strings.Builder
	b.WriteString("| vendor | prefixes | source |\n|---|---|---|\n")
	forms := rules.Forms()
	for i := 0; i < len(forms); {
		var prefixes []string
		v := forms[i]
		for ; i < len(forms) && forms[i].Vendor == v.Vendor; i++ {
			prefixes = append(prefixes, "`"+forms[i].Prefix+"`")
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", v.Vendor, strings.Join(prefixes, " "), v.Source)
	}
	return b.String()
}
