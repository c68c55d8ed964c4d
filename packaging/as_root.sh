# Sourced: install_debian PACKAGE... installs Debian packages where that is allowed, else fails.
install_debian() {
    command -v apt-get >/dev/null 2>&1 || return 1
    if [ "$(id -u)" = 0 ]; then
        prefix=""
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        prefix="sudo -n"
    else
        return 1
    fi
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    # Package lists may be absent (a fresh container) or stale: fetch them only when needed.
    $prefix apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 ||
        { $prefix apt-get update -qq >/dev/null 2>&1 &&
            $prefix apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
}
