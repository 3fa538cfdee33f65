# shellcheck shell=bash
# Sourced by ./verify and the test bed. Installs the commands that are missing, where that can be done without asking.

# need CALLER COMMAND=PACKAGE…: the commands, each with the Debian package that has it. What cannot be had is named.
need() {
  local caller=$1 missing=() packages=() entry
  shift
  for entry in "$@"; do
    command -v "${entry%%=*}" >/dev/null || { missing+=("${entry%%=*}"); packages+=("${entry#*=}"); }
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
    echo "$caller: installing ${packages[*]} for ${missing[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    # Nobody may be asking: no questions, and no input to answer them with.
    apt-get install -y -q --no-install-recommends "${packages[@]}" >/dev/null 2>&1 </dev/null ||
      { apt-get update -q >/dev/null </dev/null && apt-get install -y -q --no-install-recommends "${packages[@]}" >/dev/null </dev/null; } ||
      true
  fi
  for entry in "${missing[@]}"; do
    command -v "$entry" >/dev/null || {
      echo "$caller: $entry is missing and could not be installed (as root on Debian: apt-get install ${packages[*]})" >&2
      return 1
    }
  done
}
