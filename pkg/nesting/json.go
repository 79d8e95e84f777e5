// SPDX-License-Identifier: Apache-2.0

package nesting

// A value in JSON opens at most four brackets before the next one within it: {"kvlistValue":{"values":[{"key":…,"value":{
// is one level, and resourceLogs, scopeLogs, logRecords and attributes open some more around it.
const (
	bracketsPerLevel = 4
	bracketsAround   = 12
)

// CheckJSON is Check for the JSON form of a request. It counts brackets, of unknown members too, so it is exact only to a
// factor: no value deeper than four times limit passes, and none that is less deep than limit is refused. It does not
// check that the request is well-formed.
func CheckJSON(request []byte, limit int) error {
	depth, inString := 0, false
	for i := 0; i < len(request); i++ {
		switch c := request[i]; {
		case c == '"':
			inString = !inString
		case inString:
			if c == '\\' {
				i++
			}
		case c == '{' || c == '[':
			if depth++; depth > limit*bracketsPerLevel+bracketsAround {
				return ErrTooDeep
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
