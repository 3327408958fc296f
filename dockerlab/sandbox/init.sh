#!/bin/sh
# The first process of a host of the sandbox: keeps its two services running, and takes everything with it when it
# is killed.
#
# A service that ends is started again, as on a machine with an init system, unless /run/dockerlab/SERVICE.stopped
# exists.
#
# usage: init.sh CONTROL-GROUP

keep() {
    service=$1
    shift
    while :; do
        # A shell without job control starts what is in the background deaf to Ctrl-C; sessions would inherit it.
        [ -e "/run/dockerlab/$service.stopped" ] || env --default-signal "$@" >>"/var/log/$service.log" 2>&1
        sleep 0.3
    done
}

keep sshd /usr/sbin/sshd -D -e &
keep dockerd dockerd --cgroup-parent "$1" &

# Returns never, and reaps what loses its parent.
wait
