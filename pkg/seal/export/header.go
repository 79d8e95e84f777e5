// SPDX-License-Identifier: Apache-2.0

package export

import (
	"regexp"
	"strings"
)

// The parts of what may stand before an original: the header of a syslog message.
const (
	priority  = `(?:<[0-9]{1,3}>)`
	isoTime   = `[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})`
	bsdTime   = `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-9][0-9] (?:[0-9]{4} )?[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?`
	anyTime   = `(?:` + isoTime + `|` + bsdTime + `)`
	hostName  = `[0-9A-Za-z._:\[\]-]{1,255}`
	word      = `[!-~]{1,128}`
	tag       = `[0-9A-Za-z._/-]{1,128}(?:\[[0-9A-Za-z._/-]{1,128}\])?:?`
	paramName = `[!#-<>-\\^-~]{1,32}` // no '=', ']' and '"'
	structure = `(?:-|(?:\[` + paramName + `(?: ` + paramName + `="(?:[^"\\\]]|\\.)*")*\])+)`
	newFields = word + ` ` + word + ` ` + word + ` ` + structure // of RFC 5424: APP-NAME PROCID MSGID and structured data

	newHeader = priority + `?1 (?:-|` + isoTime + `) ` + hostName + ` ` + newFields
	oldHeader = priority + `?` + anyTime + ` ` + hostName + `(?: (?:` + newFields + `|` + tag + `))?`
)

// syslogHeader is a header as RFC 5424 has it, or as RFC 3164 and relays write it: behind the length of the message (RFC 6587), or behind a time and a
// host that Splunk has put before it.
var syslogHeader = regexp.MustCompile(`(?s)^(?:[0-9]{1,8} )?(?:` + bsdTime + ` ` + hostName + ` )?(?:` + newHeader + `|` + oldHeader + `) ?(?:\x{feff})?$`)

// isHeader reports whether what stands before an original is the header of a syslog message, or nothing.
func isHeader(text string) bool {
	return strings.TrimSpace(text) == "" || syslogHeader.MatchString(text)
}
