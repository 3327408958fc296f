"""The program on a host that holds locks: for every shell, in directories in which strangers may make files, too."""

from __future__ import annotations

HOLD = r"""
patience=$1 who=$2
shift 2
me=$(id -u)
own=/run/dockerlab  # root's alone: nobody else gets in
shared=/tmp  # one place for all users of the machine, in which everybody may make files
[ -k /run/lock ] && shared=/run/lock
group=$(stat -Lc %g /run/docker.sock 2>/dev/null)

# Tells whether who made a file, by the numbers of owner and group, may use the engine here: only such a one has a lab
# to lock. Nobody can give a file to a group without being in it.
may() {
    [ "$1" = 0 ] || [ "$1" = "$me" ] || { [ "${group:-0}" != 0 ] && [ "$2" = "$group" ]; }
}

# Makes root's own directory; fails where somebody else's is there. Where none is, whoever made it has just removed it.
enter() {
    mkdir -m 700 $own 2>/dev/null && made=yes
    [ ! -L $own ] || return 1
    case $(stat -c %u $own 2>/dev/null) in '') ;; 0) chmod 700 $own 2>/dev/null || : ;; *) return 1 ;; esac
}

# Takes the lock $file as descriptor 9. Prints nothing when it is had, else what the reason is.
#
# Nothing is opened by a name in a directory for all: what a stranger puts there, a link or a pipe, would be followed or
# waited for. A new file is made, locked and written in a directory of our own, and gets its name by link(2), which
# replaces nothing; one that is there gets a second name in that directory first, and is looked at there.
take() {
    beside=$(mktemp -d "${file%/*}/.dockerlab-XXXXXXXX" 2>/dev/null) || {
        why=cannot
        [ -d "${file%/*}" ] || why=again  # whoever made the directory has just removed it
        return
    }
    (umask 077; : >"$beside/new")
    [ "${group:-0}" = 0 ] || { chgrp "$group" "$beside/new" && chmod 660 "$beside/new"; } 2>/dev/null
    command exec 9<>"$beside/new"
    flock -n 9
    printf '%s\n' "$who" >&9 2>/dev/null
    why=
    if ! ln -T "$beside/new" "$file" 2>/dev/null; then
        why=again
        if ln -P -T "$file" "$beside/old" 2>/dev/null; then seen=$beside/old; else seen=$file; fi
        if made_by=$(stat -c '%u %g' "$seen" 2>/dev/null); then
            if [ -L "$seen" ] || [ ! -f "$seen" ] || ! may ${made_by% *} ${made_by#* }; then
                why=strange holder=$(stat -c %U "$seen" 2>/dev/null)
            elif [ "$seen" != "$file" ] && command exec 9<"$seen"; then
                # A file without a name keeps nobody out: whoever had it before has just removed it.
                if flock -n 9 && [ "$file" -ef "$seen" ]; then
                    printf '%s\n' "$who" >"$seen"
                    why=
                else
                    holder=$(head -c 300 <&9)
                fi
            fi 2>/dev/null
        fi
    fi
    rm -rf "$beside"
}

hold() {
    if [ $# = 0 ]; then
        echo granted
        while beat=$(timeout 60 head -n 1 9<&-) && [ "$beat" ]; do :; done
        return
    fi
    file=$1
    name=${file##*/dockerlab-} tries=0 holder=
    while :; do
        if [ "${file%/*}" = $own ]; then
            enter || { echo "strange $own $(stat -c %U $own)"; return; }
        fi
        take
        if [ -z "$why" ]; then
            shift
            (hold "$@")
            rm -f "$file"
            return
        fi
        exec 9<&-
        if [ "$me" = 0 ] && [ "${file%/*}" != $own ] && [ $why != again ]; then
            # Nobody who may use the engine can have it either: it is no lock, and keeps root from nothing.
            shift
            hold "$@"
            return
        fi
        [ $why = strange ] && { echo "strange $file $holder"; return; }
        [ $why = cannot ] && { echo "cannot ${file%/*}"; return; }
        if [ "$holder" = "$who" ]; then  # this machine is a host of the lab under another name as well
            shift
            hold "$@"
            return
        fi
        tries=$((tries + 1))
        if [ $tries -gt "$patience" ]; then
            [ -d "${file%/*}" ] || { echo "cannot ${file%/*}"; return; }
            printf 'held %s %s\n' "${name%.lock}" "$holder"
            return
        fi
        [ $tries -gt 1 ] || echo waits
        sleep 0.1
    done
}

for program in flock timeout; do
    command -v $program >/dev/null || { echo "missing $program"; exit; }
done
names=$*
made=
set -f --
for name in $names; do
    [ "$me" != 0 ] || set -- "$@" "$own/dockerlab-$name.lock"
    set -- "$@" "$shared/dockerlab-$name.lock"
done
hold "$@"
[ -z "$made" ] || rmdir $own 2>/dev/null
"""
"""Holds the locks whose names follow; a constant, what it is given are its arguments, and a name has no blanks.

It speaks one line, `granted`, `held NAME HOLDER`, `strange FILE OWNER`, `cannot DIRECTORY` or `missing PROGRAM`, with
`waits` ahead for each lock that it does not get at once. It ends with its standard input, or when a minute passes
without a line there: the machine at the other end may have died without a word.

Root has a lock in a directory of its own, which no local user can reach, and the one for all as well: so that those who
may use the engine without being root and root keep each other out. A file in the place of that one made by somebody
who may not use the engine is no lock: it is refused with that one's name, and root passes it by.
"""
