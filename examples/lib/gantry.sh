# Where the examples' scripts find Gantry: $GANTRY (the program starts them with its own path), else the launcher of this
# clone, else what is installed. A library: . lib/gantry.sh; gantry ARGUMENTS...

gantry_root=$(cd "$here/../.." && pwd)
if [ -z "${GANTRY:-}" ]; then
    if [ -x "$gantry_root/gantry" ]; then
        GANTRY=$gantry_root/gantry
    else
        GANTRY=$(command -v gantry) || {
            echo "${0##*/}: gantry is not found; set GANTRY to the program's path" >&2
            exit 1
        }
    fi
fi
export GANTRY

gantry() { "$GANTRY" "$@"; }
