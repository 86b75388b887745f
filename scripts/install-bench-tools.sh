#!/bin/sh
# Install what the service is measured against, as far as it is not there: a C compiler, nginx with Nchan.
# What cannot be installed is said and is not the end: its line in the report says so as well.
set -eu

have_nchan() { ls /usr/lib/nginx/modules/ngx_nchan_module.so >/dev/null 2>&1; }

missing=
command -v cc >/dev/null || missing="$missing gcc libc6-dev"
have_nchan || missing="$missing nginx libnginx-mod-nchan"
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "install-bench-tools: please install:$missing" >&2
    exit 0
fi
sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "install-bench-tools: as root, please: apt-get install$missing" >&2; exit 0; }
    sudo=sudo
fi
echo "installing$missing"
$sudo apt-get update -qq || true
# Runlevel 1: the package does not start an nginx of its own.
# shellcheck disable=SC2086
$sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
    -o Dpkg::Options::=--force-confold $missing >/dev/null ||
    echo "install-bench-tools: could not install:$missing" >&2
