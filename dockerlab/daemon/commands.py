"""The commands that change a host's daemon.json and put it back, each with the engine's restart. Pure.

What they are given travels as arguments; the programs are constants, which a script shows as here-documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dockerlab import render
from dockerlab.command import Command
from dockerlab.daemon.settings import Change, leaving
from dockerlab.daemon.state import DaemonFile, Kept, digest, header
from dockerlab.identity import Identity
from dockerlab.snapshot import LABEL_INSTANCE, LABEL_LAB, LABEL_OWNER, LABEL_RUN

SECONDS = 60
"""How long an engine may take until it answers."""

KEEP = """
# Keep {{ file }} as it is, and whose lab changes it: `down` puts it back
sh -s --  # runs the lines below
  {{ file }}  # what is kept stands beside it, with .dockerlab behind its name
  {{ seen }}  # nothing is done unless the file still is what was looked at: its SHA-256, or absent
  {{ wrote }}  # the SHA-256 of what is written next, to tell a change of somebody else from it
  {{ lab }} {{ owner }} {{ instance }} {{ run }}  # whose change it is
"""

KEEP_PROGRAM = r"""
keep() {
    file=$1 seen=$2 wrote=$3 lab=$4 owner=$5 instance=$6 run=$7 kept=$1.dockerlab
    mkdir -p "${file%/*}"
    now=absent mode=absent
    if [ -e "$file" ]; then
        now=$(sha256sum <"$file") now=${now%% *} mode=$(stat -c %a "$file")
    fi
    if [ "$now" != "$seen" ]; then
        echo "$file has changed since it was looked at, and was left as it is: run the same command again" >&2
        exit 1
    fi
    {
        if [ -e "$kept" ]; then
            sed '/^$/,$d' "$kept"
        else
            echo "# what $file was before lab $lab changed it: 'dockerlab down $lab' puts it back"
            printf '%s\n' "lab $lab" "owner $owner" "instance $instance" "run $run" "mode $mode"
            addresses=$(ip -o address show dev docker0 | sed -n 's/.* inet6\{0,1\} \([^ ]*\) .* scope global .*/\1/p')
            echo docker0 $addresses
        fi
        printf '%s\n\n' "wrote $wrote"
        if [ -e "$kept" ]; then sed '1,/^$/d' "$kept"; elif [ -e "$file" ]; then cat "$file"; fi
    } >"$kept.new"
    touch -d @0 "$kept.new"  # older than the file: the engine has yet to read what is written next
    : >"$file.new"
    [ "$mode" = absent ] && mode=644
    chmod "$mode" "$kept.new" "$file.new"
    mv "$kept.new" "$kept"
}
set -eu
umask 077
PATH="$PATH:/usr/sbin:/sbin"
keep "$@"
"""

WRITE = """
# Write the engine's settings beside the file
tee {{ file }}.new  # the lines below
"""

PLACE = """
# Put them in its place, whole or not at all
mv {{ file }}.new {{ file }}
"""

RESTART = """
# Restart the engine by the host's own means, and wait until it answers
sh -s --  # runs the lines below
  {{ file }}  # what it was before takes its place again where the engine does not come up
  {{ seconds }}  # how long the engine may take
"""

REVIVE = """
# Restart the engine, which then counts anew who is on its networks
sh -s --  # runs the lines below
  {{ seconds }}  # how long the engine may take
"""

ENGINE = r"""
engines() { grep -lsx dockerd /proc/[0-9]*/comm | cut -d / -f 3; }

stop() {
    if [ -d /run/systemd/system ]; then
        systemctl stop docker.service
    elif [ -e /etc/dockerlab/init.sh ]; then  # a host of the sandbox: its supervisor leaves stopped what this file says
        touch /run/dockerlab/dockerd.stopped
        while [ "$(engines)" ]; do kill $(engines); sleep 0.2; done
    else
        service docker stop
    fi >/dev/null 2>&1
    # The engine makes it anew. Where containers still run, it is theirs.
    [ "$(ls /sys/class/net/docker0/brif)" ] || ip link delete docker0
} 2>/dev/null

start() {
    if [ -d /run/systemd/system ]; then
        systemctl reset-failed docker.service
        systemctl start docker.service
    elif [ -e /etc/dockerlab/init.sh ]; then
        rm -f /run/dockerlab/dockerd.stopped
    else
        service docker start
    fi >/dev/null 2>&1
}

answers() {
    end=$(($(date +%s) + seconds)) last='' started=0 absent=0
    while [ "$(date +%s)" -lt "$end" ]; do
        now=$(engines)
        if [ ! "$now" ]; then
            absent=$((absent + 1))
        elif [ "$now" != "$last" ]; then
            started=$((started + 1)) absent=0 last=$now
        fi
        # It has ended, or is started and ends again and again.
        if [ "$absent" -gt 30 ] || [ "$started" -gt 3 ]; then return 1; fi
        timeout 5 docker version >/dev/null 2>&1 </dev/null && return 0
        sleep 0.2
    done
    return 1
}

said() {
    complaint='failed to start daemon|unable to configure the Docker daemon|level=fatal'
    {
        [ ! -d /run/systemd/system ] || journalctl -u docker.service -n 300 --no-pager -o cat
        tail -q -n 300 /var/log/dockerd.log /var/log/docker.log
    } 2>/dev/null | grep -E "$complaint" | tail -n 1 | cut -c 1-400
}
"""
"""How the engine is stopped and started by the host's own means, and what it said; `answers` waits for `$seconds`."""

REVIVE_PROGRAM = (
    ENGINE
    + r"""
PATH="$PATH:/usr/sbin:/sbin"
export LC_ALL=C
seconds=$1
stop
start && answers || { echo "the engine did not come up again: $(said)" >&2; exit 1; }
"""
)

RESTART_PROGRAM = (
    ENGINE
    + r"""
restart() {
    file=$1 seconds=$2 kept=$1.dockerlab
    stop
    start && answers && { touch "$kept"; return 0; }
    reason=$(said)
    mode=$(sed -n -e '/^$/q' -e 's/^mode //p' "$kept")
    if [ "$mode" = absent ]; then
        rm -f "$file"
    else
        (umask 077; sed '1,/^$/d' "$kept" >"$file.new") && chmod "$mode" "$file.new" && mv "$file.new" "$file"
    fi
    stop
    echo "the engine did not come up with the new $file: ${reason:-it gave no reason within $seconds s}" >&2
    if start && answers; then
        touch "$kept"
        echo "  what the file was before was put back, and the engine runs with it again" >&2
    else
        echo "  what the file was before was put back, but the engine does not come up with that either: $(said)" >&2
        echo "  look at 'journalctl -u docker' (or the engine's log) on the host" >&2
    fi
    return 1
}
PATH="$PATH:/usr/sbin:/sbin"
export LC_ALL=C
restart "$@"
"""
)

PUT_BACK = """
# Put back what {{ file }} was before the lab
sh -s --  # runs the lines below
  {{ file }}
"""

PUT_BACK_PROGRAM = r"""
put_back() {
    file=$1 kept=$1.dockerlab
    [ -e "$kept" ] || return 0
    mode=$(sed -n -e '/^$/q' -e 's/^mode //p' "$kept")
    if [ "$mode" = absent ]; then
        rm -f "$file"
    else
        sed '1,/^$/d' "$kept" >"$file.new"
        chmod "$mode" "$file.new"
        mv "$file.new" "$file"
    fi
    # docker0 keeps an IPv6 address that the engine once gave it.
    before=" $(sed -n -e '/^$/q' -e 's/^docker0 //p' "$kept") "
    for address in $(ip -6 -o address show dev docker0 scope global 2>/dev/null | sed 's/.* inet6 \([^ ]*\) .*/\1/'); do
        case $before in *" $address "*) ;; *) ip address delete "$address" dev docker0 ;; esac
    done
    rm -f "$file.new" "$kept"
}
set -eu
umask 077
PATH="$PATH:/usr/sbin:/sbin"
export LC_ALL=C
put_back "$@"
"""


def apply(wanted: Change, file: DaemonFile, identity: Identity) -> tuple[Command, ...]:
    """Return the commands that make a host's settings what is wanted, and have its engine read them."""
    return _written(file, wanted.text, header(identity))


def undo(wanted: Change, file: DaemonFile, identity: Identity) -> tuple[Command, ...]:
    """Return the commands that put back what `apply` changes, by what is known before it."""
    kept = file.kept or Kept(header(identity), file.text, file.mode, file.bridge)
    return restore(replace(file, text=wanted.text, kept=kept, due=True))


def restore(file: DaemonFile) -> tuple[Command, ...]:
    """Return the commands after which a host's settings, and its docker0, are what they were before the lab.

    Without a restart where the engine runs with the original already.
    """
    kept = file.kept
    back = _program(PUT_BACK, PUT_BACK_PROGRAM, file)
    as_before = kept is not None and file.text == kept.original and not file.due and file.bridge == kept.bridge
    if kept is None or as_before:
        return (back,)
    return (*_written(file, leaving(file), kept.labels), back)


def revive(host: str) -> Command:
    """Return how an engine is restarted as it is."""
    return replace(render.command(REVIVE, host, seconds=SECONDS), text=REVIVE_PROGRAM.lstrip("\n"))


def _written(file: DaemonFile, text: bytes, labels: Mapping[str, str]) -> tuple[Command, ...]:
    whose = {
        "lab": labels[LABEL_LAB],
        "owner": labels[LABEL_OWNER],
        "instance": labels.get(LABEL_INSTANCE, ""),
        "run": labels[LABEL_RUN],
    }
    keep = _program(KEEP, KEEP_PROGRAM, file, seen=file.digest, wrote=digest(text), **whose)
    write = replace(render.command(WRITE, file.host, file=file.path), text=text.decode())
    place = render.command(PLACE, file.host, file=file.path)
    return (keep, write, place, _program(RESTART, RESTART_PROGRAM, file, seconds=SECONDS))


def _program(template: str, program: str, file: DaemonFile, **context: object) -> Command:
    return replace(render.command(template, file.host, file=file.path, **context), text=program.lstrip("\n"))
