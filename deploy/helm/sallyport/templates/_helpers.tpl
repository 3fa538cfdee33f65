{{- define "sallyport.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of what the release makes. Shortened so that -admin still fits. */}}
{{- define "sallyport.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 57 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 57 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 57 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* The name of what has no namespace: releases of one name in two namespaces do not meet. */}}
{{- define "sallyport.clusterName" -}}
{{- printf "%s-%s" (include "sallyport.fullname" .) .Release.Namespace }}
{{- end }}

{{- define "sallyport.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sallyport.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sallyport.labels" -}}
{{ include "sallyport.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "sallyport.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "sallyport.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name: empty (expected: the name of an account, since none is created)" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "sallyport.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Whether there is more than one Pod. */}}
{{- define "sallyport.several" -}}
{{- if or (and .Values.autoscaling.enabled (gt (int .Values.autoscaling.maxReplicas) 1)) (and (not .Values.autoscaling.enabled) (gt (int .Values.replicas) 1)) }}true{{ end }}
{{- end }}

{{/* The configuration file: what the values ask for, over what `config` says. */}}
{{- define "sallyport.config" -}}
{{- $kubernetes := dict "lease-name" (include "sallyport.fullname" .) "secrets" .Values.secrets.access }}
{{- with .Values.namespaces }}
{{- $_ := set $kubernetes "watch-namespaces" . }}
{{- end }}
{{- if eq .Values.publish.from "service" }}
{{- $_ := set $kubernetes "publish-service" (printf "%s/%s" .Release.Namespace (include "sallyport.fullname" .)) }}
{{- else if eq .Values.publish.from "addresses" }}
{{- $_ := set $kubernetes "publish-addresses" .Values.publish.addresses }}
{{- end }}
{{- if .Values.lastKnownGood.enabled }}
{{- $stored := default dict (get (default dict .Values.config.kubernetes) "last-known-good") }}
{{- range list "file" "key-file" }}
{{- if hasKey $stored . }}
{{- fail (printf "config.kubernetes.last-known-good.%s: the chart sets it (expected: the chart's lastKnownGood)" .) }}
{{- end }}
{{- end }}
{{- $_ := set $kubernetes "last-known-good" (merge (dict "file" "/var/lib/sallyport/last-known-good" "key-file" (printf "/etc/sallyport-state-key/%s" .Values.lastKnownGood.keySecret.key)) $stored) }}
{{- end }}
{{- $own := dict "kubernetes" $kubernetes
  "listeners" (dict "admin" "0.0.0.0:9090")
  "timeouts" (dict "drain-delay" (printf "%ds" (int .Values.termination.delaySeconds)) "drain" (printf "%ds" (int .Values.termination.drainSeconds))) }}
{{- with .Values.ingressClasses }}
{{- $_ := set $own "ingress" (dict "classes" .) }}
{{- end }}
{{- if ne (int .Values.service.httpsPort) 443 }}
{{- $_ := set $own "redirect" (dict "port" (int .Values.service.httpsPort)) }}
{{- end }}
{{- range $section, $keys := $own }}
{{- range $key, $value := $keys }}
{{- if and (ne $key "last-known-good") (hasKey (default dict (get $.Values.config $section)) $key) }}
{{- fail (printf "config.%s.%s: the chart sets it (expected: the chart's own value for it)" $section $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- mergeOverwrite (deepCopy .Values.config) $own | toYaml }}
{{- end }}

{{/* Of every container, as the Pod security standard "restricted" asks, and more. */}}
{{- define "sallyport.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "sallyport.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}
