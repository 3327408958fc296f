#!/bin/sh
# One LAN across two hosts: the part of host vm0
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

# Create macvlan network macvlan50: containers straight on the LAN of eth0.50
#   --driver macvlan          every container gets a MAC address of its own on the parent's LAN; no bridge, no NAT
#   --subnet 192.168.22.0/24  the containers' addresses come from here
#   --gateway 192.168.22.1    the default route of the containers
#   --opt parent=eth0.50      the interface that carries the frames
#   --label …                 whose it is: `down` goes by this
docker network create \
  --driver macvlan \
  --subnet 192.168.22.0/24 \
  --gateway 192.168.22.1 \
  --opt parent=eth0.50 \
  --label dockerlab.lab=macvlan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=37d1596ffe60 \
  macvlan50

# Start container centos_vm0_v1
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name centos_vm0_v1          what the definition, the other commands and DNS call it
#   --network macvlan50           its place on the first network
#   --ip 192.168.22.200           fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name centos_vm0_v1 \
  --network macvlan50 \
  --ip 192.168.22.200 \
  --label dockerlab.lab=macvlan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=a83c8a33a573 \
  dockerlab/node

#!/bin/sh
# One LAN across two hosts: the part of host vm1
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

# Create macvlan network macvlan50: containers straight on the LAN of eth0.50
#   --driver macvlan          every container gets a MAC address of its own on the parent's LAN; no bridge, no NAT
#   --subnet 192.168.22.0/24  the containers' addresses come from here
#   --gateway 192.168.22.1    the default route of the containers
#   --opt parent=eth0.50      the interface that carries the frames
#   --label …                 whose it is: `down` goes by this
docker network create \
  --driver macvlan \
  --subnet 192.168.22.0/24 \
  --gateway 192.168.22.1 \
  --opt parent=eth0.50 \
  --label dockerlab.lab=macvlan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=37d1596ffe60 \
  macvlan50

# Start container centos_vm1_v1
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name centos_vm1_v1          what the definition, the other commands and DNS call it
#   --network macvlan50           its place on the first network
#   --ip 192.168.22.201           fixed, so that the definition can speak of it
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name centos_vm1_v1 \
  --network macvlan50 \
  --ip 192.168.22.201 \
  --label dockerlab.lab=macvlan --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=93bc8f5ec66e \
  dockerlab/node
