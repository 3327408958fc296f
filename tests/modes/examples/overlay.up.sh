#!/bin/sh
# An overlay network over a Swarm: the part of host vm0
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
  --label dockerlab.lab=overlay --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=- --label dockerlab.receipt=swarm \
  dockerlab-swarm

# Make a Swarm, which keeps the addresses and names of overlay networks
#   --advertise-addr 192.168.22.61  where the other hosts find this one
docker swarm init --advertise-addr 192.168.22.61

# Read what another host has to show to join
DOCKERLAB_SWARM_TOKEN=$(docker swarm join-token --quiet worker)
export DOCKERLAB_SWARM_TOKEN

# Create overlay network wide: one layer 2 over all hosts of the Swarm
#   --driver overlay       frames travel between the hosts in VXLAN, UDP port 4789
#   --subnet 10.50.0.0/24  the containers' addresses come from here
#   --attachable           plain containers may join a Swarm's network, not services alone
#   --label …              whose it is: `down` goes by this
docker network create \
  --driver overlay \
  --subnet 10.50.0.0/24 \
  --attachable \
  --label dockerlab.lab=overlay --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=c51116dd8a5b \
  wide

# Start container left
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name left                   what the definition, the other commands and DNS call it
#   --network wide                its place on the first network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name left \
  --network wide \
  --label dockerlab.lab=overlay --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=3d3f7194d5c1 \
  dockerlab/node

#!/bin/sh
# An overlay network over a Swarm: the part of host vm1
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
  --label dockerlab.lab=overlay --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=- --label dockerlab.receipt=swarm \
  dockerlab-swarm

# Join the Swarm of vm0
#   --token $DOCKERLAB_SWARM_TOKEN  proves that the manager invited this host
#   --advertise-addr 192.168.22.62  where the other hosts find this one
docker swarm join \
  --token "${DOCKERLAB_SWARM_TOKEN:?set it to what 'docker swarm join-token --quiet worker' prints on the manager}" \
  --advertise-addr 192.168.22.62 \
  192.168.22.61:2377

# Start container right
#   --detach --interactive --tty  in the background, with a terminal: a shell as main process then stays
#   --name right                  what the definition, the other commands and DNS call it
#   --network wide                its place on the first network
#   --network-alias east          one more name on this network
#   --label …                     whose it is: `down` goes by this
docker run \
  --detach --interactive --tty \
  --name right \
  --network wide \
  --network-alias east \
  --label dockerlab.lab=overlay --label dockerlab.owner=teacher@desk --label dockerlab.run=0 --label dockerlab.fingerprint=a49a9b2e8c43 \
  dockerlab/node
