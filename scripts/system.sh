#!/usr/bin/env bash
# Install the few system packages that set-up and the browser tests need, and only those that are missing.
#   python3-venv  for the virtual environment      nodejs, npm  to fetch the browser files of package-lock.json
#   chromium      for the browser tests; without it they are skipped
#   iproute2      for a network with a namespace for each member (root only); without it those tests are skipped
# Usage: scripts/system.sh PYTHON
set -euo pipefail

python=$1
needed=()
optional=() # without them, the tests that use them are skipped

have() { command -v "$1" >/dev/null 2>&1; }

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  needed+=("python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv")
fi
have node || needed+=(nodejs)
have npm || needed+=(npm)
have chromium || have chromium-browser || have google-chrome || optional+=(chromium)
[ "$(id -u)" -ne 0 ] || have ip || optional+=(iproute2)

missing=("${needed[@]}" "${optional[@]}")
[ ${#missing[@]} -gt 0 ] || exit 0

skipped() { echo "Without ${optional[*]} some tests will be skipped." >&2; }

if ! have apt-get; then
  [ ${#needed[@]} -gt 0 ] || { skipped; exit 0; }
  echo "Stoa needs ${needed[*]} (Debian's names). This machine has no apt-get; please install them and try again." >&2
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
  [ ${#needed[@]} -eq 0 ] || { echo "Could not install ${missing[*]}." >&2; exit 1; }
  skipped
fi
