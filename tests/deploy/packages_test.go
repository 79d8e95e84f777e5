// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The units by systemd's own measure: 0 is safest, 10 is a root shell. docs/deploy.md states both figures.
func TestUnitsAreConfined(t *testing.T) {
	analyze := needs(t, "systemd-analyze", "systemd")
	for unit, most := range map[string]float64{"agent": 2.0, "gateway": 1.5} {
		path := filepath.Join(root, "distributions", unit, "logseal-"+unit+".service")
		out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", path).CombinedOutput()
		require.NoError(t, err, string(out))
		found := regexp.MustCompile(`exposure level for \S+: ([0-9.]+)`).FindSubmatch(out)
		require.NotNil(t, found, string(out))
		score, err := strconv.ParseFloat(string(found[1]), 64)
		require.NoError(t, err)
		assert.LessOrEqual(t, score, most, unit)
	}
}

// Installed, upgraded over an administrator's changes, removed and purged, in a Debian of its own. It needs root, mmdebstrap and Debian's
// registry: `make test-packages`.
func TestPackageInADebianOfItsOwn(t *testing.T) {
	debian := os.Getenv("LOGSEAL_TEST_DEBIAN")
	if debian == "" {
		t.Skip("runs by `make test-packages`")
	}
	debs, err := filepath.Glob(filepath.Join(root, "dist", "logseal_*_amd64.deb"))
	require.NoError(t, err)
	require.Len(t, debs, 1, "run `make packages`")
	in := func(command string) string {
		t.Helper()
		out, err := exec.Command("chroot", debian, "/bin/sh", "-ec", command).CombinedOutput()
		require.NoError(t, err, "%s: %s", command, out)
		return strings.TrimSpace(string(out))
	}
	data, err := os.ReadFile(debs[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(debian, "logseal.deb"), data, 0o600))

	in("dpkg -i /logseal.deb")
	assert.Equal(t, "logseal 750", in("stat -c '%U %a' /var/lib/logseal"))
	assert.Equal(t, "root logseal 640", in("stat -c '%U %G %a' /etc/logseal/agent.env"))
	assert.Equal(t, "root logseal 750", in("stat -c '%U %G %a' /etc/logseal/tls"))
	assert.Contains(t, in("logseal version"), "0.")
	assert.Contains(t, in("systemd-analyze verify /usr/lib/systemd/system/logseal-agent.service /usr/lib/systemd/system/logseal-gateway.service 2>&1 | grep -i logseal || echo clean"), "clean")
	in(`LOGSEAL_SIEM_ENDPOINT=siem:4317 LOGSEAL_SIEM_PINS='["` + pin + `"]' LOGSEAL_STATE_DIR=/tmp otelcol-logseal validate --config /etc/logseal/agent.yaml`)

	in("echo LOGSEAL_SIEM_ENDPOINT=siem:4317 >> /etc/logseal/agent.env && echo '# mine' >> /etc/logseal/agent.yaml && mkdir -p /var/lib/logseal/agent && echo key > /var/lib/logseal/agent/stamp.key")
	in("dpkg --force-confold -i /logseal.deb")
	assert.Contains(t, in("cat /etc/logseal/agent.env"), "siem:4317")
	assert.Contains(t, in("cat /etc/logseal/agent.yaml"), "# mine")
	assert.Equal(t, "key", in("cat /var/lib/logseal/agent/stamp.key"))

	in("systemctl enable logseal-agent logseal-gateway")
	in("dpkg -r logseal")
	assert.Equal(t, "key", in("cat /var/lib/logseal/agent/stamp.key"), "a removal keeps state")
	in("dpkg -P logseal")
	assert.Equal(t, "gone", in("ls -d /etc/logseal /var/lib/logseal 2>/dev/null || echo gone"))
	assert.Equal(t, "none", in("find / -xdev -name '*logseal*' -not -name logseal.deb -not -path '/proc/*' | grep . || echo none"))
	assert.Equal(t, "none", in("getent passwd logseal || echo none"))
}
