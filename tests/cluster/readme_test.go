// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inNode runs a command of the README as somebody on the node would: with kubectl, helm and ctr in the path, and nothing else set.
func (n node) inNode(path, command string) (string, error) {
	pid, err := os.ReadFile(filepath.Join(n.dir, "node", "init.pid"))
	require.NoError(n.t, err)
	here, err := filepath.Abs(root)
	require.NoError(n.t, err)
	return n.run("", "nsenter", "-t", strings.TrimSpace(string(pid)), "-n", "-m", "-p", "-u", "-i", "--wd="+here, "--",
		"env", "-i", "HOME="+n.t.TempDir(), "KUBECONFIG="+filepath.Join(n.dir, "node", "admin.kubeconfig"), "PATH="+path+":/usr/sbin:/usr/bin:/sbin:/bin",
		"bash", "-o", "pipefail", "-c", command)
}

// fiveCommands runs what README.md prints for "from nothing to logs in a stand-in SIEM", word for word, and then what docs/deploy.md says of
// an upgrade, of the way back, and of the end.
func (n node) fiveCommands() {
	t := n.t
	readme, err := os.ReadFile(root + "/README.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```\n(make image\n.*?)```").FindSubmatch(readme)
	require.NotNil(t, block, "README.md has no block of commands that begins with make image")
	guide, err := os.ReadFile(root + "/docs/deploy.md")
	require.NoError(t, err)
	require.Contains(t, string(guide), string(block[1]), "docs/deploy.md prints the same commands")
	commands := strings.Split(strings.TrimSpace(string(block[1])), "\n")
	require.LessOrEqual(t, len(commands), 5)

	// The shell of the node: its programs are where this machine's are, but for these two.
	path := t.TempDir()
	for name, target := range map[string]string{"kubectl": filepath.Join(n.dir, "bin", "kubectl"), "helm": root + "/.tools/release/helm"} {
		target, err := filepath.Abs(target)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(target, filepath.Join(path, name)))
	}
	t.Cleanup(func() { _ = os.Remove(root + "/trial-values.yaml") })
	in := func(command string) string {
		t.Helper()
		out, err := n.inNode(path, command)
		require.NoError(t, err, "%s: %s", command, out)
		return out
	}

	require.Equal(t, "make image", commands[0])
	n.must("", "make", "-C", root, "image")
	for _, command := range commands[1 : len(commands)-1] {
		in(command)
	}
	out, err := n.inNode(path, commands[len(commands)-1])
	t.Log(out)
	assert.ErrorContains(t, err, "exit status 3", "not known yet, because the stream goes on")
	line := regexp.MustCompile(`(?m)^node1/\S+ \(\w+\)\s+incomplete\s+(\d+)\s+(\d+)\s`).FindStringSubmatch(out)
	require.NotNil(t, line, "no line for this node's stream")
	assert.Equal(t, line[1], line[2], "RECORDS and VERIFIED")

	in("helm upgrade logseal deploy/helm/logseal -n logseal -f trial-values.yaml --set agent.podAnnotations.round=second --wait")
	in("helm rollback logseal -n logseal --wait")
	assert.NotContains(t, in("kubectl -n logseal-agent get pods -o yaml"), "round: second")
	in("helm uninstall logseal -n logseal --wait")
	assert.Contains(t, in("ls /var/lib/logseal/agent"), "stamp.key", "state stays")
	in("kubectl delete namespace logseal logseal-agent && rm -r /var/lib/logseal/agent")
}
