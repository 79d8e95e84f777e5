// SPDX-License-Identifier: Apache-2.0

package filelogreceiver

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/stanza/fileconsumer/matcher"
)

// followRotation returns which files are read: those of the configuration, and what they are called after a rotation. A file
// is known by its first bytes, so what has been read of it is not read again under its new name.
//
// Left as they are: files in an order of their own (their names mean something to the operator), and names that end in a
// star, which hold the rotated ones already.
func followRotation(c matcher.Criteria) matcher.Criteria {
	c.Include = splitList(c.Include)
	c.Exclude = splitList(c.Exclude)
	if len(c.OrderingCriteria.SortBy) > 0 {
		return c
	}
	include, exclude := slices.Clone(c.Include), slices.Clone(c.Exclude)
	for _, pattern := range c.Include {
		names, compressed := rotatedNames(pattern)
		include = append(include, names...)
		exclude = append(exclude, compressed...)
	}
	c.Include, c.Exclude = include, exclude
	return c
}

var (
	// What is numbered or compressed is not rotated to further names that a pattern for it could foresee.
	rotatedAlready = regexp.MustCompile(`\*$|[-_.][0-9]+$|\.(gz|bz2|xz|zst|lz4|zip|Z)$`)
	extension      = regexp.MustCompile(`\.[{},A-Za-z]+$`)
)

const (
	number = ".[0-9]"                                    // app.log.1
	dated  = "[-._][12][0-9][0-9][0-9][-0-9][0-9]*[0-9]" // syslog-20261128, app.log.2026-11-28, 0.log.20261128-101112
	digits = "[-._][0-9]*[0-9]"                          // all of them, and app.log.10, app.log-1764324672
)

// rotatedNames returns patterns for what the files of a pattern are called after a rotation by logrotate (numbers, dateext),
// savelog, the kubelet, Docker, and the usual logging libraries; and patterns for compressed ones that these would match too.
func rotatedNames(pattern string) (names, compressed []string) {
	if rotatedAlready.MatchString(pattern) {
		return nil, nil
	}
	ext := extension.FindString(filepath.Base(pattern))
	if ext == "" {
		// app-2 beside app is another program's log.
		return []string{pattern + number, pattern + number + "[0-9]", pattern + dated},
			[]string{pattern + dated[:len(dated)-len("[0-9]")] + ".bz2", pattern + dated[:len(dated)-len("[0-9]")] + ".lz4"}
	}
	names = []string{pattern + number, pattern + digits}
	compressed = []string{pattern + "[-._][0-9]*.bz2", pattern + "[-._][0-9]*.lz4"}
	if stem := strings.TrimSuffix(pattern, ext); !strings.HasSuffix(stem, "*") {
		names = append(names, stem+number+ext, stem+number+"[0-9]"+ext, stem+dated+ext) // app.1.log, app-20261128.log
	}
	return names, compressed
}

// splitList takes a list apart that YAML could not read: [/var/log/*.log.[0-9]] ends for it at the second bracket. The
// collector hands on such a value of an environment variable as text, and cuts that at every comma, those between braces
// included. No pattern for a path begins with a bracket before a slash.
func splitList(patterns []string) []string {
	text := strings.Join(patterns, ",")
	if unreadList.MatchString(text) {
		text = strings.TrimSpace(text)
		text = text[1 : len(text)-1]
	} else if !slices.ContainsFunc(patterns, func(p string) bool { return strings.Count(p, "{") != strings.Count(p, "}") }) {
		return patterns
	}
	var list []string
	depth, start := 0, 0
	for i := range len(text) + 1 {
		switch {
		case i == len(text), text[i] == ',' && depth == 0:
			if item := unquote(strings.TrimSpace(text[start:i])); item != "" {
				list = append(list, item)
			}
			start = i + 1
		case text[i] == '{', text[i] == '[':
			depth++
		case text[i] == '}', text[i] == ']':
			depth--
		}
	}
	return list
}

var unreadList = regexp.MustCompile(`^\s*\[\s*["']?[/.~*].*\]\s*$`)

func unquote(s string) string {
	if n := len(s); n > 1 && s[0] == s[n-1] && (s[0] == '"' || s[0] == '\'') {
		return s[1 : n-1]
	}
	return s
}
