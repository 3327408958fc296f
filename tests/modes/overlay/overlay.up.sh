#!/bin/sh
# overlay-mode: the part of host vm1
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

# Note on the host that this lab changed its swarm, so that `down` can undo it without any file
#   --label …  whose it is: `down` goes by this
docker volume create \
  --label dockerlab.lab=overlay-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=- --label dockerlab.receipt=swarm \
  dockerlab-swarm

# Make a Swarm, which keeps the addresses and names of overlay networks
#   --advertise-addr 192.168.22.62  where the other hosts find this one
docker swarm init --advertise-addr 192.168.22.62

# Read what another host has to show to join
DOCKERLAB_SWARM_TOKEN=$(docker swarm join-token --quiet worker)
export DOCKERLAB_SWARM_TOKEN

# Create overlay network wide: one layer 2 over all hosts of the Swarm
#   --driver overlay       frames travel between the hosts in VXLAN, UDP port 4789
#   --subnet 10.60.0.0/24  the containers' addresses come from here
#   --attachable           plain containers may join a Swarm's network, not services alone
#   --opt encrypted=       an option of the driver; an unknown one is ignored in silence
#   --label …              whose it is: `down` goes by this
docker network create \
  --driver overlay \
  --subnet 10.60.0.0/24 \
  --attachable \
  --opt encrypted= \
  --label dockerlab.lab=overlay-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=94be16e3d5d0 \
  wide

# Create overlay network deep: one layer 2 over all hosts of the Swarm
#   --driver overlay       frames travel between the hosts in VXLAN, UDP port 4789
#   --subnet 10.61.0.0/24  the containers' addresses come from here
#   --attachable           plain containers may join a Swarm's network, not services alone
#   --internal             no way out: no default route, no masquerading, dropped by the host's firewall
#   --label …              whose it is: `down` goes by this
docker network create \
  --driver overlay \
  --subnet 10.61.0.0/24 \
  --attachable \
  --internal \
  --label dockerlab.lab=overlay-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=fca61f10832d \
  deep

# Start container w1
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name w1                     what the definition, the other commands and DNS call it
#   --network wide                its place on the first network
#   --ip 10.60.0.20               fixed, so that the definition can speak of it
#   --network-alias east          one more name on this network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name w1 \
  --network wide \
  --ip 10.60.0.20 \
  --network-alias east \
  --label dockerlab.lab=overlay-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=ee2e386ed3de \
  dockerlab/node

# Start container d1
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name d1                     what the definition, the other commands and DNS call it
#   --network deep                its place on the first network
#   --publish 8080:80/tcp         a port of the host that leads to a port of the container (DNAT)
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name d1 \
  --network deep \
  --publish 8080:80/tcp \
  --label dockerlab.lab=overlay-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=e14bc9749036 \
  dockerlab/node

#!/bin/sh
# overlay-mode: the part of host vm2
set -eu
# needs $DOCKERLAB_SWARM_TOKEN: set it to what 'docker swarm join-token --quiet worker' prints on the manager

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

# Note on the host that this lab changed its swarm, so that `down` can undo it without any file
#   --label …  whose it is: `down` goes by this
docker volume create \
  --label dockerlab.lab=overlay-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=- --label dockerlab.receipt=swarm \
  dockerlab-swarm

# Create bridge network app: a Linux bridge on this host alone
#   --driver bridge         a switch in the kernel; the host is its router
#   --subnet 172.30.0.0/24  the containers' addresses come from here
#   --label …               whose it is: `down` goes by this
docker network create \
  --driver bridge \
  --subnet 172.30.0.0/24 \
  --label dockerlab.lab=overlay-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=1dd86967b0dc \
  app

# Join the Swarm of vm1
#   --token $DOCKERLAB_SWARM_TOKEN  proves that the manager invited this host
#   --advertise-addr 192.168.22.63  where the other hosts find this one
docker swarm join \
  --token "${DOCKERLAB_SWARM_TOKEN:?set it to what 'docker swarm join-token --quiet worker' prints on the manager}" \
  --advertise-addr 192.168.22.63 \
  192.168.22.62:2377

# Start container w2
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name w2                     what the definition, the other commands and DNS call it
#   --network wide                its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name w2 \
  --network wide \
  --label dockerlab.lab=overlay-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=775db3d66d36 \
  dockerlab/node

# Attach w2 to network deep as well
docker network connect deep w2

# Start container both
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name both                   what the definition, the other commands and DNS call it
#   --network app                 its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name both \
  --network app \
  --label dockerlab.lab=overlay-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=8d9509487700 \
  dockerlab/node

# Attach both to network wide as well
docker network connect wide both

#!/bin/sh
# overlay-mode: the part of host vm0
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

# Start container plain
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name plain                  what the definition, the other commands and DNS call it
#   --network bridge              docker0: the bridge that every engine has; no names, automatic addresses
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name plain \
  --network bridge \
  --label dockerlab.lab=overlay-mode --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=4adbe0287be3 \
  dockerlab/node
