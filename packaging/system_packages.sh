#!/bin/sh
# system_packages.sh offscreen|x11: the shared libraries that Qt needs on Linux.
# Installs what is missing where it may (root or sudo without a password, apt-get); otherwise says
# what to install. Does nothing on macOS and Windows, where the wheels bring everything.
set -eu
here=$(dirname "$0")
. "$here/as_root.sh"

offscreen="libegl1 libgl1 libglib2.0-0 libxkbcommon0 libdbus-1-3 libfontconfig1 fonts-dejavu-core"
x11="libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0
 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1"
tools="xvfb xdotool openbox"

case "${1:-offscreen}" in
offscreen) wanted=$offscreen ;;
x11) wanted="$offscreen $x11" ;;
gui-check) wanted="$offscreen $x11 $tools" ;;
list)
    echo "offscreen:" $offscreen
    echo "x11:" $x11
    exit 0
    ;;
*)
    echo "usage: $0 offscreen|x11|gui-check|list" >&2
    exit 2
    ;;
esac

[ "$(uname -s)" = Linux ] || exit 0
if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This is not Debian or Ubuntu: if the window does not open, install your system's packages for"
    echo "  $(echo $wanted)"
    exit 0
fi

is_installed() {
    # Since Debian 13 some names carry the suffix t64.
    for name in "$1" "$1t64"; do
        case "$(dpkg-query -W -f '${Status}' "$name" 2>/dev/null)" in
        "install ok installed") return 0 ;;
        esac
    done
    return 1
}

missing=""
for package in $wanted; do
    is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Installing system packages:$missing"
if ! install_debian $missing; then
    echo "They could not be installed from here. Please run, as root:"
    echo "  apt-get install$missing"
    echo "Going on without them; 'mtm-core doctor' says what is missing."
fi
