// SPDX-License-Identifier: Apache-2.0

// Package deploy checks what is rolled out: the Helm chart and the manifests rendered from it, the image, the packages. What needs a
// cluster is in tests/cluster.
package deploy

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

const (
	root  = "../.."
	chart = root + "/deploy/helm/logseal"
	pin   = "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)

// needed are the values that have no default.
var needed = []string{"--set", "agent.gateway.pins={" + pin + "}", "--set", "gateway.siem.pins={" + pin + "}", "--set", "gateway.siem.endpoint=siem.example.com:4317"}

// tool returns a tool that `make release-tools` builds, and skips the test where it is not there, except in CI.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, ".tools", "release", name))
	require.NoError(t, err)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not built: run `make release-tools`", name)
		}
		t.Skipf("%s is not built: run `make release-tools`", name)
	}
	return path
}

// needs returns the path of a program that a test drives. Without it the test is skipped, but in CI, which must have it, it fails.
func needs(t *testing.T, program, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed, and CI must have it (Debian package %s)", program, debianPackage)
	}
	t.Skipf("%s is not installed (Debian package %s)", program, debianPackage)
	return ""
}

func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command(tool(t, "helm"), args...)
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+t.TempDir(), "HELM_CONFIG_HOME="+t.TempDir())
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	err := cmd.Run()
	return out.String() + errors.String(), err
}

// render returns the objects of a release, by kind and name.
func render(t *testing.T, args ...string) map[string]string {
	t.Helper()
	out, err := helm(t, append(append([]string{"template", "logseal", chart, "--namespace", "logseal"}, needed...), args...)...)
	require.NoError(t, err, out)
	objects := map[string]string{}
	for _, document := range strings.Split(out, "\n---\n") {
		var head struct {
			Kind     string
			Metadata struct{ Name string }
		}
		require.NoError(t, yaml.Unmarshal([]byte(document), &head))
		if head.Kind != "" {
			objects[head.Kind+"/"+head.Metadata.Name] = document
		}
	}
	require.NotEmpty(t, objects)
	return objects
}

// decode reads an object as the API server does: an unknown field is an error.
func decode[T any](t *testing.T, document string) *T {
	t.Helper()
	object := new(T)
	require.NoError(t, yaml.UnmarshalStrict([]byte(document), object), document)
	return object
}

// prometheusRule is what the Prometheus operator knows of the objects of that kind that we write.
type prometheusRule struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Groups []struct {
			Name  string `json:"name"`
			Rules []struct {
				Alert       string            `json:"alert"`
				Expr        string            `json:"expr"`
				For         string            `json:"for,omitempty"`
				Labels      map[string]string `json:"labels"`
				Annotations map[string]string `json:"annotations"`
			} `json:"rules"`
		} `json:"groups"`
	} `json:"spec"`
}

// TestChartHasTheAlerts: the rules and the dashboard in a release are those that were tested.
func TestChartHasTheAlerts(t *testing.T) {
	objects := render(t, profiles["alerts"]...)
	rule := decode[prometheusRule](t, objects["PrometheusRule/logseal"])
	want := *rule
	text, err := os.ReadFile(root + "/deploy/alerts/logseal.rules.yaml")
	require.NoError(t, err)
	want.Spec.Groups = nil
	require.NoError(t, yaml.UnmarshalStrict(text, &want.Spec))
	require.NotEmpty(t, want.Spec.Groups)
	assert.Equal(t, want.Spec, rule.Spec)

	dashboard := decode[corev1.ConfigMap](t, objects["ConfigMap/logseal-dashboard"])
	text, err = os.ReadFile(root + "/deploy/alerts/dashboard.json")
	require.NoError(t, err)
	assert.JSONEq(t, string(text), dashboard.Data["logseal.json"])
	assert.Equal(t, "1", dashboard.Labels["grafana_dashboard"])

	for name := range render(t) {
		assert.NotContains(t, name, "PrometheusRule", "it is off unless asked for")
	}
}

var profiles = map[string][]string{
	"defaults":         nil,
	"root":             {"--set", "agent.profile=root"},
	"two namespaces":   {"--set", "agent.namespace=logseal-agent"},
	"no API server":    {"--set", "agent.kubernetesMetadata=false", "--set", "agent.bindNodeUID=false"},
	"deployment":       {"--set", "gateway.kind=Deployment"},
	"autoscaling":      {"--set", "gateway.autoscaling.enabled=true"},
	"stand-in SIEM":    {"--set", "siem.enabled=true", "--set", "siem.persistence.enabled=true"},
	"more logs":        {"--set", "agent.extraLogs[0].name=audit", "--set", "agent.extraLogs[0].hostPath=/var/log/audit", "--set", "agent.extraLogs[0].include={/var/log/audit/audit.log}"},
	"pod certificates": {"--set", "agent.tls.source=pod-certificate", "--set", "agent.tls.signerName=example.com/agents", "--set", "agent.tls.caConfigMap=gateway-ca"},
	"cert-manager": {
		"--set", "agent.tls.source=cert-manager", "--set", "agent.tls.issuerRef.name=agents", "--set", "agent.tls.issuerRef.kind=ClusterIssuer",
		"--set", "gateway.tls.source=cert-manager", "--set", "gateway.tls.issuerRef.name=gateways", "--set", "gateway.tls.siemIssuerRef.name=siem",
		"--set", "gateway.tls.dnsNames={logs.example.com}",
	},
	"pod monitors":         {"--set", "monitoring.podMonitor.enabled=true", "--set", "monitoring.podMonitor.labels.release=prometheus"},
	"storage keys":         {"--set", "agent.storageKeySecret=agent-storage", "--set", "gateway.storageKeySecret=gateway-storage"},
	"alerts":               {"--set", "monitoring.prometheusRule.enabled=true", "--set", "monitoring.dashboard.enabled=true"},
	"another release name": {"--set", "fullnameOverride=logs"},
}

func TestChartObjectsAreWhatTheAPIServerKnows(t *testing.T) {
	for name, args := range profiles {
		t.Run(name, func(t *testing.T) {
			for key, document := range render(t, args...) {
				switch kind, _, _ := strings.Cut(key, "/"); kind {
				case "ConfigMap":
					decode[corev1.ConfigMap](t, document)
				case "ServiceAccount":
					decode[corev1.ServiceAccount](t, document)
				case "Service":
					decode[corev1.Service](t, document)
				case "DaemonSet":
					decode[appsv1.DaemonSet](t, document)
				case "StatefulSet":
					decode[appsv1.StatefulSet](t, document)
				case "Deployment":
					decode[appsv1.Deployment](t, document)
				case "ClusterRole":
					decode[rbacv1.ClusterRole](t, document)
				case "ClusterRoleBinding":
					decode[rbacv1.ClusterRoleBinding](t, document)
				case "NetworkPolicy":
					decode[networkingv1.NetworkPolicy](t, document)
				case "PodDisruptionBudget":
					decode[policyv1.PodDisruptionBudget](t, document)
				case "HorizontalPodAutoscaler":
					decode[autoscalingv2.HorizontalPodAutoscaler](t, document)
				case "PrometheusRule":
					decode[prometheusRule](t, document)
				default:
					customObject(t, document)
				}
			}
		})
	}
}

// customObject holds an object of cert-manager or of the Prometheus operator against their own types.
func customObject(t *testing.T, document string) {
	t.Helper()
	cmd := exec.Command(tool(t, "customobjects"))
	cmd.Stdin = strings.NewReader(document)
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s\n%s", out, document)
}

// What docs/deploy.md says of the security context, for every container of every profile.
func TestChartPodsHaveNoPrivilege(t *testing.T) {
	for name, args := range profiles {
		t.Run(name, func(t *testing.T) {
			for key, document := range render(t, append(args, "--set", "siem.enabled=true")...) {
				var pod corev1.PodSpec
				switch kind, _, _ := strings.Cut(key, "/"); kind {
				case "DaemonSet":
					pod = decode[appsv1.DaemonSet](t, document).Spec.Template.Spec
				case "StatefulSet":
					pod = decode[appsv1.StatefulSet](t, document).Spec.Template.Spec
				case "Deployment":
					pod = decode[appsv1.Deployment](t, document).Spec.Template.Spec
				default:
					continue
				}
				require.NotNil(t, pod.AutomountServiceAccountToken)
				assert.False(t, *pod.AutomountServiceAccountToken, key)
				assert.False(t, pod.HostNetwork || pod.HostPID || pod.HostIPC, key)
				assert.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type, key)
				for _, c := range append(pod.InitContainers, pod.Containers...) {
					s := c.SecurityContext
					require.NotNil(t, s, c.Name)
					assert.True(t, *s.ReadOnlyRootFilesystem, c.Name)
					assert.False(t, *s.AllowPrivilegeEscalation, c.Name)
					assert.Equal(t, []corev1.Capability{"ALL"}, s.Capabilities.Drop, c.Name)
					if c.Name == "init-state" && *pod.SecurityContext.RunAsUser != 0 {
						assert.Equal(t, []corev1.Capability{"CHOWN"}, s.Capabilities.Add)
					} else {
						assert.Empty(t, s.Capabilities.Add, c.Name)
					}
					for _, mount := range c.VolumeMounts {
						if strings.HasPrefix(mount.MountPath, "/var/log") || mount.Name == "tls" || mount.Name == "api" {
							assert.True(t, mount.ReadOnly, mount.MountPath)
						}
						assert.NotEqual(t, "/var/log", mount.MountPath, "a read-only /var/log leaves a mount below it writable")
					}
				}
			}
		})
	}
}

func TestChartMountsATokenOnlyWhereSomethingAsks(t *testing.T) {
	with := render(t)
	assert.Contains(t, with["DaemonSet/logseal-agent"], "serviceAccountToken")
	assert.Contains(t, with, "ClusterRole/logseal-logseal-agent")
	without := render(t, profiles["no API server"]...)
	assert.NotContains(t, without["DaemonSet/logseal-agent"], "serviceAccountToken")
	assert.NotContains(t, without, "ClusterRole/logseal-logseal-agent")
	assert.NotContains(t, without["ConfigMap/logseal-agent"], "k8s_attributes")
}

func TestChartMemoryLimitsFollowTheContainers(t *testing.T) {
	for limit, want := range map[string]string{"512Mi": "409MiB", "2Gi": "1638MiB", "1.5Gi": "", "500M": ""} {
		out, err := helm(t, append(append([]string{"template", "x", chart}, needed...), "--set", "agent.resources.limits.memory="+limit)...)
		if want == "" {
			assert.Error(t, err, limit)
			continue
		}
		require.NoError(t, err, out)
		assert.Contains(t, out, `{name: GOMEMLIMIT, value: "`+want+`"}`)
	}
}

func TestChartNamesTheKeyAndTheRemedy(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{needed[2:], "agent.gateway.pins: needed"},
		{append(needed[4:6:6], needed[:2]...), "gateway.siem.pins: needed"},
		{needed[:4], "gateway.siem.endpoint: needed"},
		{append(needed[:2:2], "--set", "gateway.enabled=false"), "agent.gateway.endpoint: needed"},
		{append(needed[:6:6], "--set", "agent.gatway.endpoint=x:1"), "'gatway' not allowed"},
		{append(needed[:6:6], "--set", "agent.profile=privileged"), "/agent/profile"},
		{append(needed[:6:6], "--set", "agent.gateway.pins={sha256/short}"), "/agent/gateway/pins/0"},
		{append(needed[:6:6], "--set", "agent.tls.source=cert-manager"), "agent.tls.issuerRef: needed"},
		{append(needed[:6:6], "--set", "agent.tls.source=pod-certificate"), "/agent/tls"},
	} {
		out, err := helm(t, append([]string{"template", "logseal", chart}, c.args...)...)
		require.Error(t, err, c.want)
		assert.Contains(t, out, c.want)
	}
}

func TestChartLintsWithoutAWarning(t *testing.T) {
	out, err := helm(t, append([]string{"lint", "--strict", chart}, needed...)...)
	require.NoError(t, err, out)
	assert.NotContains(t, out, "[WARNING]")
}

// The rendered manifests are what the chart says; `make chart` writes them.
func TestManifestsAreRenderedFromTheChart(t *testing.T) {
	fresh := t.TempDir()
	out, err := exec.Command(root+"/scripts/render-manifests", tool(t, "helm"), fresh).CombinedOutput()
	require.NoError(t, err, string(out))
	found, err := filepath.Glob(filepath.Join(fresh, "*", "logseal.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, found)
	for _, path := range found {
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		profile := filepath.Base(filepath.Dir(path))
		have, err := os.ReadFile(filepath.Join(root, "deploy", "kubernetes", profile, "logseal.yaml"))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(have), "run `make chart`")
	}
}

// The collector takes the shipped configurations with the chart's laid over them.
func TestChartConfigurationsAreValid(t *testing.T) {
	collector, err := filepath.Abs(root + "/bin/otelcol-logseal")
	require.NoError(t, err)
	dir := t.TempDir()
	name := filepath.Join(dir, "stream-name")
	require.NoError(t, os.WriteFile(name, []byte("node-1/0b1c"), 0o600))
	for profile, args := range profiles {
		objects := render(t, args...)
		for _, role := range []string{"agent", "gateway"} {
			document, there := objects["ConfigMap/logseal-"+role]
			if !there {
				continue
			}
			overlay := filepath.Join(dir, role+".yaml")
			text := strings.ReplaceAll(decode[corev1.ConfigMap](t, document).Data["kubernetes.yaml"], "/run/logseal/stream-name", name)
			require.NoError(t, os.WriteFile(overlay, []byte(text), 0o600))
			cmd := exec.Command(collector, "validate", "--config", root+"/distributions/"+role+"/config.yaml", "--config", overlay)
			cmd.Env = append(os.Environ(), "POD_IP=127.0.0.1", "LOGSEAL_HEALTH_ENDPOINT=[127.0.0.1]:13133", "LOGSEAL_LISTEN=[127.0.0.1]:4317", "LOGSEAL_HOST_NAME=node-1", "LOGSEAL_STATE_DIR="+dir, "LOGSEAL_SIEM_ENDPOINT=siem:4317", `LOGSEAL_SIEM_PINS=["`+pin+`"]`)
			out, err := cmd.CombinedOutput()
			assert.NoError(t, err, "%s of %s: %s", role, profile, out)
		}
	}
}
