// SPDX-License-Identifier: Apache-2.0

package syslogreceiver

import (
	"strings"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"
)

// header is what a message says of itself in front of its text. What it does not say is empty.
type header struct {
	priority       int // facility*8 + severity, or -1
	time           time.Time
	hostname       string
	appname        string
	procID         string
	msgID          string
	version        int // of RFC 5424, or 0
	structuredData map[string]any
}

// known reports whether more is known of the message than its priority.
func (h *header) known() bool { return !h.time.IsZero() || h.hostname != "" || h.appname != "" }

// parser reads headers.
type parser struct {
	location *time.Location // of times that do not name one
	now      func() time.Time
	rfc5424  bool // whether the header of that form is looked for
	rfc3164  bool // likewise
}

// parse reads the header of a message of either form, as far as it can.
func (p *parser) parse(s string) header {
	h := header{priority: -1}
	s = strings.TrimPrefix(s, byteOrderMark)
	pri, rest := priority(s)
	rest = strings.TrimPrefix(rest, byteOrderMark)
	if pri >= 0 {
		h.priority = pri
		if p.rfc5424 && strings.HasPrefix(rest, "1 ") && h.parse5424(s) {
			return h
		}
	}
	if p.rfc3164 {
		h.parse3164(rest, p.location, p.now())
	}
	return h
}

// priority reads "<13>" and returns what follows. It is -1 if there is none.
func priority(s string) (pri int, rest string) {
	if len(s) < 3 || s[0] != '<' {
		return -1, s
	}
	i := 1
	for i < len(s) && i < 4 && s[i] >= '0' && s[i] <= '9' {
		pri = 10*pri + int(s[i]-'0')
		i++
	}
	if i == 1 || i == len(s) || s[i] != '>' || pri > 191 {
		return -1, s
	}
	return pri, s[i+1:]
}

// parse5424 reads a header of RFC 5424 and reports whether it is one.
func (h *header) parse5424(s string) bool {
	parsed, _ := rfc5424.NewMachine(rfc5424.WithBestEffort()).Parse([]byte(s))
	m, ok := parsed.(*rfc5424.SyslogMessage)
	if !ok || m == nil || m.Timestamp == nil && m.Hostname == nil && m.Appname == nil && m.ProcID == nil && m.MsgID == nil && m.Message == nil {
		return false
	}
	text := func(v *string) string {
		if v == nil {
			return ""
		}
		return strings.Clone(*v)
	}
	if m.Timestamp != nil {
		h.time = *m.Timestamp
	}
	h.version = int(m.Version)
	h.hostname, h.appname, h.procID, h.msgID = text(m.Hostname), text(m.Appname), text(m.ProcID), text(m.MsgID)
	if m.StructuredData != nil {
		h.structuredData = make(map[string]any, len(*m.StructuredData))
		for id, params := range *m.StructuredData {
			element := make(map[string]any, len(params))
			for name, value := range params {
				element[name] = value
			}
			h.structuredData[id] = element
		}
	}
	return true
}

const (
	byteOrderMark = "\ufeff" // Windows senders begin with one, before the priority or behind it

	maxHostname = 255
	maxTag      = 128
)

// parse3164 reads what network devices and programs have made of RFC 3164: counters before the time, years and zones in it, no host,
// no tag, or pairs of names and values instead of all that.
func (h *header) parse3164(s string, location *time.Location, now time.Time) {
	if h.parsePairs(s, location) {
		return
	}
	s = strings.TrimLeft(s, " :")
	// "1 1764324000.123456789 name": Meraki's, which is not RFC 5424.
	s = strings.TrimPrefix(s, "1 ")
	// Cisco IOS: "29: name: 000028: *Mar  1 18:48:50.483 UTC: %SYS-5-CONFIG_I: text", with any of them missing.
	var host string
	for range 3 {
		word, rest, ok := strings.Cut(s, ": ")
		if !ok || strings.ContainsAny(word, " %[") || len(word) > maxHostname || word == "" {
			break
		}
		if !digits(word) {
			_, _, isTime := timestamp(rest, location, now)
			if !isTime && !counter(rest) && !strings.HasPrefix(rest, "*") {
				break
			}
			if !strings.HasPrefix(word, "*") { // a WLC's task: "name: *spamApTask2: Nov 28 …"
				host = word
			}
		} else if !counterBefore(rest, location, now) {
			break
		}
		s = strings.TrimLeft(rest, " ")
	}
	t, rest, ok := timestamp(s, location, now)
	if !ok {
		if tag, _, _ := cutTag(s); strings.HasPrefix(tag, "%") { // a Cisco without the time
			h.hostname, h.appname = host, tag
		}
		return
	}
	h.time, h.hostname = t, host
	atColon := strings.HasPrefix(rest, ":") // the host stands before such a time, if at all
	rest = strings.TrimLeft(rest, ": ")
	if word, after, _ := strings.Cut(rest, " "); h.hostname == "" && !atColon && isHostname(word) {
		h.hostname, rest = word, after
	}
	rest = strings.TrimLeft(rest, " ")
	rest = strings.TrimPrefix(rest, ": ") // ASA: "name : %ASA-6-302013: text"
	if name, after, ok := strings.Cut(rest, ": %"); ok && h.hostname == "" && !atColon && isHostname(name) {
		h.hostname, rest = name, rest[len(rest)-len(after)-1:] // or "name: %ASA-6-302013: text"
	}
	if word, after, _ := strings.Cut(rest, " "); severityWords[word] {
		rest = after // F5: "name notice tmm[123]: text"
	}
	h.appname, h.procID, _ = cutTag(rest)
}

var severityWords = map[string]bool{
	"emerg": true, "alert": true, "crit": true, "err": true, "error": true, "warning": true, "warn": true, "notice": true, "info": true, "debug": true,
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// counter reports whether s begins with a counter and a colon.
func counter(s string) bool {
	word, _, ok := strings.Cut(strings.TrimLeft(s, " "), ": ")
	return ok && digits(word)
}

// counterBefore reports whether a number before s is a counter: a time, a name, another counter or a Cisco tag follows.
func counterBefore(s string, location *time.Location, now time.Time) bool {
	s = strings.TrimLeft(s, " ")
	if strings.HasPrefix(s, "%") || counter(s) {
		return true
	}
	if _, _, ok := timestamp(s, location, now); ok {
		return true
	}
	word, rest, ok := strings.Cut(s, ": ")
	if !ok || strings.ContainsAny(word, " [") {
		return false
	}
	_, _, ok = timestamp(rest, location, now)
	return ok || counter(rest)
}

// isHostname reports whether a word behind the time is a host: a tag has a colon or a bracket, and text has anything.
func isHostname(s string) bool {
	if s == "" || len(s) > maxHostname || strings.HasSuffix(s, ":") {
		return false
	}
	for i := range len(s) {
		switch b := s[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b >= 0x80, strings.IndexByte("-_.:/", b) >= 0:
		default:
			return false
		}
	}
	return true
}

// cutTag reads "name[12]:", "name:" or "name[12] " and returns what follows. name is empty if s begins with none.
func cutTag(s string) (name, procID, rest string) {
	i := 0
	for i < len(s) && i <= maxTag && s[i] > ' ' && s[i] != ':' && s[i] != '[' && s[i] != '=' && s[i] != ',' && s[i] != '"' {
		i++
	}
	if i == 0 || i == len(s) || i > maxTag {
		return "", "", s
	}
	switch s[i] {
	case ':':
		if i+1 < len(s) && s[i+1] != ' ' && s[i+1] != '\t' {
			return "", "", s // "12:30", "http://", a MAC
		}
		return s[:i], "", strings.TrimLeft(s[i+1:], " ")
	case '[':
		end := strings.IndexByte(s[i:], ']')
		if end < 2 || end > maxTag {
			return "", "", s
		}
		rest = s[i+end+1:]
		if rest != "" && rest[0] != ':' && rest[0] != ' ' {
			return "", "", s
		}
		return s[:i], s[i+1 : i+end], strings.TrimLeft(rest, ": ")
	}
	return "", "", s
}

// parsePairs reads Fortinet's header: date=2026-11-28 time=10:00:00 devname="fw" … tz="+0100".
func (h *header) parsePairs(s string, location *time.Location) bool {
	const window = 2048
	if !strings.HasPrefix(s, "date=") && !strings.HasPrefix(s, "timestamp=") && !strings.HasPrefix(s, "device=") {
		return false
	}
	s = s[:min(len(s), window)]
	pair := func(name string) string {
		at := strings.Index(" "+s, " "+name+"=")
		if at < 0 {
			return ""
		}
		value := s[at+len(name)+1:]
		if quoted, ok := strings.CutPrefix(value, `"`); ok {
			value, _, _ = strings.Cut(quoted, `"`)
			return value
		}
		value, _, _ = strings.Cut(value, " ")
		return value
	}
	if zone, err := time.Parse("-0700", pair("tz")); err == nil {
		location = zone.Location()
	}
	if t, err := time.ParseInLocation("2006-01-02 15:04:05", pair("date")+" "+pair("time"), location); err == nil {
		h.time = t
	}
	for _, name := range []string{"devname", "device_name", "device_id", "devid"} {
		if h.hostname = pair(name); h.hostname != "" {
			break
		}
	}
	return h.known()
}
