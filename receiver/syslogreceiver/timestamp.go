// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import (
	"strconv"
	"strings"
	"time"
)

// Forms of a time, as Go writes them, by what they begin with. Fractions of a second are read wherever they stand.
var (
	dashes  = []string{time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 -0700"}
	slashes = []string{"2006/01/02 15:04:05"}
	year    = []string{"2006 Jan _2 15:04:05", "2006 Jan 02 15:04:05"}
	day     = []string{"_2 Jan 2006 15:04:05", "2Jan2006 15:04:05"}
	month   = []string{"Jan _2 2006 15:04:05", "Jan 02 2006 15:04:05", "Jan _2 15:04:05 2006", "Jan 02 15:04:05 2006"}
	// These are of this or a neighbouring year.
	withoutYear = []string{"Jan _2 15:04:05", "Jan 02 15:04:05"}
)

// forms returns the forms with a year that s may have, none if it is no time.
func forms(s string) []string {
	switch {
	case len(s) < len("Jan 2 15:04:05"):
	case s[0] >= '0' && s[0] <= '9' && s[4] == '-':
		return dashes
	case s[0] >= '0' && s[0] <= '9' && s[4] == '/':
		return slashes
	case s[0] >= '0' && s[0] <= '9' && s[4] == ' ' && s[3] >= '0' && s[3] <= '9':
		return year
	case s[0] >= '0' && s[0] <= '9' && strings.Contains(months, s[1:4]+" ") || strings.Contains(months, s[2:5]+" ") || strings.Contains(months, s[3:6]+" "):
		return day
	case strings.Contains(months, s[:3]+" "):
		return month
	}
	return nil
}

const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec "

// zones are abbreviations that mean one offset wherever syslog is written; the others are left to the receiver's location.
var zones = map[string]int{
	"UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3, "EST": -5, "EDT": -4,
	"CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9, "AEST": 10, "AEDT": 11,
}

// timestamp reads the time at the start of s and returns what follows.
func timestamp(s string, location *time.Location, now time.Time) (t time.Time, rest string, ok bool) {
	s = strings.TrimLeft(s, " ")
	s = strings.TrimLeft(s, "*.") // Cisco: the clock is not synchronised
	if len(s) > 4 && s[3] == ' ' && strings.Contains(" Mon Tue Wed Thu Fri Sat Sun ", " "+s[:3]+" ") {
		s = s[4:]
	}
	if t, rest, ok := epoch(s, now); ok {
		return t, rest, true
	}
	layouts := forms(s)
	if layouts == nil {
		return time.Time{}, s, false
	}
	if t, ok := plainTime(s, location, now); ok {
		return t, s[len(time.Stamp):], true
	}
	// The longest prefix that is a time ends where a word ends; there are at most five of them.
	var ends [5]int
	n := 0
	for i := 0; i <= len(s) && i < 48 && n < len(ends); i++ {
		if i == len(s) || s[i] == ' ' || s[i] == ':' && (i+1 == len(s) || s[i+1] == ' ') {
			if i > 0 && s[i-1] != ' ' {
				ends[n], n = i, n+1
			}
		}
	}
	for k := n - 1; k >= 0; k-- {
		end := ends[k]
		text := s[:end]
		if strings.Count(text, ":") < 2 {
			break
		}
		zoned, at := zone(text, location)
		if t, ok := parseTime(zoned, layouts, at, now); ok {
			return t, s[end:], true
		}
	}
	return time.Time{}, s, false
}

// plainTime reads "Nov 28 10:00:00 " if a name follows that is neither a year nor a zone: what most messages begin with.
func plainTime(s string, location *time.Location, now time.Time) (time.Time, bool) {
	const n = len(time.Stamp)
	if len(s) < n+2 || s[9] != ':' || s[12] != ':' || s[n] != ' ' || s[n+1] < 'a' || s[n+1] > 'z' {
		return time.Time{}, false
	}
	return parseWithoutYear(s[:n], location, now)
}

// zone takes the name of a zone off the end of a time.
func zone(s string, location *time.Location) (string, *time.Location) {
	at := strings.LastIndexByte(s, ' ')
	if at < 0 {
		return s, location
	}
	name := s[at+1:]
	if hours, ok := zones[name]; ok {
		return s[:at], time.FixedZone(name, hours*3600)
	}
	if len(name) < 2 || len(name) > 5 || strings.ToUpper(name) != name || strings.ContainsAny(name, "0123456789:.+-") {
		return s, location
	}
	return s[:at], location
}

func parseTime(s string, layouts []string, location *time.Location, now time.Time) (time.Time, bool) {
	s = strings.ReplaceAll(s, ",", ".") // fractions of a second
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, s, location); err == nil {
			return t, true
		}
	}
	return parseWithoutYear(s, location, now)
}

func parseWithoutYear(s string, location *time.Location, now time.Time) (time.Time, bool) {
	for _, layout := range withoutYear {
		// In a leap year, which takes every day.
		if t, err := time.ParseInLocation("2006 "+layout, "2000 "+s, location); err == nil {
			t = nearest(t, now.In(location))
			return t, !t.IsZero()
		}
	}
	return time.Time{}, false
}

// nearest gives t the year that brings it nearest to now: a message of the last of December may arrive on the first of January,
// and a clock may be fast. It is zero for a 29th of February with no leap year near.
func nearest(t, now time.Time) time.Time {
	var best time.Time
	for year := now.Year() - 1; year <= now.Year()+1; year++ {
		candidate := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
		if candidate.Day() != t.Day() {
			continue
		}
		if best.IsZero() || candidate.Sub(now).Abs() < best.Sub(now).Abs() {
			best = candidate
		}
	}
	return best
}

// epoch reads seconds since 1970 with a fraction, of about our time.
func epoch(s string, now time.Time) (time.Time, string, bool) {
	word, rest, _ := strings.Cut(s, " ")
	seconds, fraction, ok := strings.Cut(word, ".")
	if !ok || len(seconds) != 10 || len(fraction) == 0 || len(fraction) > 9 || !digits(seconds) || !digits(fraction) {
		return time.Time{}, s, false
	}
	sec, _ := strconv.ParseInt(seconds, 10, 64)
	nano, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	t := time.Unix(sec, nano)
	if t.Sub(now).Abs() > 20*365*24*time.Hour {
		return time.Time{}, s, false
	}
	return t, " " + rest, true
}
