# Sourced by ./sallyport and ./verify. Finds a JDK without asking anybody to set something up.

# Prints the feature version of the JDK in folder $1; nothing where that is no JDK or does not run.
jdk_feature() {
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] || return 0
  # The release file answers without starting a JVM.
  if [ -r "$1/release" ]; then
    sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
  else
    "$1/bin/java" -XshowSettings:properties -version 2>&1 |
      sed -n 's/^ *java\.specification\.version = \([0-9]*\)$/\1/p' || true
  fi
}

jdk_candidates() {
  [ -z "${JAVA_HOME:-}" ] || printf '%s\n' "$JAVA_HOME"
  _java=$(command -v java || true)
  if [ -n "$_java" ] && [ -x "$_java" ]; then
    # macOS has no readlink -f before 12.3; its java_home stands for it.
    _real=$(readlink -f -- "$_java" 2>/dev/null || printf '%s' "$_java")
    dirname -- "$(dirname -- "$_real")"
  fi
  for _dir in /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
    "$HOME"/.local/share/mise/installs/java/* /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    if [ -d "$_dir" ]; then printf '%s\n' "$_dir"; fi
  done
}

# Prints the folder of a JDK 25 or newer; $1 names the caller in the complaint.
find_jdk() {
  jdk_candidates | {
    while IFS= read -r _home; do
      _version=$(jdk_feature "$_home")
      if [ -n "$_version" ] && [ "$_version" -ge 25 ]; then
        printf '%s\n' "$_home"
        # The rest is read too: a writer that is cut off fails the pipe of a caller with pipefail.
        cat >/dev/null
        exit 0
      fi
    done
    echo "$1: no JDK 25 or newer found (looked at JAVA_HOME, PATH, /usr/lib/jvm and the usual places). Install one, for instance Temurin 25, or set JAVA_HOME." >&2
    exit 1
  }
}
