// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/logseal/logseal/pkg/seal/finding"
)

// TestEveryCodeHasASubject: a new finding needs a line in subjects, or its sentence begins with "Stream" whatever it is on.
func TestEveryCodeHasASubject(t *testing.T) {
	for _, entry := range finding.Table() {
		assert.Contains(t, subjects, entry.Code)
	}
}
