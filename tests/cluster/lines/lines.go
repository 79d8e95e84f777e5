// SPDX-License-Identifier: Apache-2.0

// Package lines is what the logger writes and what the test expects in the archive.
package lines

import (
	"fmt"
	"strings"
)

// Line is line i of a pod. With long > 0 every tenth line has that many bytes more: numbered, so that parts in a wrong order or of the
// wrong stream show.
func Line(name string, i, long int) string {
	line := fmt.Sprintf("%s %d of two streams", name, i)
	if long > 0 && i%10 == 0 {
		var b strings.Builder
		for n := 0; b.Len() < long; n++ {
			fmt.Fprintf(&b, " %s.%d.%d", name, i, n)
		}
		line += b.String()
	}
	return line
}
