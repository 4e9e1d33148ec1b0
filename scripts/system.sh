#!/usr/bin/env bash
# Install the few system packages that set-up and the browser tests need, and only those that are missing.
#   python3-venv  for the virtual environment      nodejs, npm  to fetch the browser files of package-lock.json
#   chromium      for the browser tests; without it they are skipped
# Usage: scripts/system.sh PYTHON
set -euo pipefail

python=$1
missing=()

have() { command -v "$1" >/dev/null 2>&1; }

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  missing+=("python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv")
fi
have node || missing+=(nodejs)
have npm || missing+=(npm)
have chromium || have chromium-browser || have google-chrome || missing+=(chromium)

[ ${#missing[@]} -gt 0 ] || exit 0

if ! have apt-get; then
  [ "${missing[*]}" = chromium ] && { echo "No Chromium here: the browser tests will be skipped." >&2; exit 0; }
  echo "Stoa needs ${missing[*]} (Debian's names). This machine has no apt-get; please install them and try again." >&2
  exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  have sudo || { echo "Stoa needs ${missing[*]}. Please run, as root: apt-get install ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi

echo "Installing ${missing[*]} ..."
if ! { "${as_root[@]}" apt-get update -qq &&
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }; then
  [ "${missing[*]}" = chromium ] || { echo "Could not install ${missing[*]}." >&2; exit 1; }
  echo "Could not install Chromium: the browser tests will be skipped." >&2
fi
