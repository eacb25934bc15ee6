# Sourced by the scripts beside it: paths, and what a fresh machine lacks.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$root/.build/venv"
# How a release build with tests is made: the same everywhere, so that it is made once.
release_tests=(-c release --traits Server -Xswiftc -enable-testing)

# Debian packages that the build links against.
install_packages() {
  local missing=() package
  # Debian's Python comes without the part that makes virtual environments.
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  for package in liblz4-dev libzstd-dev zlib1g-dev libedit-dev pkg-config openssl; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "installing ${missing[*]}" >&2
  local sudo=
  [ "$(id -u)" -eq 0 ] || sudo=sudo
  $sudo apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "${missing[@]}" >/dev/null
}

# A Python environment with the requirements of the given file, made once.
install_python() {
  local requirements=$1 stamp
  stamp="$venv/$(sha256sum "$requirements" | cut -c1-16)"
  [ -e "$stamp" ] && return
  # Each step says for itself whether it failed: in a condition `set -e` doesn't hold.
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv" || return
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" || return
  touch "$stamp"
}

# Ends every process that this script started in the background.
stop_children() {
  local pids
  pids=$(jobs -p)
  [ -z "$pids" ] || kill $pids 2>/dev/null || true
  wait 2>/dev/null || true
}
