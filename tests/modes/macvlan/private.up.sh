#!/bin/sh
# macvlan-private: the part of host local
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

# Create macvlan network apart: containers straight on the LAN of eth0.50
#   --driver macvlan             every container gets a MAC address of its own on the parent's LAN; no bridge, no NAT
#   --subnet 192.168.50.0/24     the containers' addresses come from here
#   --ip-range 192.168.50.64/26  automatic addresses only from this part of the subnet
#   --gateway 192.168.50.1       the default route of the containers
#   --opt macvlan_mode=private   how children of one parent reach each other
#   --opt parent=eth0.50         an option of the driver; an unknown one is ignored in silence
#   --label …                    whose it is: `down` goes by this
docker network create \
  --driver macvlan \
  --subnet 192.168.50.0/24 \
  --ip-range 192.168.50.64/26 \
  --gateway 192.168.50.1 \
  --opt macvlan_mode=private \
  --opt parent=eth0.50 \
  --label dockerlab.lab=macvlan-private --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=4b45c746f85f \
  apart

# Start container b
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name b                      what the definition, the other commands and DNS call it
#   --network apart               its place on the first network
#   --ip 192.168.50.10            fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name b \
  --network apart \
  --ip 192.168.50.10 \
  --label dockerlab.lab=macvlan-private --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=278f456118ca \
  dockerlab/node

# Start container a
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name a                      what the definition, the other commands and DNS call it
#   --network apart               its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name a \
  --network apart \
  --label dockerlab.lab=macvlan-private --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=e4fbf2478009 \
  dockerlab/node
