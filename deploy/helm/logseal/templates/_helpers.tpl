{{/* Names. */}}
{{- define "logseal.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "logseal.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "logseal.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "logseal.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "logseal.agent" -}}{{ include "logseal.fullname" . }}-agent{{- end -}}
{{- define "logseal.gateway" -}}{{ include "logseal.fullname" . }}-gateway{{- end -}}
{{- define "logseal.siem" -}}{{ include "logseal.fullname" . }}-siem{{- end -}}
{{- define "logseal.agentNamespace" -}}{{ default .Release.Namespace .Values.agent.namespace }}{{- end -}}

{{/* Labels: dict "root" $ "component" NAME. */}}
{{- define "logseal.selector" -}}
app.kubernetes.io/name: {{ include "logseal.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "logseal.labels" -}}
{{ include "logseal.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "logseal.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* A memory quantity in MiB; Mi, Gi and plain bytes are understood. */}}
{{- define "logseal.mib" -}}
{{- $q := toString . -}}
{{- if hasSuffix "Gi" $q -}}{{ mulf (trimSuffix "Gi" $q | float64) 1024 | int }}
{{- else if hasSuffix "Mi" $q -}}{{ trimSuffix "Mi" $q | float64 | int }}
{{- else if regexMatch "^[0-9]+$" $q -}}{{ div (int64 $q) 1048576 }}
{{- else -}}{{ fail (printf "resources.limits.memory %q: write it in Mi or Gi" $q) }}
{{- end -}}
{{- end -}}

{{/* Go's limit and the memory limiter's, from the container's. */}}
{{- define "logseal.memoryEnv" -}}
{{- if dig "limits" "memory" "" . -}}
{{- $mib := include "logseal.mib" .limits.memory | int -}}
- {name: GOMEMLIMIT, value: "{{ div (mul $mib 8) 10 }}MiB"}
- {name: LOGSEAL_MEMORY_LIMIT_MIB, value: "{{ div (mul $mib 8) 10 }}"}
{{- end -}}
{{- end -}}

{{/* The pod's address: what the kubelet probes and Prometheus scrapes. */}}
{{- define "logseal.podEnv" -}}
- name: POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
- {name: LOGSEAL_HEALTH_ENDPOINT, value: "[$(POD_IP)]:13133"}
{{- end -}}

{{- define "logseal.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Live is the process: a liveness probe that followed the pipelines would restart a pod because the other side is down, and one
     that followed the extensions would end a process that refused a broken configuration, which the next one could not start with.
     Ready is, for an agent, what it says of its pipelines; for what listens, that it listens: a gateway whose SIEM is away still takes
     logs into its queue, and refuses by itself when that is full. */}}
{{- define "logseal.liveness" -}}
startupProbe:
  httpGet: {path: "/?pipeline=extensions", port: health}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  tcpSocket: {port: health}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
{{- end -}}

{{- define "logseal.agentProbes" -}}
{{ include "logseal.liveness" . }}
readinessProbe:
  httpGet: {path: /, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
{{- end -}}

{{- define "logseal.serverProbes" -}}
{{ include "logseal.liveness" . }}
readinessProbe:
  tcpSocket: {port: otlp-grpc}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end -}}

{{- define "logseal.metrics" -}}
telemetry:
  metrics:
    readers:
      - pull:
          exporter:
            prometheus:
              host: ${env:POD_IP}
              port: 8888
{{- end -}}

{{/* NetworkPolicy peers of a list of CIDRs. */}}
{{- define "logseal.cidrs" -}}
{{- range . }}
- ipBlock: {cidr: {{ . | quote }}}
{{- end -}}
{{- end -}}

{{- define "logseal.dnsEgress" -}}
- to:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
      podSelector: {matchLabels: {k8s-app: kube-dns}}
  ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- end -}}

{{- define "logseal.gatewayEndpoint" -}}
{{- if .Values.agent.gateway.endpoint -}}
{{- .Values.agent.gateway.endpoint -}}
{{- else if .Values.gateway.enabled -}}
{{- printf "%s.%s.svc:%d" (include "logseal.gateway" .) .Release.Namespace (int .Values.gateway.service.port) -}}
{{- else -}}
{{- fail "agent.gateway.endpoint: needed (host:port) where this release has no gateway of its own" -}}
{{- end -}}
{{- end -}}

{{- define "logseal.siemEndpoint" -}}
{{- if .Values.gateway.siem.endpoint -}}
{{- .Values.gateway.siem.endpoint -}}
{{- else if .Values.siem.enabled -}}
{{- printf "%s.%s.svc:4317" (include "logseal.siem" .) .Release.Namespace -}}
{{- else -}}
{{- fail "gateway.siem.endpoint: needed (host:port of the SIEM), or siem.enabled for a stand-in" -}}
{{- end -}}
{{- end -}}

{{/* A map that must not be empty: list MAP MESSAGE. */}}
{{- define "logseal.needed" -}}
{{- if not (index . 0) }}{{ fail (index . 1) }}{{ end -}}
{{- toYaml (index . 0) -}}
{{- end -}}
