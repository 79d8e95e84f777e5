// SPDX-License-Identifier: Apache-2.0

// Package cluster installs the chart on a real node: etcd, API server, controllers, scheduler, containerd and kubelet, as processes on
// this machine in namespaces of their own. `make test-cluster` runs it; README.md beside this file says what it needs and what it prints.
package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/logseal/logseal/internal/testbed"
	"github.com/logseal/logseal/tests/cluster/lines"
)

const (
	root      = "../.."
	gatewayIP = "10.96.0.50" // services of fixed addresses: the node has no DNS
	siemIP    = "10.96.0.51"
	steady    = 6000
)

type node struct {
	t   *testing.T
	dir string
}

func (n node) run(stdin string, name string, args ...string) (string, error) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "K8S_HOME="+n.dir, "LOG_MAX_SIZE=100Ki", "LOG_MAX_FILES=5", "LOG_MONITOR=3s", "LOGSEAL_TRIAL_SANS=IP:"+gatewayIP+",IP:"+siemIP)
	cmd.Stdin = strings.NewReader(stdin)
	// A file and not a pipe: the daemons that `node up` leaves behind keep what they inherit.
	out, err := os.CreateTemp(n.t.TempDir(), "out")
	require.NoError(n.t, err)
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	runErr := cmd.Run()
	text, err := os.ReadFile(out.Name())
	require.NoError(n.t, err)
	return string(text), runErr
}

func (n node) must(stdin, name string, args ...string) string {
	n.t.Helper()
	out, err := n.run(stdin, name, args...)
	require.NoError(n.t, err, "%s %s: %s", name, strings.Join(args, " "), out)
	return out
}

func (n node) kubectl(args ...string) string {
	n.t.Helper()
	return n.must("", "./node", append([]string{"k"}, args...)...)
}

func (n node) apply(manifest string) {
	n.t.Helper()
	n.must(manifest, "./node", "k", "apply", "-f", "-")
}

// helm runs where the API server listens.
func (n node) helm(args ...string) string {
	n.t.Helper()
	pid, err := os.ReadFile(filepath.Join(n.dir, "node", "init.pid"))
	require.NoError(n.t, err)
	helm, err := filepath.Abs(root + "/.tools/release/helm")
	require.NoError(n.t, err)
	return n.must("", "nsenter", append([]string{"-t", strings.TrimSpace(string(pid)), "-n", "--", "env", "KUBECONFIG=" + filepath.Join(n.dir, "node", "admin.kubeconfig"), helm}, args...)...)
}

func (n node) await(what string, timeout time.Duration, done func() (bool, string)) {
	n.t.Helper()
	var last string
	for end := time.Now().Add(timeout); time.Now().Before(end); time.Sleep(time.Second) {
		var ok bool
		if ok, last = done(); ok {
			return
		}
	}
	n.t.Fatalf("%s: not within %s: %s", what, timeout, last)
}

func (n node) awaitReady(namespace, what string) {
	n.t.Helper()
	if out, err := n.run("", "./node", "k", "-n", namespace, "rollout", "status", what, "--timeout=120s"); err != nil {
		logs, _ := n.run("", "./node", "k", "-n", namespace, "logs", what, "--all-containers", "--tail=20")
		n.t.Fatalf("%s: %s\n%s\n%s", what, out, n.kubectl("get", "pods", "-A"), logs)
	}
}

// serverTakes has the API server check objects as if it stored them: unknown fields, Pod Security, quotas, admission.
func (n node) serverTakes(args ...string) {
	n.t.Helper()
	out := n.kubectl(append([]string{"apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict"}, args...)...)
	assert.Contains(n.t, out, "serverside-applied")
	assert.NotContains(n.t, strings.ToLower(out), "warning: would violate", "Pod Security")
}

// pod is a workload of which every line is known.
type pod struct {
	name        string
	lines, long int
	times       int // how often it is run at least
}

// app is the label of all pods of a profile, by the name of one.
func app(name string) string {
	profile, _, _ := strings.Cut(name, "-")
	return "logger-" + profile
}

func (p pod) manifest(restart string, args ...string) string {
	quoted := fmt.Sprintf("%q", append([]string{"-name=" + p.name, fmt.Sprintf("-lines=%d", p.lines), fmt.Sprintf("-long=%d", p.long)}, args...))
	return fmt.Sprintf(`---
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: default, labels: {app: %s}}
spec:
  restartPolicy: %s
  terminationGracePeriodSeconds: 1
  automountServiceAccountToken: false
  containers:
    - {name: main, image: "logseal.test/logger:1", imagePullPolicy: Never, args: %s}
`, p.name, app(p.name), restart, strings.ReplaceAll(quoted, `" "`, `", "`))
}

func TestEveryLineOfEveryPodArrives(t *testing.T) {
	dir := os.Getenv("LOGSEAL_TEST_CLUSTER")
	if dir == "" {
		t.Skip("runs by `make test-cluster`")
	}
	n := node{t: t, dir: dir}
	_, _ = n.run("", "./node", "down")
	n.must("", "./node", "up")
	t.Cleanup(func() {
		down := exec.Command("./node", "down")
		down.Env = append(os.Environ(), "K8S_HOME="+dir)
		assert.NoError(t, down.Run())
	})
	t.Run("the five commands of the README", func(t *testing.T) { node{t: t, dir: dir}.fiveCommands() })
	values := filepath.Join(t.TempDir(), "values.yaml")
	// prepare writes the values file into the folder it is run in.
	secrets := n.must("", "bash", "-c", fmt.Sprintf("%s/deploy/trial/prepare values.tmp 2>/dev/null && mv values.tmp %s", root, values))
	n.apply(secrets)
	for name, ip := range map[string]string{"gateway": gatewayIP, "siem": siemIP} {
		n.must(fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: logseal-%s, namespace: logseal}\nspec: {clusterIP: %s, ports: [{name: otlp-grpc, port: 4317}]}\n", name, ip),
			"./node", "k", "apply", "--server-side", "--field-manager=helm", "-f", "-")
	}

	t.Run("the API server takes every profile", func(t *testing.T) {
		n := node{t: t, dir: dir}
		kustomizations, err := filepath.Glob(root + "/deploy/kubernetes/*/kustomization.yaml")
		require.NoError(t, err)
		require.NotEmpty(t, kustomizations)
		for _, k := range kustomizations {
			n.serverTakes("-k", filepath.Dir(k))
		}
		// Of cert-manager and the Prometheus operator, the definitions alone: the API server holds the objects against them.
		n.kubectl("apply", "--server-side", "-f", filepath.Join(dir, "crds"))
		n.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
		for _, set := range []string{
			"agent.tls.source=cert-manager,agent.tls.issuerRef.name=agents,agent.tls.issuerRef.kind=ClusterIssuer," +
				"gateway.tls.source=cert-manager,gateway.tls.issuerRef.name=gateways,gateway.tls.siemIssuerRef.name=siem",
			"monitoring.podMonitor.enabled=true,monitoring.prometheusRule.enabled=true,monitoring.dashboard.enabled=true",
			"siem.enabled=true", "gateway.autoscaling.enabled=true", "gateway.kind=StatefulSet",
			"agent.tls.source=pod-certificate,agent.tls.signerName=example.com/agents,agent.tls.caConfigMap=gateway-ca",
		} {
			manifest := filepath.Join(t.TempDir(), "manifest.yaml")
			require.NoError(t, os.WriteFile(manifest, []byte(n.helm("template", "dry", root+"/deploy/helm/logseal", "-n", "logseal", "-f", values, "--set", set)), 0o600))
			n.serverTakes("-f", manifest)
		}
	})
	for _, profile := range []string{"rootless", "root"} {
		t.Run(profile, func(t *testing.T) {
			n := node{t: t, dir: dir}
			n.helm("upgrade", "--install", "logseal", root+"/deploy/helm/logseal", "-n", "logseal", "-f", values, "--take-ownership",
				"--set", "image.repository=logseal.test/logseal", "--set-string", "image.tag=1", "--set", "agent.profile="+profile,
				"--set", "agent.gateway.endpoint="+gatewayIP+":4317", "--set", "gateway.siem.endpoint="+siemIP+":4317",
				// The state of the other profile belongs to another user; each has a folder of its own here.
				"--set", "agent.stateHostPath="+filepath.Join(dir, "node", "state-"+profile))
			n.awaitReady("logseal", "statefulset/logseal-siem")
			n.awaitReady("logseal", "deployment/logseal-gateway")
			n.awaitReady("logseal-agent", "daemonset/logseal-agent")
			n.checkConfinement(profile)
			n.workload(profile)
		})
	}
}

// checkConfinement reads from the kernel what the processes of agent and gateway may do: the table in docs/deploy.md.
func (n node) checkConfinement(profile string) {
	uid := map[string]string{"rootless": "10001", "root": "0"}[profile]
	n.checkProcess("agent, profile "+profile, "/etc/logseal/agent.yaml", uid, "0", "/", "/var/log/pods", "/etc/logseal/tls")
	n.checkProcess("gateway", "/etc/logseal/gateway.yaml", "10001", "10001", "/", "/etc/logseal/tls")
}

// checkProcess finds the collector with a configuration, and compares its user, its group and what is mounted read-only.
func (n node) checkProcess(what, config, uid, gid string, readOnly ...string) {
	t := n.t
	t.Helper()
	pid := strings.TrimSpace(n.must("", "./node", "in", "pgrep", "-of", "^/usr/bin/otelcol-logseal --config="+config))
	require.NotEmpty(t, pid)
	status := n.must("", "./node", "in", "cat", "/proc/"+pid+"/status")
	for _, want := range []string{`Uid:\t` + uid + `\t`, `Gid:\t` + gid + `\t`, `CapEff:\t0{16}`, `CapBnd:\t0{16}`, `NoNewPrivs:\t1`, `Seccomp:\t2`} {
		assert.Regexp(t, want, status, what)
	}
	mounts := n.must("", "./node", "in", "cat", "/proc/"+pid+"/mounts")
	for _, mount := range readOnly {
		assert.Regexp(t, `(?m)^\S+ `+regexp.QuoteMeta(mount)+` \S+ ro,`, mounts, what)
	}
	t.Logf("%s, from the kernel: %s", what, strings.Join(regexp.MustCompile(`(?m)^(Uid|Gid|CapEff|NoNewPrivs|Seccomp):.*$`).FindAllString(status, -1), "; "))
}

func (n node) workload(profile string) {
	t := n.t
	pods := []pod{
		{name: profile + "-steady", lines: steady, times: 1},
		{name: profile + "-long", lines: 200, long: 100_000, times: 1},
		{name: profile + "-crash", lines: 20, times: 3},
	}
	n.apply(pods[0].manifest("Never", "-pace=5ms") + pods[1].manifest("Never", "-pace=20ms") + pods[2].manifest("Always", "-exit=1"))
	for i := range 20 {
		p := pod{name: fmt.Sprintf("%s-short-%d", profile, i), lines: 50, times: 1}
		pods = append(pods, p)
		n.apply(p.manifest("Never"))
	}
	agent := func() string {
		return strings.TrimSpace(n.kubectl("-n", "logseal-agent", "get", "pods", "-l", "app.kubernetes.io/component=agent", "-o", "jsonpath={.items[0].metadata.name}"))
	}
	// The agent's pod is killed, the gateway's is deleted, and the node is drained and brought back, while they write.
	n.kubectl("-n", "logseal-agent", "delete", "pod", agent(), "--grace-period=0", "--force")
	n.awaitReady("logseal-agent", "daemonset/logseal-agent")
	n.kubectl("cordon", "node1")
	n.kubectl("-n", "logseal-agent", "delete", "pod", agent()) // a DaemonSet's pod comes back on a cordoned node too
	n.awaitReady("logseal-agent", "daemonset/logseal-agent")
	n.kubectl("uncordon", "node1")

	n.await("steady, long and short-lived pods", 4*time.Minute, func() (bool, string) {
		out := n.kubectl("get", "pods", "-l", "app="+app(profile+"-"), "-o", `jsonpath={range .items[*]}{.metadata.name}={.status.phase} {end}`)
		return strings.Count(out, "=Succeeded") == len(pods)-1, out
	})
	n.await("three runs of the crash-looping pod", 3*time.Minute, func() (bool, string) {
		out := n.kubectl("get", "pod", profile+"-crash", "-o", "jsonpath={.status.containerStatuses[0].restartCount}")
		return out >= "3" && len(out) > 0, out
	})

	want := map[string]int{} // line → how often it was written at least
	for _, p := range pods {
		for i := range p.lines {
			want[lines.Line(p.name, i, p.long)] += p.times
		}
	}
	siem := strings.TrimSpace(n.kubectl("-n", "logseal", "get", "pod", "logseal-siem-0", "-o", "jsonpath={.metadata.uid}"))
	archive := testbed.Archive{Path: filepath.Join(n.dir, "node", "varlibkubelet", "pods", siem, "volumes", "kubernetes.io~empty-dir", "archive", "archive.jsonl")}
	have, foreign, records := map[string]int{}, map[string]int{}, 0 // of foreign ones: the start and the length
	n.await("every line in the archive", 2*time.Minute, func() (bool, string) {
		_, err := archive.Read(func(r plog.ResourceLogs, l plog.LogRecord) {
			name, _ := r.Resource().Attributes().Get("k8s.pod.name")
			if !strings.HasPrefix(name.Str(), profile+"-") {
				return
			}
			records++
			line := strings.TrimSuffix(l.Body().AsString(), "\n")
			if want[line] == 0 {
				foreign[line[:min(len(line), 80)]] = len(line)
			}
			have[line]++
		})
		require.NoError(t, err)
		missing, first := 0, ""
		for line, times := range want {
			if have[line] < times {
				missing++
				first = line[:min(len(line), 80)]
			}
		}
		return missing == 0, fmt.Sprintf("%d of %d lines missing, one of them %q; foreign, with their lengths: %v", missing, len(want), first, foreign)
	})
	assert.Empty(t, foreign, "a line arrived that nobody wrote like that")
	twice := 0
	for line, times := range want {
		if !strings.HasPrefix(line, profile+"-crash") {
			twice += have[line] - times
		}
	}
	// The newest records wait for their seal for a second or so; the crash-looping pod makes new ones now and then.
	var counts []string
	n.await("every record verified", time.Minute, func() (bool, string) {
		out, _ := n.run("", "./node", "k", "-n", "logseal", "exec", "logseal-siem-0", "--", "/usr/bin/logseal", "verify", "--trust-on-first-use", "/var/lib/logseal/siem")
		require.Regexp(t, `(?m)^incomplete: (\d+) of (\d+) records verified`, out)
		counts = regexp.MustCompile(`(\d+) of (\d+) records verified`).FindStringSubmatch(out)
		return counts[1] == counts[2], out
	})
	t.Logf("%s: %d lines of %d pods arrived as written (%d twice), %d records; %s", profile, len(want), len(pods), twice, records, bytes.TrimSpace([]byte(counts[0])))
}
