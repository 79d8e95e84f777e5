// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

const (
	maxPartHeaders  = 512 // bytes between the name of a part and its content
	maxDisposition  = 64  // bytes between the words form-data and the name
	maxPartContents = 512 // bytes of content, if no boundary tells where it ends
)

// formData finds the content of a part of a form (RFC 7578) whose name starts at start: what follows the blank line behind the part's
// headers, up to the boundary. The name, with what belongs to it, ends at i.
func formData(s string, start, i int) (value, bool) {
	switch b := ascii.At(s, i); {
	case b != '\r' && b != '\n' && b != ';':
		return value{}, false
	case !ascii.ContainsFold(s[max(0, start-maxDisposition):start], "form-data;"):
		return value{}, false
	}
	headers := s[i:min(len(s), i+maxPartHeaders)]
	begin := -1
	for _, blank := range [...]string{"\r\n\r\n", "\n\n"} {
		if k := strings.Index(headers, blank); k >= 0 && (begin < 0 || i+k+len(blank) < begin) {
			begin = i + k + len(blank)
		}
	}
	if begin < 0 {
		return value{}, false
	}
	end := min(len(s), begin+maxValueBytes)
	if k := strings.Index(s[begin:end], "\n--"); k >= 0 {
		end = begin + k
	} else if k := strings.IndexByte(s[begin:min(len(s), begin+maxPartContents)], '\n'); k >= 0 {
		end = begin + k
	}
	for end > begin && ascii.Class[s[end-1]]&ascii.Space != 0 {
		end--
	}
	return value{begin, end, quoted}, end > begin
}
