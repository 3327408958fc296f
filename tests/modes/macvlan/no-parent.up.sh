#!/bin/sh
# macvlan-dummy: the part of host local
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

# Create macvlan network dummy: containers straight on the LAN of no parent
#   --driver macvlan       every container gets a MAC address of its own on the parent's LAN; no bridge, no NAT
#   --subnet 10.99.0.0/24  the containers' addresses come from here
#   --label …              whose it is: `down` goes by this
docker network create \
  --driver macvlan \
  --subnet 10.99.0.0/24 \
  --label dockerlab.lab=macvlan-dummy --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=efe9193bfa0b \
  dummy

# Create macvlan network inside: containers straight on the LAN of eth0.50
#   --driver macvlan       every container gets a MAC address of its own on the parent's LAN; no bridge, no NAT
#   --subnet 10.98.0.0/24  the containers' addresses come from here
#   --internal             no way out: no default route, no masquerading, dropped by the host's firewall
#   --opt parent=eth0.50   the interface that carries the frames
#   --label …              whose it is: `down` goes by this
docker network create \
  --driver macvlan \
  --subnet 10.98.0.0/24 \
  --internal \
  --opt parent=eth0.50 \
  --label dockerlab.lab=macvlan-dummy --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=bf0f63b53cc7 \
  inside

# Start container a
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name a                      what the definition, the other commands and DNS call it
#   --network dummy               its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name a \
  --network dummy \
  --label dockerlab.lab=macvlan-dummy --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=2a8a0cc5c192 \
  dockerlab/node

# Start container b
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name b                      what the definition, the other commands and DNS call it
#   --network dummy               its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name b \
  --network dummy \
  --label dockerlab.lab=macvlan-dummy --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=7f7f3a0c7d6e \
  dockerlab/node

# Start container c
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name c                      what the definition, the other commands and DNS call it
#   --network inside              its place on the first network
#   --ip 10.98.0.10               fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name c \
  --network inside \
  --ip 10.98.0.10 \
  --label dockerlab.lab=macvlan-dummy --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=3064900ab3b8 \
  dockerlab/node
