#!/bin/sh
# User-defined bridges, names and isolation: the part of host local
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

# Create bridge network front: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.28.1.0/24  the containers' addresses come from here
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.28.1.0/24 \
  --label dockerlab.lab=user-bridge --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=dd8af35f93b4 \
  front

# Create bridge network back: a Linux bridge on this host alone
#   --driver bridge             a switch in the kernel; the host is its router
#   --subnet 172.28.2.0/24      the containers' addresses come from here
#   --ip-range 172.28.2.128/25  automatic addresses only from this part of the subnet
#   --label …                   whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.28.2.0/24 \
  --ip-range 172.28.2.128/25 \
  --label dockerlab.lab=user-bridge --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=1dba32d2f2da \
  back

# Create bridge network vault: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.28.3.0/24  the containers' addresses come from here
#   --internal              no way out: no default route, no masquerading, dropped by the host's firewall
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.28.3.0/24 \
  --internal \
  --label dockerlab.lab=user-bridge --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=495142fbd99d \
  vault

# Start container web
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name web                    what the definition, the other commands and DNS call it
#   --network front               its place on the first network
#   --ip 172.28.1.10              fixed, so that the definition can speak of it
#   --network-alias www           one more name on this network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name web \
  --network front \
  --ip 172.28.1.10 \
  --network-alias www \
  --label dockerlab.lab=user-bridge --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=1c7d44faffb5 \
  dockerlab/node

# Start container db
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name db                     what the definition, the other commands and DNS call it
#   --network back                its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name db \
  --network back \
  --label dockerlab.lab=user-bridge --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=3a1a1697c0e6 \
  dockerlab/node

# Start container hidden
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name hidden                 what the definition, the other commands and DNS call it
#   --network vault               its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name hidden \
  --network vault \
  --label dockerlab.lab=user-bridge --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=ecb227fb14e6 \
  dockerlab/node

# Start container both
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name both                   what the definition, the other commands and DNS call it
#   --network front               its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name both \
  --network front \
  --label dockerlab.lab=user-bridge --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=aed0fafefc91 \
  dockerlab/node

# Attach both to network back as well
docker network connect back both
