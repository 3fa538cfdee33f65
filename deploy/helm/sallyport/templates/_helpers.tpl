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

{{/* Whether state is kept. The values of an older release, which --reuse-values brings along, have no such key. */}}
{{- define "sallyport.stores" -}}
{{- if (.Values.lastKnownGood).enabled }}true{{ end }}
{{- end }}

{{/* Which classes are served, in JSON; none: all of our controller. */}}
{{- define "sallyport.classes" -}}
{{- if .Values.ingressClasses }}
{{- toJson .Values.ingressClasses }}
{{- else if and .Values.namespaces (not .Values.rbac.ingressClasses) (ne .Values.ingressClass.name "sallyport") }}
{{- /* Nobody may look at the class, so it is known by its name alone. */}}
{{- toJson (list .Values.ingressClass.name) }}
{{- else }}
{{- "[]" }}
{{- end }}
{{- end }}

{{/* The Service whose addresses are published, where those of one are. */}}
{{- define "sallyport.publishService" -}}
{{- default (printf "%s/%s" .Release.Namespace (include "sallyport.fullname" .)) .Values.publish.service }}
{{- end }}

{{/* The port that clients reach HTTPS on. */}}
{{- define "sallyport.httpsPort" -}}
{{- with .Values.service }}
{{- if and (eq .type "NodePort") .httpsNodePort (ne $.Values.publish.from "addresses") (not $.Values.publish.service) }}
{{- .httpsNodePort }}
{{- else }}
{{- .httpsPort }}
{{- end }}
{{- end }}
{{- end }}

{{/* The configuration file: what the values ask for, over what `config` says. */}}
{{- define "sallyport.config" -}}
{{- $config := default dict .Values.config }}
{{- $refused := dict
  "resources" "nothing: a cluster is served"
  "acme.service" "nothing: it is the release's"
  "ingress.classes" "ingressClasses"
  "kubernetes.kubeconfig" "nothing: the Pod's account is used"
  "kubernetes.lease-name" "nothing: it is the release's name"
  "kubernetes.lease-namespace" "nothing: it is the release's"
  "kubernetes.publish-addresses" "publish.addresses"
  "kubernetes.publish-service" "publish.service"
  "kubernetes.secrets" "secrets.access"
  "kubernetes.watch-namespaces" "namespaces"
  "listeners.admin" "nothing: the probes ask 9090"
  "timeouts.drain" "termination.drainSeconds"
  "timeouts.drain-delay" "termination.delaySeconds" }}
{{- if include "sallyport.stores" . }}
{{- $_ := set $refused "kubernetes.last-known-good.file" "lastKnownGood.volume" }}
{{- $_ := set $refused "kubernetes.last-known-good.key-file" "lastKnownGood.keySecret" }}
{{- end }}
{{- range $key, $instead := $refused }}
{{- $at := $config }}
{{- range splitList "." $key }}
{{- $at = ternary (get (ternary $at dict (kindIs "map" $at)) .) "" (kindIs "map" $at) }}
{{- end }}
{{- if not (or (eq (toString $at) "") (kindIs "invalid" $at)) }}
{{- fail (printf "config.%s: the chart sets it (expected: %s)" $key $instead) }}
{{- end }}
{{- end }}
{{- $kubernetes := dict "lease-name" (include "sallyport.fullname" .) "secrets" .Values.secrets.access }}
{{- with .Values.namespaces }}
{{- $_ := set $kubernetes "watch-namespaces" . }}
{{- end }}
{{- if eq .Values.publish.from "service" }}
{{- $_ := set $kubernetes "publish-service" (include "sallyport.publishService" .) }}
{{- else if eq .Values.publish.from "addresses" }}
{{- $_ := set $kubernetes "publish-addresses" .Values.publish.addresses }}
{{- end }}
{{- if include "sallyport.stores" . }}
{{- $_ := set $kubernetes "last-known-good" (dict "file" "/var/lib/sallyport/last-known-good" "key-file" (printf "/etc/sallyport-state-key/%s" (default "key" .Values.lastKnownGood.keySecret.key))) }}
{{- end }}
{{- $own := dict "kubernetes" $kubernetes
  "listeners" (dict "admin" "0.0.0.0:9090")
  "timeouts" (dict "drain-delay" (printf "%ds" (int .Values.termination.delaySeconds)) "drain" (printf "%ds" (int .Values.termination.drainSeconds))) }}
{{- with include "sallyport.classes" . | fromJsonArray }}
{{- $_ := set $own "ingress" (dict "classes" .) }}
{{- end }}
{{- $port := include "sallyport.httpsPort" . | int }}
{{- if and (ne $port 443) (not (hasKey (default dict $config.redirect) "port")) }}
{{- $_ := set $own "redirect" (dict "port" $port) }}
{{- end }}
{{- if include "sallyport.acme" . }}
{{- $_ := set $own "acme" (dict "service" (printf "%s/%s" .Release.Namespace (include "sallyport.fullname" .))) }}
{{- end }}
{{- mergeOverwrite (deepCopy $config) $own | toYaml }}
{{- end }}

{{/* Whether certificates are issued by the gateway itself. */}}
{{- define "sallyport.acme" -}}
{{- $acme := default dict (default dict .Values.config).acme }}
{{- if or $acme.directory $acme.issuers }}true{{ end }}
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
