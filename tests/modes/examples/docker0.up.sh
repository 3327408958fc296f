#!/bin/sh
# docker0 by daemon.json: the part of host vm0
set -eu

# The image dockerlab/node: a static busybox and its names
docker image inspect dockerlab/node >/dev/null 2>&1 || (
  umask 022; stay='CMD ["sh","-c","trap exit TERM INT; while :; do sleep 3600 & wait; done"]'
  root=$(mktemp -d) && cd "$root" && mkdir bin dev etc proc root sys tmp var www && chmod 1777 tmp &&
  cp "$(command -v busybox)" bin/busybox &&
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n' >etc/passwd &&
  printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group &&
  printf 'dockerlab\n' >www/index.html &&
  for name in $(bin/busybox --list); do [ "$name" = busybox ] || ln -s busybox "bin/$name"; done &&
  tar -c bin dev etc proc root sys tmp var www | docker import --change "$stay" --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - dockerlab/node &&
  rm -r "$root"
)

# Keep /etc/docker/daemon.json as it is, and whose lab changes it: `down` puts it back
#   sh -s --                                                            runs the lines below
#   /etc/docker/daemon.json                                             what is kept stands beside it, with .dockerlab behind its name
#   absent                                                              nothing is done unless the file still is what was looked at: its SHA-256, or absent
#   8973a1a5cd977d756c498662167d917b4614132820a4ae20a16416bbeb97ec80 …  the SHA-256 of what is written next, to tell a change of somebody else from it
#   docker0 teacher@desk '' 0                                           whose change it is
sh -s -- \
  /etc/docker/daemon.json \
  absent \
  8973a1a5cd977d756c498662167d917b4614132820a4ae20a16416bbeb97ec80 \
  docker0 teacher@desk '' 0 <<'END'
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
END

# Write the engine's settings beside the file
#   tee /etc/docker/daemon.json.new  the lines below
tee /etc/docker/daemon.json.new <<'END'
{
  "bip": "192.168.1.5/24",
  "fixed-cidr": "192.168.1.0/25",
  "ipv6": true,
  "fixed-cidr-v6": "2001:db8::/64",
  "mtu": 1400,
  "default-gateway": "192.168.1.1",
  "default-gateway-v6": "2001:db8::89",
  "dns": [
    "114.114.114.114",
    "100.100.2.138"
  ]
}
END

# Put them in its place, whole or not at all
mv /etc/docker/daemon.json.new /etc/docker/daemon.json

# Restart the engine by the host's own means, and wait until it answers
#   sh -s --                 runs the lines below
#   /etc/docker/daemon.json  what it was before takes its place again where the engine does not come up
#   60                       how long the engine may take
sh -s -- \
  /etc/docker/daemon.json \
  60 <<'END'
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
END

# Start container centos8
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name centos8                what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name centos8 \
  --network bridge \
  --label dockerlab.lab=docker0 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=1734443927f7 \
  dockerlab/node

# Start container centos9
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name centos9                what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name centos9 \
  --network bridge \
  --label dockerlab.lab=docker0 --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=26cf9aadd374 \
  dockerlab/node
