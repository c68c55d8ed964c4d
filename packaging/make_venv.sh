#!/bin/sh
# make_venv.sh PYTHON FOLDER: a virtual environment with pip inside.
set -eu
python=$1
folder=$2
here=$(dirname "$0")

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    . "$here/as_root.sh"
    if ! install_debian "$version"; then
        echo "$python lacks its venv module. Install it (on Debian: apt-get install $version), then repeat."
        exit 1
    fi
fi
"$python" -m venv "$folder"
"$folder/bin/python" -m pip --version >/dev/null 2>&1 || "$folder/bin/python" -m ensurepip --upgrade
